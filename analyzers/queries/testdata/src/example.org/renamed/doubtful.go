package renamed

import (
	"database/sql"
	"log"
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
