package sqlalchemy

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// found is a site on its way: a call may be evaluated several times, with other values.
type found struct {
	at       place
	kind     query.Kind
	variants []query.Variant
	why      string // why not all of it is known
	chain    *chain
}

// note adds to the site at a call; sql is "" when nothing is known for this time.
func (r *repo) note(at place, kind query.Kind, sql python.Text, args []query.GoType, why string) {
	f := r.found[at.n]
	if f == nil {
		f = &found{at: at, kind: kind}
		r.found[at.n] = f
	}
	if f.why == "" {
		f.why = why
	}
	if sql.S == "" {
		return
	}
	w := writer{r: r, home: at}
	v := w.variant(sql)
	v.Args = args
	i := slices.IndexFunc(f.variants, func(o query.Variant) bool { return o.SQL == v.SQL })
	switch {
	case i < 0:
		f.variants = append(f.variants, v)
	case !reflect.DeepEqual(f.variants[i].Args, args):
		f.variants[i].Args = nil // other values at another time
	}
}

// statements makes sites of what was found.
func (r *repo) statements() {
	for at, t := range r.texts {
		if !t.used && startsStatement(t.sql.S) {
			sql, _ := fromText(t.sql)
			r.send(t.at, sql, nil)
		}
		delete(r.texts, at)
	}
	for _, f := range r.found {
		s := query.Site{Pos: r.pos(f.at.mod, f.at.n.Start), Lang: "python", Kind: f.kind, Func: funcAt(f.at.mod, f.at.n.Start), Variants: f.variants}
		if f.chain != nil {
			s.Variants, f.why = f.chain.variants(r)
		}
		switch {
		case len(s.Variants) == 0:
			s.Status, s.Reason = query.Dynamic, python.OrText(f.why, "SQL that is not known")
		case f.why != "":
			s.Status, s.Reason = query.Partial, f.why
		case len(s.Variants) > 1 && f.chain == nil && f.kind != query.Model:
			s.Status = query.Finite
		default:
			s.Status = query.Static
		}
		r.sites = append(r.sites, s)
	}
}

// text is a call of sqlalchemy.text().
type text struct {
	at   place
	sql  python.Text
	used bool // by a call that sends it
}

// textKey tells the texts of a repository apart.
type textKey struct {
	mod *python.Module
	at  int
}

func keyOf(t python.Text, other place) textKey {
	if len(t.P) > 0 && t.P[0].Mod != nil {
		return textKey{t.P[0].Mod, t.P[0].At}
	}
	return textKey{other.mod, other.n.Start}
}

// execute looks at a call of one of the methods that send a statement.
func (r *repo) execute(x *python.Interp, name string, receiver *python.Node, path string, a python.Args) {
	v, ok := a.Get(0, "statement")
	for _, keyword := range []string{"query", "sql", "operation", "text", "clause"} {
		if w, given := a.Kw[keyword]; !ok && given {
			v, ok = w, true
		}
	}
	switch name {
	case "execute_values", "execute_batch":
		v, ok = a.Get(1, "sql")
	}
	if !ok {
		return
	}
	last := ""
	if receiver != nil {
		last = strings.ToLower(lastWord(x.Mod.Src(receiver)))
	}
	if otherDatabase(path) {
		return
	}
	at := place{x.Mod, a.N}
	switch v := v.(type) {
	case *python.TextClause:
		if t := r.texts[keyOf(v.SQL, at)]; t != nil {
			t.used = true
		}
		sql, names := fromText(v.SQL)
		r.send(at, sql, r.bound(x, names, a.N))
	case python.Text:
		if !startsStatement(v.S) && !connectionName(last) {
			return
		}
		given := len(a.Pos) > 1 || a.Kw["vars"] != nil || a.Kw["params"] != nil || a.Kw["parameters"] != nil
		switch {
		case strings.Contains(last, "session"):
			sql, names := fromText(v)
			r.send(at, sql, r.bound(x, names, a.N))
		case name == "execute_values":
			r.send(at, fromValues(v), nil)
		case strings.HasPrefix(name, "fetch"):
			r.send(at, v, nil) // asyncpg's own $1
		default:
			// SQLAlchemy's connections always format, a cursor only when it is given parameters.
			sql, names := fromFormat(v, given || name == "executemany" || !strings.HasPrefix(last, "c"))
			r.send(at, sql, r.bound(x, names, a.N))
		}
	case *chain: // it has a site
	case *python.DML:
		g := &python.Gen{}
		sql := v.SQL(g)
		if g.Why != "" || len(sql) == 0 {
			r.note(at, query.Builder, python.Text{}, nil, "a statement that depends on "+python.OrText(g.Why, "values that are not known"))
			return
		}
		r.note(at, query.Builder, sql[0], nil, "")
	default:
		if !connectionName(last) && !databasePath(path) || strings.HasPrefix(name, "fetch") && !python.IsUnknown(v) {
			return
		}
		why := "SQL that is " + reason(v)
		args, before := a.N.Child("arguments"), r.found[a.N]
		switch {
		case args == nil || before != nil && before.chain == nil || !r.mentions(x, args):
			r.note(at, query.Statement, python.Text{}, nil, why)
		case !r.hasChain(args): // built of mapped classes in a way that is not followed
			c := r.newChain(at)
			c.names(x, args)
			c.why = python.OrText(c.why, why)
		}
	}
}

