package query

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestUnseen shows on a server what no error and no single row does: the order of values, which instant a time is, the NULL that empties
// NOT IN. A query answers otherwise after the migration, and what new code then writes, where a verdict says so, and nowhere else. The
// server's time zone is not UTC.
func TestUnseen(t *testing.T) {
	const (
		jobs  = "CREATE TYPE state AS ENUM ('queued', 'running', 'done'); CREATE TABLE job (id int PRIMARY KEY, state state, other state)"
		rows  = "INSERT INTO job VALUES (1, 'running', 'queued'), (2, 'done', 'queued'), (3, 'queued', 'queued')"
		texts = "ALTER TABLE job ALTER state TYPE text"

		users    = "CREATE TABLE account (id int PRIMARY KEY); CREATE TABLE banned (account int NOT NULL, since int)"
		accounts = "INSERT INTO account VALUES (1), (2), (3); INSERT INTO banned VALUES (1, 1)"
		loose    = "ALTER TABLE banned ALTER account DROP NOT NULL"
		null     = "INSERT INTO banned VALUES (NULL, 2)"

		events = "CREATE TABLE event (id int PRIMARY KEY, at timestamptz NOT NULL, on_day date)"
		past   = "INSERT INTO event VALUES (1, '2024-06-01 12:00:00+00', '2024-06-01'), (2, '2024-06-02 12:00:00+00', '2024-06-02')"
		local  = "ALTER TABLE event ALTER at TYPE timestamp"
	)
	noon := time.Date(2024, 6, 1, 12, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		schema, rows, migration, later string
		query                          string
		args                           []any
	}{
		{jobs, rows, texts, "", "SELECT id FROM job ORDER BY state", nil},
		{jobs, rows, texts, "", "SELECT id, state FROM job ORDER BY 2 DESC", nil},
		{jobs, rows, texts, "", "SELECT max(state)::text FROM job", nil},
		{jobs, rows, texts, "", "SELECT id FROM job WHERE state > 'queued' ORDER BY id", nil},
		{jobs, rows, texts, "", "SELECT id, row_number() OVER (ORDER BY state) FROM job ORDER BY id", nil},
		{jobs, rows, texts, "", "SELECT id FROM job ORDER BY id", nil},
		{jobs, rows, texts, "", "SELECT id FROM job WHERE state = 'done'", nil},
		{jobs, rows, texts, "", "SELECT id FROM job ORDER BY other, id", nil},
		{jobs, rows, texts, "", "SELECT count(*) FROM job WHERE state IN ('queued', 'done')", nil},
		{"CREATE TYPE state AS ENUM ('done', 'queued', 'running'); CREATE TABLE job (id int PRIMARY KEY, state state, other state)", rows, texts, "", "SELECT id FROM job ORDER BY state", nil},

		{users, accounts, loose, null, "SELECT id FROM account WHERE id NOT IN (SELECT account FROM banned)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id <> ALL (SELECT account FROM banned)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE NOT (id IN (SELECT account FROM banned))", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id NOT IN (SELECT account FROM banned WHERE since > 0)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id NOT IN (SELECT account FROM banned WHERE account IS NOT NULL)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id NOT IN (SELECT coalesce(account, 0) FROM banned)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id NOT IN (SELECT count(account)::int FROM banned)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id NOT IN (SELECT account FROM banned WHERE account > 0)", nil},
		{users, accounts, loose, null, "SELECT id FROM account WHERE id IN (SELECT account FROM banned)", nil},
		{users, accounts, loose, null, "SELECT id FROM account a WHERE NOT EXISTS (SELECT FROM banned WHERE account = a.id)", nil},
		{users, accounts, loose, null, "DELETE FROM account WHERE id NOT IN (SELECT account FROM banned) RETURNING id", nil},

		{events, past, local, "", "SELECT at FROM event ORDER BY id", nil},
		{events, past, local, "", "SELECT e.at FROM (SELECT at FROM event WHERE id = 1) e", nil},
		{events, past, local, "", "SELECT id FROM event WHERE at = $1", []any{noon}},
		{events, past, local, "", "SELECT id FROM event WHERE at > $1 ORDER BY id", []any{noon.Add(-time.Hour)}},
		{events, past, local, "", "UPDATE event SET at = $1 WHERE id = 1 RETURNING extract(epoch FROM at::timestamptz)::int", []any{noon}},
		{events, past, local, "", "SELECT id FROM event ORDER BY at", nil},
		{events, past, local, "", "SELECT on_day FROM event ORDER BY id", nil},
	} {
		t.Run(fmt.Sprint(i, " ", c.query), func(t *testing.T) {
			dsn := pgtest.Shared(t, pgtest.Config{}).Database(t)
			migrate := pgtest.Connect(t, dsn)
			run := func(sql string) {
				_, err := migrate.Exec(t.Context(), "SET TimeZone = 'America/New_York'; "+sql, pgx.QueryExecModeSimpleProtocol)
				require.NoError(t, err)
			}
			run(c.schema)
			run(c.rows)
			before := answer(t, dsn, c.query, c.args)
			run(c.migration)
			run(c.later)
			differs := before != answer(t, dsn, c.query, c.args)

			from := catalog.New(catalog.Config{})
			apply(t, from, c.schema)
			to := from.Clone()
			apply(t, to, c.migration)
			v := Variant{SQL: c.query}
			for range c.args {
				v.Args = append(v.Args, GoType{Name: "time.Time", Kind: Time})
			}
			b := Parse(&Site{Lang: "go", Kind: Statement, Status: Static, Variants: []Variant{v}})
			said := b.On(to)
			said.add(b.Between(from, to))
			require.Equal(t, differs, len(said.Problems) > 0, "before: %s\nours: %v", before, said.Problems)
		})
	}
}

// answer is what a query answers in a session of its own, times as instants; what it changes is taken back.
func answer(t *testing.T, dsn, query string, args []any) string {
	conn := pgtest.Connect(t, dsn)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	_, err = tx.Exec(t.Context(), "SET LOCAL TimeZone = 'America/New_York'")
	require.NoError(t, err)
	rows, err := tx.Query(t.Context(), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	text := ""
	for rows.Next() {
		values, err := rows.Values()
		require.NoError(t, err)
		for _, v := range values {
			if at, ok := v.(time.Time); ok {
				v = at.Unix()
			}
			text += fmt.Sprint(v, " ")
		}
		text += "\n"
	}
	require.NoError(t, rows.Err())
	return text
}
