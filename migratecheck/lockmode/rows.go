package lockmode

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Row is one thing that this package knows, with an example that the tests execute on a real server.
type Row struct {
	Statement string // the form: "ALTER TABLE … ADD COLUMN … DEFAULT constant"
	Lock      string // of the example: "t ACCESS EXCLUSIVE, p SHARE ROW EXCLUSIVE"
	Rewrites  string // "t and its indexes", "" for nothing
	Scans     string // "t", "" for nothing
	Versions  string // "12-18"
	Source    string // where PostgreSQL says so: manual page, or file and function of its source
	Example   string
	Setup     string // statements before the example, on top of Schema
	// NoTransaction is set when the example cannot run in a transaction block.
	NoTransaction bool
	Note          string
	// First and Last are the versions, for programs.
	First, Last int
}

// FirstVersion and LastVersion are the major versions that are known about.
const (
	FirstVersion = 12
	LastVersion  = 18
)

// entry is a Row before its columns are computed.
type entry struct {
	statement, example, source, setup, note string
	first, last                             int // 0: FirstVersion, LastVersion
}

// Rows lists all that is known, in the order of the manual's chapters. What the examples lock, rewrite and read is
// computed by Analyze itself, so that the list says what the code does; that both are right is what the tests show.
// An error means that an example is not valid SQL, or its setup cannot be applied.
func Rows() ([]Row, error) {
	var rows []Row
	type start struct {
		version int
		setup   string
	}
	catalogs := map[start]*catalog.Catalog{}
	for _, e := range entries() {
		if e.first == 0 {
			e.first = FirstVersion
		}
		if e.last == 0 {
			e.last = LastVersion
		}
		version := min(max(catalog.New(catalog.Config{}).Version, e.first), e.last)
		before := catalogs[start{version, e.setup}]
		if before == nil {
			var err error
			if before, err = applied(catalog.Config{Version: version}, Schema+e.setup); err != nil {
				return nil, fmt.Errorf("preparing %q: %w", e.example, err)
			}
			catalogs[start{version, e.setup}] = before
		}
		stmts, err := pgast.Parse(e.example)
		if err != nil {
			return nil, fmt.Errorf("parsing %q: %w", e.example, err)
		}
		effect, err := Analyze(version, before, stmts[0])
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row{
			Statement: e.statement, Example: e.example, Setup: e.setup, Source: e.source, Note: e.note,
			Lock: describeLocks(before, effect), Rewrites: describeRewrites(effect), Scans: describeScans(effect),
			Versions: versions(e.first, e.last), First: e.first, Last: e.last, NoTransaction: effect.NoTransaction,
		})
	}
	return rows, nil
}

func entries() []entry {
	return slices.Concat(addColumnRows(), typeRows(), columnRows(), constraintRows(), tableRows(), partitionRows(), inheritanceRows(),
		renameRows(), indexRows(), maintenanceRows(), createRows(), dropRows(), objectRows(), typeObjectRows(), queryRows(), writeRows())
}

func versions(first, last int) string {
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d-%d", first, last)
}

// applied is the catalog after a script.
func applied(cfg catalog.Config, script string) (*catalog.Catalog, error) {
	c := catalog.New(cfg)
	stmts, err := pgast.Parse(script)
	if err != nil {
		return nil, err
	}
	for _, stmt := range stmts {
		if _, err := c.Apply(stmt); err != nil {
			return nil, fmt.Errorf("%s: %w", stmt.SQL, err)
		}
	}
	return c, nil
}

// describeLocks groups the indexes of a table that are locked alike.
func describeLocks(c *catalog.Catalog, e Effect) string {
	var parts []string
	for _, l := range e.Locks {
		if rel, ok := c.Get(l.Relation).(*catalog.Relation); ok && rel.Index != nil && allIndexesLocked(c, e, rel.Index.Table, l.Mode) {
			if text := "indexes of " + c.NameOf(rel.Index.Table).String() + " " + l.Mode.SQL(); !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
			continue
		}
		parts = append(parts, l.Name.String()+" "+l.Mode.SQL())
	}
	return strings.Join(parts, ", ")
}

func allIndexesLocked(c *catalog.Catalog, e Effect, table catalog.OID, mode Mode) bool {
	indexes := c.Indexes(table)
	for _, index := range indexes {
		if e.Lock(index.OID) != mode {
			return false
		}
	}
	return len(indexes) > 1
}

func describeRewrites(e Effect) string {
	var parts []string
	for _, r := range e.Rewrites {
		if r.Kind == catalog.Index && slices.ContainsFunc(e.Rewrites, func(o Rewrite) bool { return o.Kind != catalog.Index }) {
			continue // with its table
		}
		text := r.Name.String()
		if r.Empty {
			text += " (empty)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func describeScans(e Effect) string {
	var parts []string
	for _, s := range e.Scans {
		if text := s.Name.String(); !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ", ")
}

// Schema is what the examples of Rows are about.
const Schema = `
CREATE TABLE p (id int PRIMARY KEY, a int, u int UNIQUE);
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 1, b varchar(10), n numeric(8,2), ts timestamp, p_id int REFERENCES p, j text, u int UNIQUE,
  chk int CHECK (chk > 0));
CREATE INDEX t_b_idx ON t (b);
CREATE INDEX t_ts_idx ON t (ts);
CREATE INDEX t_n ON t (n);
CREATE INDEX t_e ON t (lower(j)) WHERE a > 0;
CREATE TABLE c (id int PRIMARY KEY, t_id int REFERENCES t, v int);
CREATE TABLE x (id int PRIMARY KEY, b varchar(10), bp char(5), vb varbit(5), txt text, ts timestamp, tz timestamptz(3), iv interval, ip cidr, arr varchar(5)[]);
CREATE INDEX x_b ON x (b);
CREATE INDEX x_ip ON x (ip);
CREATE VIEW v AS SELECT id, a, b FROM t;
CREATE VIEW v2 AS SELECT id FROM v;
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t;
CREATE UNIQUE INDEX m_id ON m (id);
CREATE DOMAIN d AS int;
CREATE DOMAIN dc AS int CHECK (VALUE > 0);
CREATE DOMAIN dd AS timestamptz DEFAULT clock_timestamp();
CREATE TABLE dt (id int, x d, y dc);
CREATE TABLE part (k int NOT NULL, v text) PARTITION BY RANGE (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20);
CREATE INDEX part_v ON part (v);
CREATE TABLE cand (k int NOT NULL, v text, CHECK (k >= 20 AND k < 30));
CREATE TABLE cand2 (k int NOT NULL, v text);
CREATE TABLE par (a int);
CREATE TABLE chi (b int) INHERITS (par);
CREATE SEQUENCE s;
CREATE TABLE ser (id serial, x int);
CREATE TABLE ident (id int GENERATED BY DEFAULT AS IDENTITY, x int);
CREATE TYPE comp AS (a int);
CREATE TABLE tc (c comp);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TABLE tg (id int, a int);
CREATE TRIGGER trig BEFORE INSERT ON tg FOR EACH ROW EXECUTE FUNCTION f();
CREATE TYPE e AS ENUM ('a', 'b');
`
