package catalog

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// maxNameLength is NAMEDATALEN-1 (src/include/pg_config_manual.h).
const maxNameLength = 63

// clipName cuts a name at n bytes without splitting a character (pg_mbcliplen).
func clipName(name string, n int) string {
	if len(name) <= n {
		return name
	}
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

// makeObjectName joins name1_name2_label, cutting the longer of the first two so that the result fits
// (makeObjectName, src/backend/commands/indexcmds.c).
func makeObjectName(name1, name2, label string) string {
	overhead := 0
	if name2 != "" {
		overhead++
	}
	if label != "" {
		overhead += len(label) + 1
	}
	n1, n2 := len(name1), len(name2)
	for n1+n2 > maxNameLength-overhead {
		if n1 > n2 {
			n1--
		} else {
			n2--
		}
	}
	name := clipName(name1, n1)
	if name2 != "" {
		name += "_" + clipName(name2, n2)
	}
	if label != "" {
		name += "_" + label
	}
	return name
}

// chooseRelationName finds a name that no relation of the schema has yet, nor, for a constraint's index, a constraint
// (ChooseRelationName, src/backend/commands/indexcmds.c).
func (c *Catalog) chooseRelationName(name1, name2, label string, schema OID, constraint bool) string {
	for pass, l := 0, label; ; l = label + strconv.Itoa(pass) {
		name := makeObjectName(name1, name2, l)
		_, taken := c.names.Get(nameKey(inRelations, schema, name))
		if !taken && !(constraint && c.constraintNameExists(schema, name)) {
			return name
		}
		pass++
	}
}

// chooseConstraintName finds a name that no constraint of the schema has (ChooseConstraintName,
// src/backend/catalog/pg_constraint.c).
func (c *Catalog) chooseConstraintName(name1, name2, label string, schema OID) string {
	for pass, l := 0, label; ; l = label + strconv.Itoa(pass) {
		name := makeObjectName(name1, name2, l)
		if !c.constraintNameExists(schema, name) {
			return name
		}
		pass++
	}
}

// joinNames is the middle part of an index's or foreign key's name: the columns with underscores, as many as fit
// (ChooseIndexNameAddition).
func joinNames(names []string) string {
	var b strings.Builder
	for _, name := range names {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(clipName(name, maxNameLength))
		if b.Len() > maxNameLength {
			break
		}
	}
	return b.String()
}

// indexExprName is FigureIndexColname (src/backend/parser/parse_target.c): the function of a call and the like, "" when
// there is nothing to name the expression by.
func (c *Catalog) indexExprName(n *pgast.Node) string {
	name, _ := c.newBinder().figureName(n)
	return name
}

// indexColumnNames gives the keys of an index the names of its attributes: the column, "expr" for an expression,
// numbered where they repeat (ChooseIndexColumnNames).
func (c *Catalog) indexColumnNames(elems []*pgast.IndexElem) []string {
	var names []string
	taken := map[string]bool{}
	for _, e := range elems {
		orig := e.Indexcolname
		if orig == "" {
			orig = e.Name
		}
		if orig == "" {
			orig = c.indexExprName(e.Expr)
		}
		if orig == "" {
			orig = "expr"
		}
		name := orig
		for i := 1; taken[name]; i++ {
			n := strconv.Itoa(i)
			name = clipName(orig, maxNameLength-len(n)) + n
		}
		taken[name] = true
		names = append(names, name)
	}
	return names
}
