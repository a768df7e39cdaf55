package query

var checkAmbiguousColumn = &Check{
	ID:      "ambiguous-column",
	Catches: "A column that a query names without its table is in two of the tables.",
	Code:    "42702, 42P09",
	Rules:   []string{"rename-column", "reuse-column-name", "widen-select-star"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_relation.c colNameToVar",
	refuses: code("42702", "42P09"),
}
