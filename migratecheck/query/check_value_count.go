package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkValueCount = &Check{
	ID:      "value-count",
	Catches: "An INSERT without a list of columns has more values than the table has columns, or parts of a query differ in their number of columns.",
	Code:    "42601, 42P10",
	Rules:   []string{"drop-column", "replace-view", "widen-select-star"},
	Asks:    TheCode,
	Source:  "src/backend/parser/analyze.c transformInsertRow, transformSetOperationTree",
	refuses: func(e *catalog.Error) bool {
		return e.Code == "42601" || e.Code == "42P10" && strings.Contains(e.Message, "columns available")
	},
}
