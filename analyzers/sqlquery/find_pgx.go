package sqlquery

import (
	"go/types"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// pgx is github.com/jackc/pgx/v5, and v4 as far as it is the same (https://pkg.go.dev/github.com/jackc/pgx/v5). In its default
// mode it prepares and caches what Query is given, what Exec is given with arguments, and all that a batch sends (conn.go,
// QueryExecModeCacheStatement, sendBatchQueryExecModeCacheStatement).
func pgx(root string) []*apiType {
	send := map[string]apiMethod{
		"Exec":      {does: doesExec, sql: 1, args: 2},
		"Query":     {does: doesQuery, sql: 1, args: 2},
		"QueryRow":  {does: doesQuery, sql: 1, args: 2},
		"QueryFunc": {does: doesExec, sql: 1, args: 2},
		"CopyFrom":  {does: doesCopy},
		"Begin":     {does: doesBegin, gives: root + ".Tx"},
		"BeginTx":   {does: doesBegin, gives: root + ".Tx"},
	}
	prepare := map[string]apiMethod{"Prepare": {does: doesPrepare, sql: 2, args: -1}}
	conn := map[string]apiMethod{"PgConn": {does: doesConn, gives: "github.com/jackc/pgx/v5/pgconn.PgConn"}}
	acquire := map[string]apiMethod{"Acquire": {does: doesConn, gives: root + "/pgxpool.Conn"}}
	inner := map[string]apiMethod{"Conn": {does: doesConn, gives: root + ".Conn"}}
	queued := root + ".QueuedQuery"
	list := []*apiType{
		{path: root, name: "Conn", methods: merge(send, prepare, conn)},
		{path: root, name: "Tx", isTx: true, methods: merge(send, prepare, inner)},
		{path: root + "/pgxpool", name: "Pool", tx: query.TxNone, methods: merge(send, acquire)},
		{path: root + "/pgxpool", name: "Conn", methods: merge(send, inner)},
		{path: root + "/pgxpool", name: "Tx", isTx: true, methods: merge(send, prepare, inner)},
		{path: root, name: "Batch", methods: map[string]apiMethod{"Queue": {does: doesQueue, sql: 0, args: 1, gives: queued}}},
		{path: root, name: "QueuedQuery", methods: map[string]apiMethod{}},
		{path: root, name: "BatchResults", methods: map[string]apiMethod{}}, // see find_batch.go
	}
	for _, t := range list {
		t.cachesPlan = true
	}
	for _, path := range []string{root + "/pgconn", "github.com/jackc/pgconn"} {
		list = append(list, &apiType{path: path, name: "PgConn", methods: map[string]apiMethod{
			"Exec":         {does: doesExec, sql: 1, args: -1},
			"ExecParams":   {does: doesExec, sql: 1, args: -1},
			"ExecPrepared": {},
			"Prepare":      {does: doesPrepare, sql: 2, args: -1},
			"CopyFrom":     {does: doesExec, sql: 2, args: -1},
			"CopyTo":       {does: doesExec, sql: 2, args: -1},
		}})
		list = append(list, &apiType{path: path, name: "Batch", methods: map[string]apiMethod{
			"ExecParams": {does: doesExec, sql: 0, args: -1}}})
	}
	return list
}

// isIdentifier tells of pgx.Identifier.
func isIdentifier(t types.Type) bool {
	importPath, name := namedType(t)
	return name == "Identifier" && strings.HasPrefix(importPath, "github.com/jackc/pgx/")
}

// sanitized is pgx.Identifier.Sanitize: each part in quotes, with dots between (conn.go).
func (m *machine) sanitized(l *list) value {
	t := &text{}
	for i, el := range l.elems {
		if i > 0 {
			t = concat(t, &text{[]part{{lit: "."}}})
		}
		t = concat(t, m.quotedName(el))
	}
	return t
}
