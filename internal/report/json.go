package report

import (
	"encoding/json"
	"io"
)

// finding is the JSON shape of one finding, in every document that has some. Fields are only ever added.
type finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
	Help     string `json:"help"`
}

func writeJSON(w io.Writer, d *Document) error {
	doc := struct {
		Version       int       `json:"version"` // of this document's shape
		Findings      []finding `json:"findings"`
		Files         int       `json:"files"`
		Statements    int       `json:"statements"`
		NotUnderstood int       `json:"notUnderstood"`
		Suppressed    int       `json:"suppressed"`
	}{Version: 1, Findings: []finding{}, Files: d.Report.Files, Statements: d.Report.Statements,
		NotUnderstood: d.Report.NotUnderstood, Suppressed: d.Report.Suppressed}
	for _, f := range d.Report.Findings {
		doc.Findings = append(doc.Findings, finding{f.Rule, f.Severity.String(), f.Pos.File, f.Pos.Line, f.Pos.Column, f.Message, f.Help})
	}
	return encode(w, doc)
}

// encode writes indented JSON without escaping <, > and &, which are common in SQL.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
