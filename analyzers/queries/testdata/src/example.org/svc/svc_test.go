package svc

import (
	"database/sql"
	"testing"
)

// Tests make schemas of their own, and are not deployed.
func TestFixture(t *testing.T) {
	var db *sql.DB
	db.Exec("INSERT INTO fixture (a) VALUES (1)")
}
