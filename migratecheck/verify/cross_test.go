package verify

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/stretchr/testify/require"
)

// knowing is a site whose code tells texts apart: those that it binds to $1 and reads from the first column.
func knowing(sql string, texts ...string) *query.Site {
	s := site(sql)
	known := query.GoType{Name: "Visibility", Kind: query.String, Labels: texts}
	s.Variants[0].Args = []query.GoType{known}
	s.Variants[0].Scan = &query.Scan{Kind: query.ByPosition, Dests: []query.Dest{{Type: known}}}
	return s
}

func TestCrossShowsWhatRowsHoldOnTheOtherSide(t *testing.T) {
	s, _ := open(t)
	before := state(t, s, nil, `CREATE TABLE repo (id serial PRIMARY KEY, visibility varchar NOT NULL DEFAULT 'public', name varchar(8) NOT NULL)`)
	script := steps(
		`UPDATE repo SET visibility = 'private' WHERE visibility NOT IN ('public', 'private')`,
		`CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE')`,
		`ALTER TABLE repo ALTER visibility DROP DEFAULT, ALTER visibility TYPE visibility USING upper(visibility)::visibility`,
		`ALTER TABLE repo ALTER name TYPE text USING CASE name WHEN 'x' THEN 'y' ELSE name END`)
	for _, c := range []struct {
		site  *query.Site
		later bool
		shows string // "" nothing
	}{
		{site(`SELECT id FROM repo WHERE name = 'x'`), false, `it answers other rows with "x", which the rows hold as "y" here`},
		{site(`DELETE FROM repo WHERE name <> 'x'`), false, `it touches other rows with "x", which the rows hold as "y" here`},
		{site(`INSERT INTO repo (visibility, name) VALUES ('PUBLIC', 'k')`), true, `it writes rows with "PUBLIC", which the rows hold as "public" here`},
		{knowing(`SELECT id FROM repo WHERE visibility = $1`, "PUBLIC", "PRIVATE"), true, `it answers other rows with "PRIVATE", which the rows hold as "private" here`},
		{knowing(`SELECT visibility FROM repo WHERE name <> $1`, "PUBLIC", "PRIVATE"), true, `visibility: "public", known as "PUBLIC"`},
		// The same text in another column, one that has not become another, and one that nobody knows.
		{site(`SELECT id FROM repo WHERE visibility = 'x' OR name = 'k'`), false, ""},
		{site(`SELECT visibility FROM repo WHERE name = 'k'`), false, ""},
		{site(`SELECT id, name FROM repo WHERE name = $1`), false, ""},
		{site(`SELECT nextval('repo_id_seq'), 'x'`), false, ""},
		{site(`INSERT INTO repo (name) VALUES ($1) RETURNING name`), false, ""},
	} {
		list, unproved, err := s.Cross(t.Context(), before, script, c.site, c.later, nil)
		require.NoError(t, err)
		sql := c.site.Variants[0].SQL
		if c.shows == "" {
			require.Empty(t, list, sql)
			continue
		}
		require.Equal(t, []Break{{Kind: Value, Text: c.shows}}, list, "%s: %s", sql, unproved)
	}
	_, unproved, err := s.Cross(t.Context(), before, steps(`COMMIT`), site(`SELECT id FROM repo WHERE name = 'x'`), false, nil)
	require.NoError(t, err)
	require.Equal(t, "the migration ends the transaction that it is run in", unproved)
	require.Nil(t, judge(t, before, before, site(`INSERT INTO repo (name) VALUES ($1)`)).Variants[0].Failure, "the state itself is as it was")
}
