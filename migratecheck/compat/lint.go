package compat

import (
	"context"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Lint is migratecheck.Lint with the old code at hand: where git tells which revision is released, its queries confirm or
// clear what the rules foretell (see [Exact]). read is the revision whose code was read, "" when none was: there is no
// such revision, or no finding that code could tell more about.
//
// A revision whose code cannot be read leaves the findings as the rules made them, and is the error besides the report.
func Lint(ctx context.Context, cfg migratecheck.Config, root string, paths ...string) (rep *migratecheck.Report, read string, err error) {
	var commit, desc string
	if !cfg.All {
		commit, desc, err = migratecheck.BaseRevision(ctx, &cfg, root)
	}
	if err != nil || commit == "" {
		rep, err := migratecheck.Lint(ctx, cfg, root, paths...) // which words the error
		return rep, "", err
	}
	timelines, rep, err := migratecheck.Timelines(ctx, cfg, root, paths...)
	if err != nil {
		return rep, "", err
	}
	if !slices.ContainsFunc(timelines, foretells) {
		return rep, "", nil
	}
	repo, err := gitrepo.Open(ctx, root)
	if err != nil {
		return rep, "", err
	}
	code, err := ReadRevision(ctx, repo, commit, root)
	if err != nil {
		return rep, "", err
	}
	code.Rev = strings.TrimPrefix(desc, "tag ")
	var findings []migratecheck.Finding
	judged := Services(Config{}, timelines, code, &Code{})
	for _, t := range timelines {
		i := slices.IndexFunc(judged, func(s *Service) bool { return s.Timeline == t })
		if i < 0 {
			findings = append(findings, t.Findings...)
			continue
		}
		findings = append(findings, Exact(judged[i])...)
	}
	rep.File(findings, cfg.Severity)
	return rep, desc, nil
}

// foretells reports whether a timeline has findings that code can tell more about.
func foretells(t *migratecheck.Timeline) bool {
	return slices.ContainsFunc(t.Findings, func(f migratecheck.Finding) bool { return !f.Down && decidable(f.Rule) })
}
