// Package stdlib is a stub.
package stdlib

import (
	"database/sql"

	"github.com/jackc/pgx/v5"
)

func OpenDB(config pgx.ConnConfig) *sql.DB { return nil }
