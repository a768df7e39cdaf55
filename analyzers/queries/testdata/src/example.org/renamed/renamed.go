// Package renamed has queries that only need other names: they are rewritten whole (see the golden file), or, in doubtful.go,
// left alone.
package renamed

import (
	"context"
	"database/sql"
	"fmt"

	sq "github.com/Masterminds/squirrel"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/lib/pq"
)

func everywhere(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "SELECT upper(note), count(*) FROM list WHERE note = $1 GROUP BY note HAVING note <> 'x'", "a") // want `rename-column`
	return err
}

// A result keeps its names.
func output(ctx context.Context, db *sql.DB) error {
	_, err := db.QueryContext(ctx, `
		SELECT p.note, l.note FROM list l JOIN paste p ON p.id = l.id WHERE l.note IS NOT NULL ORDER BY l.note`) // want `rename-column`
	return err
}

// Nobody asks for the name here.
func positional(db *sql.DB) (note string, err error) {
	err = db.QueryRow("SELECT note FROM list").Scan(&note) // want `rename-column`
	return note, err
}

// ORDER BY goes by it.
func sorted(db *sql.DB) (note string, err error) {
	err = db.QueryRow("SELECT note FROM list ORDER BY note").Scan(&note) // want `rename-column`
	return note, err
}

func subquery(db *sql.DB) error {
	_, err := db.Exec("SELECT x.note FROM (SELECT note FROM list) x WHERE x.note IN (SELECT note FROM list)") // want `rename-column`
	return err
}

func upsert(db *sql.DB) error {
	_, err := db.Exec("INSERT INTO list (id, name, "+"note) VALUES ($1, 'x', $2) ON CONFLICT (note) DO UPDATE SET note = excluded.note || list.note RETURNING note", 1, "b") // want `rename-column` `rename-column`
	return err
}

type entry struct {
	ID   int     `db:"id"`
	Note *string `db:"note"`
}

func byName(ctx context.Context, pool *pgxpool.Pool) ([]entry, error) {
	rows, err := pool.Query(ctx, "SELECT id, note FROM list") // want `rename-column`
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[entry])
}

// In a literal with quotes, what has to be quoted in SQL is written so that Go reads it.
func quoted(db *sql.DB) error {
	_, err := db.Exec("UPDATE list SET name = $1", "a") // want `rename-column`
	return err
}

const noted = " WHERE note IS NOT NULL" // want `this DELETE fails` `this UPDATE fails`

// What two queries share is changed for both, and one of them has to change in another place as well.
func shared(db *sql.DB) error {
	if _, err := db.Exec("DELETE FROM list" + noted); err != nil {
		return err
	}
	_, err := db.Exec(fmt.Sprintf("UPDATE list SET note = lower(note) %s", noted))
	return err
}

func qualified(db *sql.DB) error {
	_, err := db.Exec("SELECT repo.name FROM repo WHERE repo.id = 1") // want `rename-table`
	return err
}

func bare(db *sql.DB) error {
	_, err := db.Exec("UPDATE repo SET name = 'x' WHERE id IN (SELECT id FROM repo r WHERE r.name = 'y')") // want `rename-table`
	return err
}

func target(db *sql.DB) error {
	_, err := db.Exec("UPDATE repo SET name = repo.name || 'x'") // want `rename-table`
	return err
}

func built(db *sql.DB) error {
	_, err := sq.Select("id", "note").From("list").Where(sq.Eq{"note": "x"}).RunWith(db).Query() // want `rename-column`
	return err
}

// Both sides have the other name.
func using(db *sql.DB) error {
	_, err := db.Exec("SELECT t.id, word FROM tag t JOIN tagged USING ( /* the word */ word) WHERE word <> '' ORDER BY tagged.paste") // want `rename-column` `rename-column`
	return err
}

// A target that is an expression, and the condition of a partial index.
func arbiter(db *sql.DB) error {
	_, err := db.Exec("INSERT INTO tag (id, word) VALUES (1, 'x') ON CONFLICT (lower(word), id) WHERE word <> '' DO NOTHING") // want `rename-column` `rename-column`
	return err
}

func copied(db *sql.DB) error {
	_, err := db.Exec("COPY tag (id, word) FROM STDIN") // want `rename-column`
	return err
}

func prepared(tx *sql.Tx) error {
	_, err := tx.Prepare(pq.CopyIn("list", "id", "name", "note")) // want `rename-column` `rename-column`
	return err
}

func ofSchema(tx *sql.Tx) error {
	_, err := tx.Prepare(pq.CopyInSchema("public", "repo", "id", "name")) // want `rename-table`
	return err
}

func rows(ctx context.Context, pool *pgxpool.Pool, source pgx.CopyFromSource) error {
	columns := []string{"id", "name", "note"}
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"list"}, columns, source) // want `rename-column` `rename-column`
	return err
}
