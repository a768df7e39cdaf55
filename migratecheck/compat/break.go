package compat

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// newBreak words what a site has against a schema, which lacks what a later one has or not. A comment on the statement that causes it may take it back.
func (j *judge) newBreak(cell Cell, b *query.Bound, p query.Problem, state int, own bool, cause *migratecheck.Step, lacks bool) *Break {
	code := j.service.Code[cell.Code]
	br := &Break{Severity: migratecheck.Error, Cell: cell, Schema: j.states[state].name, Own: own, Site: b.Site, Rev: code.Rev, Pos: b.Site.Pos,
		Cause: cause, Problem: p, Message: p.Message}
	if p.Variant >= 0 {
		v := &b.Site.Variants[p.Variant]
		br.SQL, br.Pos = v.SQL, v.Position(b.Site, p.Offset)
	} else {
		br.Pos = b.Site.Names[p.Offset].Pos
	}
	isLate := !own && j.meets(b.Site, state) == late
	if p.Maybe || isLate {
		br.Severity = migratecheck.Warning
	}
	switch {
	case isLate:
		j.whileLate(br)
	case cause == nil:
		br.Rule = BrokenQuery
		br.Help = "Nothing that is pending makes the difference: the query, or the schema that was taken for its own (-schema FILE gives another), is wrong."
	case lacks || cell == Cell{New, Old}: // the former, behind a gate that asks for too little, half-way
		br.Rule = NeedsMigration
		j.needs(br, cause)
	default:
		rule, finding := j.lintFinding(cause, &p)
		br.Rule = rule
		if rule == "" || finding == nil && cell == (Cell{New, New}) && !cause.Suppressed(rule) && !j.ranOnReleased(b, state, &p) {
			br.Rule = BrokenQuery // new both of them: a statement that no rule speaks against, and a query that does not suit it
		}
		switch old, now, renamed := br.NewName(); {
		case renamed:
			br.Help = fmt.Sprintf("Use the new name: %s instead of %s. The query runs on the schema that this statement makes.", now, old)
		case own && cell == Cell{New, New}:
			br.Help = "Change the query, or the statement: they are released together, and do not fit."
		case cell == Cell{New, New}:
			br.Help = "It works before and after, not in between: put what belongs together into one migration, which commits at once, or split it over releases."
		case finding != nil:
			br.Help = finding.Help
		default:
			br.Help = "Split it over releases:\nrelease 1: ship code that works with and without this statement\nrelease 2, when no older code runs: the statement"
		}
	}
	if n := j.service.Timeline.Unfollowed; n > 0 && br.Rule == BrokenQuery {
		br.Severity = migratecheck.Info
		br.Help = fmt.Sprintf("Of %d statements of the history it is not known what they do to the schema, so that it may be another; -schema FILE gives the one that is released.", n)
	}
	br.Suppressed = cause != nil && cause.Suppressed(br.Rule) || disabled(j.cfg.Disable, br.Rule)
	return br
}

// ranOnReleased reports whether a query that has a problem on a schema would run on the released one: then the statement that
// causes it takes something away.
func (j *judge) ranOnReleased(b *query.Bound, state int, p *query.Problem) bool {
	return state > 0 && presenceOf(b, nil, j.states[0].cat, keyOf(p)) == absent
}

// disabled reports whether a list of rules and categories has a rule.
func disabled(list []string, rule string) bool {
	if slices.Contains(list, rule) {
		return true
	}
	i := slices.IndexFunc(migratecheck.Rules(), func(r *migratecheck.Rule) bool { return r.ID == rule })
	return i >= 0 && slices.Contains(list, string(migratecheck.Rules()[i].Category))
}

// needs says what has to be shipped before new code, whose cause is the statement that makes what it uses. A name that the
// pending change takes away from old code as well is the lint rule's affair in both directions.
func (j *judge) needs(br *Break, cause *migratecheck.Step) {
	file := path.Base(cause.File.Migration.File)
	rule, finding := j.lintFinding(cause, &br.Problem)
	switch both := lintRules[rule].bothWays; {
	case both && finding != nil:
		br.Rule, br.Help = rule, finding.Help
	case both && cause.Suppressed(rule):
		br.Rule = rule
	case both && br.Problem.Check == "changed-values":
		br.Rule, br.Help = rule, "Ship code that understands both forms of the values first; change them when no older code runs."
	default:
		br.Help = splitNeeded(file, number(cause.File.Migration), &br.Problem)
	}
	if j.cfg.Order == MigrateFirst {
		br.Severity = migratecheck.Warning
		br.Message += fmt.Sprintf("; this code needs %s to have run before it starts", file)
	}
}

// splitNeeded words how to ship new code and the migration it needs: for what it gives to the code, or, where the old
// schema asks for something that the new one does not, for what it takes away.
func splitNeeded(file string, number int64, p *query.Problem) string {
	it := cmp.Or(p.Column, "it")
	first, second := file+" with code that does not depend on it yet", "the code that uses "+it
	with, without := "with "+it, "without"
	if asks(p.Check) {
		with, without = "as this code does", "as the released code does"
		if p.Check == "required-column" && p.Relation != "" {
			first = fmt.Sprintf("a migration before %s with code that goes on writing %s:\nALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;", file, it, quoted(p.Relation), pgast.QuoteIdent(it))
			second = "the code that leaves " + it + " out\nrelease 3, when no older code runs: ship " + file
			with, without = "without "+it, "with "+it
		} else {
			first, second = file+" with code that still does what today's schema asks for", "this code"
		}
	}
	text := fmt.Sprintf("Split it over releases:\nrelease 1: ship %s\nrelease 2, when the migration has run everywhere: ship %s", first, second)
	if number > 0 {
		text += fmt.Sprintf("\nor, in one release, let the code look (package migratecheck/gate):\nif g.AtLeast(%d) { /* %s */ } else { /* %s */ }", number, with, without)
	}
	return text
}

// quoted writes the name of a relation, qualified or not, as SQL needs it.
func quoted(name string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = pgast.QuoteIdent(parts[i])
	}
	return strings.Join(parts, ".")
}

// known takes weight from what was broken before: an old version's own mistake cannot be mended by this change, and a new
// version's is not new when the old one has it too. It stays a warning: a query that fails is to be mended, and until then
// hides what else it may depend on; and where many do, the schema is another than it is taken for. With nothing pending nothing
// is judged by it: a note.
func (j *judge) known() {
	bar := migratecheck.Warning
	if len(j.service.Timeline.Pending) == 0 {
		bar = migratecheck.Info
	}
	old := map[string]bool{}
	mistake := func(b *Break) string {
		return b.Pos.File + "\x00" + b.Message
	}
	for _, b := range j.service.Breaks {
		if b.Cause == nil && b.Cell == (Cell{Old, Old}) {
			b.Severity = migratecheck.Info
			old[mistake(b)] = true
		}
	}
	for _, b := range j.service.Breaks {
		if b.Cause == nil && b.Cell == (Cell{New, New}) && old[mistake(b)] {
			b.Severity = min(b.Severity, bar)
		}
	}
}
