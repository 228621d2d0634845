package freeswitch

import (
	"encoding/xml"
	"net"
	"regexp"
	"strings"

	"parley/adapter/wish"
)

// directive follows what the switch's preprocessor would do: an include, and
// the setting of a global variable.
func (d *dialplan) directive(file string, line int, t xml.StartElement, in *extension, nested int) error {
	data := d.expand(attribute(t, "data"))
	switch strings.ToLower(attribute(t, "cmd")) {
	case "set":
		if name, value, ok := strings.Cut(data, "="); ok {
			d.globals[strings.TrimSpace(name)] = strings.Trim(value, `"'`)
		}
	case "include":
		return d.include(file, line, data, in, nested)
	}
	return nil
}

func (d *dialplan) include(file string, line int, pattern string, in *extension, nested int) error {
	switch {
	case d.Include == nil:
		return nil
	case strings.Contains(pattern, "$"):
		d.report(file, line, "include of %.80q is not followed: only the switch knows that variable. Give these files by --dialplan, too. [dialplan_include]", pattern)
		return nil
	}
	files, err := d.Include(file, pattern)
	if err != nil {
		d.report(file, line, "include of %.80q: %v. [dialplan_include]", pattern, err)
		return nil
	}
	for _, f := range files {
		if err := d.read(f.Name, f.Data, in, nested+1); err != nil {
			return err
		}
	}
	return nil
}

// global is a reference to a variable of the preprocessor.
var global = regexp.MustCompile(`\$\$\{([^}]*)\}`)

// expand fills in the global variables that are known.
func (d *dialplan) expand(text string) string {
	return global.ReplaceAllStringFunc(text, func(ref string) string {
		if value, ok := d.globals[ref[3:len(ref)-1]]; ok {
			return value
		}
		return ref
	})
}

// assigned judges the variables of ours that an action sets to something that
// can be read here.
func (d *dialplan) assigned(file string, line int, app, data string) {
	all := []string{data}
	if app == "multiset" && !strings.HasPrefix(data, "^^") {
		all = strings.Fields(data)
	} else if app == "multiset" && len(data) > 3 {
		all = strings.Split(data[3:], data[2:3])
	}
	for _, one := range all {
		one = strings.TrimPrefix(strings.TrimSpace(one), "nolocal:")
		name, ours := strings.CutPrefix(one, "parley_")
		name, value, whole := strings.Cut(name, "=")
		if value = d.expand(value); !ours || !whole || strings.Contains(value, "$") {
			continue
		}
		if wrong := d.wrong(strings.TrimSpace(name), strings.TrimSpace(value)); wrong != "" {
			d.report(file, line, "%s. [dialplan_variable]", wrong)
		}
	}
}

// wrong says what is wrong with parley_NAME=VALUE.
func (d *dialplan) wrong(name, value string) string {
	switch {
	case wish.Conference == "parley_"+name:
		return strings.Join(wish.Read(map[string]string{wish.Conference: value}, false).Warnings, "; ")
	case d.Judge == nil:
		return ""
	}
	return d.Judge(name, value)
}

// portOf is the port of HOST:PORT; the application goes to 8084 where it has none.
func portOf(address string) string {
	if _, port, err := net.SplitHostPort(address); err == nil {
		return port
	}
	return "8084"
}
