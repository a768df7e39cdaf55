// Package bare is of a module without migrations: nobody knows what its queries meet.
package bare

import "database/sql"

func query(db *sql.DB) error {
	_, err := db.Exec("SELECT nothing FROM nowhere")
	return err
}
