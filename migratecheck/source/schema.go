package source

import "io/fs"

// ReadSchema reads a schema.sql, be it written by hand or by pg_dump, as psql would: each statement by itself, without
// backslash commands and the data of COPY … FROM stdin. The error is a [*Problem].
func ReadSchema(fsys fs.FS, path string) (Script, error) {
	f, problem := load(fsys, path)
	if problem != nil {
		return Script{}, problem
	}
	out := readPsql(&f)
	attachIgnores(&f, &out)
	return out.up, nil
}
