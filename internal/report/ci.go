package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// writeGitHub writes workflow commands (docs.github.com, "Workflow commands for GitHub Actions").
func writeGitHub(out io.Writer, d *Document) error {
	w := bufio.NewWriter(out)
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range d.Report.Findings {
		level := map[migratecheck.Severity]string{migratecheck.Error: "error", migratecheck.Warning: "warning"}[f.Severity]
		if level == "" {
			level = "notice"
		}
		text := f.Message
		if f.Help != "" {
			text += "\n" + f.Help
		}
		fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", level,
			property.Replace(f.Pos.File), f.Pos.Line, f.Pos.Column, property.Replace(f.Rule), data.Replace(text))
	}
	return w.Flush()
}

// writeGitLab writes a code quality report (docs.gitlab.com, "Code Quality", "Code Quality report format").
func writeGitLab(w io.Writer, d *Document) error {
	type lines struct {
		Begin int `json:"begin"`
	}
	type location struct {
		Path  string `json:"path"`
		Lines lines  `json:"lines"`
	}
	type issue struct {
		Description string   `json:"description"`
		CheckName   string   `json:"check_name"`
		Fingerprint string   `json:"fingerprint"`
		Severity    string   `json:"severity"`
		Location    location `json:"location"`
	}
	list := []issue{}
	seen := map[string]int{}
	for _, f := range d.Report.Findings {
		severity := map[migratecheck.Severity]string{migratecheck.Error: "critical", migratecheck.Warning: "major"}[f.Severity]
		if severity == "" {
			severity = "info"
		}
		// The same finding keeps its fingerprint when lines above it move.
		key := f.Rule + "\x00" + f.Pos.File + "\x00" + f.Statement + "\x00" + f.Message
		seen[key]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))
		list = append(list, issue{strings.TrimSuffix(f.Message+"\n"+f.Help, "\n"), f.Rule, hex.EncodeToString(sum[:16]), severity,
			location{f.Pos.File, lines{f.Pos.Line}}})
	}
	return encode(w, list)
}

// writeJUnit writes one test suite: a file is a test case, its findings are the failures. A file without findings is not
// in it, but the suite has at least one case, since some readers refuse an empty one.
func writeJUnit(out io.Writer, d *Document) error {
	type failure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Name      string   `xml:"name,attr"`
		Classname string   `xml:"classname,attr"`
		File      string   `xml:"file,attr,omitempty"`
		Line      int      `xml:"line,attr,omitempty"`
		Failure   *failure `xml:"failure"`
	}
	type testsuite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	suite := testsuite{Name: d.Tool}
	for _, f := range d.Report.Findings {
		suite.Cases = append(suite.Cases, testcase{
			Name:      fmt.Sprintf("%s:%d:%d %s", f.Pos.File, f.Pos.Line, f.Pos.Column, f.Rule),
			Classname: f.Rule, File: f.Pos.File, Line: f.Pos.Line,
			Failure: &failure{xmlText(f.Message), f.Severity.String(), xmlText(strings.TrimSuffix(f.Message+"\n"+f.Help, "\n"))},
		})
	}
	suite.Failures = len(suite.Cases)
	if len(suite.Cases) == 0 {
		suite.Cases = []testcase{{Name: fmt.Sprintf("%d files", d.Report.Files), Classname: d.Tool}}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

// xmlText drops what XML 1.0 cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
