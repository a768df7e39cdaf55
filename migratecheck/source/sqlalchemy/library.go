package sqlalchemy

import "git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"

// library is what is known of a class of a library that services derive their models from.
type library struct {
	table   string   // "" when the service names it
	columns []string // attributes for columns of the same name, in every version that was read
	keys    []string // those of columns that are the primary key
	// filled: the library gives each column a value (default=…).
	filled bool
	// all: the class maps no other columns.
	all bool
}

// libraries lists the classes that are known, by their import path.
func libraries(path string) (library, bool) {
	users := library{
		table:   "user",
		columns: []string{"id", "created", "updated", "username", "email", "user_type", "url", "location", "bio"},
		keys:    []string{"id"},
	}
	switch path {
	case "srht.oauth.UserMixin", "srht.oauth.ExternalUserMixin", "srht.oauth.user.UserMixin", "srht.oauth.user.ExternalUserMixin":
		// core.sr.ht, srht/oauth/user.py, in versions of 2019 and later: they differ in further columns.
		return users, true
	case "sqlalchemy_utils.Timestamp", "sqlalchemy_utils.models.Timestamp":
		// sqlalchemy_utils 0.38, models.py
		return library{columns: []string{"created", "updated"}, filled: true, all: true}, true
	}
	return library{}, false
}

// fromLibraries adds what is known of the classes from outside of the repository that a class derives from. rest are those of
// which it is not all; table is the table that one of them names.
func (r *repo) fromLibraries(m *model, outside []string) (rest []string, table string) {
	for _, path := range outside {
		l, known := libraries(path)
		if !known || !l.all {
			rest = append(rest, path)
		}
		if table == "" {
			table = l.table
		}
		for _, name := range l.columns {
			if m.has(name) {
				continue
			}
			c := &python.Column{Name: python.Plain(name), Kw: python.Args{Kw: map[string]python.Value{"nullable": !l.filled}}}
			if l.filled {
				c.Kw.Kw["default"] = python.Unknown{Why: "a value of the library's"}
			}
			for _, key := range l.keys {
				c.PK = c.PK || key == name
			}
			r.created[c] = len(r.created)
			r.addColumn(m, attr{name: name, at: m.at, column: c, label: c.Name}, nil)
		}
	}
	return rest, table
}
