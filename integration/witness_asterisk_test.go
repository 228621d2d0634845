//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/ami"
	"parley/ari"
	"parley/sip"
)

// astWitness knows the calls of an Asterisk by the files that the contract's
// dialplan writes: NAME=VALUE in each line, the last by its hangup handler.
type astWitness struct {
	ast *container
	app string // of the Parley under test
}

// asteriskBench starts the switch with the contract's dialplan.
func asteriskBench(t *testing.T) bench {
	more := map[string]string{}
	for _, name := range []string{"asterisk.conf", "extensions.conf", "modules.conf", "cdr.conf", "cdr_custom.conf"} {
		data, err := os.ReadFile(filepath.Join("asterisk/contract", name))
		if err != nil {
			t.Fatal(err)
		}
		more[name] = string(data)
	}
	ast := asteriskAt(t, newPlace(), more)
	eye, err := ari.New(ari.Options{URL: "http://" + ast.at.astARI + "/ari", User: "watcher", Password: "parley-test", App: "none"})
	if err != nil {
		t.Fatal(err)
	}
	return bench{
		config: func(c column, at place, app string) string {
			setting := "mixer: " + c.mode
			if c.media != "" {
				setting += "\n    media: " + c.media
			}
			return contractRules(at, fmt.Sprintf(`{name: ast1, kind: asterisk, ari: "http://%s/ari", user: parley, password: parley-test, app: %s}`,
				ast.at.astARI, app), setting)
		},
		watch: func(app string) pbx { return &astWitness{ast, app} },
		empty: func() (string, bool) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			channels, err := eye.Channels(ctx)
			bridges, err2 := eye.Bridges(ctx)
			return fmt.Sprint(channels, bridges, err, err2), err == nil && err2 == nil && len(channels)+len(bridges) == 0
		},
	}
}

func (w *astWitness) sip() string { return w.ast.at.astSIP }

// asArgument begins what is set by an argument of Stasis().
const asArgument = "Stasis "

func (w *astWitness) argument(nameValue string) (string, bool) { return asArgument + nameValue, true }

// headers have the dialplan set variables in capitals, as Asterisk has them.
func (w *astWitness) headers(_ *parley, call string, set []string) []sip.Header {
	stasis, variables := []string{w.app}, []string{}
	for _, s := range set {
		if argument, ok := strings.CutPrefix(s, asArgument); ok {
			stasis = append(stasis, argument)
			continue
		}
		name, value, _ := strings.Cut(s, "=")
		variables = append(variables, strings.ToUpper(name)+"="+value)
	}
	return []sip.Header{
		{Name: "X-Call", Value: call}, {Name: "X-Set", Value: strings.Join(variables, ";")}, {Name: "X-Stasis", Value: strings.Join(stasis, ",")},
	}
}

// read returns the lines of a file that the switch writes; none if there is no
// such file yet.
func (w *astWitness) read(name string) []string {
	data, _ := os.ReadFile(filepath.Join(w.ast.conf, seenFolder, name))
	return strings.Split(string(data), "\n")
}

// seen is what a call's dialplan has told. It is a type of its own for Var.
type seen []string

// Var is the last value of a name.
func (s seen) Var(name string) (value string) {
	for _, l := range s {
		if v, ok := strings.CutPrefix(l, name+"="); ok {
			value = v
		}
	}
	return value
}

func (w *astWitness) channel(t *testing.T, call string) (id string) {
	t.Helper()
	eventually(t, 10*time.Second, "the channel of call "+call, func() (string, bool) {
		id = seen(w.read(call)).Var("channel")
		return "", id != ""
	})
	return id
}

func (w *astWitness) transfer(t *testing.T, call string) {
	t.Helper()
	c, err := ami.Dial(t.Context(), ami.Options{Address: w.ast.at.astAMI, User: "parley", Password: "parley-test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Redirect(w.channel(t, call), ami.Place{Context: "contract", Extension: "9196", Priority: 1}); err != nil {
		t.Fatal(err)
	}
}

func (w *astWitness) end(t *testing.T, call string) vars {
	t.Helper()
	eventually(t, 20*time.Second, "the end of call "+call, func() (string, bool) {
		return strings.Join(w.read(call), "\n"), w.hooks(call) > 0
	})
	return seen(w.read(call))
}

func (w *astWitness) hooks(call string) (n int) {
	for _, l := range w.read(call) {
		if l == "over=" {
			n++
		}
	}
	return n
}

func (w *astWitness) cdr(call string) string {
	for _, l := range w.read("Master.csv") {
		if rest, ok := strings.CutPrefix(l, call+","); ok {
			return rest
		}
	}
	return ""
}
