package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

// Source says where the configuration is.
type Source struct {
	File   string   // --config; "" = the first of Search that exists, else the built-in defaults
	Search []string // nil = parley.yaml here, then /etc/parley/parley.yaml

	Commands, Events []string // that esl_server.users may name; nil = any
}

// Load reads and checks a configuration. The error is a Problems with all that
// is wrong; then there is no Config. Warnings come either way.
func Load(src Source) (*Config, []Warning, error) {
	l := newLoader()
	l.commands, l.events = src.Commands, src.Events
	if path := l.find(src); path != "" {
		l.open(path)
		l.openBeside(path, "profiles.d")
		l.openBeside(path, "rooms.d")
	}
	return l.load()
}

// maxFiles is how many files profiles.d or rooms.d may hold.
const maxFiles = 10_000

// loader is one load.
type loader struct {
	report
	docs     []*document // the main file first
	config   *Config
	menus    map[string]engine.Controls
	defined  map[string]string // where "profile gold" was defined first
	profiles map[string]definedProfile
	waits    []*wait
	env      []string // variables that may hold secrets of switches

	commands, events []string // of the Source
}

type definedProfile struct {
	profile           *engine.Profile
	member, moderator []knownPIN
}

func newLoader() *loader {
	return &loader{
		config: settingDefaults(), menus: map[string]engine.Controls{},
		defined: map[string]string{}, profiles: map[string]definedProfile{},
	}
}

func (l *loader) find(src Source) string {
	if src.File != "" {
		return src.File
	}
	if src.Search == nil {
		src.Search = []string{"parley.yaml", "/etc/parley/parley.yaml"}
	}
	for _, path := range src.Search {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return ""
}

// open reads one file.
func (l *loader) open(path string) {
	l.config.Files = append(l.config.Files, path)
	f, err := os.Open(path)
	if err != nil {
		l.unreadable(path, err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		l.unreadable(path, err)
		return
	}
	l.parse(path, data)
}

// openBeside reads the files of a directory beside the main file.
func (l *loader) openBeside(path, dir string) {
	dir = filepath.Join(filepath.Dir(path), dir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.unreadable(dir, err)
		return
	}
	if len(entries) > maxFiles {
		l.add(Problem{File: dir, Code: "too_large", Text: fmt.Sprintf("There are more than %d files.", maxFiles)})
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch ext := filepath.Ext(path); {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case ext == ".yaml":
			l.open(path)
		case ext == ".yml":
			l.warn(Problem{File: path, Code: "ignored_file", Text: "Only files that end in .yaml are read."})
		}
	}
}

func (l *loader) unreadable(path string, err error) {
	l.add(Problem{File: path, Code: "unreadable", Text: fmt.Sprintf("%v.", cause(err))})
}

func (l *loader) parse(path string, data []byte) {
	d := &document{report: &l.report, file: filepath.Clean(path), menus: l.menus}
	d.parse(data)
	l.docs = append(l.docs, d)
}

// load makes a Config of the documents. Names are defined before they are
// used: menus, profiles, rooms.
func (l *loader) load() (*Config, []Warning, error) {
	main := &document{report: &l.report, menus: l.menus}
	if len(l.docs) > 0 {
		main = l.docs[0]
		for _, d := range l.docs[1:] {
			d.onlyLists()
		}
	}
	if err := readSettings(main, l.config); err != nil {
		return nil, l.warnings, err
	}
	l.switches(main)
	checkEnvironment(&l.report, l.env)
	l.users(main)
	l.trunks(main)
	l.tokens(main)
	l.ariUsers(main)
	l.checkHTTP(main)
	l.checkFreeSWITCH(main)
	l.checkESLServer(main)
	l.eslUsers(main)
	l.checkListeners(main)
	l.checkJitter(main)
	l.readMenus()
	l.readProfiles()
	for _, d := range l.docs {
		l.rooms(d)
	}
	l.checkWaits()
	sorted(l.warnings)
	if err := l.err(); err != nil {
		return nil, l.warnings, err
	}
	return l.config, l.warnings, nil
}

// onlyLists reports the keys that belong in the main file.
func (d *document) onlyLists() {
	if d.root == nil {
		return
	}
	d.pairs("", d.root, func(k, _ *yaml.Node) {
		inMain := func(key string) bool { return key == k.Value || strings.HasPrefix(key, k.Value+".") }
		fields := settings(settingDefaults())
		switch {
		case slices.Contains(everywhere(), k.Value):
		case slices.ContainsFunc(lists(), inMain) || slices.ContainsFunc(fields, func(f field) bool { return inMain(f.name) }):
			d.problem(k, "misplaced_key", "key %q belongs in the main file; here are %s.", k.Value, list(everywhere()))
		default:
			d.unknown(k, "", everywhere())
		}
	})
}

// define takes the name of a record and reports one that is taken.
func (l *loader) define(d *document, item *yaml.Node, kind, name string) bool {
	key := kind + " " + name
	if first, again := l.defined[key]; again {
		d.problem(item, "duplicate_name", "%s %q is already defined at %s.", kind, clip(name), first)
		return false
	}
	l.defined[key] = fmt.Sprintf("%s:%d", d.file, item.Line)
	return true
}

// checkHTTP refuses an API that strangers can reach without a token.
func (l *loader) checkHTTP(d *document) {
	listen := l.config.HTTP.Listen
	if loopback(listen) || len(l.config.Auth.Tokens) > 0 {
		return
	}
	l.exposed(d, "http", "no_auth", fmt.Sprintf("http.listen %s without auth.tokens; set a token or listen on 127.0.0.1.", listen))
}

// exposed reports a listener that strangers can reach, where it is set.
func (l *loader) exposed(d *document, section, code, text string) {
	p := Problem{File: d.file, Code: code, Text: text}
	if n := child(child(d.root, section), "listen"); n != nil {
		p.Line = n.Line
	}
	if env := envName(section + ".listen"); os.Getenv(env) != "" {
		p.File, p.Line = env, 0
	}
	l.add(p)
}

func (l *loader) checkJitter(d *document) {
	if m := l.config.Media; m.Jitter > m.JitterMax {
		media := child(d.root, "media")
		at := cmp.Or(child(media, "jitter_max_ms"), child(media, "jitter_ms"), &yaml.Node{})
		d.bad(at, "media.jitter_max_ms",
			fmt.Errorf("must be at least media.jitter_ms, %d", m.Jitter.Milliseconds()))
	}
}
