package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkGeneratedColumn = &Check{
	ID:      "generated-column",
	Catches: "A value is written to a generated column, or to an identity column that is GENERATED ALWAYS.",
	Code:    "428C9, 42P10",
	Rules:   []string{"drop-default", "table-rewrite"},
	Asks:    TheCode,
	Source:  "src/backend/rewrite/rewriteHandler.c rewriteTargetListIU",
	refuses: func(e *catalog.Error) bool {
		return e.Code == "428C9" || e.Code == "42P10" && strings.HasSuffix(e.Message, "is a generated column")
	},
}
