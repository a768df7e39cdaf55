package migratecheck

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// suggestionVersion is the server on which suggestions are run.
const suggestionVersion = 15

// TestSuggestionsRun runs the SQL of every finding in testdata/rules on a server: on the released schema, on the one that the
// statement found, or behind it, without the constraints that the suggestion makes ("Add the column without the constraint; then …"). All
// stages of a split are run one after the other; CONCURRENTLY is left out, for all of it is rolled back.
func TestSuggestionsRun(t *testing.T) {
	server := pgtest.Shared(t, pgtest.Config{Version: suggestionVersion, Settings: map[string]string{"check_function_bodies": "off"}})
	conn := pgtest.Connect(t, server.Database(t))
	run := 0
	datadriven.Walk(t, filepath.Join("testdata", "rules"), func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.HasArg("open") || d.HasArg("all-pending") || d.HasArg("pg") || d.HasArg("tool") {
				return d.Expected
			}
			f := newFixture()
			f.enable = []string{strings.TrimSuffix(filepath.Base(path), ".txt")}
			f.parse(d.Input)
			for _, finding := range f.lint(t) {
				suggested := slices.DeleteFunc(suggestedSQL(finding.Help), func(stmt string) bool {
					return strings.HasPrefix(stmt, "REINDEX SCHEMA") || strings.HasPrefix(stmt, "REINDEX DATABASE") // not in a transaction
				})
				if finding.Down || len(suggested) == 0 {
					continue
				}
				run++
				// 55P04 is "unsafe use of new value", which is so in one transaction only.
				if err := f.try(t, conn, finding, suggested); err != nil && !strings.Contains(err.Error(), "55P04") {
					t.Errorf("%s: %s: %s\n%s\n%v", d.Pos, finding.Rule, finding.Message, finding.Help, err)
				}
			}
			return d.Expected
		})
	})
	require.Greater(t, run, 500)
}

// suggestedSQL is what of a help is SQL as it stands: the lines that begin with a command and end it, and bodies of functions.
func suggestedSQL(help string) []string {
	var list []string
	open := false
	for line := range strings.Lines(help) {
		line = strings.TrimRight(line, "\n")
		word, _, _ := strings.Cut(line, " ")
		begins := slices.Contains([]string{"ALTER", "CREATE", "DROP", "UPDATE", "GRANT", "INSERT", "DELETE", "SELECT", "REINDEX", "REFRESH", "SET"}, word)
		switch {
		case open:
			list[len(list)-1] += "\n" + line
			open = !strings.HasSuffix(line, "$$;")
		case begins && (strings.HasSuffix(line, ";") || strings.Count(line, "$$") == 1) && !strings.Contains(line, "…"):
			list = append(list, line)
			open = strings.Count(line, "$$") == 1
		}
	}
	return list
}

// try runs a suggestion on the released schema and, if that fails, after the pending statements before the one that it is about.
func (f *fixture) try(t *testing.T, conn *pgx.Conn, finding Finding, suggested []string) error {
	var errs []error
	for _, state := range []schemaState{releasedOnly, beforeStatement, behindStatement} {
		err := func() error {
			tx, err := conn.Begin(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
			for _, stmt := range f.until(finding, state) {
				inner, err := tx.Begin(t.Context())
				require.NoError(t, err)
				if _, err := inner.Exec(t.Context(), stmt); err != nil {
					require.NoError(t, inner.Rollback(t.Context()))
					continue
				}
				require.NoError(t, inner.Commit(t.Context()))
			}
			for _, stmt := range suggested {
				if made := addsConstraint.FindStringSubmatch(stmt); state == behindStatement && made != nil {
					if _, err := tx.Exec(t.Context(), fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", made[1], made[2])); err != nil {
						return err
					}
				}
			}
			for _, stmt := range suggested {
				if _, err := tx.Exec(t.Context(), strings.ReplaceAll(stmt, " CONCURRENTLY", "")); err != nil {
					return fmt.Errorf("%s: %w", stmt, err)
				}
			}
			return nil
		}()
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// schemaState is where in a history a suggestion is tried.
type schemaState int

const (
	releasedOnly schemaState = iota
	beforeStatement
	behindStatement
)

var addsConstraint = regexp.MustCompile(`^ALTER TABLE (\S+) ADD CONSTRAINT (\S+) `)

// until lists the statements of a history up to a state.
func (f *fixture) until(finding Finding, state schemaState) []string {
	list := []string{"CREATE ROLE reader"}
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		up, _, _ := strings.Cut(string(f.files[name].Data), "-- +brant Down")
		released := slices.Contains(f.released, name)
		if !released && state == releasedOnly {
			continue
		}
		stmts, err := pgast.Parse(up)
		if err != nil {
			continue
		}
		for _, stmt := range stmts {
			line := strings.Count(up[:stmt.Offset], "\n") + 1
			here := !released && name == finding.Pos.File && line+strings.Count(stmt.SQL, "\n") >= finding.Pos.Line
			if here && state == beforeStatement {
				return list
			}
			if list = append(list, strings.ReplaceAll(stmt.SQL, " CONCURRENTLY", "")); here {
				return list
			}
		}
	}
	return list
}
