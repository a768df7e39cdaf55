package querytest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/verify"
	"github.com/jackc/pgx/v5/pgconn"
)

// Runner judges cases with the help of a server. Old and New are connections to two empty databases of it, as a superuser; a
// case runs in a transaction on each that is rolled back, so that nothing is left. It is not safe for concurrent use.
type Runner struct {
	Old, New *pgconn.PgConn

	last *verify.Probe // it knows the server's own types, which the next need not ask for
}

// Triple is what was said of one query of a case on the schema that it was not written for.
type Triple struct {
	Rule  string
	Query Query
	Site  *query.Site
	// Server is the truth. Where Invalid is set there is none: the query does not work on its own schema either.
	Server  Truth
	Invalid string
	// Unproved says why the query could not be made to work on its own schema, where it may work with other values.
	Unproved string
	// Home and Away are what package query says of the schema the query was written for, and of the other one.
	Home, Away query.Verdict

	bound      *query.Bound
	home, away *catalog.Catalog
}

// Truth is what the server shows.
type Truth struct {
	// Breaks lists how the query breaks, none when it does not.
	Breaks []verify.Break
	// NotProved says why the absence of Breaks proves nothing.
	NotProved string
}

// ErrCase means that the case itself is no good: the server does not take its schema or its migration.
var ErrCase = errors.New("the server refuses the case")

// side is one schema: a probe of it, and package catalog's idea of it.
type side struct {
	probe *verify.Probe
	cat   *catalog.Catalog
}

