package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkMissingFunction = &Check{
	ID:      "missing-function",
	Catches: "No function of the name takes the arguments of a call, or more than one does.",
	Code:    "42883, 42725, 42809",
	Rules:   []string{"change-column-type", "change-function", "drop-function"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_func.c ParseFuncOrColumn",
	refuses: func(e *catalog.Error) bool {
		return (e.Code == "42883" || e.Code == "42725") && !strings.HasPrefix(e.Message, "operator") && !strings.HasPrefix(e.Message, "could not identify") || e.Code == "42809" && strings.HasSuffix(e.Message, "is a procedure")
	},
}
