package sqlquery

import "git.sr.ht/~sourcehut/ha-go/migratecheck/query"

// databaseSQL is package database/sql (https://pkg.go.dev/database/sql).
func databaseSQL() []*apiType {
	const path = "database/sql"
	send := map[string]apiMethod{
		"ExecContext":     {does: doesExec, sql: 1, args: 2},
		"QueryContext":    {does: doesQuery, sql: 1, args: 2},
		"QueryRowContext": {does: doesQuery, sql: 1, args: 2},
		"PrepareContext":  {does: doesPrepare, sql: 1, args: -1, gives: path + ".Stmt"},
	}
	plain := map[string]apiMethod{
		"Exec":     {does: doesExec, sql: 0, args: 1},
		"Query":    {does: doesQuery, sql: 0, args: 1},
		"QueryRow": {does: doesQuery, sql: 0, args: 1},
		"Prepare":  {does: doesPrepare, sql: 0, args: -1, gives: path + ".Stmt"},
	}
	begin := map[string]apiMethod{
		"Begin":   {does: doesBegin, gives: path + ".Tx"},
		"BeginTx": {does: doesBegin, gives: path + ".Tx"},
		"Conn":    {does: doesConn, gives: path + ".Conn"},
	}
	return []*apiType{
		{path: path, name: "DB", tx: query.TxNone, methods: merge(send, plain, begin)},
		{path: path, name: "Tx", isTx: true, methods: merge(send, plain)},
		{path: path, name: "Conn", methods: merge(send, begin)},
		{path: path, name: "Stmt", methods: map[string]apiMethod{
			"Exec":            {does: doesRun, args: 0},
			"ExecContext":     {does: doesRun, args: 1},
			"Query":           {does: doesRunQuery, args: 0},
			"QueryContext":    {does: doesRunQuery, args: 1},
			"QueryRow":        {does: doesRunQuery, args: 0},
			"QueryRowContext": {does: doesRunQuery, args: 1},
		}},
	}
}
