package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

const (
	first  = "ALTER TABLE \"größe\" DROP COLUMN a, DROP COLUMN b;"
	second = "UPDATE t\n\tSET a = 1,\n\tb = 2\n\tWHERE c <> '100%'"
)

// document has what formats trip over: characters of more than a byte, tabs, SQL's operators, percent signs, line breaks,
// a control character, several findings in one place, help said twice, a colon and a comma in a file's name.
func document() *Document {
	text := map[string]string{
		"migrations/0001 a.sql": first + "\n" + second + ";\n",
		"schema,v:2.sql":        "CREATE TABLE t ();",
	}
	help := "Split it over releases:\nrelease 1: ship code that does not name it\nrelease 2:\nALTER TABLE t DROP COLUMN a;"
	pos := func(file string, line, column int) source.Position {
		return source.Position{File: file, Line: line, Column: column}
	}
	return &Document{
		Tool: "srhtvet", Version: "v1.2.3",
		Report: &migratecheck.Report{
			Files: 2, Statements: 3, NotUnderstood: 1, Suppressed: 4,
			Findings: []migratecheck.Finding{
				{Rule: "drop-column", Severity: migratecheck.Error, Pos: pos("migrations/0001 a.sql", 1, 23), Message: "drops a & <b>", Help: help, Statement: first, At: 22},
				{Rule: "drop-column", Severity: migratecheck.Error, Pos: pos("migrations/0001 a.sql", 1, 38), Message: strings.Repeat("long words ", 20) + "end", Help: help, Statement: first, At: 37},
				{Rule: "unbatched-backfill", Severity: migratecheck.Warning, Pos: pos("migrations/0001 a.sql", 4, 2), Message: "100% of the rows,\nand a bell \x07", Help: "", Statement: second, At: 22, Down: true},
				{Rule: "schema-drift", Severity: migratecheck.Info, Pos: pos("schema,v:2.sql", 1, 1), Message: "differs", Help: "Change it."},
			},
		},
		Rules: []*migratecheck.Rule{
			{ID: "drop-column", Severity: migratecheck.Error, Doc: migratecheck.Doc{Summary: "A column is dropped.", Why: "Because.", Bad: "bad;", Good: "good;"}},
			{ID: "schema-drift", Severity: migratecheck.Warning, Doc: migratecheck.Doc{Summary: "s", Why: "w", Bad: "b", Good: "g"}},
			{ID: "unbatched-backfill", Severity: migratecheck.Warning, Doc: migratecheck.Doc{Summary: "s", Why: "w", Bad: "b", Good: "g"}},
		},
		Source: func(file string, line int) string {
			f := source.NewFile(file, text[file])
			return f.Line(line)
		},
	}
}

var rewrite = flag.Bool("rewrite", false, "write the expected outputs")

func render(t *testing.T, name string, d *Document) string {
	t.Helper()
	f, err := Lookup(name)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, f.Write(&b, d))
	return b.String()
}

func TestGolden(t *testing.T) {
	check := func(golden, got string) {
		name := filepath.Join("testdata", golden)
		if *rewrite {
			require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
		}
		want, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(want), got, golden)
	}
	for _, f := range Formats() {
		check(f.Name+".golden", render(t, f.Name, document()))
		empty := &Document{Tool: "srhtvet", Report: &migratecheck.Report{}}
		check(f.Name+"-empty.golden", render(t, f.Name, empty))
	}
	colored := document()
	colored.Color = true
	check("text-color.golden", render(t, "text", colored))
}

func TestLookupUnknown(t *testing.T) {
	_, err := Lookup("jsn")
	require.EqualError(t, err, `unknown format "jsn"; did you mean json? there are text, json, sarif, github, gitlab, junit`)
}

// TestTextLongLine: of a line that fills the screen, what is around the caret is shown.
func TestTextLongLine(t *testing.T) {
	for _, blank := range []string{" ", "ö"} {
		for _, at := range [][]int{{0}, {150}, {200_000}, {200_000, 200_020}, {200_000, 399_990}, {400_000}} {
			d := document()
			line := "SELECT " + strings.Repeat("1+"+blank, 400_000/(2+len(blank)))
			d.Source = func(string, int) string { return line }
			d.Report.Findings = d.Report.Findings[:len(at)]
			for i := range at {
				for at[i] > 0 && at[i] < len(line) && line[at[i]] != '1' {
					at[i]++
				}
				d.Report.Findings[i].Pos.Column, d.Report.Findings[i].Pos.Line = at[i]+1, 1
				d.Report.Findings[i].At = 0
			}
			lines := strings.Split(render(t, "text", d), "\n")
			shown, carets := []rune(lines[1]), []rune(lines[2])
			require.LessOrEqual(t, len(shown), 180)
			require.LessOrEqual(t, len(carets), len(shown)+1)
			if at[0] < len(line) {
				require.Equal(t, []rune(line[at[0]:])[0], shown[slices.Index(carets, '^')])
			}
			require.Contains(t, lines[1], "…")
		}
	}
}

