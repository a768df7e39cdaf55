package source

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// directory is one directory while it is read.
type directory struct {
	fsys    fs.FS
	path    string
	entries []fs.DirEntry
	workers int
	format  *Format
	isRoot  bool // the caller named it
}

func (d *directory) has(name string) bool {
	return slices.ContainsFunc(d.entries, func(e fs.DirEntry) bool { return e.Name() == name })
}

// extra names the files of the directory with another extension than the format's.
func (d *directory) extra(ext string) []string {
	var names []string
	for _, e := range d.entries {
		if !e.IsDir() && path.Ext(e.Name()) == ext {
			names = append(names, path.Join(d.path, e.Name()))
		}
	}
	return names
}

// candidates loads the files whose extension is one of the formats'.
func (d *directory) candidates(formats []Format) ([]File, []Problem) {
	var names []string
	for _, e := range d.entries {
		if d.isDir(e) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		ext := path.Ext(e.Name())
		if ext == ".py" && !d.mayHoldRevisions(formats) {
			continue
		}
		if slices.ContainsFunc(formats, func(f Format) bool { return f.ext == ext }) {
			names = append(names, path.Join(d.path, e.Name()))
		}
	}
	return d.loadAll(names)
}

// mayHoldRevisions says whether the Python files of the directory are worth reading: alembic's are in a directory named
// versions, or wherever alembic.ini says.
func (d *directory) mayHoldRevisions(formats []Format) bool {
	return d.isRoot || len(formats) == 1 || path.Base(d.path) == "versions" || strings.Contains(d.path, "alembic") ||
		strings.Contains(d.path, "migrat")
}

// isDir says whether an entry is a directory or a link to one. Such links are not followed: one that leads to the directory
// itself, or to one above it, would lead round and round.
func (d *directory) isDir(e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(d.fsys, path.Join(d.path, e.Name()))
	return err == nil && info.IsDir()
}

// below names the files with an extension in the directories below, as fs.WalkDir finds them.
func (d *directory) below(dir string, entries []fs.DirEntry, ext string) (names []string, problems []Problem) {
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			inner, err := fs.ReadDir(d.fsys, name)
			if err != nil {
				problems = append(problems, Problem{
					Pos: Position{File: name}, Reason: "cannot list the directory: " + cause(err), Err: err,
				})
				continue
			}
			n, p := d.below(name, inner, ext)
			names, problems = append(names, n...), append(problems, p...)
		case dir != d.path && path.Ext(name) == ext:
			names = append(names, name)
		}
	}
	return names, problems
}

// assemble makes the set's migrations of the loaded files.
func (d *directory) assemble(files []File, set *Set) {
	if d.format.arrange != nil {
		d.format.arrange(d, files, set)
		return
	}
	steps := d.read(files, set)
	set.Migrations = pair(steps)
	if d.format.finish != nil {
		d.format.finish(d, set)
	}
	slices.SortStableFunc(set.Migrations, func(a, b Migration) int {
		if c := d.format.compare(&a, &b); c != 0 {
			return c
		}
		return cmp.Compare(a.File, b.File)
	})
	number(set.Migrations)
}

// problems makes one Problem of each error that was joined.
func problems(dir string, err error) []Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []Problem
		for _, e := range joined.Unwrap() {
			out = append(out, problems(dir, e)...)
		}
		return out
	}
	var p *Problem
	if errors.As(err, &p) {
		return []Problem{*p}
	}
	return []Problem{{Pos: Position{File: dir}, Reason: err.Error(), Err: err}}
}

// step is one file that was read.
type step struct {
	named
	Migration
}

// read reads the files the format takes for migrations; the others are the set's Other.
func (d *directory) read(files []File, set *Set) []step {
	steps := make([]step, 0, len(files))
	taken := make([]*File, 0, len(files))
	for i := range files {
		f := &files[i]
		n, ok := d.format.name(path.Base(f.Path))
		if !ok {
			set.Other = append(set.Other, f.Path)
			continue
		}
		taken = append(taken, f)
		steps = append(steps, step{named: n, Migration: Migration{
			Tool: d.format.Name, Version: n.version, Name: n.title, File: f.Path, Repeat: n.repeat,
		}})
	}
	d.parallel(len(steps), func() func(int) {
		return func(i int) { steps[i].fill(d.format, taken[i]) }
	})
	return steps
}

// fill reads the step's file.
func (s *step) fill(format *Format, f *File) {
	out := format.read(f)
	attachIgnores(f, &out)
	s.Migration.baseline = s.named.baseline || out.baseline
	if s.down {
		s.Down, s.HasDown = out.up, true
		return
	}
	s.Up, s.Down, s.HasDown = out.up, out.down, out.hasDown
}

// pair joins the files that are the two ways of one migration: they agree in version and title, or at least in version
// when there is only one way up.
func pair(steps []step) []Migration {
	out := make([]Migration, 0, len(steps))
	var downs []step
	for _, s := range steps {
		if s.down {
			downs = append(downs, s)
		} else {
			out = append(out, s.Migration)
		}
	}
	if len(downs) == 0 {
		return out
	}
	type key struct{ version, title string }
	byTitle, byVersion := map[key]int{}, map[string]int{}
	for i, m := range out {
		byTitle[key{m.Version, m.Name}] = i
		byVersion[m.Version] = i
	}
	for _, s := range downs {
		i, ok := byTitle[key{s.version, s.title}]
		if !ok {
			i, ok = byVersion[s.version]
		}
		if !ok || out[i].HasDown {
			s.Migration.NoUp = !ok
			out = append(out, s.Migration)
			continue
		}
		shiftTx(s.Down.Statements, topTx(out[i].Up.Statements))
		out[i].Down, out[i].HasDown = s.Down, true
	}
	return out
}

// topTx is the highest number of a transaction.
func topTx(statements []Statement) int {
	top := 0
	for i := range statements {
		top = max(top, statements[i].Tx)
	}
	return top
}

// shiftTx adds to the numbers of the transactions.
func shiftTx(statements []Statement, by int) {
	for i := range statements {
		if statements[i].Tx > 0 {
			statements[i].Tx += by
		}
	}
}

// number makes the transactions' numbers, which the readers count from 1 in each file, differ within the history.
func number(migrations []Migration) {
	base := 0
	for i := range migrations {
		m := &migrations[i]
		most := max(topTx(m.Up.Statements), topTx(m.Down.Statements))
		shiftTx(m.Up.Statements, base)
		shiftTx(m.Down.Statements, base)
		base += most
	}
}
