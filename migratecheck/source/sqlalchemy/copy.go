package sqlalchemy

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// copyTable takes psycopg2's copy_from(file, table, …, columns=) and copy_to (psycopg/cursor_type.c, curs_copy_from) on what is named like
// a connection. Since version 2.9 the table is quoted as one name; with a schema it is meant for an earlier one, which quotes nothing.
func (r *repo) copyTable(x *python.Interp, name string, receiver *python.Node, path string, a python.Args) {
	if receiver == nil || otherDatabase(path) || !connectionName(strings.ToLower(lastWord(x.Mod.Src(receiver)))) && !databasePath(path) {
		return // a file's, or a bucket's
	}
	at := place{x.Mod, a.N}
	table, ok := a.Get(1, "table")
	t, known := table.(python.Text)
	if !ok || !known || t.S == "" || strings.Contains(t.S, python.Hole) {
		r.note(at, query.Statement, python.Text{}, nil, "COPY of a table that is "+reason(table))
		return
	}
	list, given := a.Get(5, "columns")
	if a.Why != "" {
		r.note(at, query.Statement, python.Text{}, nil, "COPY of columns that are "+a.Why)
		return
	}
	parts := t.Split(".", -1)
	for i := range parts {
		parts[i] = python.Quote(parts[i])
	}
	sql := python.CatAny("COPY ", python.Join(parts, python.Plain(".")))
	if given && !python.IsNone(list) {
		items, why := python.Iterate(list)
		var columns []python.Text
		for _, it := range items {
			c, ok := it.(python.Text)
			if !ok || strings.Contains(c.S, python.Hole) {
				why = python.OrText(why, "a column that is "+reason(it))
				break
			}
			columns = append(columns, python.Quote(c))
		}
		if why != "" || len(columns) == 0 {
			r.note(at, query.Statement, python.Text{}, nil, "COPY of columns that are not known: "+python.OrText(why, "none"))
			return
		}
		sql = python.CatAny(sql, " (", python.Join(columns, python.Plain(", ")), ")")
	}
	direction := " FROM STDIN"
	if name == "copy_to" {
		direction = " TO STDOUT"
	}
	r.note(at, query.Copy, python.CatAny(sql, direction), nil, "")
}
