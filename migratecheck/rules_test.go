package migratecheck

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// TestRuleFiles: every rule_<slug>.go is in Rules, sorted, with a complete Doc and a fixture.
func TestRuleFiles(t *testing.T) {
	var want []string
	files, err := filepath.Glob("rule_*.go")
	require.NoError(t, err)
	for _, f := range files {
		want = append(want, strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(f, "rule_"), ".go"), "_", "-"))
	}
	var have []string
	for _, r := range Rules() {
		have = append(have, r.ID)
		require.NotZero(t, r.Severity, r.ID)
		doc := reflect.ValueOf(r.Doc)
		for i := range doc.NumField() {
			require.NotEmpty(t, doc.Field(i).String(), "%s: Doc.%s", r.ID, doc.Type().Field(i).Name)
		}
		fixture := filepath.Join("testdata", "rules", r.ID+".txt")
		if r.Category == Code {
			fixture = filepath.Join("..", "cmd", "srhtvet", "testdata", "compat", r.ID+".txtar")
		}
		require.FileExists(t, fixture, "every rule has a fixture")
	}
	require.True(t, slices.IsSorted(have), "Rules is sorted by ID")
	slices.Sort(want)
	require.Equal(t, want, have, "Rules lists every rule_*.go file")
}

// TestDocExamples: what a rule calls bad it reports, what it calls good it does not.
func TestDocExamples(t *testing.T) {
	for _, r := range Rules() {
		if r.Category == Code {
			continue // their fixtures are those of srhtvet compat
		}
		t.Run(r.ID, func(t *testing.T) {
			fixture := newFixture()
			fixture.enable = []string{r.ID}
			fixture.add("schema", r.Doc.Schema)
			fixture.addDoc(r.Doc.Bad)
			require.NotEmpty(t, only(fixture.lint(t), r.ID), "Doc.Bad is not reported:\n%s", r.Doc.Bad)
			fixture = newFixture()
			fixture.enable = []string{r.ID}
			fixture.add("schema", r.Doc.Schema)
			fixture.addDoc(r.Doc.Good)
			require.Empty(t, only(fixture.lint(t), r.ID), "Doc.Good is reported:\n%s", r.Doc.Good)
		})
	}
}

// TestRules runs testdata/rules. Each file is named after its rule and shows that rule's findings only ("lint all"
// shows those of every rule). Input:
//
//	lint [all] [pg=15] [stats=(table:rows,…)] [enable=rule] [open] [all-pending] [tool=brant]
//	=== schema            what was released (a plain script)
//	=== 0002_change.sql   a pending migration; without Up in it, a first line "-- +brant Up" is put in front
//	=== schema.sql        the schema.sql of the tree under judgement
//	=== 0001_a.sql (released), === 0001_a.sql (edited): a file as released, and as it is now
//	=== 0001_a.sql (removed): it is gone now
//	=== 0002_change.sql (with api/a.go): the commit that added it changes that file as well
//
// A block without any === line is 0002_change.sql.
func TestRules(t *testing.T) {
	datadriven.Walk(t, filepath.Join("testdata", "rules"), func(t *testing.T, path string) {
		id := strings.TrimSuffix(filepath.Base(path), ".txt")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			require.Equal(t, "lint", d.Cmd)
			f := newFixture()
			f.enable = []string{id}
			all := false
			for _, a := range d.CmdArgs {
				switch a.Key {
				case "all":
					all = true
				case "open":
					f.open = true
				case "all-pending":
					f.allPending = true
				case "pg":
					v, err := strconv.Atoi(a.Vals[0])
					require.NoError(t, err)
					f.pg = v
				case "enable":
					f.enable = append(f.enable, a.Vals...)
				case "tool":
					f.tool = a.Vals[0]
				case "stats":
					f.stats = &Stats{tables: map[string]TableStats{}}
					for _, v := range a.Vals {
						name, rows, _ := strings.Cut(v, ":")
						n, err := strconv.ParseInt(rows, 10, 64)
						require.NoError(t, err)
						f.stats.tables["public."+name] = TableStats{Table: name, Rows: n}
					}
				default:
					d.Fatalf(t, "unknown argument %s", a.Key)
				}
			}
			f.parse(d.Input)
			findings := f.lint(t)
			if !all {
				findings = only(findings, id)
			}
			return printFindings(findings)
		})
	})
}

func only(list []Finding, id string) []Finding {
	return slices.DeleteFunc(list, func(f Finding) bool { return f.Rule != id })
}

