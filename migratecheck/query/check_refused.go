package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

// checkRefused comes last: what the server refuses and no other check knows.
var checkRefused = &Check{
	ID:      "refused",
	Catches: "The server refuses the query for another reason.",
	Code:    "any other",
	Rules:   []string{"change-column-type", "change-function", "rename-column", "rename-table", "replace-view"},
	Asks:    TheCode,
	Source:  "src/backend/parser",
	refuses: func(*catalog.Error) bool { return true },
}
