package compat

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// doubts are the findings of a timeline that say that its schemas may not be what they are taken for.
func doubts(t *migratecheck.Timeline) []migratecheck.Finding {
	return slices.DeleteFunc(slices.Clone(t.Findings), func(f migratecheck.Finding) bool { return f.Down || !makesDoubtful(f.Rule) })
}

// makesDoubtful lists the rules that say so.
func makesDoubtful(rule string) bool {
	switch rule {
	case "syntax-error", "fails-to-apply", "unknown-object", "not-understood", "edited-released", "duplicate-version":
		return true
	}
	return false
}
