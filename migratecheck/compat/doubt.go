package compat

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// doubts are the findings of a timeline that say that its schemas may not be what they are taken for.
func doubts(t *migratecheck.Timeline) []migratecheck.Finding {
	return slices.DeleteFunc(slices.Clone(t.Findings), func(f migratecheck.Finding) bool { return f.Down || !lintRules[f.Rule].doubtful })
}
