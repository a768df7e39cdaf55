package catalog

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Setting is the value a SET gave to a parameter, or with which the session began; "" when it has its default.
func (c *Catalog) Setting(name string) string {
	value, _ := c.settings.Get(name)
	return value
}

func (c *Catalog) changeSetting(name string, to setting) {
	c.ownRecords()
	if to.Set {
		c.settings.Set(name, to.Value)
	} else {
		c.settings.Delete(name)
	}
	if name == "search_path" {
		c.searchPath = nil
		if c.Open && to.Set {
			c.assumePath(to.Value)
		}
	}
}

// setSetting is SET, with local SET LOCAL: until the end of the transaction.
func (c *Catalog) setSetting(name string, to setting, local bool, eff *Effects) {
	if local && (c.InTransaction() || !c.wrapped) {
		if !c.InTransaction() {
			eff.note("SET LOCAL can only be used in transaction blocks")
			return
		}
		c.rememberLocal(name)
	} else if c.InTransaction() {
		if _, ok := c.tx[0].Local[name]; ok {
			// SET after SET LOCAL: COMMIT keeps the SET.
			c.tx = append([]savepoint(nil), c.tx...)
			c.tx[0].Local = maps.Clone(c.tx[0].Local)
			delete(c.tx[0].Local, name)
		}
	}
	c.changeSetting(name, to)
}

func (c *Catalog) rememberLocal(name string) {
	if _, ok := c.tx[0].Local[name]; ok {
		return
	}
	local := maps.Clone(c.tx[0].Local)
	if local == nil {
		local = map[string]setting{}
	}
	value, set := c.settings.Get(name)
	local[name] = setting{value, set}
	c.tx = append([]savepoint(nil), c.tx...)
	c.tx[0].Local = local
}

// applySet follows SET and RESET.
func (c *Catalog) applySet(s *pgast.VariableSetStmt, eff *Effects) error {
	switch s.Kind {
	case pgast.VariableSetKind_VAR_SET_VALUE:
		if err := checkDuration(s); err != nil {
			return err
		}
		c.setSetting(strings.ToLower(s.Name), setting{settingText(s), true}, s.IsLocal, eff)
	case pgast.VariableSetKind_VAR_SET_DEFAULT, pgast.VariableSetKind_VAR_RESET:
		name := strings.ToLower(s.Name)
		value, set := c.initial.Get(name)
		c.setSetting(name, setting{value, set}, s.IsLocal, eff)
	case pgast.VariableSetKind_VAR_RESET_ALL:
		c.resetAll()
	}
	return nil
}

// duration is an integer parameter with a unit of time (parse_int and convert_to_base_unit in src/backend/utils/misc/guc.c).
var duration = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*[-+]?(0[xX][0-9a-fA-F]+|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?)\s*(us|ms|s|min|h|d)?\s*$`)
})

// checkDuration refuses a timeout that cannot be read.
func checkDuration(s *pgast.VariableSetStmt) error {
	switch strings.ToLower(s.Name) {
	case "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout":
	default:
		return nil
	}
	if len(s.Args) != 1 || s.Args[0].GetAConst() == nil {
		return nil
	}
	if text := constText(s.Args[0]); !duration().MatchString(text) {
		return errorf("22023", "invalid value for parameter %s: %s", quoteMessage(strings.ToLower(s.Name)), quoteMessage(text))
	}
	return nil
}

// settingText is the value as SHOW prints it; lists are names, quoted where they must be (flatten_set_variable_args).
func settingText(s *pgast.VariableSetStmt) string {
	var parts []string
	for _, arg := range s.Args {
		if tc := arg.GetTypeCast(); tc != nil {
			arg = tc.Arg
		}
		text := constText(arg)
		if isListSetting(s.Name) && arg.GetAConst().GetSval() != nil {
			text = quoteIdent(text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// isListSetting tells whether a parameter is GUC_LIST_QUOTE (src/include/utils/guc.h).
func isListSetting(name string) bool {
	switch strings.ToLower(name) {
	case "search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries", "shared_preload_libraries":
		return true
	}
	return false
}

// settingName is a parameter's name as the server spells it, which proconfig has whatever a statement wrote (guc_tables.c).
func settingName(name string) string {
	switch lower := strings.ToLower(name); lower {
	case "datestyle":
		return "DateStyle"
	case "intervalstyle":
		return "IntervalStyle"
	case "timezone":
		return "TimeZone"
	default:
		return lower
	}
}

// constText is a literal as text.
func constText(n *pgast.Node) string {
	switch k := n.GetNode().(type) {
	case *pgast.Node_AConst:
		switch v := k.AConst.Val.(type) {
		case *pgast.A_Const_Sval:
			return v.Sval.GetSval()
		case *pgast.A_Const_Ival:
			return strconv.Itoa(int(v.Ival.GetIval()))
		case *pgast.A_Const_Fval:
			return v.Fval.GetFval()
		case *pgast.A_Const_Boolval:
			return strconv.FormatBool(v.Boolval.GetBoolval())
		case *pgast.A_Const_Bsval:
			return v.Bsval.GetBsval()
		}
	case *pgast.Node_String_:
		return k.String_.GetSval()
	case *pgast.Node_Integer:
		return strconv.Itoa(int(k.Integer.GetIval()))
	case *pgast.Node_Float:
		return k.Float.GetFval()
	case *pgast.Node_Boolean:
		return strconv.FormatBool(k.Boolean.GetBoolval())
	case *pgast.Node_TypeName:
		names := stringsOf(k.TypeName.Names)
		return strings.Join(names, ".")
	case *pgast.Node_List:
		var parts []string
		for _, item := range k.List.Items {
			parts = append(parts, constText(item))
		}
		return strings.Join(parts, ".")
	}
	return ""
}

// applySetConfig follows set_config() called in a SELECT's list, as pg_dump writes it.
func (c *Catalog) applySetConfig(s *pgast.SelectStmt, eff *Effects) {
	for _, target := range s.TargetList {
		call := target.GetResTarget().GetVal().GetFuncCall()
		if call == nil || len(call.Args) != 3 {
			continue
		}
		if name := stringsOf(call.Funcname); name[len(name)-1] != "set_config" {
			continue
		}
		name, value := call.Args[0].GetAConst(), call.Args[1].GetAConst()
		if name.GetSval() == nil || value == nil {
			eff.Gaps = append(eff.Gaps, "set_config() of a value that is not constant")
			continue
		}
		local := call.Args[2].GetAConst().GetBoolval().GetBoolval()
		if local && !c.InTransaction() && !c.wrapped {
			continue // ends with the statement
		}
		c.setSetting(strings.ToLower(name.GetSval().GetSval()), setting{constText(call.Args[1]), true}, local, eff)
	}
}
