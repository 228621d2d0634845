// Package archtest holds the shape of the code as a test: which package may
// import which, and how long files and functions may be.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	maxFile     = 400 // lines
	maxFunction = 40  // lines, but for those of tables
)

// allowed says what a package may import of ours, tests aside. A package that
// is not listed may not exist.
func allowed() map[string]string {
	return map[string]string{
		"mixer":                     "",
		"codec":                     "",
		"rtp":                       "",
		"esl":                       "",
		"esl/conference":            "esl",
		"esl/eventsocket":           "esl internal/brake internal/door internal/pace",
		"esl/esltest":               "esl",
		"ami":                       "",
		"ami/amitest":               "ami",
		"ari":                       "internal/brake",
		"ari/aritest":               "ari ari/audiosocket",
		"ari/audiosocket":           "internal/audiostream internal/door internal/rawtcp",
		"ari/mediasocket":           "internal/audiostream internal/rawtcp",
		"sound":                     "codec",
		"recording":                 "codec sound",
		"sip":                       "codec",
		"sip/siptest":               "codec sip",
		"engine":                    "",
		"engine/native":             "codec engine internal/tick mixer recording rtp sound",
		"adapter/config":            "engine",
		"adapter/importer":          "engine esl/conference sound",
		"adapter/seal":              "engine",
		"adapter/trouble":           "",
		"adapter/wish":              "engine esl/conference",
		"adapter/freeswitch":        "adapter/seal adapter/trouble adapter/wish engine engine/native esl esl/conference internal/tasks recording",
		"adapter/asterisk":          "adapter/seal adapter/trouble ami ari ari/audiosocket ari/mediasocket codec engine engine/native internal/tasks recording",
		"adapter/phone":             "codec engine engine/native rtp sip",
		"adapter/control":           "engine internal/door",
		"adapter/control/ariserver": "engine internal/brake internal/door internal/pace recording",
		"adapter/control/fsapi":     "adapter/wish engine esl esl/conference",
		"adapter": "adapter/asterisk adapter/config adapter/control adapter/control/ariserver adapter/control/fsapi adapter/freeswitch adapter/phone adapter/seal adapter/trouble ari/audiosocket " +
			"codec engine engine/native esl esl/conference esl/eventsocket internal/brake internal/door internal/priority internal/tick recording rtp sip sound",
		"bench":                "codec esl internal/audiotest internal/priority rtp sip",
		"bench/reflector":      "",
		"cmd/parley":           "adapter adapter/config adapter/control adapter/importer bench codec engine internal/priority",
		"internal/archtest":    "",
		"internal/audiostream": "internal/playout internal/rawtcp",
		"internal/audiotest":   "",
		"internal/brake":       "",
		"internal/door":        "internal/brake",
		"internal/pace":        "",
		"internal/playout":     "",
		"internal/priority":    "",
		"internal/rawtcp":      "",
		"internal/tasks":       "",
		"internal/tick":        "",
	}
}

func TestImportsFlowOneWay(t *testing.T) {
	rules := allowed()
	eachFile(t, func(pkg, name string, file *ast.File, _ *token.FileSet) {
		permitted, known := rules[pkg]
		if !known {
			t.Errorf("%s: package %s is not in the table", name, pkg)
			return
		}
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if ours, ok := strings.CutPrefix(path, "parley/"); ok && !contains(permitted, ours) {
				t.Errorf("%s: %s may not import %s", name, pkg, ours)
			}
		}
	})
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	eachFile(t, func(_, name string, file *ast.File, set *token.FileSet) {
		if n := set.Position(file.End()).Line; n > maxFile {
			t.Errorf("%s has %d lines, at most %d", name, n, maxFile)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || strings.HasSuffix(name, "_test.go") {
				continue
			}
			if n := height(set, f) - tables(set, f); n > maxFunction {
				t.Errorf("%s: %s has %d lines, at most %d", name, f.Name.Name, n, maxFunction)
			}
		}
	})
}

// height is how many lines something has.
func height(set *token.FileSet, n ast.Node) int {
	return set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1
}

// tables is how many lines of a function list what is so and do nothing: those
// inside literals that hold no function.
func tables(set *token.FileSet, f *ast.FuncDecl) (lines int) {
	ast.Inspect(f, func(n ast.Node) bool {
		l, ok := n.(*ast.CompositeLit)
		if !ok || acts(l) {
			return true
		}
		lines += max(0, height(set, l)-2)
		return false
	})
	return lines
}

// acts says whether there is a function in an expression.
func acts(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		_, is := n.(*ast.FuncLit)
		found = found || is
		return !found
	})
	return found
}

func contains(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

// eachFile parses every Go file of the main module.
func eachFile(t *testing.T, see func(pkg, name string, file *ast.File, set *token.FileSet)) {
	t.Helper()
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(root, path, d)
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		seen++
		see(filepath.ToSlash(pkg), path, file, set)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 50 {
		t.Errorf("only %d files seen: is the test looking at the right place?", seen)
	}
}

// enter skips what is not of the main module.
func enter(root, path string, d fs.DirEntry) error {
	if path == root {
		return nil
	}
	if strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}
