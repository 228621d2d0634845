package sound

import (
	"container/list"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"
)

// DefaultCacheBytes is the memory a Library keeps clips in.
const DefaultCacheBytes = 64 << 20

// Options of a Library; the zero value has the built-in prompts and tones.
type Options struct {
	Dir        string // the admin's sounds (sounds_dir); "" means none
	Language   string // used where a call names none; "" means DefaultLanguage
	CacheBytes int    // clips kept in memory, at 8 and 16 kHz; 0 means DefaultCacheBytes
	Speech     Speech // say:
}

// Library loads clips and keeps those lately used. It may be used by many
// goroutines at once; loads of the same spec at the same time are one. A file
// that is changed on disk is noticed by a new Library; one that is asked for by its whole
// path, its extension included, at once.
type Library struct {
	opts   Options
	flight singleflight.Group
	speech speaker
	music  func() *Clip // the built-in hold music, performed once

	mu    sync.Mutex
	cache map[key]*list.Element // guarded by mu
	order *list.List            // guarded by mu: of entry, latest used first
	bytes int                   // guarded by mu
}

type key struct {
	spec, language string
	version        version
}

// version tells apart what has been in a file that is named by its whole path: such
// a one is not of the library's folder, as recordings are, and may change.
type version struct{ written, size int64 } // ns since 1970, bytes

func versionOf(spec string) version {
	if !path.IsAbs(spec) {
		return version{}
	}
	info, err := os.Stat(spec)
	if err != nil {
		return version{}
	}
	return version{info.ModTime().UnixNano(), info.Size()}
}

type entry struct {
	key  key
	clip *Clip
}

// New makes a library. It fails when Dir is not a folder or Language is no
// language tag.
func New(o Options) (*Library, error) {
	if o.Language == "" {
		o.Language = DefaultLanguage
	}
	if !isTag(o.Language) {
		return nil, fmt.Errorf("%w: language %q", ErrSpec, clipped(o.Language))
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.Dir != "" {
		info, err := os.Stat(o.Dir)
		if err != nil {
			return nil, fmt.Errorf("sound: sounds_dir: %w", err)
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("%w: sounds_dir %s is not a folder", ErrSpec, o.Dir)
		}
	}
	l := &Library{
		opts:  o,
		music: sync.OnceValue(holdMusic),
		cache: make(map[key]*list.Element),
		order: list.New(),
	}
	l.speech.init(o.Speech)
	return l, nil
}

// Load makes the clip of a spec in a language ("" means the library's). It may
// read files and, for say:, run a program, so call it outside the audio path.
// Failed loads are tried anew each time.
func (l *Library) Load(spec, language string) (*Clip, error) {
	k := key{spec, l.tag(language), versionOf(spec)}
	if c := l.cached(k); c != nil {
		return c, nil
	}
	v, err, _ := l.flight.Do(fmt.Sprint(k.language, " ", k.version, " ", k.spec), func() (any, error) {
		if c := l.cached(k); c != nil { // kept between the look above and this
			return c, nil
		}
		src, err := parse(k.spec)
		if err != nil {
			return nil, err
		}
		c, err := src.load(l, k.language)
		if err == nil {
			l.keep(k, c)
		}
		return c, err
	})
	if err != nil {
		return nil, err
	}
	return v.(*Clip), nil
}

// Check says what is wrong with a spec, nil when Load would succeed. Files are
// read to their end; of say: only the command is looked for.
func (l *Library) Check(spec, language string) error {
	if language != "" && !isTag(language) {
		return fmt.Errorf("%w: language %q", ErrSpec, clipped(language))
	}
	src, err := parse(spec)
	if err != nil {
		return err
	}
	return src.check(l, l.tag(language))
}

// tag is the language to search first. What is no tag (it may come from a call)
// counts as not given, so that it can neither silence a prompt nor name a folder.
func (l *Library) tag(language string) string {
	if !isTag(language) {
		language = l.opts.Language
	}
	return language
}

// isTag tells a language such as de, de-AT or pt_BR from anything else.
func isTag(s string) bool {
	for i := range len(s) {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		inner := s[i] >= '0' && s[i] <= '9' || s[i] == '-' || s[i] == '_'
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	return s != "" && len(s) <= 35
}

// languages lists the folders to search for a language: as it is, in lower
// case, without its region, the library's own, English.
func (l *Library) languages(language string) []string {
	var tags []string
	add := func(tag string) {
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	for _, tag := range []string{language, l.opts.Language} {
		lower := strings.ToLower(tag)
		add(tag)
		add(lower)
		base, _, _ := strings.Cut(strings.ReplaceAll(lower, "_", "-"), "-")
		add(base)
	}
	add(DefaultLanguage)
	return tags
}

// cached looks a clip up and marks it used.
func (l *Library) cached(k key) *Clip {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.cache[k]
	if !ok {
		return nil
	}
	l.order.MoveToFront(e)
	return e.Value.(entry).clip
}

// keep puts a clip into the cache and drops the longest unused ones.
func (l *Library) keep(k key, c *Clip) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.cache[k]; ok {
		return
	}
	l.cache[k] = l.order.PushFront(entry{k, c})
	l.bytes += weight(k, c)
	for l.bytes > l.opts.CacheBytes && l.order.Len() > 0 {
		e := l.order.Remove(l.order.Back()).(entry)
		delete(l.cache, e.key)
		l.bytes -= weight(e.key, e.clip)
	}
}

// weight is what an entry costs: its samples, its key, and the books.
func weight(k key, c *Clip) int { return c.size() + len(k.spec) + 512 }
