package report

import (
	"io"
	"net/url"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// The parts of SARIF 2.1.0 (OASIS standard, 27 March 2020) that are used; section numbers are its.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"` // 3.14.17
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		ShortDescription sarifText   `json:"shortDescription"`
		FullDescription  sarifText   `json:"fullDescription"`
		Help             sarifText   `json:"help"`
		Default          sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex *int            `json:"ruleIndex,omitempty"` // 3.27.6; absent for what is not in the list
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

func writeSARIF(w io.Writer, d *Document) error {
	driver := sarifDriver{Name: d.Tool, Version: d.Version, InformationURI: "https://git.sr.ht/~sourcehut/ha-go", Rules: []sarifRule{}}
	for _, r := range d.Rules {
		help := r.Doc.Why // checks of Go code have their examples there
		if r.Doc.Bad != "" {
			help = "Bad:\n" + r.Doc.Bad + "\n\nGood:\n" + r.Doc.Good
		}
		driver.Rules = append(driver.Rules, sarifRule{
			ID: r.ID, ShortDescription: sarifText{r.Doc.Summary}, FullDescription: sarifText{r.Doc.Why},
			Help:    sarifText{help},
			Default: sarifConfig{sarifLevel(r.Severity)},
		})
	}
	run := sarifRun{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	for _, f := range d.Report.Findings {
		text := f.Message
		if f.Help != "" {
			text += "\n" + f.Help
		}
		var index *int
		if i := slices.IndexFunc(d.Rules, func(r *migratecheck.Rule) bool { return r.ID == f.Rule }); i >= 0 {
			index = &i
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, RuleIndex: index,
			Level: sarifLevel(f.Severity), Message: sarifText{text},
			Locations: []sarifLocation{{sarifPhysical{
				sarifArtifact{(&url.URL{Path: f.Pos.File}).String()},
				sarifRegion{f.Pos.Line, d.codePoints(f)},
			}}},
		})
	}
	return encode(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// codePoints is a finding's column in characters: SARIF has no columns in bytes.
func (d *Document) codePoints(f migratecheck.Finding) int {
	line := ""
	if d.Source != nil {
		line = d.Source(f.Pos.File, f.Pos.Line)
	}
	if n := f.Pos.Column - 1; n <= len(line) {
		return len([]rune(strings.ToValidUTF8(line[:n], "?"))) + 1
	}
	return f.Pos.Column
}

// sarifLevel maps a severity to 3.27.10.
func sarifLevel(s migratecheck.Severity) string {
	switch s {
	case migratecheck.Error:
		return "error"
	case migratecheck.Warning:
		return "warning"
	}
	return "note"
}
