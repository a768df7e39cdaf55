package migratecheck

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/gitrepo"
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// baseline is the catalog on which a history starts.
type baseline struct {
	Catalog *catalog.Catalog
	// From says where it was taken from, for a person.
	From string
	// problems were met while reading it.
	problems []string
	// scripts make it on an empty database; nil when nothing does.
	scripts []*source.Script
	// released: it is the schema after every released migration, not the one before the first.
	released bool
}

// findBaseline looks for the schema before the first migration of a history that does not begin with an empty database.
func findBaseline(ctx context.Context, cfg *Config, fsys fs.FS, base *base, set *source.Set, pending *Pending) (*baseline, error) {
	empty := catalog.New(catalog.Config{Version: cfg.version()})
	if base != nil {
		if b, err := baselineFromGit(ctx, cfg, base.repo, set, empty); err != nil || b != nil {
			return b, err
		}
		if b := baselineReleased(base, set, pending, empty); b != nil {
			return b, nil
		}
	}
	if b := baselineUnwound(fsys, set, empty); b != nil {
		return b, nil
	}
	return &baseline{Catalog: catalog.New(catalog.Config{Version: cfg.version(), Open: true}),
		From: "nothing: the history refers to objects it does not create, so unseen objects are assumed to exist (-schema FILE gives the schema before the first migration)"}, nil
}

// isMissing reports whether an error is about an object that does not exist.
func isMissing(e *catalog.Error) bool {
	switch e.Code {
	case "42P01", "42703", "42704", "42883", "3F000": // undefined table, column, object, function; schema
		return true
	}
	return false
}

// baselineFromGit takes the schema.sql, or the earlier tool's migrations, of the commit before the first migration was
// added.
func baselineFromGit(ctx context.Context, cfg *Config, repo *gitrepo.Repo, set *source.Set, empty *catalog.Catalog) (*baseline, error) {
	if len(set.Migrations) == 0 {
		return nil, nil
	}
	first := path.Join(repo.Prefix, set.Migrations[0].File)
	commit, parent, err := repo.Added(ctx, first)
	if err != nil || parent == "" {
		return nil, nil //nolint:nilerr // no such history (a shallow clone, an uncommitted file): the next source is tried
	}
	tree, err := repo.Tree(ctx, parent)
	if err != nil {
		return nil, err
	}
	// Look beside the migrations first, then further up.
	for dir := path.Dir(first); ; dir = path.Dir(dir) {
		name := path.Join(dir, "schema.sql")
		if _, err := fs.Stat(tree, name); err == nil {
			script, err := source.ReadSchema(tree, name)
			if err != nil {
				return nil, fmt.Errorf("reading %s of %.7s: %w", name, parent, err)
			}
			cat := empty.Clone()
			b := &baseline{Catalog: cat, From: fmt.Sprintf("%s of %.7s, the commit before %s was added", name, parent, path.Base(first)),
				scripts: []*source.Script{&script}}
			b.problems = applyScript(cat, &script)
			return b, nil
		}
		if dir == "." || dir == "/" {
			break
		}
	}
	if err := tree.Load(func(name string) bool { return strings.HasSuffix(name, ".py") || strings.HasSuffix(name, ".sql") }); err != nil {
		return nil, err
	}
	root := repo.Prefix
	if root == "" {
		root = "."
	}
	sets, err := source.Discover(tree, root)
	if err != nil {
		return nil, nil //nolint:nilerr // the directory is not in that commit
	}
	for i := range sets {
		if sets[i].Format == "" || len(sets[i].Migrations) == 0 {
			continue
		}
		cat := empty.Clone()
		b := &baseline{Catalog: cat, From: fmt.Sprintf("the %d %s migrations in %s before %.7s", len(sets[i].Migrations), sets[i].Format, sets[i].Dir, commit)}
		for j := range sets[i].Migrations {
			b.problems = append(b.problems, applyScript(cat, &sets[i].Migrations[j].Up)...)
			b.scripts = append(b.scripts, &sets[i].Migrations[j].Up)
		}
		return b, nil
	}
	return nil, nil
}

// baselineReleased takes the schema.sql that was released: a service that keeps one installs new databases from it, so it is
// the schema that the released migrations lead to. nil unless all of it can be applied.
func baselineReleased(base *base, set *source.Set, pending *Pending, empty *catalog.Catalog) *baseline {
	if pending.judgesReleased(set) {
		return nil // it stands for what they lead to
	}
	if base.tree == nil || set.SchemaFile == "" || pending.Commit == "" || pending.since != "" || pending.All {
		return nil
	}
	name := path.Join(base.repo.Prefix, set.SchemaFile)
	if err := base.tree.Load(func(file string) bool { return file == name }); err != nil {
		return nil
	}
	script, err := source.ReadSchema(base.tree, name)
	if err != nil {
		return nil
	}
	cat := empty.Clone()
	if problems := applyScript(cat, &script); len(problems) > 0 {
		return nil
	}
	return &baseline{Catalog: cat, released: true, scripts: []*source.Script{&script}, From: fmt.Sprintf("%s as released (%.7s), which stands for what the released migrations lead to", name, pending.Commit)}
}

// baselineUnwound takes today's schema.sql and undoes every migration by its Down section; nil unless all of that works.
func baselineUnwound(fsys fs.FS, set *source.Set, empty *catalog.Catalog) *baseline {
	if set.SchemaFile == "" {
		return nil
	}
	script, err := source.ReadSchema(fsys, set.SchemaFile)
	if err != nil {
		return nil
	}
	cat := empty.Clone()
	if problems := applyScript(cat, &script); len(problems) > 0 {
		return nil
	}
	scripts := []*source.Script{&script}
	for i := len(set.Migrations) - 1; i >= 0; i-- {
		m := &set.Migrations[i]
		scripts = append(scripts, &m.Down)
		if !m.HasDown && !m.Repeat {
			if i > 0 {
				return nil
			}
			continue // sr.ht's first file has no way down: it drops the previous tool's bookkeeping
		}
		for _, tree := range parseScript(new(pgast.Parser), &m.Down) {
			if len(tree.errs) > 0 {
				return nil
			}
			for _, stmt := range tree.stmts {
				if _, err := cat.Apply(stmt); err != nil && asCatalogError(err).Code != catalog.NotUnderstood {
					return nil
				}
			}
		}
		cat.EndSession()
	}
	return &baseline{Catalog: cat, From: set.SchemaFile + " unwound through the Down sections", scripts: scripts}
}

// applyScript applies what can be applied, in a session of its own, and describes what cannot.
func applyScript(cat *catalog.Catalog, script *source.Script) []string {
	var problems []string
	note := func(s *source.Statement, offset int, err error) {
		pos := s.Position(offset)
		problems = append(problems, fmt.Sprintf("%s:%d: %v", pos.File, pos.Line, err))
	}
	for i := range script.Statements {
		s := &script.Statements[i]
		stmts, errs := pgast.ParseEach(s.SQL)
		for _, err := range errs {
			note(s, 0, err)
		}
		for _, stmt := range stmts {
			if _, err := cat.Apply(stmt); err != nil && !source.IsBookkeeping(asCatalogError(err).Object.Name) {
				note(s, stmt.Offset, err)
			}
		}
	}
	cat.EndSession()
	return problems
}
