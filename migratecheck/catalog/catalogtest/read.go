package catalogtest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed sql/read.sql
var readSQL string

// section is one query of read.sql.
type section struct{ name, query string }

func sections() []section {
	var list []section
	for _, part := range strings.Split(readSQL, "\n--: ")[1:] {
		name, query, _ := strings.Cut(part, "\n")
		list = append(list, section{name, strings.TrimSpace(query)})
	}
	return list
}

// Read reads the objects of the connection's database, in the state the connection sees: inside an open transaction,
// with its changes, of a server of the given major version. The connection is left as it was.
func Read(ctx context.Context, conn *pgx.Conn, version int) (*Snapshot, error) {
	raw, err := readRows(ctx, conn.PgConn(), version)
	if err != nil {
		return nil, fmt.Errorf("reading the server's catalog: %w", err)
	}
	r := &reader{w: newWorld()}
	if err := r.decode(raw); err != nil {
		return nil, fmt.Errorf("reading the server's catalog: %w", err)
	}
	r.build()
	return r.w.snapshot(), nil
}

// aside wraps statements so that they leave no trace: in a transaction of their own or a savepoint of the open one.
// search_path is emptied so that names come out qualified.
func aside(conn *pgconn.PgConn, statements string) string {
	const empty = "SET LOCAL search_path = pg_catalog;"
	if conn.TxStatus() == 'I' {
		return "BEGIN;" + empty + statements + ";ROLLBACK"
	}
	return "SAVEPOINT catalogtest;" + empty + statements + ";ROLLBACK TO catalogtest;RELEASE catalogtest"
}

func readRows(ctx context.Context, conn *pgconn.PgConn, version int) (map[string][]byte, error) {
	var b strings.Builder
	list := sections()
	for _, s := range list {
		if version < 14 { // functions had no body in SQL's own form
			s.query = strings.ReplaceAll(s.query, "pg_get_function_sqlbody(p.oid)", "NULL")
		}
		b.WriteString(s.query)
	}
	results, err := conn.Exec(ctx, aside(conn, strings.TrimSuffix(b.String(), ";"))).ReadAll()
	if err != nil {
		return nil, err
	}
	raw := map[string][]byte{}
	n := 0
	for _, res := range results {
		if res.FieldDescriptions == nil {
			continue
		}
		if len(res.Rows) == 1 && n < len(list) {
			raw[list[n].name] = res.Rows[0][0]
		}
		n++
	}
	if n != len(list) {
		return nil, fmt.Errorf("%d answers to %d queries", n, len(list))
	}
	return raw, nil
}

// reader turns rows into the structs of package catalog, with the server's own numbers as OIDs.
type reader struct {
	w      *world
	rows   rows
	arrays map[catalog.OID]catalog.OID // array type to element type
	types  map[catalog.OID]typeRow
	trees  treeReader
	deps   map[catalog.OID][]dependRow
}

type rows struct {
	Members    []int64
	Schemas    []schemaRow
	Relations  []relationRow
	Columns    []columnRow
	Keys       []partitionKeyRow
	Sequences  []sequenceRow
	Indexes    []indexRow
	Cons       []constraintRow
	Types      []typeRow
	Arrays     []struct{ OID, Elem catalog.OID }
	Functions  []functionRow
	Triggers   []triggerRow
	Rules      []ruleRow
	Policies   []policyRow
	Extensions []catalog.Extension
	Others     []catalog.Other
	Depends    []dependRow
	Comments   []struct {
		OID    catalog.OID
		Column int
		Text   string
	}
	Grants []grantRow
	ACLSet []struct{ OID catalog.OID }
	Procs  []struct {
		OID catalog.OID
		V   string
	}
	TypeIO []struct {
		OID  catalog.OID
		I, O string
	}
}

