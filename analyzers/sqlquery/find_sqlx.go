package sqlquery

import "git.sr.ht/~sourcehut/ha-go/migratecheck/query"

// sqlx is github.com/jmoiron/sqlx (https://pkg.go.dev/github.com/jmoiron/sqlx).
func sqlx() []*apiType {
	const path = "github.com/jmoiron/sqlx"
	own := map[string]apiMethod{
		"Get":                 {does: doesGet, dest: 0, sql: 1, args: 2},
		"GetContext":          {does: doesGet, dest: 1, sql: 2, args: 3},
		"Select":              {does: doesSelect, dest: 0, sql: 1, args: 2},
		"SelectContext":       {does: doesSelect, dest: 1, sql: 2, args: 3},
		"Queryx":              {does: doesQuery, sql: 0, args: 1},
		"QueryxContext":       {does: doesQuery, sql: 1, args: 2},
		"QueryRowx":           {does: doesQuery, sql: 0, args: 1},
		"QueryRowxContext":    {does: doesQuery, sql: 1, args: 2},
		"MustExec":            {does: doesExec, sql: 0, args: 1},
		"MustExecContext":     {does: doesExec, sql: 1, args: 2},
		"NamedExec":           {does: doesNamed, sql: 0, args: 1},
		"NamedExecContext":    {does: doesNamed, sql: 1, args: 2},
		"NamedQuery":          {does: doesNamedRow, sql: 0, args: 1},
		"NamedQueryContext":   {does: doesNamedRow, sql: 1, args: 2},
		"Preparex":            {does: doesPrepare, sql: 0, args: -1, gives: path + ".Stmt"},
		"PreparexContext":     {does: doesPrepare, sql: 1, args: -1, gives: path + ".Stmt"},
		"PrepareNamed":        {does: doesPrepare, sql: 0, args: -1, gives: path + ".NamedStmt"},
		"PrepareNamedContext": {does: doesPrepare, sql: 1, args: -1, gives: path + ".NamedStmt"},
		"Rebind":              {does: doesRebind, sql: 0},
		"BindNamed":           {does: doesBindNamed, sql: 0, args: -1},
	}
	begin := map[string]apiMethod{
		"Beginx":    {does: doesBegin, gives: path + ".Tx"},
		"BeginTxx":  {does: doesBegin, gives: path + ".Tx"},
		"MustBegin": {does: doesBegin, gives: path + ".Tx"},
		"Connx":     {does: doesConn, gives: path + ".Conn"},
	}
	unsafe := map[string]apiMethod{"Unsafe": {does: doesConn}}
	base := map[string]map[string]apiMethod{}
	for _, t := range databaseSQL() {
		base[t.name] = t.methods
	}
	run := map[string]apiMethod{
		"Exec": {does: doesRun, args: 0}, "ExecContext": {does: doesRun, args: 1},
		"MustExec": {does: doesRun, args: 0}, "Query": {does: doesRunQuery, args: 0}, "QueryContext": {does: doesRunQuery, args: 1},
		"QueryRow": {does: doesRunQuery, args: 0}, "QueryRowContext": {does: doesRunQuery, args: 1},
		"Queryx": {does: doesRunQuery, args: 0}, "QueryxContext": {does: doesRunQuery, args: 1},
		"QueryRowx": {does: doesRunQuery, args: 0}, "QueryRowxContext": {does: doesRunQuery, args: 1},
		"Get": {does: doesRun, args: 1}, "GetContext": {does: doesRun, args: 2},
		"Select": {does: doesRun, args: 1}, "SelectContext": {does: doesRun, args: 2},
	}
	return []*apiType{
		{path: path, name: "DB", tx: query.TxNone, methods: merge(base["DB"], own, begin, unsafe)},
		{path: path, name: "Tx", isTx: true, methods: merge(base["Tx"], own, unsafe)},
		{path: path, name: "Conn", methods: merge(base["Conn"], own, begin)},
		{path: path, name: "Stmt", methods: run},
		{path: path, name: "NamedStmt", methods: run},
		{path: path, name: "Ext", methods: merge(base["Tx"], own)},
		{path: path, name: "ExtContext", methods: merge(base["Tx"], own)},
		{path: path, name: "Execer", methods: base["Tx"]},
		{path: path, name: "ExecerContext", methods: base["Tx"]},
		{path: path, name: "Queryer", methods: merge(base["Tx"], own)},
		{path: path, name: "QueryerContext", methods: merge(base["Tx"], own)},
		{path: path, name: "Preparer", methods: base["Tx"]},
		{path: path, name: "PreparerContext", methods: base["Tx"]},
	}
}
