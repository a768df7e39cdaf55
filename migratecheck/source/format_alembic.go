package source

import (
	"io/fs"
	"path"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/alembic"
)

// alembicFormat reads alembic's revisions, which are Python: see readAlembic.
func alembicFormat() Format {
	return Format{
		Name:  "alembic",
		About: "Python files with revision and down_revision",
		ext:   ".py",
		claim: func(name, text string) claim {
			if alembic.LooksLikeRevision(name, text) {
				return claimOwn
			}
			return claimNone
		},
		arrange: arrangeAlembic,
	}
}

// arrangeAlembic reads all the Python files of a directory, and env.py above it.
func arrangeAlembic(d *directory, files []File, set *Set) {
	env := path.Join(path.Dir(d.path), "env.py")
	if d.path != "." && !d.has("env.py") {
		if f, problem := load(d.fsys, env); problem == nil {
			files = append(slices.Clip(files), f)
		}
	}
	migrations, err := readAlembic(files)
	set.Migrations = migrations
	set.Problems = append(set.Problems, problems(d.path, err)...)
	for i := range files {
		name := files[i].Path
		switch {
		case path.Base(name) == "env.py",
			slices.ContainsFunc(migrations, func(m Migration) bool { return m.File == name }),
			slices.ContainsFunc(set.Problems, func(p Problem) bool { return p.Pos.File == name }):
		case d.format.claim(path.Base(name), files[i].Text) == claimNone:
			set.Other = append(set.Other, name)
		case err == nil:
			set.Problems = append(set.Problems, Problem{Pos: Position{File: name}, Reason: "the file's revision cannot be told"})
		}
	}
}

// namedAlembic reads the named revisions with all those beside them, which say what comes first.
func namedAlembic(fsys fs.FS, format *Format, named []File, set *Set) []Migration {
	var out []Migration
	var done []string
	for i := range named {
		dir := path.Dir(named[i].Path)
		if slices.Contains(done, dir) {
			continue
		}
		done = append(done, dir)
		d := &directory{fsys: fsys, path: dir, format: format}
		d.entries, _ = fs.ReadDir(fsys, dir) // the named files were read, so only their neighbours can be missing
		neighbours, _ := d.loadAll(d.extra(".py"))
		all := Set{Dir: dir}
		arrangeAlembic(d, neighbours, &all)
		for _, m := range all.Migrations {
			if slices.ContainsFunc(named, func(f File) bool { return f.Path == m.File }) {
				out = append(out, m)
			}
		}
		for _, p := range all.Problems {
			if p.Pos.File == dir || slices.ContainsFunc(named, func(f File) bool { return f.Path == p.Pos.File }) {
				set.Problems = append(set.Problems, p)
			}
		}
	}
	return out
}
