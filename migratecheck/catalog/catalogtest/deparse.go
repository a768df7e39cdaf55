package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Checker compares our catalogs with one server connection's database.
type Checker struct {
	// LenientCodes lets a statement that both refuse pass, whatever the SQLSTATEs: a generated one can be wrong in several
	// ways, and the server looks for them in an order of its own.
	LenientCodes bool
	// Each, unless nil, is called by Follow for every statement that is parsed, with the catalog before it.
	Each func(before *catalog.Catalog, stmt pgast.Stmt)

	conn *pgx.Conn
	// version is the server's major version, which our catalogs are made for.
	version int
	// same remembers pairs of texts that the server has printed alike.
	same map[[2]string]bool
	// good remembers our texts that were once the server's. After a rename the server prints new names in them, and our
	// text, kept as written, can no longer be put to it.
	good map[string]bool
}

// NewChecker returns a Checker for the database that conn is connected to, on a server of the given major version.
func NewChecker(conn *pgx.Conn, version int) *Checker {
	return &Checker{
		conn: conn, version: version, same: map[[2]string]bool{}, good: map[string]bool{},
		// Servers before 15 give some refusals another SQLSTATE; those of 15 and later are told apart.
		LenientCodes: version < 15,
	}
}

// New returns an empty catalog for the server's version.
func (c *Checker) New() *catalog.Catalog { return catalog.New(catalog.Config{Version: c.version}) }

// Compare reads the server's catalog and lists how ours differs.
func (c *Checker) Compare(ctx context.Context, ours *catalog.Catalog) ([]string, error) {
	server, err := Read(ctx, c.conn, c.version)
	if err != nil {
		return nil, err
	}
	return c.compare(ctx, server, FromCatalog(ours)), nil
}

func (c *Checker) compare(ctx context.Context, server, ours *Snapshot) []string {
	var lines []string
	for _, d := range diff(server, ours) {
		if d.serverText != nil && d.ourSQL != nil {
			same, why := c.sameText(ctx, d.serverText, d.ourSQL)
			if same {
				continue
			}
			lines = append(lines, d.String()+" ("+why+")")
			continue
		}
		lines = append(lines, d.String())
	}
	for key, facts := range ours.objects {
		for property, f := range facts {
			if s, ok := server.objects[key][property]; ok && f.text != nil && s.text != nil {
				c.good[f.text.sql] = true
			}
		}
	}
	return lines
}

// sameText asks the server to print both texts in the same place.
func (c *Checker) sameText(ctx context.Context, server, ours *expression) (bool, string) {
	pair := [2]string{server.sql, ours.sql}
	if c.same[pair] {
		return true, ""
	}
	theirs, err := c.print(ctx, server, "SET LOCAL search_path = pg_catalog;")
	if err != nil {
		theirs = server.sql
		if server.kind != viewText {
			return false, "the server cannot read its own text back: " + err.Error()
		}
	}
	printed, err := c.print(ctx, ours, "")
	if err != nil && ours.schema != "" {
		printed, err = c.print(ctx, ours, "SET LOCAL search_path = "+ours.schema+";")
	}
	if err != nil {
		if c.good[ours.sql] {
			return true, ""
		}
		return false, "the server refuses ours: " + err.Error()
	}
	same := func(printed string) bool {
		return printed == theirs || sameTree(&expression{kind: ours.kind, sql: printed, bare: true}, &expression{kind: ours.kind, sql: theirs, bare: true})
	}
	if !same(printed) {
		// A temporary view that reads a table of its own name: as it was made, it was not yet in the way.
		again, err := c.print(ctx, ours, "SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);")
		if err != nil || !same(again) {
			return false, "the server prints ours as " + printed
		}
	}
	c.same[pair] = true
	c.good[ours.sql] = true
	return true, ""
}

// print puts a text into a scratch object and reads it back. Our text is resolved along the script's search_path, the
// server's own is qualified; setPath is run first.
func (c *Checker) print(ctx context.Context, e *expression, setPath string) (string, error) {
	create, read := scratch(e)
	if create == "" {
		return "", fmt.Errorf("this kind of text is compared as a tree only")
	}
	printed, err := c.readBack(ctx, setPath, create, read)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42809" && e.kind == rowExpr { // a materialized view takes indexes only
		create = fmt.Sprintf("CREATE INDEX %s ON %s (((%s) IS NOT NULL))", scratchName, e.table, e.sql)
		read = "SELECT pg_get_expr(indexprs, indrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = '" + scratchName + "'"
		return c.readBack(ctx, setPath, create, read)
	}
	return printed, err
}

