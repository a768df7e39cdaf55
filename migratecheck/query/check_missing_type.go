package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkMissingType = &Check{
	ID:      "missing-type",
	Catches: "A type that a query casts to, or a collation, is not there.",
	Code:    "42704",
	Rules:   []string{"drop-type"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_type.c typenameType",
	refuses: func(e *catalog.Error) bool {
		return e.Code == "42704" && !strings.HasPrefix(e.Message, "constraint ") && !strings.HasPrefix(e.Message, "could not find array type")
	},
}
