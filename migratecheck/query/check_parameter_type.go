package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkParameterType = &Check{
	ID:      "parameter-type",
	Catches: "The server finds no type, or two, for a parameter.",
	Code:    "42P08, 42P18",
	Rules:   []string{"change-column-type", "change-function"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_param.c variable_coerce_param_hook",
	refuses: func(e *catalog.Error) bool {
		return e.Code == "42P08" || e.Code == "42P18" && strings.Contains(e.Message, "parameter")
	},
}
