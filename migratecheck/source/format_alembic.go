package source

import (
	"io/fs"
	"path"
	"slices"
	"strings"

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
	own := files
	migrations, err := readAlembic(append(slices.Clip(files), importedByEnv(d.fsys, files)...))
	files = own
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

// importedLimit bounds how many files are read for env.py's sake: more is no package of models.
const importedLimit = 100

// importedByEnv loads the files below the root that env.py imports, and what those import, as far as one may say how constraints are
// named (naming_convention). A name is looked for beside env.py and in the directories above it, as a service's own packages are.
func importedByEnv(fsys fs.FS, files []File) []File {
	i := slices.IndexFunc(files, func(f File) bool { return path.Base(f.Path) == "env.py" })
	if i < 0 || !strings.Contains(files[i].Text, "target_metadata") {
		return nil
	}
	known := map[string]bool{}
	for _, f := range files {
		known[f.Path] = true
	}
	read, imports := map[string]File{}, map[string][]string{}
	var naming []string // where a convention may be
	for queue := []File{files[i]}; len(queue) > 0 && len(read) < importedLimit; queue = queue[1:] {
		from := queue[0]
		imports[from.Path] = moduleFiles(fsys, from)
		for _, name := range imports[from.Path] {
			if known[name] {
				continue
			}
			known[name] = true
			f, problem := load(fsys, name)
			if problem != nil {
				continue
			}
			read[name], queue = f, append(queue, f)
			if strings.Contains(f.Text, "naming_convention") {
				naming = append(naming, name)
			}
		}
	}
	// The convention itself may be a name that such a file imports.
	var found []File
	for k := 0; k < len(naming); k++ {
		found = append(found, read[naming[k]])
		for _, name := range imports[naming[k]] {
			if _, ok := read[name]; ok && !slices.Contains(naming, name) {
				naming = append(naming, name)
			}
		}
	}
	return found
}

// moduleFiles lists the files that the imports of a file may mean.
func moduleFiles(fsys fs.FS, from File) []string {
	var list []string
	for _, module := range alembic.Imports(from.Text) {
		bare := strings.TrimLeft(module, ".")
		relative := strings.ReplaceAll(bare, ".", "/")
		dirs := []string{path.Dir(from.Path)}
		if dots := len(module) - len(bare); dots == 0 {
			for dir := dirs[0]; dir != "."; {
				dir = path.Dir(dir)
				dirs = append(dirs, dir)
			}
		} else {
			for range dots - 1 {
				dirs[0] = path.Dir(dirs[0])
			}
		}
		for _, dir := range dirs {
			for _, name := range []string{path.Join(dir, relative+".py"), path.Join(dir, relative, "__init__.py")} {
				if info, err := fs.Stat(fsys, name); err == nil && info.Mode().IsRegular() {
					list = append(list, name)
				}
			}
		}
	}
	return list
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
