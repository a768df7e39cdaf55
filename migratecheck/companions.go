package migratecheck

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
)

// findCompanions lists, for each migration file, the code that the commit which added it changes as well, by path from the
// top of the repository.
func findCompanions(ctx context.Context, repo *gitrepo.Repo, files []*File) (map[string][]string, error) {
	companions := map[string][]string{}
	byCommit := map[string][]string{} // "" is what is not committed
	for _, f := range files {
		if !f.Pending {
			continue
		}
		name := path.Join(repo.Prefix, f.Migration.File)
		commit, _, err := repo.Added(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("asking git who added %s: %w", f.Migration.File, err)
		}
		if commit == "" && repo.At != "" {
			continue // a copy of a revision: nothing is uncommitted there
		}
		changed, known := byCommit[commit]
		if !known {
			if changed, err = repo.Changed(ctx, commit); err != nil {
				return nil, fmt.Errorf("asking git what %.7s changes: %w", commit, err)
			}
			byCommit[commit] = changed
		}
		for _, other := range changed {
			if isCode(other) && path.Dir(other) != path.Dir(name) {
				companions[f.Migration.File] = append(companions[f.Migration.File], other)
			}
		}
	}
	return companions, nil
}

// isCode tells source code of a program from its tests, its data and its documents, by name.
func isCode(name string) bool {
	base := path.Base(name)
	for _, dir := range strings.Split(path.Dir(name), "/") {
		if slices.Contains([]string{"test", "tests", "testdata", "vendor", "node_modules", "migrations", "alembic"}, dir) {
			return false
		}
	}
	switch path.Ext(base) {
	case ".go":
		return !strings.HasSuffix(base, "_test.go")
	case ".py":
		return !strings.HasPrefix(base, "test_") && !strings.HasSuffix(base, "_test.py")
	case ".c", ".cs", ".ex", ".java", ".js", ".kt", ".php", ".pl", ".rb", ".rs", ".scala", ".swift", ".ts", ".tsx":
		return true
	}
	return false
}
