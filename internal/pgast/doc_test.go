package pgast_test

import (
	"errors"
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func ExampleParse() {
	stmts, err := pgast.Parse("-- the column is new\nALTER TABLE repo ADD COLUMN mirror text; DROP TABLE old;")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, stmt := range stmts {
		fmt.Printf("%d: %s\n", stmt.Offset, stmt.SQL)
	}
	cmd := stmts[0].Node.GetAlterTableStmt().Cmds[0].GetAlterTableCmd()
	fmt.Println(cmd.Subtype == pgast.AlterTableType_AT_AddColumn, cmd.Def.GetColumnDef().Colname)
	// Output:
	// 21: ALTER TABLE repo ADD COLUMN mirror text
	// 62: DROP TABLE old
	// true mirror
}

func ExampleParseEach() {
	stmts, errs := pgast.ParseEach("SELECT 1; DROPP TABLE t; SELECT 2;")
	fmt.Println(len(stmts), stmts[1].SQL)
	var syntax *pgast.SyntaxError
	if errors.As(errs[0], &syntax) {
		fmt.Println(syntax.Offset, syntax.Message)
	}
	// Output:
	// 2 SELECT 2
	// 10 syntax error at or near "DROPP"
}

func ExampleParse_limit() {
	_, err := pgast.Parse("SELECT 1" + strings.Repeat("+1", 100000))
	fmt.Println(err)
	// Output:
	// statement too complex to parse safely: more than 5000 operators in one expression; split the statement
}

func ExampleSplit() {
	for _, span := range pgast.Split("INSERT INTO t VALUES (';'); /* c */ DO $$ BEGIN; END $$;") {
		fmt.Println(span.Offset, span.Text)
	}
	// Output:
	// 0 INSERT INTO t VALUES (';')
	// 36 DO $$ BEGIN; END $$
}

func ExampleScanner() {
	sql := "a<-1 -- b"
	scanner := pgast.NewScanner(sql)
	for {
		tok, ok := scanner.Next()
		if !ok {
			break
		}
		fmt.Println(tok.Kind, sql[tok.Start:tok.End])
	}
	// Output:
	// Word a
	// Operator <
	// Operator -
	// Number 1
	// LineComment -- b
}

func ExampleDeparseExpr() {
	stmts, err := pgast.Parse("create table t (a int default (1+ 2)*3)")
	if err != nil {
		fmt.Println(err)
		return
	}
	column := stmts[0].Node.GetCreateStmt().TableElts[0].GetColumnDef()
	fmt.Println(pgast.DeparseExpr(column.Constraints[0].GetConstraint().RawExpr))
	// Output:
	// (1 + 2) * 3 <nil>
}