func TestTextWithoutSource(t *testing.T) {
	d := document()
	d.Source = nil
	require.NotContains(t, render(t, "text", d), "|")
}

func TestJSONShape(t *testing.T) {
	for _, d := range []*Document{document(), {Report: &migratecheck.Report{}}} {
		var doc map[string]any
		require.NoError(t, json.Unmarshal([]byte(render(t, "json", d)), &doc))
		require.ElementsMatch(t, []string{"version", "findings", "files", "statements", "notUnderstood", "suppressed"}, keysOf(doc))
		list, ok := doc["findings"].([]any)
		require.True(t, ok, "a list, never null")
		for _, f := range list {
			require.ElementsMatch(t, []string{"rule", "severity", "file", "line", "column", "message", "help"}, keysOf(f.(map[string]any)))
		}
	}
}

func keysOf(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// TestSARIFStructure checks what the schema and the standard's text require of the parts that are used.
func TestSARIFStructure(t *testing.T) {
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(render(t, "sarif", document())), &log))
	require.Equal(t, "2.1.0", log.Version)
	require.Len(t, log.Runs, 1)
	run := log.Runs[0]
	require.Equal(t, "unicodeCodePoints", run.ColumnKind)
	require.Len(t, run.Results, 4)
	for _, r := range run.Results {
		require.Equal(t, r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
		require.Contains(t, []string{"error", "warning", "note"}, r.Level)
		require.Positive(t, r.Locations[0].PhysicalLocation.Region.StartLine)
	}
	loc := run.Results[0].Locations[0].PhysicalLocation
	require.Equal(t, "migrations/0001%20a.sql", loc.ArtifactLocation.URI)
	require.Equal(t, 21, loc.Region.StartColumn, "ö and ß are one character each, two bytes each")
	require.Equal(t, "schema,v:2.sql", strings.TrimPrefix(run.Results[3].Locations[0].PhysicalLocation.ArtifactLocation.URI, "./"),
		"a colon in the first segment would make it a scheme")
}

func TestSARIFRuleThatIsNotListed(t *testing.T) {
	d := document()
	d.Rules = nil
	require.NotContains(t, render(t, "sarif", d), "ruleIndex", "an index of -1 would be the default")
}

func TestGitLabShape(t *testing.T) {
	for _, d := range []*Document{document(), {Report: &migratecheck.Report{}}} {
		var list []struct {
			Description, Fingerprint, Severity string
			CheckName                          string `json:"check_name"`
			Location                           struct {
				Path  string
				Lines struct{ Begin int }
			}
		}
		out := render(t, "gitlab", d)
		require.True(t, strings.HasPrefix(out, "["))
		require.NoError(t, json.Unmarshal([]byte(out), &list))
		seen := map[string]bool{}
		for _, i := range list {
			require.NotEmpty(t, i.Description)
			require.NotEmpty(t, i.CheckName)
			require.False(t, seen[i.Fingerprint], "fingerprints are unique")
			seen[i.Fingerprint] = true
			require.Contains(t, []string{"info", "minor", "major", "critical", "blocker"}, i.Severity)
			require.Positive(t, i.Location.Lines.Begin)
			require.False(t, strings.HasPrefix(i.Location.Path, "./"))
		}
	}
}

func TestGitLabFingerprintSurvivesMovedLines(t *testing.T) {
	prints := func(d *Document) (list []string) {
		var issues []struct{ Fingerprint string }
		require.NoError(t, json.Unmarshal([]byte(render(t, "gitlab", d)), &issues))
		for _, i := range issues {
			list = append(list, i.Fingerprint)
		}
		return list
	}
	moved := document()
	for i := range moved.Report.Findings {
		moved.Report.Findings[i].Pos.Line += 7
	}
	require.Equal(t, prints(document()), prints(moved))
}

func TestGitHubEscapes(t *testing.T) {
	out := render(t, "github", document())
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 4, "a line each, whatever the messages hold")
	require.Contains(t, lines[2], "100%25 of the rows,%0Aand")
	require.True(t, strings.HasPrefix(lines[3], "::notice file=schema%2Cv%3A2.sql,line=1,col=1,title=schema-drift::"), lines[3])
}

func TestJUnitIsXML(t *testing.T) {
	for _, d := range []*Document{document(), {Report: &migratecheck.Report{}}} {
		var suites struct {
			XMLName  xml.Name
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		}
		require.NoError(t, xml.Unmarshal([]byte(render(t, "junit", d)), &suites))
		require.Equal(t, "testsuite", suites.XMLName.Local)
		require.Len(t, suites.Cases, suites.Tests)
		require.Equal(t, len(d.Report.Findings), suites.Failures)
		require.NotZero(t, suites.Tests)
	}
}

// TestNoColorWithoutAsking: an escape sequence in a log file is noise.
func TestNoColorWithoutAsking(t *testing.T) {
	for _, f := range Formats() {
		require.NotContains(t, render(t, f.Name, document()), "\x1b", f.Name)
	}
	colored := document()
	colored.Color = true
	require.NotContains(t, render(t, "json", colored), "\x1b")
}
