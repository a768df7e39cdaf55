package sqlquery

import (
	"go/types"
	"regexp"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// apiType is a type of a library that talks to a database.
type apiType struct {
	path, name string
	isTx       bool
	tx         query.Tx // what its methods run in, when the type alone says so
	cachesPlan bool     // the driver prepares what it is given, and keeps it (pgx's default mode)
	methods    map[string]apiMethod
}

// apiMethod says what a method does.
type apiMethod struct {
	does effect
	sql  int // the index of the text
	args int // the index of the first value that is bound; -1 when there are none
	dest int // of sqlx's Get and Select: the index of the destination
	// gives is the type of the first result, as "path.Name".
	gives string
}

// effect is what a method does with its text.
type effect int

const (
	doesNothing  effect = iota
	doesExec            // sends it, no result
	doesQuery           // sends it, rows
	doesPrepare         // prepares it; gives is what runs it
	doesRun             // runs what was prepared
	doesRunQuery        // runs what was prepared, rows
	doesBegin           // begins a transaction
	doesConn            // gives another handle
	doesGet             // sends it and scans one row into dest
	doesSelect          // sends it and scans all rows into a slice
	doesNamed           // sends it with :names
	doesNamedRow
	doesCopy      // pgx CopyFrom
	doesRebind    // the text, with ? made $1
	doesBindNamed // the text, with :name made $1
	doesQueue     // sends it later
	doesListen    // lib/pq Listener
)

// apiTypes are the types by "path.Name".
func apiTypes() map[string]*apiType {
	all := map[string]*apiType{}
	for _, t := range databaseSQL() {
		all[t.path+"."+t.name] = t
	}
	for _, version := range []string{"v4", "v5"} {
		for _, t := range pgx("github.com/jackc/pgx/" + version) {
			all[t.path+"."+t.name] = t
		}
	}
	for _, t := range sqlx() {
		all[t.path+"."+t.name] = t
	}
	for _, t := range libpq() {
		all[t.path+"."+t.name] = t
	}
	return all
}

// merge adds methods to a copy of some.
func merge(maps ...map[string]apiMethod) map[string]apiMethod {
	all := map[string]apiMethod{}
	for _, m := range maps {
		for name, method := range m {
			all[name] = method
		}
	}
	return all
}

// handleType is the type of the library that a Go type is, or embeds; nil for any other.
func (m *machine) handleType(t types.Type) *apiType {
	if t == nil {
		return nil
	}
	importPath, name := namedType(t)
	if importPath != "" {
		if i := strings.LastIndex(importPath, "/vendor/"); i >= 0 {
			importPath = importPath[i+len("/vendor/"):]
		}
		if at := m.apis[importPath+"."+name]; at != nil {
			return at
		}
		if sqlxFork.MatchString(importPath) {
			return m.apis["github.com/jmoiron/sqlx."+name]
		}
	}
	return nil
}

// embeddedHandle is the type of the library that a struct embeds, whose methods it has.
func (m *machine) embeddedHandle(t types.Type, method string, depth int) *apiType {
	if t == nil || depth > 4 {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	switch s := t.Underlying().(type) {
	case *types.Struct:
		for i := range s.NumFields() {
			if f := s.Field(i); f.Embedded() {
				if at := m.handleType(f.Type()); at != nil {
					if _, ok := at.methods[method]; ok {
						return at
					}
				}
				if at := m.embeddedHandle(f.Type(), method, depth+1); at != nil {
					return at
				}
			}
		}
	case *types.Interface:
		for i := range s.NumEmbeddeds() {
			if at := m.handleType(s.EmbeddedType(i)); at != nil {
				if _, ok := at.methods[method]; ok {
					return at
				}
			}
			if at := m.embeddedHandle(s.EmbeddedType(i), method, depth+1); at != nil {
				return at
			}
		}
	}
	return nil
}

// sqlxFork are import paths of forks of sqlx, which keep its names.
var sqlxFork = regexp.MustCompile(`/sqlx([-./]v\d+)?$`)
