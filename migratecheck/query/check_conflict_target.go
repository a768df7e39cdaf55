package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkConflictTarget = &Check{
	ID:      "conflict-target",
	Catches: "No unique index matches the columns of ON CONFLICT (…).",
	Code:    "42P10",
	Rules:   []string{"drop-column", "drop-constraint", "drop-unique"},
	Asks:    TheCode,
	Source:  "src/backend/optimizer/util/plancat.c infer_arbiter_indexes",
	refuses: func(e *catalog.Error) bool { return e.Code == "42P10" && strings.Contains(e.Message, "ON CONFLICT") },
}
