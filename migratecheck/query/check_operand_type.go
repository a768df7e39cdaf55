package query

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkOperandType = &Check{
	ID:      "operand-type",
	Catches: "Values are compared, combined, cast or stored whose types do not go together.",
	Code:    "42883, 42704, 42725, 42804, 42846, 42P18, 42P22",
	Rules:   []string{"change-column-type", "change-function", "replace-view"},
	Asks:    TheCode,
	Source:  "src/backend/parser/parse_oper.c op_error, parse_coerce.c, parse_target.c transformAssignedExpr",
	refuses: func(e *catalog.Error) bool {
		switch e.Code {
		case "42883", "42725":
			return strings.HasPrefix(e.Message, "operator") || strings.HasPrefix(e.Message, "could not identify")
		case "42809":
			return strings.HasPrefix(e.Message, "op ANY/ALL") || strings.HasPrefix(e.Message, "column notation")
		case "42704":
			return strings.HasPrefix(e.Message, "could not find array type")
		case "42P18":
			return !strings.Contains(e.Message, "parameter")
		}
		return e.Code == "42804" || e.Code == "42846" || e.Code == "42P22" || e.Code == "42P21"
	},
}
