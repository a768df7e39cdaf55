// Command program ends soon.
package main

import (
	"database/sql"

	_ "github.com/lib/pq"
)

func main() {
	db, err := sql.Open("postgres", "host=db.example.org user=u")
	if err != nil {
		panic(err)
	}
	db.Exec(`DELETE FROM t`)
}
