package query

var checkMissingRelation = &Check{
	ID:      "missing-relation",
	Catches: "A table, view, schema or sequence (nextval('…'), '…'::regclass) that a query names is not there.",
	Code:    "42P01, 3F000",
	Rules:   []string{"drop-schema", "drop-sequence", "drop-table", "drop-view", "rename-schema", "rename-table"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_relation.c parserOpenTable",
	refuses: code("42P01", "3F000"),
}