func printFindings(list []Finding) string {
	if len(list) == 0 {
		return "ok\n"
	}
	var b strings.Builder
	for _, f := range list {
		down := ""
		if f.Down {
			down = " (down)"
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s: %s%s: %s\n", f.Pos.File, f.Pos.Line, f.Pos.Column, f.Severity, f.Rule, down, f.Message)
		for line := range strings.Lines(f.Help) {
			fmt.Fprintf(&b, "    %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return b.String()
}

// fixture is one linted history, in memory.
type fixture struct {
	files            fstest.MapFS
	released         []string
	edited           map[string]string // released files whose text is another now
	removed          []string          // released files that are gone now
	companions       map[string][]string
	enable           []string
	pg               int
	open, allPending bool
	tool             string
	stats            *Stats
}

func newFixture() *fixture {
	return &fixture{files: fstest.MapFS{}, edited: map[string]string{}, companions: map[string][]string{}, tool: "brant"}
}

func (f *fixture) parse(input string) {
	name, text := "0002_change.sql", ""
	flush := func() {
		if strings.TrimSpace(text) != "" {
			f.add(name, strings.TrimSuffix(text, "\n"))
		}
		text = ""
	}
	for line := range strings.Lines(input) {
		if rest, ok := strings.CutPrefix(line, "=== "); ok {
			flush()
			name = strings.TrimSpace(rest)
			if gone, ok := strings.CutSuffix(name, "(removed)"); ok {
				f.removed = append(f.removed, strings.TrimSpace(gone))
			}
			continue
		}
		text += line
	}
	flush()
}

// addDoc adds an example of a Doc: one pending file, or several behind lines "-- file NAME"; "-- edit NAME" is the text
// of a released file as it is now.
func (f *fixture) addDoc(text string) {
	name, body := "0002_change.sql", ""
	edit := false
	flush := func() {
		switch {
		case strings.TrimSpace(body) == "":
		case edit:
			f.edited[name] = "-- +brant Up\n" + body
		default:
			f.add(name, body)
		}
		body = ""
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "-- file "); ok {
			flush()
			name, edit = strings.TrimSpace(rest), false
		} else if rest, ok := strings.CutPrefix(line, "-- edit "); ok {
			flush()
			name, edit = strings.TrimSpace(rest), true
		} else {
			body += line
		}
	}
	flush()
}

func (f *fixture) add(name, text string) {
	if file, with, ok := strings.Cut(name, " (with "); ok {
		name = file
		if with = strings.TrimSuffix(with, ")"); isCode(with) {
			f.companions[name] = append(f.companions[name], with)
		}
	}
	switch {
	case name == "schema":
		name = "0001_released.sql"
		f.released = append(f.released, name)
		text = "-- +brant Up\n" + text
	case strings.HasSuffix(name, "(edited)"):
		f.edited[strings.TrimSpace(strings.TrimSuffix(name, "(edited)"))] = text + "\n"
		return
	case strings.HasSuffix(name, "(released)"):
		name = strings.TrimSpace(strings.TrimSuffix(name, "(released)"))
		f.released = append(f.released, name)
	}
	if f.tool == "brant" && name != "schema.sql" && !strings.Contains(strings.ToLower(text), "brant up") {

		text = "-- +brant Up\n" + text
	}
	f.files[name] = &fstest.MapFile{Data: []byte(text + "\n")}
}

func (f *fixture) lint(t *testing.T) []Finding {
	t.Helper()
	cfg := &Config{Version: f.pg, Severity: Info, Enable: f.enable, Stats: f.stats, Format: f.tool}
	p := &Pending{Known: !f.allPending, Base: "the test's base", Released: map[string]string{}, companions: f.companions}
	for _, name := range f.released {
		p.Released[name] = string(f.files[name].Data)
	}
	for _, name := range f.removed {
		delete(f.files, name)
	}
	for name, text := range f.edited {
		f.files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	sets, err := source.Config{Format: f.tool}.Discover(f.files, ".")
	require.NoError(t, err)
	require.Len(t, sets, 1)
	for _, p := range sets[0].Problems {
		t.Logf("problem: %v", p)
	}
	run := newRun(cfg, &sets[0], p)
	run.Schema = readSchemaFile(cfg, f.files, &sets[0])
	cat := catalog.New(catalog.Config{Version: cfg.version(), Open: f.open})
	require.True(t, run.walk(cat, false))
	SortFindings(run.findings)
	return run.findings
}
