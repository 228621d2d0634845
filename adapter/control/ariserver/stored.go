package ariserver

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"parley/recording"
)

// The complete recordings, whoever has made them.

func (s *Server) listStored(context.Context, *request) answer {
	list, err := s.opt.Recordings.List()
	if err != nil {
		return s.storedFailed(err)
	}
	all := make([]stored, 0, len(list))
	for _, one := range list {
		all = append(all, stored{strings.TrimSuffix(one.Name, recording.Extension), wav})
	}
	return ok(all)
}

// storedFile opens a complete recording.
func (s *Server) storedFile(q *request, with func(name string) answer) answer {
	name, err := s.opt.Recordings.Name(q.get("recordingName") + recording.Extension)
	if err != nil {
		return noRecording()
	}
	return with(name)
}

func (s *Server) storedFailed(err error) answer {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, recording.ErrName):
		return noRecording()
	case errors.Is(err, recording.ErrExists):
		return no(http.StatusConflict, "A recording with the same name already exists on the system")
	case errors.Is(err, recording.ErrInUse):
		return no(http.StatusConflict, "Recording is in progress")
	default:
		s.opt.Log.Warn("ari: recordings cannot be read. [record_dir]", "error", err)
		return no(http.StatusInternalServerError, internalError)
	}
}

func (s *Server) getStored(_ context.Context, q *request) answer {
	return s.storedFile(q, func(name string) answer {
		f, err := s.opt.Recordings.Open(name)
		if err != nil {
			return s.storedFailed(err)
		}
		_ = f.Close() // it was only looked for
		return ok(stored{q.get("recordingName"), wav})
	})
}

func (s *Server) getStoredFile(_ context.Context, q *request) answer {
	return s.storedFile(q, func(name string) answer {
		f, err := s.opt.Recordings.Open(name)
		if err != nil {
			return s.storedFailed(err)
		}
		return answer{status: http.StatusOK, file: f}
	})
}

func (s *Server) copyStored(ctx context.Context, q *request) answer {
	if a := s.getStored(ctx, q); a.status != http.StatusOK {
		return a
	}
	to := q.get("destinationRecordingName")
	if to == "" {
		return no(http.StatusBadRequest, "Invalid destination recording name")
	}
	file, err := s.opt.Recordings.Name(to + recording.Extension)
	if err != nil {
		return no(http.StatusForbidden, "Destination file path is forbidden")
	}
	return s.storedFile(q, func(name string) answer {
		switch err := s.opt.Recordings.Copy(name, file); {
		case errors.Is(err, recording.ErrName): // the source was there
			return no(http.StatusInternalServerError, "Copy failed: destinationRecordingName cannot be the name of a file")
		case err != nil:
			return s.storedFailed(err)
		}
		return ok(stored{to, wav})
	})
}

func (s *Server) removeStored(_ context.Context, q *request) answer {
	return s.storedFile(q, func(name string) answer {
		if err := s.opt.Recordings.Remove(name); err != nil {
			return s.storedFailed(err)
		}
		return done()
	})
}
