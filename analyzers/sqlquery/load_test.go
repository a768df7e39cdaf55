package sqlquery

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// TestSites runs the files of testdata: each command's input is a tree of Go code as a txtar archive, its output what is
// found there. A file that begins with "module " is go.mod; without one the module is called "svc".
func TestSites(t *testing.T) {
	datadriven.Walk(t, "testdata/sites", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			dir := t.TempDir()
			writeTree(t, dir, d.Input)
			env := []string{"GOMODCACHE=" + filepath.Join(dir, ".modcache"), "HOME=" + dir}
			tree, err := Load(context.Background(), Config{Dir: dir, Env: env})
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return listing(tree.Sites, d.HasArg("full")) + gapsOf(tree.Gaps)
		})
	})
}

func writeTree(t testing.TB, dir, archive string) {
	t.Helper()
	a := txtar.Parse([]byte(archive))
	if len(a.Files) == 0 {
		a.Files = []txtar.File{{Name: "a.go", Data: []byte(archive)}}
	}
	hasMod := false
	for _, f := range a.Files {
		hasMod = hasMod || filepath.Base(f.Name) == "go.mod"
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, f.Data, 0o644))
	}
	if !hasMod {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module svc\n\ngo 1.25.0\n"), 0o644))
	}
}

// listing prints sites for a person to review.
func listing(sites []query.Site, full bool) string {
	var b strings.Builder
	for _, s := range sites {
		fmt.Fprintf(&b, "%s:%d:%d %s %s", s.Pos.File, s.Pos.Line, s.Pos.Column, s.Kind, s.Status)
		if s.Module != "" {
			fmt.Fprintf(&b, " module=%s", s.Module)
		}
		if s.Func != "" {
			fmt.Fprintf(&b, " in %s", s.Func)
		}
		if s.Tx != "" {
			fmt.Fprintf(&b, " tx=%s", s.Tx)
		}
		if s.Gate != (query.Gate{}) {
			fmt.Fprintf(&b, " gate=%s", rangeOf(s.Gate))
		}
		b.WriteString("\n")
		if s.Reason != "" {
			fmt.Fprintf(&b, "  because %s\n", s.Reason)
		}
		for _, n := range s.Names {
			fmt.Fprintf(&b, "  name %s\n", n.Name)
		}
		for _, v := range s.Variants {
			fmt.Fprintf(&b, "  %s", strings.Join(strings.Fields(v.SQL), " "))
			if v.Optional {
				b.WriteString("  [optional]")
			}
			if v.Prepared {
				b.WriteString("  [prepared]")
			}
			if v.Gate != s.Gate {
				fmt.Fprintf(&b, "  [gate=%s]", rangeOf(v.Gate))
			}
			b.WriteString("\n")
			if !full {
				continue
			}
			if v.Args != nil {
				fmt.Fprintf(&b, "    args %s\n", typeList(v.Args))
			}
			if v.Scan != nil {
				var list []string
				for _, d := range v.Scan.Dests {
					name := typeList([]query.GoType{d.Type})
					if d.Name != "" {
						name = d.Name + " " + name
					}
					list = append(list, name)
				}
				fmt.Fprintf(&b, "    scan by %s: %s", v.Scan.Kind, strings.Join(list, ", "))
				if v.Scan.Open {
					b.WriteString(", …")
				}
				if v.Scan.Lax {
					b.WriteString(" (lax)")
				}
				if v.Scan.Extra {
					b.WriteString(" (extra)")
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

func rangeOf(g query.Gate) string {
	s := fmt.Sprintf("[%d,%d)", g.AtLeast, g.Below)
	if g.Retried {
		s += " retried"
	}
	return s
}

func typeList(types []query.GoType) string {
	var list []string
	for _, t := range types {
		s := t.Name + "/" + string(t.Kind)
		if t.Bits != 0 {
			s += fmt.Sprint(t.Bits)
		}
		if t.Nullable {
			s += "?"
		}
		if t.Labels != nil {
			s += "{" + strings.Join(t.Labels, " ") + "}"
		}
		if t.Null {
			s = "NULL"
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func gapsOf(gaps []Gap) string {
	var b strings.Builder
	for _, g := range gaps {
		fmt.Fprintf(&b, "gap %s: %s\n", g.Name, g.Reason)
	}
	return b.String()
}
