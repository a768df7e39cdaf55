package statements

import (
	"database/sql"
	"testing"
)

// Schema serves tests: it is not deployed.
func Schema(t testing.TB, db *sql.DB, name string) {
	if _, err := db.Exec(`SET search_path = ` + name); err != nil {
		t.Fatal(err)
	}
}
