package renamed

import (
	"context"
	"database/sql"
	"log"

	sq "github.com/Masterminds/squirrel"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/lib/pq"
)

// The name would be of two tables.
func ambiguous(db *sql.DB) error {
	_, err := db.Exec("SELECT note FROM list JOIN (SELECT 1 AS id, 'x' AS memo) o ON o.id = list.id") // want `rename-column`
	return err
}

// The name would be the inner table's.
func captured(db *sql.DB) error {
	_, err := db.Exec("SELECT 1 FROM list l WHERE EXISTS (SELECT 1 FROM (SELECT 'x' AS memo) o WHERE note = 'y')") // want `rename-column`
	return err
}

// The name would be that of a result.
func renamedResult(db *sql.DB) error {
	_, err := db.Exec("SELECT upper(note) AS memo FROM list ORDER BY note") // want `rename-column`
	return err
}

func joined(db *sql.DB) error {
	_, err := db.Exec("SELECT 1 FROM list JOIN paste USING (note)") // want `rename-column`
	return err
}

const columns = "id, note" // want `rename-column`

// The other table keeps its column.
func ofOne(db *sql.DB) error {
	_, err := db.Exec("SELECT " + columns + " FROM list")
	return err
}

func ofOther(db *sql.DB) error {
	_, err := db.Exec("SELECT " + columns + " FROM paste")
	return err
}

const column = "note" // want `rename-column`

// Something else reads the constant.
func told(db *sql.DB) error {
	log.Println(column)
	_, err := db.Exec("UPDATE list SET " + column + " = ''")
	return err
}

const (
	first  = " WHERE note = 'x'" // want `rename-column`
	second                       // the same
)

func implicit(db *sql.DB) error {
	log.Println(second)
	_, err := db.Exec("DELETE FROM list" + first)
	return err
}

type text struct{ sql string }

// Who else reads a field is not looked for.
func field(db *sql.DB) error {
	t := text{"DELETE FROM list WHERE note = 'x'"} // want `rename-column`
	_, err := db.Exec(t.sql)
	return err
}

func clause() string { return " WHERE note = 'x'" } // want `rename-column`

func returned(db *sql.DB) error {
	log.Println(clause())
	_, err := db.Exec("DELETE FROM list" + clause())
	return err
}

// The names of a map's keys are not in the query.
func keyed(db *sql.DB, row map[string]any) error {
	name := "note" // want `rename-column`
	_, err := db.Exec("UPDATE list SET "+name+" = $1", row[name])
	return err
}

// Nor are values.
func bound(db *sql.DB) error {
	name := "note" // want `rename-column`
	_, err := db.Exec("UPDATE list SET "+name+" = $1", name)
	return err
}

func boundByBuilder(db *sql.DB) error {
	name := "note"                                                                         // want `rename-column`
	_, err := sq.Insert("list").Columns("name", name).Values("x", name).RunWith(db).Exec() // want `rename-column`
	return err
}

type whole struct {
	ID   int     `db:"id"`
	Name string  `db:"name"`
	Note *string `db:"note"`
}

// What * stands for has no other name to give.
func starred(ctx context.Context, pool *pgxpool.Pool) ([]whole, error) {
	rows, err := pool.Query(ctx, "SELECT * FROM list WHERE note <> ''") // want `no column "note"` `no column "name"` `column "Title"` `column "memo"` `column "note" does not exist`
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[whole])
}

// Columns is for everybody to read.
const Columns = "id, note" // want `rename-column`

func exported(db *sql.DB) error {
	_, err := db.Exec("SELECT " + Columns + " FROM list")
	return err
}

// The rest of the text is not known.
func dynamic(db *sql.DB, order string) error {
	_, err := db.Exec("SELECT id FROM list WHERE note = 'x' ORDER BY " + order) // want `rename-column`
	return err
}

// One of the two sides keeps its name: a join by it would be another statement.
func oneSide(db *sql.DB) error {
	_, err := db.Exec("SELECT 1 FROM tag JOIN (SELECT 'x' AS word) o USING (word)") // want `rename-column`
	return err
}

// The columns are told as well as sent.
func logged(ctx context.Context, pool *pgxpool.Pool, source pgx.CopyFromSource) error {
	columns := []string{"id", "name", "note"}
	log.Println(columns)
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"list"}, columns, source) // want `rename-column` `rename-column`
	return err
}

// An array is bound to the query, and is no part of it.
func array(db *sql.DB) error {
	name := "note" // want `rename-column`
	_, err := db.Exec("UPDATE list SET "+name+" = 'x' WHERE "+name+" = ANY($1)", pq.Array([]string{name}))
	return err
}
