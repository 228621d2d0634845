package adapter

import (
	"fmt"
	"os"
	"path/filepath"

	"parley/adapter/config"
	"parley/adapter/freeswitch"
	"parley/engine"
)

// CheckDialplan judges a FreeSWITCH dialplan and the files that it includes; see
// freeswitch.CheckDialplan.
func CheckDialplan(name string, data []byte, c *config.Config) (ours int, problems []string) {
	dir := c.Directory()
	return freeswitch.CheckDialplan(name, data, freeswitch.Dialplan{
		Listen: c.FreeSWITCH.Listen, Include: included,
		Judge: func(name, value string) string { return judge(dir, name, value) },
	})
}

// judge says what is wrong with a variable of a call, where the configuration
// is this one.
func judge(dir *engine.Directory, name, value string) string {
	if wrong := engine.JudgeVariable(name, value); wrong != "" || value == "" {
		return wrong
	}
	switch name {
	case "room":
		if _, err := engine.ParseRoomName(value); err != nil {
			return "parley_room: " + err.Error()
		}
	case "profile":
		if dir.Profiles[value] == nil {
			return fmt.Sprintf("parley_profile: %.60q is not defined", value)
		}
	case "controls":
		if _, known := dir.Menu(value); !known {
			return fmt.Sprintf("parley_controls: %.60q is not defined", value)
		}
	}
	return ""
}

// maxIncluded is more bytes than any file of a dialplan that is judged has.
const maxIncluded = 2 << 20

// included reads the files of a pattern, as the switch takes it: below the
// folder of the file that has it.
func included(from, pattern string) (files []freeswitch.DialplanFile, err error) {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(filepath.Dir(from), pattern)
	}
	names, err := filepath.Glob(pattern)
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, err
		case !info.Mode().IsRegular():
			continue
		case info.Size() > maxIncluded:
			return nil, fmt.Errorf("%s has more than %d bytes", name, maxIncluded)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, freeswitch.DialplanFile{Name: name, Data: data})
	}
	return files, err
}
