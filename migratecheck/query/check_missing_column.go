package query

var checkMissingColumn = &Check{
	ID:      "missing-column",
	Catches: "A column, or a field of a composite type, that a query names is not there.",
	Code:    "42703",
	Rules:   []string{"change-column-type", "drop-column", "rename-column", "replace-view"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_relation.c errorMissingColumn",
	refuses: code("42703"),
}