// Run judges a case. The error wraps ErrCase when the case is no good, and is another when something else went wrong.
func (r *Runner) Run(ctx context.Context, c Case) (triples []Triple, err error) {
	defer func() {
		for _, conn := range []*pgconn.PgConn{r.Old, r.New} {
			if _, e := conn.Exec(context.WithoutCancel(ctx), "ROLLBACK; DEALLOCATE ALL").ReadAll(); e != nil {
				err = errors.Join(err, fmt.Errorf("ending the case: %w", e))
			}
		}
	}()
	cat := catalog.New(catalog.Config{})
	schema := append(append([]string{"BEGIN"}, c.Schema...), "SAVEPOINT "+empty)
	if err := r.apply(ctx, r.Old, nil, schema); err != nil {
		return nil, err
	}
	if err := r.apply(ctx, r.New, cat, schema); err != nil {
		return nil, err
	}
	before := cat.Clone()
	cached := r.prepare(ctx, c)
	meant, err := r.meanings(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := r.apply(ctx, r.New, cat, c.Migration); err != nil {
		return nil, err
	}
	from, to := &side{cat: before}, &side{cat: cat}
	for _, s := range []struct {
		side *side
		conn *pgconn.PgConn
	}{{from, r.Old}, {to, r.New}} {
		if s.side.probe, err = r.probe(ctx, s.conn); err != nil {
			return nil, err
		}
	}
	hints := from.probe.Hints()
	hints.Add(to.probe.Hints())
	for i, q := range c.Queries {
		home, away := from, to
		if q.New {
			home, away = to, from
		}
		t, err := judge(ctx, q, home, away, hints)
		if err != nil {
			return nil, fmt.Errorf("judging %s: %w", q.SQL, err)
		}
		t.Rule = c.Rule
		if b := r.replan(ctx, cached[i]); b != nil && t.Invalid == "" {
			t.Server.Breaks = append(t.Server.Breaks, *b)
		}
		if len(t.Server.Breaks) == 0 && t.Invalid == "" {
			means, err := to.probe.Meaning(ctx, q.SQL)
			if err != nil {
				return nil, err
			}
			home, away := meant[i], means
			if q.New {
				home, away = means, meant[i]
			}
			if names := verify.Otherwise(q.SQL, home, away); len(names) > 0 {
				t.Server.Breaks = append(t.Server.Breaks, verify.Break{Kind: verify.Other, Text: strings.Join(names, ", ")})
			}
		}
		triples = append(triples, t)
	}
	return triples, r.cross(ctx, c, triples, hints)
}

// probe makes one of the schema that a connection sees now.
func (r *Runner) probe(ctx context.Context, conn *pgconn.PgConn) (*verify.Probe, error) {
	make := verify.NewProbe
	if r.last != nil {
		make = r.last.Another
	}
	p, err := make(ctx, conn)
	if err != nil {
		return nil, err
	}
	p.As(role)
	r.last = p
	return p, nil
}

// meanings is what the queries' names stand for before the migration, in the database that it is run in.
func (r *Runner) meanings(ctx context.Context, c Case) ([]verify.Meaning, error) {
	p, err := r.probe(ctx, r.New)
	if err != nil {
		return nil, err
	}
	list := make([]verify.Meaning, len(c.Queries))
	for i, q := range c.Queries {
		if list[i], err = p.Meaning(ctx, q.SQL); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// apply runs statements on the server and, unless cat is nil, on a catalog.
func (r *Runner) apply(ctx context.Context, conn *pgconn.PgConn, cat *catalog.Catalog, statements []string) error {
	if _, err := conn.Exec(ctx, addLabels(strings.Join(statements, ";\n"))).ReadAll(); err != nil {
		return fmt.Errorf("%w: %w", ErrCase, err)
	}
	if cat == nil {
		return nil
	}
	for _, sql := range statements {
		if sql == "BEGIN" || sql == "SAVEPOINT "+empty {
			continue
		}
		stmts, err := pgast.Parse(sql)
		if err != nil {
			return fmt.Errorf("parsing %s: %w", sql, err)
		}
		for _, s := range stmts {
			if _, err := cat.Apply(s); err != nil {
				return fmt.Errorf("the catalog refuses what the server takes, %s: %w", sql, err)
			}
		}
	}
	return nil
}

// addLabels adds enumeration labels by hand. PostgreSQL 15 lets nobody use a label in the transaction that has added it
// (check_safe_enum_use, src/backend/utils/adt/enum.c), and a case is one transaction.
func addLabels(sql string) string {
	return regexp.MustCompile(`ALTER TYPE (\w+) ADD VALUE ('\w+')`).ReplaceAllString(sql,
		`SET LOCAL allow_system_table_mods = on; INSERT INTO pg_enum (oid, enumtypid, enumsortorder, enumlabel)
		 VALUES (pg_nextoid('pg_enum', 'oid', 'pg_enum_oid_index'), '$1'::regtype, 1000, $2)`)
}

// prepare prepares the old code's reads on the schema before the migration; it returns the names by query.
func (r *Runner) prepare(ctx context.Context, c Case) []string {
	names := make([]string, len(c.Queries))
	for i, q := range c.Queries {
		if !prepared(q) {
			continue
		}
		name := fmt.Sprintf("cached_%d", i)
		// One round trip each, and an error ends the transaction: so each stands behind a savepoint.
		_, err := r.New.Exec(ctx, "SAVEPOINT cached; PREPARE "+name+" AS "+q.SQL+"; EXECUTE "+name).ReadAll()
		if err == nil {
			names[i] = name
		}
		// What the execution took (a number of a sequence) does not matter.
		_, _ = r.New.Exec(ctx, "ROLLBACK TO cached").ReadAll()
	}
	return names
}

// prepared: the old code keeps the query prepared. Only reads without parameters, which can be executed again at any time.
func prepared(q Query) bool {
	return !q.New && len(q.Args) == 0 && strings.HasPrefix(q.SQL, "SELECT ")
}

// replan executes a statement that was prepared before the migration.
func (r *Runner) replan(ctx context.Context, name string) *verify.Break {
	if name == "" {
		return nil
	}
	_, err := r.New.Exec(ctx, "SAVEPOINT cached; EXECUTE "+name).ReadAll()
	_, _ = r.New.Exec(ctx, "ROLLBACK TO cached").ReadAll()
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Message == cachedPlan {
		return &verify.Break{Kind: verify.CachedPlan, Code: pg.Code}
	}
	return nil
}

// cachedPlan is RevalidateCachedQuery's message (src/backend/utils/cache/plancache.c); its code, 0A000, is not its own.
const cachedPlan = "cached plan must not change result type"

func judge(ctx context.Context, q Query, home, away *side, hints verify.Hints) (Triple, error) {
	t := Triple{Query: q, Site: &query.Site{
		Pos: query.Position{File: "q.go", Line: 1, Column: 1}, Lang: "go", Kind: query.Statement, Status: query.Static,
		Variants: []query.Variant{{SQL: q.SQL, Args: q.Args}},
	}}
	switch {
	case q.Name != "":
		t.Site.Kind, t.Site.Variants = query.Name, nil
		t.Site.Names = []query.NameUse{{Name: q.Name, Pos: t.Site.Pos}}
	case strings.HasPrefix(q.SQL, "COPY "):
		t.Site.Kind = query.Copy
	}
	w, err := home.probe.Prove(ctx, t.Site, hints)
	if err != nil {
		return t, err
	}
	if why := w.Unproved(); strings.HasPrefix(why, "it fails on its own schema") || strings.HasPrefix(why, "it cannot be parsed") || strings.HasPrefix(why, "no constraint") {
		t.Invalid = why
		return t, nil
	}
	t.Unproved = w.Unproved()
	if q.Name == "" {
		v := &t.Site.Variants[0]
		columns, nulls := w.Columns(0)
		v.Scan = scanOf(q, columns, nulls, home.cat)
		v.Prepared = prepared(q)
	}
	out, err := away.probe.Judge(ctx, w)
	if err != nil {
		return t, err
	}
	t.bound, t.home, t.away = query.Parse(t.Site), home.cat, away.cat
	t.Home, t.Away = t.static(t.bound)
	c := verify.Compare(t.Site, "", t.Away, out)
	t.Server = Truth{Breaks: c.Breaks, NotProved: c.Uncertain}
	return t, nil
}

// static asks package query.
func (t *Triple) static(b *query.Bound) (home, away query.Verdict) {
	home, away = b.On(t.home), b.On(t.away)
	between := b.Between(t.home, t.away)
	away.Problems = slices.Concat(away.Problems, between.Problems)
	away.Unknown = slices.Concat(away.Unknown, between.Unknown)
	return home, away
}

// scanOf is where code scans what the query returns on its own schema: a destination per column, of the natural type, that
// holds NULL where there may be any and knows the labels there are.
func scanOf(q Query, columns []verify.Column, nulls []bool, cat *catalog.Catalog) *query.Scan {
	if len(columns) == 0 {
		return nil
	}
	s := &query.Scan{Kind: query.ByPosition}
	names := map[string]bool{}
	for i, c := range columns {
		t := query.GoType{Kind: kindOf(c.TypeName)}
		switch {
		case c.Labels != nil:
			t.Kind, t.Name, t.Labels = query.String, "Mood", c.Labels
		case t.Kind == query.String && q.Known[c.Name] != nil:
			t.Name, t.Labels = "Kind", q.Known[c.Name]
		default:
			t.Name = string(t.Kind)
		}
		t.Nullable = nulls[i] || strings.Contains(q.SQL, "LEFT JOIN") || mayBeNull(c.Name, cat)
		s.Dests = append(s.Dests, query.Dest{Name: c.Name, Type: t})
		names[c.Name] = true
	}
	if q.ByName && len(names) == len(columns) {
		s.Kind = query.ByName
	}
	return s
}

// mayBeNull: some column of that name takes NULL, or the column has no name of a column at all.
func mayBeNull(name string, cat *catalog.Catalog) bool {
	found := false
	for o := range cat.All() {
		r, ok := o.(*catalog.Relation)
		if !ok || r.Kind == catalog.Index || r.OID < catalog.FirstUserOID {
			continue
		}
		if c := r.Column(name); c != nil {
			if !c.NotNull {
				return true
			}
			found = true
		}
	}
	return !found
}

// kindOf is the Go kind that code scans a type of the server's into.
func kindOf(typeName string) query.GoKind {
	switch typeName {
	case "int2", "int4", "int8":
		return query.Int
	case "text", "varchar", "bpchar", "name":
		return query.String
	case "bool":
		return query.Bool
	case "float4", "float8":
		return query.Float
	case "timestamptz", "timestamp", "date":
		return query.Time
	case "bytea":
		return query.Bytes
	case "uuid":
		return query.UUID
	}
	return query.UnknownKind
}
