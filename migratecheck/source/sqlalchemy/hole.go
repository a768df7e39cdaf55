package sqlalchemy

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// fillHoles puts a parameter where a part of a statement is not known, when it stands where one value stands, so that what
// is left is certain to be sent; "" when it does not, or when the rest is not SQL.
func fillHoles(sql python.Text) python.Text {
	n := 0
	for _, m := range numbers().FindAllStringSubmatch(sql.S, -1) {
		if i, err := strconv.Atoi(m[1]); err == nil {
			n = max(n, min(i, 1000))
		}
	}
	parts := sql.Split(python.Hole, -1)
	whole := parts[:1:1]
	before := parts[0].S
	for _, p := range parts[1:] {
		last := &whole[len(whole)-1]
		if strings.HasSuffix(last.S, "'") && strings.HasPrefix(p.S, "'") { // '{name}' becomes a string
			*last, p = last.Sub(0, len(last.S)-1), p.Sub(1, len(p.S))
			before = before[:len(before)-1]
		}
		if !valueBehind(before) {
			return python.Text{}
		}
		n++
		number := "$" + strconv.Itoa(n)
		whole = append(whole, python.Plain(number), p)
		before += number + p.S
	}
	sql = python.Cat(whole...)
	stmts, err := pgast.Parse(sql.S)
	if err != nil {
		return python.Text{}
	}
	for _, s := range stmts {
		if insert := s.Node.GetInsertStmt(); insert != nil && !rowsFit(insert) {
			return python.Text{}
		}
	}
	return sql
}

var (
	numbers = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$(\d+)`) })
	// places matches what one value, or one condition, follows.
	places = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?is)(?:[=<>]|\b(?:LIKE|LIMIT|OFFSET|AND|OR|WHERE|ON|BETWEEN|HAVING|NOT)|\b(?:IN|ANY|ALL)\s*\(|\bVALUES\s*\([^()]*)\s*$`)
	})
)

// valueBehind reports whether one value or condition can follow; inside of a string nothing can.
func valueBehind(before string) bool {
	return strings.Count(before, "'")%2 == 0 && places().MatchString(before)
}

// rowsFit reports whether an INSERT lists its columns and as many values: one that is not known may stand for several.
func rowsFit(insert *pgast.InsertStmt) bool {
	rows := insert.SelectStmt.GetSelectStmt().GetValuesLists()
	for _, row := range rows {
		if len(row.GetList().GetItems()) != len(insert.Cols) {
			return false
		}
	}
	return true
}
