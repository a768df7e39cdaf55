package query

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestServer runs the queries of the fixtures on a real server, in transactions that are rolled back, with values of the
// types that the server infers, and compares what it refuses with what On says.
func TestServer(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	agreed, compared := 0, 0
	for _, file := range files {
		if filepath.Base(file) == "open" {
			continue // there is no server whose history has no beginning
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := &serverRun{t: t, conn: pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t))}
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				s.command(d)
				return d.Expected
			})
			agreed, compared = agreed+s.agreed, compared+s.compared
		})
	}
	t.Logf("%d queries compared, %d agreed", compared, agreed)
	assert.NotZero(t, agreed)
}

type serverRun struct {
	t                *testing.T
	conn             *pgx.Conn
	base             string // the DDL of the first schema
	rows             string // that were written on it; with any, what Between says is compared as well
	cat              *catalog.Catalog
	from             *catalog.Catalog
	compared, agreed int
}

func (s *serverRun) command(d *datadriven.TestData) {
	switch d.Cmd {
	case "schema":
		s.from = catalog.New(catalog.Config{})
		apply(s.t, s.from, d.Input)
		s.base, s.cat, s.rows = d.Input, s.from, ""
		s.reset(s.base)
	case "rows":
		s.rows = d.Input
	case "migrate":
		s.cat = s.from.Clone()
		apply(s.t, s.cat, d.Input)
		s.reset(s.base + ";" + s.rows + ";" + d.Input)
	case "on", "between":
		if !d.HasArg("name") {
			s.compare(d)
		}
	}
}

// reset builds a schema anew.
func (s *serverRun) reset(ddl string) {
	_, err := s.conn.PgConn().Exec(s.t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP ROLE IF EXISTS app").ReadAll()
	require.NoError(s.t, err)
	stmts, err := pgast.Parse(ddl)
	require.NoError(s.t, err)
	for _, stmt := range stmts {
		_, err := s.conn.PgConn().Exec(s.t.Context(), stmt.SQL).ReadAll()
		require.NoError(s.t, err, stmt.SQL)
	}
}

func (s *serverRun) compare(d *datadriven.TestData) {
	b := Parse(site(s.t, d))
	if b.errs[0] != nil {
		return
	}
	v := b.On(s.cat)
	if s.rows != "" && d.Cmd == "between" {
		v.add(b.Between(s.from, s.cat))
	}
	var ours []string
	updates := false
	for _, p := range v.Problems {
		if p.Check == "argument-type" && !d.HasArg("python") {
			continue // the driver's business: the values here are of the right type
		}
		if p.Code != "" {
			ours = append(ours, p.Code)
		}
		updates = updates || p.Maybe || p.Check == "null-written" || (p.Check == "new-check" || strings.Contains(p.Message, " runs it for ")) && !strings.HasPrefix(d.Input, "INSERT") || strings.Contains(d.Input, "DO UPDATE")
	}
	if len(v.Unknown) > 0 && len(ours) == 0 {
		return
	}
	run := b
	if d.HasArg("python") {
		if run = interpolated(s.t, d); run == nil {
			return
		}
	}
	server := s.try(run)
	if server == "23514" && !slices.Contains(ours, server) && s.rows == "" {
		server = "" // the values' doing
	}
	s.compared++
	switch {
	case s.rows != "" && d.Cmd == "between":
		if (server == "") != (len(ours) == 0) || server != "" && !slices.Contains(ours, server) {
			s.t.Errorf("%s: %s: with rows the server says %q, we say %q", d.Pos, oneLine(d.Input), server, ours)
			return
		}
	case server == "" && len(ours) == 0:
	case slices.Contains(ours, server):
	case server == "" && (updates || strings.Contains(d.Input, "SELECT") || strings.HasPrefix(d.Input, "MERGE")):
		return // there are no rows to update, or to insert
	default:
		s.t.Errorf("%s: %s: the server says %q, we say %q", d.Pos, oneLine(d.Input), server, ours)
		return
	}
	s.agreed++
}

// interpolated is a site as psycopg2 sends it: with values for the parameters in its text. It is nil for values whose text is not known here.
func interpolated(t *testing.T, d *datadriven.TestData) *Bound {
	s := site(t, d)
	v := &s.Variants[0]
	for i, g := range slices.Backward(v.Args) {
		text := map[GoKind]string{Int: "1", Float: "1.5", Bool: "true", String: "'1'"}[g.Kind]
		switch oid := pythonLiterals[g.SQLAlchemy]; {
		case g.Text != nil:
			text = "'" + *g.Text + "'"
		case len(g.Labels) > 0:
			text = "'" + g.Labels[0] + "'"
		case g.SQLAlchemy == "UUID":
			text = "'0f8fad5b-d9cb-469f-a165-70867728950e'::uuid"
		case oid != 0 && g.Kind == Time:
			text = "'2020-01-02 03:04:05'::" + pythonColumns[oid]
		}
		if g.Null {
			text = "NULL"
		}
		if text == "" {
			return nil
		}
		v.SQL = strings.ReplaceAll(v.SQL, fmt.Sprintf("$%d", i+1), text)
	}
	v.Args = nil
	return Parse(s)
}

func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }

