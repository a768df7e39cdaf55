package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// EndSession forgets what ends with a session: settings go back to what sessions begin with, and temporary objects are
// dropped. An open transaction stays open: who runs a history may have left its end to another file.
func (c *Catalog) EndSession() {
	if temp := c.SchemaNamed(tempSchema); temp != nil {
		_ = c.dropObject(Address{OID: temp.OID}, true, &Effects{}) // with CASCADE nothing is in the way of it
	}
	c.Wrap(false)
	c.onCommit = nil
	c.resetAll()
}

// resetAll gives all parameters the values that the session began with.
func (c *Catalog) resetAll() { c.settings, c.sharedRecords, c.searchPath = c.initial, true, nil }

// NewSession is the catalog as another session meets it: c itself, when the one that has changed it so far has nothing to
// itself.
func (c *Catalog) NewSession() *Catalog {
	unset := c.settings == c.initial || c.settings.Len() == 0 && c.initial.Len() == 0
	if unset && c.SchemaNamed(tempSchema) == nil && !(c.InTransaction() && c.tx[0].Tool) {
		return c
	}
	next := c.Clone()
	next.EndSession()
	return next
}

// Wrap says whether the statements to come are in a transaction that the tool has begun by itself, in which SET LOCAL is in
// force; until the session's end, at the latest.
func (c *Catalog) Wrap(on bool) {
	if !on && c.InTransaction() && c.tx[0].Tool {
		c.endLocal()
		c.tx = nil
	}
	c.wrapped = on
}

// applyInitial follows ALTER ROLE and ALTER DATABASE … SET, which sessions begin with. Which database it is, and as which role
// the code runs, no history says: whatever it names is taken for them, and the last statement wins.
func (c *Catalog) applyInitial(s *pgast.VariableSetStmt) {
	name, to := strings.ToLower(s.GetName()), setting{}
	switch s.GetKind() {
	case pgast.VariableSetKind_VAR_SET_VALUE:
		to = setting{settingText(s), true}
	case pgast.VariableSetKind_VAR_SET_CURRENT:
		to.Value, to.Set = c.settings.Get(name)
	case pgast.VariableSetKind_VAR_RESET_ALL:
		name = ""
	}
	switch {
	case name == "":
		c.initial = newMap[string, string]()
	case to.Set:
		c.initial = copyShared(c.initial)
		c.initial.Set(name, to.Value)
	default:
		c.initial = copyShared(c.initial)
		c.initial.Delete(name)
	}
	if name == "search_path" && c.Open && to.Set {
		c.assumePath(to.Value)
	}
}

// assumePath makes the schemas of a search path known to an open catalog.
func (c *Catalog) assumePath(value string) {
	for _, s := range splitNames(value) {
		if !slices.Contains([]string{"$user", tempSchema}, s) {
			c.assumeSchema(s)
		}
	}
}