// hasChain reports whether a query that has a site of its own begins in n.
func (r *repo) hasChain(n *python.Node) (has bool) {
	python.Walk(n, func(k *python.Node) bool {
		has = has || r.found[k] != nil && r.found[k].chain != nil
		return !has
	})
	return has
}

// send notes a statement whose placeholders are in PostgreSQL's own style. What is not known of it becomes a parameter, if
// it can be one.
func (r *repo) send(at place, sql python.Text, args []query.GoType) {
	if sql.S == "" {
		r.note(at, query.Statement, sql, nil, "rows of values whose number is not known")
		return
	}
	if !strings.Contains(sql.S, python.Hole) {
		r.note(at, query.Statement, sql, args, "")
		return
	}
	r.note(at, query.Statement, fillHoles(sql), nil, "a part of it is known only at run time")
}

// connectionName reports whether a variable of that name is taken for a connection, cursor or session.
func connectionName(last string) bool {
	last = strings.TrimLeft(last, "_")
	switch last {
	case "db", "database", "conn", "con", "connection", "cur", "cursor", "curs", "c", "session", "engine", "tx", "transaction", "trans", "pool", "bind":
		return true
	}
	for _, suffix := range []string{"_conn", "_connection", "_cur", "_cursor", "_session", "_engine", "_db", "session()", "connect()", "cursor()"} {
		if strings.HasSuffix(last, suffix) {
			return true
		}
	}
	return false
}

// databasePath reports whether a value comes from a library for PostgreSQL.
func databasePath(path string) bool {
	first, _, _ := strings.Cut(path, ".")
	switch first {
	case "sqlalchemy", "psycopg2", "psycopg", "asyncpg", "flask_sqlalchemy", "databases", "aiopg", "psycopg_pool":
		return true
	}
	return false
}

// otherDatabase reports whether a value comes from a library for another database.
func otherDatabase(path string) bool {
	first, _, _ := strings.Cut(strings.TrimSuffix(path, "()"), ".")
	switch strings.TrimSuffix(first, "()") {
	case "sqlite3", "aiosqlite", "pymysql", "MySQLdb", "mysql", "cassandra", "duckdb", "redis", "elasticsearch", "gql", "graphql":
		return true
	}
	return false
}

// startsStatement reports whether a text begins with the first word of a SQL statement.
func startsStatement(s string) bool {
	for {
		s = strings.TrimLeft(s, " \t\r\n(;")
		rest, comment := strings.CutPrefix(s, "--")
		if !comment {
			break
		}
		_, s, _ = strings.Cut(rest, "\n")
	}
	end := strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		end = len(s)
	}
	switch strings.ToUpper(s[:end]) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CREATE", "ALTER", "DROP", "TRUNCATE", "COPY", "LOCK", "SET", "BEGIN", "START",
		"COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "LISTEN", "NOTIFY", "UNLISTEN", "VACUUM", "ANALYZE", "REFRESH", "CALL", "DO",
		"EXPLAIN", "SHOW", "GRANT", "REVOKE", "MERGE", "VALUES", "TABLE", "PREPARE", "DECLARE", "FETCH", "REINDEX", "CLUSTER", "COMMENT",
		"DISCARD", "RESET":
		return true
	}
	return false
}

