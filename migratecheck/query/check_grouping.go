package query

var checkGrouping = &Check{
	ID:      "grouping",
	Catches: "A column outside of aggregates depends on a primary key in GROUP BY that is not there.",
	Code:    "42803",
	Rules:   []string{"drop-constraint", "drop-unique"},
	Asks:    TheCode,
	Source:  "src/backend/catalog/pg_constraint.c check_functional_grouping",
	refuses: code("42803"),
}