// try runs the statements of a site and tells the first SQLSTATE that a schema is to blame for, "" when there is none.
func (s *serverRun) try(b *Bound) string {
	ctx := s.t.Context()
	_, err := s.conn.PgConn().Exec(ctx, "BEGIN").ReadAll()
	require.NoError(s.t, err)
	defer func() {
		_, err := s.conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
		require.NoError(s.t, err)
	}()
	for _, stmt := range b.stmts[0] {
		err := s.run(ctx, stmt)
		var e *pgconn.PgError
		if err != nil && !errors.As(err, &e) {
			require.NoError(s.t, err, stmt.SQL)
		}
		switch {
		case e == nil:
		case s.rows == "" && (strings.HasPrefix(e.Code, "23") && e.Code != "23502" && e.Code != "23514" || e.Code == "P0001"), e.Code == "21000", e.Code == "55000" && strings.Contains(e.Message, "currval"), strings.HasPrefix(e.Code, "25"):
			return "" // the rows' doing
		default:
			return e.Code
		}
	}
	return ""
}

func (s *serverRun) run(ctx context.Context, stmt pgast.Stmt) error {
	conn := s.conn.PgConn()
	if copied := stmt.Node.GetCopyStmt(); copied != nil {
		if copied.IsFrom {
			return s.copyIn(ctx, stmt)
		}
		_, err := conn.CopyTo(ctx, new(strings.Builder), stmt.SQL)
		return err
	}
	sd, err := conn.Prepare(ctx, "", stmt.SQL, nil)
	if err != nil {
		return err
	}
	var values [][]byte
	for _, oid := range sd.ParamOIDs {
		values = append(values, s.sample(ctx, oid))
	}
	if len(values) == 0 {
		_, err = conn.Exec(ctx, stmt.SQL).ReadAll()
		return err
	}
	return conn.ExecParams(ctx, stmt.SQL, values, sd.ParamOIDs, nil, nil).Read().Err
}

// copyIn sends one row, with a value for each column.
func (s *serverRun) copyIn(ctx context.Context, stmt pgast.Stmt) error {
	n := stmt.Node.GetCopyStmt()
	columns := len(n.Attlist)
	if columns == 0 {
		err := s.conn.QueryRow(ctx, "SELECT count(*) FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'", n.Relation.Relname).Scan(&columns)
		if err != nil {
			return err
		}
	}
	row := strings.TrimSuffix(strings.Repeat("1\t", columns), "\t") + "\n"
	_, err := s.conn.PgConn().CopyFrom(ctx, strings.NewReader(row), stmt.SQL)
	return err
}

// sample is a value of a type, as text.
func (s *serverRun) sample(ctx context.Context, oid uint32) []byte {
	res, err := s.conn.PgConn().Exec(ctx, fmt.Sprintf(
		"SELECT typname, typcategory, coalesce((SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid LIMIT 1), '') FROM pg_type t WHERE oid = %d", oid)).ReadAll()
	require.NoError(s.t, err)
	name, category, label := string(res[0].Rows[0][0]), string(res[0].Rows[0][1]), string(res[0].Rows[0][2])
	switch {
	case label != "":
		return []byte(label)
	case name == "uuid":
		return []byte("0f8fad5b-d9cb-469f-a165-70867728950e")
	case category == "D":
		return []byte("2024-01-02")
	case category == "B":
		return []byte("true")
	case category == "R":
		return []byte("empty")
	case category == "A":
		return []byte("{}")
	case name == "email":
		return []byte("a@b")
	case strings.HasPrefix(name, "json"):
		return []byte("{}")
	}
	return []byte("1")
}
