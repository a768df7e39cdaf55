package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// suppress reports whether a comment takes the finding back, and remembers that the comment did.
func (r *Run) suppress(f Finding, s *Step) bool {
	if f.Rule == ruleBadIgnore.ID || f.Rule == ruleUnusedIgnore.ID {
		return false
	}
	if s != nil {
		for _, ig := range s.text.Ignores {
			if (ig.Offset == -1 || ig.Offset == s.base) && r.use(ig, f.Rule) {
				return true
			}
		}
		return false
	}
	// A finding about a file is suppressed by any comment in it that names the rule.
	for _, file := range r.byPath[f.Pos.File] {
		for _, ig := range file.ignores() {
			if r.use(ig, f.Rule) {
				return true
			}
		}
	}
	return false
}

// reportGap files a finding about a part that was not understood, unless a comment on it takes it back: one that the
// reader has attached to it, else one on its line or the line before that no statement claims.
func (f *File) reportGap(gap source.Gap, message, help string) {
	ignores := gap.Ignores
	for _, script := range []*source.Script{&f.Migration.Up, &f.Migration.Down} {
		for _, ig := range script.StrayIgnores {
			if ig.Pos.Line == gap.Pos.Line || ig.Pos.Line == gap.Pos.Line-1 {
				ignores = append(ignores[:len(ignores):len(ignores)], ig)
			}
		}
	}
	for _, ig := range ignores {
		if f.Run.use(ig, f.rule.ID) {
			f.Run.suppressed++
			return
		}
	}
	down := slices.ContainsFunc(f.Migration.Down.Gaps, func(g source.Gap) bool { return g.Pos == gap.Pos }) &&
		!slices.ContainsFunc(f.Migration.Up.Gaps, func(g source.Gap) bool { return g.Pos == gap.Pos })
	f.Run.report(Finding{Rule: f.rule.ID, Severity: f.rule.Severity, Pos: gap.Pos, Message: message, Help: help, Down: down}, nil)
}

func (r *Run) use(ig source.Ignore, rule string) bool {
	if ig.Reason == "" || !slices.Contains(ig.Rules, rule) {
		return false
	}
	r.used[ignoreKey{ig.Pos, rule}] = true
	return true
}

// ignores lists the suppression comments of both directions.
func (f *File) ignores() []source.Ignore {
	var list []source.Ignore
	for _, script := range []*source.Script{&f.Migration.Up, &f.Migration.Down} {
		for i := range script.Statements {
			list = append(list, script.Statements[i].Ignores...)
		}
		for i := range script.Gaps {
			list = append(list, script.Gaps[i].Ignores...)
		}
		list = append(list, script.StrayIgnores...)
	}
	return list
}

// checkIgnores reports the comments of pending files that are wrong or that nothing needed. It runs last.
func (r *Run) checkIgnores() {
	known := map[string]bool{}
	for _, rule := range Rules() {
		known[rule.ID] = true
	}
	on := map[string]bool{}
	for _, rule := range r.rules {
		// Whether there is anything for a comment about code to suppress, only the code tells.
		on[rule.ID] = rule.Category != Code
	}
	for _, f := range r.Files {
		if !f.Pending {
			continue
		}
		for _, ig := range f.ignores() {
			for _, problem := range badIgnore(ig, known) {
				if on[ruleBadIgnore.ID] {
					r.report(Finding{Rule: ruleBadIgnore.ID, Severity: ruleBadIgnore.Severity, Pos: ig.Pos, Message: problem,
						Help: "Write -- srhtvet:ignore RULE[,RULE] reason (in Python # srhtvet:ignore …) on the statement; `srhtvet rules` lists the rules."}, nil)
				}
			}
			for _, rule := range ig.Rules {
				if ig.Reason != "" && on[rule] && on[ruleUnusedIgnore.ID] && !r.used[ignoreKey{ig.Pos, rule}] {
					r.report(Finding{Rule: ruleUnusedIgnore.ID, Severity: ruleUnusedIgnore.Severity, Pos: ig.Pos,
						Message: fmt.Sprintf("nothing here is a finding of %s: the comment would hide one that comes later", rule),
						Help:    "Remove " + rule + " from the comment."}, nil)
				}
			}
		}
	}
}

func badIgnore(ig source.Ignore, known map[string]bool) []string {
	var list []string
	if len(ig.Rules) == 0 {
		return []string{"a suppression comment names no rule, so it suppresses nothing"}
	}
	for _, rule := range ig.Rules {
		if !known[rule] {
			list = append(list, fmt.Sprintf("a suppression comment names %q, which is %s", rule, notRule(rule)))
		}
	}
	if ig.Reason == "" {
		list = append(list, "a suppression comment gives no reason, so it suppresses nothing")
	}
	return list
}

// notRule says what a name is that is no rule, and which rules may have been meant.
func notRule(name string) string {
	var ids, of []string
	for _, rule := range Rules() {
		ids = append(ids, rule.ID)
		if string(rule.Category) == name {
			of = append(of, rule.ID)
		}
	}
	if len(of) == 0 {
		return "no rule" + spell.DidYouMean(name, ids)
	}
	return "a category: name the rule, one of " + strings.Join(of, ", ")
}