// binder numbers parameters: equal names have one number.
type binder struct {
	parts []python.Text
	names []string
}

// bind puts $n in the place of t. Lists go behind IN as a whole: psycopg2 and SQLAlchemy write them out in parentheses.
func (b *binder) bind(name string, t python.Text) {
	i := slices.Index(b.names, name)
	if i < 0 || name == "" {
		i = len(b.names)
		b.names = append(b.names, name)
	}
	n := "$" + strconv.Itoa(i+1)
	var before strings.Builder
	for _, p := range b.parts {
		before.WriteString(p.S)
	}
	if strings.HasSuffix(strings.ToUpper(strings.TrimRight(before.String(), " \t\n")), " IN") {
		n = "(" + n + ")"
	}
	at := python.Text{S: n}
	if len(t.P) > 0 {
		at.P = []python.Span{{At: t.P[0].At, Mod: t.P[0].Mod}}
	}
	b.parts = append(b.parts, at)
}

func (b *binder) text() python.Text { return python.Cat(b.parts...) }

// fromText is the SQL of sqlalchemy.text(), and the names of its parameters: :name is one, \: a colon.
func fromText(t python.Text) (python.Text, []string) {
	var b binder
	at := 0
	plain := func(to int) { b.parts = append(b.parts, t.Sub(at, to).Replace(`\:`, python.Plain(":"), -1)) }
	for _, bind := range python.BindsOf(t.S) {
		plain(bind[0])
		b.bind(t.S[bind[0]+1:bind[1]], t.Sub(bind[0], bind[1]))
		at = bind[1]
	}
	plain(len(t.S))
	return b.text(), b.names
}

var formats = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%(?:\((\w+)\))?([sbt%])`) })

// fromFormat is SQL with psycopg's placeholders %s and %(name)s (psycopg2's documentation, "Passing parameters to SQL
// queries"), and the names of these; without parameters it is sent as it stands.
func fromFormat(t python.Text, formatted bool) (python.Text, []string) {
	if !formatted {
		return t, nil
	}
	var b binder
	at := 0
	for _, m := range formats().FindAllStringSubmatchIndex(t.S, -1) {
		b.parts = append(b.parts, t.Sub(at, m[0]))
		name := ""
		if m[2] >= 0 {
			name = t.S[m[2]:m[3]]
		}
		if t.S[m[4]] == '%' {
			b.parts = append(b.parts, t.Sub(m[0], m[0]+1))
		} else {
			b.bind(name, t.Sub(m[0], m[1]))
		}
		at = m[1]
	}
	b.parts = append(b.parts, t.Sub(at, len(t.S)))
	return b.text(), b.names
}

var valuesList = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?is)\(([^()]*)\)\s*VALUES\s+%s`) })

// fromValues is the SQL of psycopg2's execute_values, whose one %s stands for rows of as many values as there are columns;
// "" when it lists none.
func fromValues(t python.Text) python.Text {
	m := valuesList().FindStringSubmatchIndex(t.S)
	if m == nil {
		return python.Text{}
	}
	n := 1 + strings.Count(t.S[m[2]:m[3]], ",")
	var row []string
	for i := range n {
		row = append(row, "$"+strconv.Itoa(i+1))
	}
	at := t.Sub(m[1]-2, m[1])
	values := python.Text{S: "(" + strings.Join(row, ", ") + ")"}
	if len(at.P) > 0 {
		values.P = []python.Span{{At: at.P[0].At, Mod: at.P[0].Mod}}
	}
	return python.Cat(t.Sub(0, m[1]-2), values, t.Sub(m[1], len(t.S)))
}
