package source

import (
	"io/fs"
	"path"
	"slices"
)

// ReadFiles is Config{Format: format}.ReadFiles.
func ReadFiles(fsys fs.FS, paths []string, format string) (Set, error) {
	return Config{Format: format}.ReadFiles(fsys, paths)
}

// ReadFiles reads files by name, in the order given. Without Config.Format each file is read in the format that its
// name and annotations suggest, psql's when they suggest none; Set.Format is then the one format of all of them, or
// empty. The two ways of one golang-migrate migration become one. Files that cannot be read are Problems. The error is
// an unknown Format.
func (c Config) ReadFiles(fsys fs.FS, paths []string) (Set, error) {
	formats, err := c.formats()
	if err != nil {
		return Set{}, err
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = path.Clean(p)
	}
	d := &directory{fsys: fsys, path: ".", workers: c.Workers}
	files, unread := d.loadAll(names)
	set := Set{Dir: commonDir(names), Named: true, Problems: unread}
	var steps []step
	var python []File
	var pythonFormat *Format
	pythonAt := 0
	chosen := make([]*Format, len(files))
	for i := range files {
		chosen[i] = formatOf(formats, &files[i], c.Format != "")
		if i == 0 {
			set.Format = chosen[i].Name
		} else if set.Format != chosen[i].Name {
			set.Format = ""
		}
	}
	for i := range files {
		f, format := &files[i], chosen[i]
		if format.arrange != nil {
			if len(python) == 0 {
				pythonAt = len(steps)
			}
			python, pythonFormat = append(python, *f), format
			continue
		}
		base := path.Base(f.Path)
		n, ok := format.name(base)
		if !ok {
			n = named{version: digits(base), title: base}
		}
		steps = append(steps, step{named: n, Migration: Migration{
			Tool: format.Name, Version: n.version, Name: n.title, File: f.Path, Repeat: n.repeat,
		}})
		steps[len(steps)-1].fill(format, f)
	}
	set.Migrations = pair(steps)
	number(set.Migrations)
	if len(python) > 0 {
		top := 0
		for i := range set.Migrations {
			top = max(top, topTx(set.Migrations[i].Up.Statements), topTx(set.Migrations[i].Down.Statements))
		}
		revisions := namedAlembic(fsys, pythonFormat, python, &set)
		for i := range revisions {
			shiftTx(revisions[i].Up.Statements, top)
			shiftTx(revisions[i].Down.Statements, top)
		}
		set.Migrations = slices.Insert(set.Migrations, min(pythonAt, len(set.Migrations)), revisions...)
	}
	set.SchemaFile = schemaFile(&directory{fsys: fsys, path: set.Dir})
	return set, nil
}

// formatOf is the format with the surest claim on one file.
func formatOf(formats []Format, f *File, forced bool) *Format {
	if forced {
		return &formats[0]
	}
	name := path.Base(f.Path)
	var best, plain *Format
	sure := claimNone
	for i := range formats {
		format := &formats[i]
		if format.Name == "plain" {
			plain = format
		}
		if path.Ext(name) != format.ext {
			continue
		}
		if format.arrange != nil {
			return format // a Python file can be nothing else
		}
		if c := format.claim(name, f.Text); c > sure {
			best, sure = format, c
		}
	}
	if best == nil {
		return plain
	}
	return best
}

// commonDir is the directory of all the files, or "." when they are in several.
func commonDir(names []string) string {
	dir := ""
	for i, n := range names {
		if d := path.Dir(n); i == 0 {
			dir = d
		} else if d != dir {
			return "."
		}
	}
	if dir == "" {
		return "."
	}
	return dir
}
