package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkConflictConstraint = &Check{
	ID:      "conflict-constraint",
	Catches: "ON CONFLICT ON CONSTRAINT names a constraint that is not there, or is of a kind that decides no conflict.",
	Code:    "42704, 42809, 55000",
	Rules:   []string{"drop-constraint", "drop-unique", "rename-constraint"},
	Asks:    TheCode,
	Source:  "src/backend/optimizer/util/plancat.c infer_arbiter_indexes",
	refuses: func(e *catalog.Error) bool {
		return e.Code == "42704" && strings.HasPrefix(e.Message, "constraint ") ||
			e.Code == "42809" && strings.Contains(e.Message, "ON CONFLICT") || e.Code == "55000" && strings.HasPrefix(e.Message, "ON CONFLICT")
	},
}