// readBack runs the statements of print, and undoes them.
func (c *Checker) readBack(ctx context.Context, setPath, create, read string) (string, error) {
	const path = "SET LOCAL search_path = pg_catalog;"
	sql := setPath + create + ";" + path + read
	conn := c.conn.PgConn()
	begin, end := "BEGIN;", "ROLLBACK"
	if conn.TxStatus() != 'I' {
		begin, end = "SAVEPOINT catalogtest;", "ROLLBACK TO catalogtest;RELEASE catalogtest"
	}
	results, err := conn.Exec(ctx, begin+sql).ReadAll()
	if _, end := conn.Exec(ctx, end).ReadAll(); end != nil && err == nil {
		err = end
	}
	if err != nil {
		return "", err
	}
	for _, r := range slices.Backward(results) { // the last is what was read
		if len(r.Rows) == 1 {
			return string(r.Rows[0][0]), nil
		}
	}
	return "", fmt.Errorf("the server printed nothing")
}

const scratchName = "catalogtest_scratch"

// scratch is the statement that puts a text where the server parses and stores it, and the query that reads it back.
func scratch(e *expression) (create, read string) {
	const name = scratchName
	switch e.kind {
	case defaultOf:
		return fmt.Sprintf("ALTER TABLE %s ALTER %s SET DEFAULT %s", e.table, e.column, e.sql),
			fmt.Sprintf("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = %s::regclass AND quote_ident(attname) = quote_ident(%s)",
				literal(e.table), literal(unquote(e.column)))
	case rowExpr:
		return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK ((%s) IS NOT NULL) NOT VALID", e.table, name, e.sql),
			"SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = '" + name + "' LIMIT 1"
	case domainText:
		return fmt.Sprintf("ALTER DOMAIN %s ADD CONSTRAINT %s CHECK (%s) NOT VALID", e.table, name, e.sql),
			"SELECT pg_get_expr(conbin, 0) FROM pg_constraint WHERE conname = '" + name + "'"
	case policyText:
		return fmt.Sprintf("CREATE POLICY %s ON %s USING (%s)", name, e.table, e.sql),
			"SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = '" + name + "'"
	case domainDefault:
		return fmt.Sprintf("ALTER DOMAIN %s SET DEFAULT %s", e.table, e.sql),
			"SELECT pg_get_expr(typdefaultbin, 0) FROM pg_type WHERE oid = " + literal(e.table) + "::regtype"
	case argumentDefault:
		return fmt.Sprintf("CREATE FUNCTION pg_temp.%s(a %s DEFAULT %s) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'", name, e.table, e.sql),
			"SELECT pg_get_function_arg_default(oid, 1) FROM pg_proc WHERE proname = '" + name + "'"
	case viewText:
		columns := ""
		if e.columns != "" {
			columns = "(" + e.columns + ")"
		}
		return fmt.Sprintf("CREATE TEMP VIEW %s %s AS %s", name, columns, strings.TrimSuffix(e.sql, ";")),
			"SELECT pg_get_viewdef(oid) FROM pg_class WHERE relname = '" + name + "'"
	case boundText:
		return fmt.Sprintf("DO $do$ BEGIN EXECUTE 'CREATE TEMP TABLE %s (LIKE %s) PARTITION BY ' || pg_get_partkeydef('%s'::regclass); END $do$; CREATE TEMP TABLE %s_p PARTITION OF %s %s",
				name, escape(e.table), escape(e.table), name, name, e.sql),
			"SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = '" + name + "_p'"
	case ruleText:
		stmts, err := pgast.Parse(e.sql)
		if err != nil || len(stmts) != 1 || stmts[0].Node.GetRuleStmt() == nil {
			return "", ""
		}
		stmts[0].Node.GetRuleStmt().Rulename = name
		sql, err := pgast.Deparse(stmts[0].Node)
		if err != nil {
			return "", ""
		}
		return sql, "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename = '" + name + "'"
	}
	return "", ""
}

func literal(s string) string { return "'" + escape(s) + "'" }

func escape(s string) string { return strings.ReplaceAll(s, "'", "''") }

// unquote undoes quote.
func unquote(s string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, `"`), `"`), `""`, `"`)
}
