package migratecheck

import (
	"context"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Timeline is one directory of migrations, applied: every schema that code can meet while the pending ones are released.
type Timeline struct {
	SetReport
	// Base is the schema before the first pending migration, Final the one after the last. Without anything pending they
	// are the same.
	Base, Final *catalog.Catalog
	// Scripts make Base on an empty database: those of the baseline, then the released migrations that it does not hold.
	// Open: nobody knows what the history starts from, so that they do not.
	Scripts []*source.Script
	Open    bool
	// Pending are the pending migrations in order; each has its steps (Up) and the schema on either side.
	Pending []*File
	// Released is the newest migration that is not pending, nil when all are.
	Released *source.Migration
	// Findings are what the rules say, whatever Config.Severity is; without those taken back by a comment.
	Findings []Finding
	// Unfollowed is the number of statements in the whole history whose effect the schemas do not hold.
	Unfollowed int
}

// Timelines is Lint for those who need the schemas as well. The catalogs are not safe for concurrent use, and share parts.
func Timelines(ctx context.Context, cfg Config, root string, paths ...string) ([]*Timeline, *Report, error) {
	report, runs, err := lint(ctx, &cfg, root, paths, true)
	if err != nil {
		return nil, report, err
	}
	var list []*Timeline
	for i, run := range runs {
		h := &Timeline{SetReport: report.Sets[i], Base: run.Base, Final: run.Final, Findings: run.findings, Unfollowed: run.unfollowed,
			Scripts: slices.Clone(run.baseline), Open: run.open}
		for _, f := range run.Files {
			if f.Pending {
				h.Pending = append(h.Pending, f)
			} else {
				h.Released = f.Migration
				if !run.fromBase {
					h.Scripts = append(h.Scripts, &f.Migration.Up)
				}
			}
		}
		if h.Base == nil {
			h.Base = run.Final
			if len(h.Pending) > 0 {
				h.Base = h.Pending[0].Before
			}
		}
		SortFindings(h.Findings)
		list = append(list, h)
	}
	return list, report, nil
}
