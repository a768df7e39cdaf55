package compat

import (
	"fmt"
	"path"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// newBreak words what a site has against a schema. A comment on the statement that causes it may take it back.
func (j *judge) newBreak(cell Cell, b *query.Bound, p query.Problem, schema string, cause *migratecheck.Step) *Break {
	code := j.service.Code[cell.Code]
	br := &Break{Severity: migratecheck.Error, Cell: cell, Schema: schema, Site: b.Site, Rev: code.Rev, Pos: b.Site.Pos,
		Cause: cause, Problem: p, Message: p.Message}
	if p.Variant >= 0 {
		v := &b.Site.Variants[p.Variant]
		br.SQL, br.Pos = v.SQL, v.Position(b.Site, p.Offset)
	} else {
		br.Pos = b.Site.Names[p.Offset].Pos
	}
	if p.Maybe {
		br.Severity = migratecheck.Warning
	}
	switch {
	case cause == nil:
		br.Rule = BrokenQuery
		br.Help = "Nothing that is pending makes the difference: the query, or the schema that was taken for its own (-schema FILE gives another), is wrong."
	case cell == Cell{New, Old}:
		br.Rule = NeedsMigration
		j.needs(br, cause)
	default:
		rule, finding := j.lintFinding(cause, &p)
		br.Rule = rule
		if rule == "" {
			br.Rule = BrokenQuery
		}
		if finding != nil {
			br.Help = finding.Help
		} else {
			br.Help = "Split it over releases:\nrelease 1: ship code that works with and without this statement\nrelease 2, when no older code runs: the statement"
		}
	}
	br.Suppressed = cause != nil && cause.Suppressed(br.Rule)
	return br
}

// needs says what has to be shipped before new code, whose cause is the statement that makes what it uses. A name that the
// pending change takes away from old code as well is the lint rule's affair in both directions.
func (j *judge) needs(br *Break, cause *migratecheck.Step) {
	file := path.Base(cause.File.Migration.File)
	if rule, finding := j.lintFinding(cause, &br.Problem); finding != nil && breaksBothWays(rule) {
		br.Rule, br.Help = rule, finding.Help
	} else {
		use := "uses it"
		if br.Problem.Column != "" {
			use = "uses " + br.Problem.Column
		}
		br.Help = fmt.Sprintf("Split it over releases:\nrelease 1: ship %s with code that does not depend on it yet\nrelease 2, when the migration has run everywhere: ship the code that %s", file, use)
		if n := number(cause.File.Migration); n > 0 {
			br.Help += fmt.Sprintf("\nor, in one release, let the code look (package migratecheck/gate):\nif g.AtLeast(%d) { /* with %s */ } else { /* without */ }", n, strings.TrimPrefix(use, "uses "))
		}
	}
	if j.cfg.Order == MigrateFirst {
		br.Severity = migratecheck.Warning
		br.Message += fmt.Sprintf("; this code needs %s to have run before it starts", file)
	}
}

// breaksBothWays reports whether a rule speaks of a statement that takes a name from old code while it gives new code
// another one.
func breaksBothWays(rule string) bool {
	switch rule {
	case "rename-column", "rename-table", "rename-enum-value", "rename-constraint", "rename-index", "rename-schema",
		"reuse-column-name", "change-column-type", "narrow-column-type", "replace-view", "change-function":
		return true
	}
	return false
}

// known takes the weight from what was broken before: an old version's own mistake cannot be mended by this change, and a
// new version's is not new when the old one has it too.
func (j *judge) known() {
	old := map[string]bool{}
	mistake := func(b *Break) string {
		return b.Pos.File + "\x00" + b.Problem.Check + "\x00" + b.SQL
	}
	for _, b := range j.service.Breaks {
		if b.Cause == nil && b.Cell == (Cell{Old, Old}) {
			b.Severity = migratecheck.Info
			old[mistake(b)] = true
		}
	}
	for _, b := range j.service.Breaks {
		if b.Cause == nil && b.Cell == (Cell{New, New}) && old[mistake(b)] {
			b.Severity = migratecheck.Info
		}
	}
}
