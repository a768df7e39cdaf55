package callee

import "strings"

// servers are the packages whose functions talk to a server, with how messages call it.
var servers = []struct{ prefix, server string }{
	{"database/sql.", "the database"},
	{"github.com/jackc/pgx/", "the database"},
	{"github.com/jmoiron/sqlx.", "the database"},
	{"git.sr.ht/~sircmpwn/core-go/database.", "the database"},
	{"github.com/redis/go-redis/", "Redis"},
	{"github.com/go-redis/redis/", "Redis"},
	{"google.golang.org/grpc.", "another service"},
}

// Server is what a function, named as Name does, talks to, by its package; "" when it is not known to.
func Server(name string) string {
	bare := Bare(name)
	for _, s := range servers {
		if strings.HasPrefix(bare, s.prefix) {
			return s.server
		}
	}
	return ""
}
