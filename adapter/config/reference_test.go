package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"parley/engine"
)

const reference = "../../configs/parley.yaml"

func TestTheReferenceIsTheDefaults(t *testing.T) {
	c, warnings, err := Load(Source{File: reference})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	c.Files, c.patches, c.origins = nil, Defaults().patches, Defaults().origins
	if !reflect.DeepEqual(c, Defaults()) {
		t.Errorf("different:\n%v", Diff(Defaults(), c))
	}
}

// TestTheReferenceHasEveryKey compares with Dump, which is made of all fields.
func TestTheReferenceHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	var written, all yaml.Node
	if err := yaml.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(Defaults().Dump()), &all); err != nil {
		t.Fatal(err)
	}
	has := keysOf("", &written)
	for _, key := range keysOf("", &all) {
		if !slices.Contains(has, key) {
			t.Errorf("key %s is missing", key)
		}
	}
	example := keysOf("", examples(t, string(text)))
	var u User
	var r Trunk
	var a ARIUser
	var e ESLUser
	var k Token
	var s Switch
	for _, f := range slices.Concat(prefixed("sip.users.", userFields(&u)), prefixed("sip.trunks.", trunkFields(&r)), prefixed("auth.tokens.", tokenFields(&k)), prefixed("ari_server.users.", ariUserFields(&a)), prefixed("esl_server.users.", eslUserFields(&e)), prefixed("switches.", switchFields(&s))) {
		if !slices.Contains(example, f) {
			t.Errorf("no example has %s", f)
		}
	}
}

func TestEveryKeyOfTheReferenceIsExplained(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		key := strings.TrimSpace(line)
		if strings.HasPrefix(key, "#") || !strings.Contains(key, ":") || i == 0 {
			continue
		}
		// A section is explained by its heading, and a key by the comment
		// above it or above its neighbour.
		if lines[i-1] == "" && !strings.HasSuffix(key, ":") && !strings.HasPrefix(key, "- name:") {
			t.Errorf("line %d: nothing explains %q", i+1, key)
		}
	}
}

func TestTheExamplesOfTheReferenceLoad(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.Marshal(examples(t, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a secret of the examples"
	c := load(t, "s", strings.ReplaceAll(secret, " ", "-"), "parley.yaml",
		strings.NewReplacer("/etc/parley/trunk.secret", "s", "/etc/parley/console.token", "s", "/etc/parley/carrier.secret", "s", "/etc/parley/panel.secret", "s", "/etc/parley/dialler.secret", "s", "/etc/parley/ari.secret", "s", "/etc/parley/ami.secret", "s").Replace(string(doc)))
	if len(c.SIP.Users) != 2 || len(c.SIP.Trunks) != 2 || len(c.Auth.Tokens) != 2 || len(c.ESLServer.Users) != 2 || len(c.Switches) != 3 || len(c.Profiles) != 2 || len(c.Rooms) != 2 {
		t.Errorf("loaded\n%s", c.Dump())
	}
	p, _, _ := c.Directory().Lookup("board", "")
	if p.MaxParticipants != 8 || !p.WaitForModerator || !slices.Equal(p.Moderator.PINs, []engine.PIN{engine.NewPIN("4711")}) {
		t.Errorf("room board has %+v", p)
	}
}

func TestTheExampleFilesLoad(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../configs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	webinar, sales := read("profiles.d/webinar.yaml.example"), read("rooms.d/sales.yaml.example")
	c := load(t, "parley.yaml", "", "profiles.d/webinar.yaml", webinar, "rooms.d/sales.yaml", sales)
	if len(c.Profiles) < 2 || len(c.Rooms) < 2 || len(c.Controls) < 3 {
		t.Errorf("loaded\n%s", c.Dump())
	}
}

// examples are the lines that begin with #:.
func examples(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "#:"); ok {
			b.WriteString(strings.TrimPrefix(rest, " "))
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	return &doc
}

// keysOf lists the paths of all keys, those of list entries without a number.
func keysOf(prefix string, n *yaml.Node) []string {
	var all []string
	for i, c := range n.Content {
		switch {
		case n.Kind != yaml.MappingNode:
			all = append(all, keysOf(prefix, c)...)
		case i%2 == 0:
			key := prefix + c.Value
			all = append(all, key)
			all = append(all, keysOf(key+".", n.Content[i+1])...)
		}
	}
	return all
}

func prefixed(prefix string, fields []field) []string {
	var names []string
	for _, f := range fields {
		names = append(names, prefix+f.name)
	}
	return names
}