func (r *reader) decode(raw map[string][]byte) error {
	into := map[string]any{
		"members": &r.rows.Members, "schemas": &r.rows.Schemas, "relations": &r.rows.Relations,
		"columns": &r.rows.Columns, "partitionkeys": &r.rows.Keys, "sequences": &r.rows.Sequences,
		"indexes": &r.rows.Indexes, "constraints": &r.rows.Cons, "types": &r.rows.Types, "arrays": &r.rows.Arrays,
		"functions": &r.rows.Functions, "triggers": &r.rows.Triggers, "rules": &r.rows.Rules,
		"policies": &r.rows.Policies, "extensions": &r.rows.Extensions, "others": &r.rows.Others,
		"depends": &r.rows.Depends, "comments": &r.rows.Comments, "grants": &r.rows.Grants, "aclset": &r.rows.ACLSet,
		"volatile": &r.rows.Procs, "typeio": &r.rows.TypeIO,
	}
	for name, data := range raw {
		target, ok := into[name]
		if !ok {
			return fmt.Errorf("no place for section %q", name)
		}
		if len(data) == 0 {
			continue
		}
		if err := json.Unmarshal(data, target); err != nil {
			return fmt.Errorf("section %q: %w", name, err)
		}
	}
	return nil
}

func (r *reader) build() {
	r.arrays = map[catalog.OID]catalog.OID{}
	for _, a := range r.rows.Arrays {
		r.arrays[a.OID] = a.Elem
	}
	r.trees = newTreeReader(r)
	r.deps = map[catalog.OID][]dependRow{}
	for _, d := range r.rows.Depends {
		r.deps[d.OID] = append(r.deps[d.OID], d)
	}
	r.types = map[catalog.OID]typeRow{}
	for _, row := range r.rows.Types {
		r.types[row.OID] = row
		if row.RelKind != nil && *row.RelKind != "c" {
			// The row type of a table goes by the table's name.
			r.w.rowTypes[row.OID] = row.Rel
		}
	}
	for _, m := range r.rows.Members {
		r.w.members[catalog.OID(m)] = true
	}
	for _, s := range r.rows.Schemas {
		name := s.Name
		if strings.HasPrefix(name, "pg_temp") {
			name = "pg_temp"
		}
		r.w.add(&catalog.Schema{OID: s.OID, Name: name})
	}
	r.buildRelations()
	r.buildConstraints()
	r.buildTypes()
	r.buildFunctions()
	r.buildTableParts()
	for _, e := range r.rows.Extensions {
		e.Known = true
		r.w.add(&e)
	}
	for _, o := range r.rows.Others {
		r.w.add(&o)
	}
	r.buildGrants()
	for _, c := range r.rows.Comments {
		r.w.comments[catalog.Address{OID: c.OID, Column: c.Column}] = c.Text
	}
}

// typeRef splits an array type into its element type and the mark.
func (r *reader) typeRef(oid catalog.OID, mod int32) catalog.TypeRef {
	if elem, ok := r.arrays[oid]; ok {
		return catalog.TypeRef{OID: elem, Mod: mod, Array: true}
	}
	return catalog.TypeRef{OID: oid, Mod: mod}
}

// composite is the relation that holds the attributes of a composite type, or of one that a domain is over; 0 for others.
func (r *reader) composite(typ catalog.OID) catalog.OID {
	for row := r.types[typ]; ; row = r.types[row.Base] {
		if row.Base == 0 {
			return row.Rel
		}
	}
}

// ofOurs is what our catalog has in place of an object: the element type for an array type, the relation for its row type and
// for its system columns, without which it is never.
func (r *reader) ofOurs(a catalog.Address) catalog.Address {
	if elem, ok := r.arrays[a.OID]; ok {
		a.OID = elem
	}
	if rel, ok := r.w.rowTypes[a.OID]; ok {
		a.OID = rel
	}
	a.Column = max(a.Column, 0)
	return a
}

type schemaRow struct {
	OID  catalog.OID
	Name string
}

type dependRow struct {
	OID       catalog.OID
	Column    int
	Ref       catalog.OID
	RefColumn int
	Type      string
	Class     catalog.OID
	RefClass  catalog.OID
}

type grantRow struct {
	OID       catalog.OID
	Column    int
	Grantee   string
	Privilege string
	Grantable bool
}

// first is the byte of a "char" column, 0 for none.
func first(s string) byte {
	if s == "" || s == " " {
		return 0
	}
	return s[0]
}
