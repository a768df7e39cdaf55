package compat

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// kind is a kind of change of the schema, as far as the lint rules tell them apart.
type kind string

const (
	columnDropped       kind = "column dropped"
	columnRenamed       kind = "column renamed"
	columnAdded         kind = "column added"
	requiredColumnAdded kind = "column added that an INSERT must fill"
	columnTypeChanged   kind = "type of a column changed"
	notNullSet          kind = "NOT NULL set"
	notNullDropped      kind = "NOT NULL dropped"
	defaultChanged      kind = "default changed"
	grantsChanged       kind = "grants changed"

	checkCreated      kind = "CHECK created"
	foreignKeyCreated kind = "foreign key created"
	exclusionCreated  kind = "exclusion created"
	uniqueCreated     kind = "unique constraint or index created"
	viewCreated       kind = "view created"
	relationCreated   kind = "table, index or sequence created" // it may have taken over a name
	triggerCreated    kind = "trigger or rule created or altered"
	policyCreated     kind = "policy created, or row security altered"
	functionCreated   kind = "function created or altered"

	viewDropped       kind = "view dropped"
	sequenceDropped   kind = "sequence dropped"
	indexDropped      kind = "index dropped"
	tableDropped      kind = "table dropped"
	keyDropped        kind = "unique constraint or exclusion dropped"
	constraintDropped kind = "CHECK or foreign key dropped"
	typeDropped       kind = "type dropped"
	rowTypeDropped    kind = "composite type dropped, or a type renamed"
	functionDropped   kind = "function dropped or renamed"
	schemaDropped     kind = "schema dropped"
	triggerDropped    kind = "trigger or rule dropped"

	indexRenamed      kind = "index renamed"
	relationRenamed   kind = "table or view renamed"
	sequenceRenamed   kind = "sequence renamed"
	constraintRenamed kind = "constraint renamed"
	schemaRenamed     kind = "schema renamed"

	labelsAdded       kind = "labels added to an enum"
	typeAltered       kind = "type altered"
	viewAltered       kind = "view altered"
	constraintAltered kind = "constraint altered"
)

// kindOf is the kind of a change, "" when no rule speaks of it.
func kindOf(c catalog.Change) kind {
	switch c.Op {
	case catalog.ColumnDropped:
		return columnDropped
	case catalog.ColumnRenamed:
		return columnRenamed
	case catalog.ColumnAdded:
		if required(c.NewColumn) {
			return requiredColumnAdded
		}
		return columnAdded
	case catalog.ColumnTypeChanged:
		return columnTypeChanged
	case catalog.ColumnNotNullSet:
		return notNullSet
	case catalog.ColumnNotNullDropped:
		return notNullDropped
	case catalog.ColumnDefaultChanged:
		return defaultChanged
	case catalog.GrantsChanged:
		return grantsChanged
	case catalog.Created:
		return created(c.New)
	case catalog.Dropped:
		return dropped(c.Old)
	case catalog.Renamed, catalog.Moved:
		return renamed(c.New)
	case catalog.Altered:
		return altered(c)
	}
	return ""
}

func required(col *catalog.Column) bool {
	return col.NotNull && col.Default == nil && col.Identity == 0 && col.Generated == 0
}

func created(o catalog.Object) kind {
	switch o := o.(type) {
	case *catalog.Constraint:
		switch o.Kind {
		case catalog.Check:
			return checkCreated
		case catalog.NotNullCon:
			return notNullSet
		case catalog.ForeignKey:
			return foreignKeyCreated
		case catalog.Exclusion:
			return exclusionCreated
		case catalog.Unique, catalog.PrimaryKey:
			return uniqueCreated
		}
	case *catalog.Relation:
		if o.Index != nil && o.Index.Unique {
			return uniqueCreated
		}
		if o.Kind == catalog.View || o.Kind == catalog.MatView {
			return viewCreated
		}
		return relationCreated
	case *catalog.Trigger, *catalog.Rule:
		return triggerCreated
	case *catalog.Policy:
		return policyCreated
	case *catalog.Func:
		return functionCreated
	}
	return ""
}

func dropped(o catalog.Object) kind {
	switch o := o.(type) {
	case *catalog.Relation:
		switch o.Kind {
		case catalog.View, catalog.MatView:
			return viewDropped
		case catalog.Sequence:
			return sequenceDropped
		case catalog.Index, catalog.PartitionedIndex:
			return indexDropped
		case catalog.CompositeRel:
			return rowTypeDropped
		}
		return tableDropped
	case *catalog.Constraint:
		switch o.Kind {
		case catalog.Unique, catalog.PrimaryKey, catalog.Exclusion:
			return keyDropped
		case catalog.NotNullCon:
			return notNullDropped
		}
		return constraintDropped
	case *catalog.Type:
		return typeDropped
	case *catalog.Func:
		return functionDropped
	case *catalog.Schema:
		return schemaDropped
	case *catalog.Trigger, *catalog.Rule:
		return triggerDropped
	}
	return ""
}

func renamed(o catalog.Object) kind {
	switch o := o.(type) {
	case *catalog.Relation:
		if o.Kind == catalog.Index || o.Kind == catalog.PartitionedIndex {
			return indexRenamed
		}
		if o.Kind == catalog.Sequence {
			return sequenceRenamed
		}
		return relationRenamed
	case *catalog.Constraint:
		return constraintRenamed
	case *catalog.Schema:
		return schemaRenamed
	case *catalog.Type:
		return rowTypeDropped
	case *catalog.Func:
		return functionDropped
	}
	return ""
}

func altered(c catalog.Change) kind {
	switch now := c.New.(type) {
	case *catalog.Type:
		old, _ := c.Old.(*catalog.Type)
		if old != nil && len(now.Labels) > len(old.Labels) {
			return labelsAdded
		}
		return typeAltered
	case *catalog.Relation:
		if now.Kind == catalog.View || now.Kind == catalog.MatView {
			return viewAltered
		}
		return policyCreated
	case *catalog.Func:
		return functionCreated
	case *catalog.Constraint:
		return constraintAltered
	case *catalog.Trigger:
		return triggerCreated
	}
	return ""
}

// concerns reports whether a change is about what a problem is about.
func concerns(c catalog.Change, p *query.Problem) bool {
	if len(p.Objects) == 0 {
		return true
	}
	for _, o := range []catalog.Object{c.Old, c.New} {
		if o == nil {
			continue
		}
		for _, a := range p.Objects {
			if a.OID == o.ObjectID() && (a.Column == 0 || c.OldColumn == nil && c.NewColumn == nil || attribute(c) == a.Column) {
				return true
			}
			if con, ok := o.(*catalog.Constraint); ok && (con.Table == a.OID || con.Index == a.OID) {
				return true
			}
			if rel, ok := o.(*catalog.Relation); ok && rel.Index != nil && rel.Index.Table == a.OID {
				return true
			}
			if tr, ok := o.(*catalog.Trigger); ok && tr.Table == a.OID {
				return true
			}
			if po, ok := o.(*catalog.Policy); ok && po.Table == a.OID {
				return true
			}
		}
	}
	return false
}

// attribute is the attribute number of the column that a change is about.
func attribute(c catalog.Change) int {
	if c.OldColumn != nil {
		return c.OldColumn.Num
	}
	return c.NewColumn.Num
}

// candidates lists the lint rules that may speak of a problem's cause, the likeliest first: those about what the problem is
// about, and of them those that tell of what its check looks for.
func candidates(step *migratecheck.Step, p *query.Problem) []string {
	near, far := ranked(step, p)
	return slices.Concat(near, far)
}

// ranked are the candidates, those about what the problem is about apart from the others.
func ranked(step *migratecheck.Step, p *query.Problem) (close, far []string) {
	var apt, near []string
	rules := rulesOf(p.Check)
	for _, c := range step.Changes {
		for _, rule := range family(c) {
			switch {
			case !concerns(c, p):
				far = append(far, rule)
			case slices.Contains(rules, rule):
				apt = append(apt, rule)
			default:
				near = append(near, rule)
			}
		}
	}
	return slices.Concat(apt, near), far
}

// takenBack is the likeliest rule that speaks of a problem's cause and that a comment on it takes back, "" when none does.
func takenBack(step *migratecheck.Step, p *query.Problem) string {
	near, _ := ranked(step, p)
	if i := slices.IndexFunc(near, step.Suppressed); i >= 0 {
		return near[i]
	}
	return ""
}

// lintFinding is what the rules say of a statement, on the matter of a problem: of several findings one of the likeliest
// rule, and among those one that names the problem's column.
func (j *judge) lintFinding(step *migratecheck.Step, p *query.Problem) (rule string, finding *migratecheck.Finding) {
	rules := candidates(step, p)
	best := -1
	for i := range j.service.Timeline.Findings {
		f := &j.service.Timeline.Findings[i]
		rank := slices.Index(rules, f.Rule)
		if rank < 0 || f.Down || !sameStatement(f, step) {
			continue
		}
		score := 2 * (len(rules) - rank)
		if p.Column != "" && about(f, p.Column) {
			score += 1 + 2*len(rules)
		}
		if score > best {
			best, rule, finding = score, f.Rule, f
		}
	}
	if finding == nil {
		if rule = takenBack(step, p); rule == "" && len(rules) > 0 {
			rule = rules[0]
		}
	}
	return rule, finding
}

// sameStatement reports whether a finding is about a step's statement.
func sameStatement(f *migratecheck.Finding, step *migratecheck.Step) bool {
	at := step.Position(f.At)
	return f.Pos == at && f.Statement == step.Stmt.SQL
}

// about reports whether a finding is about a column: it stands in the part of the statement that the finding points at, up
// to the comma behind which the statement's next part begins.
func about(f *migratecheck.Finding, column string) bool {
	part := f.Statement[min(max(f.At, 0), len(f.Statement)):]
	if f.At > 0 {
		depth := 0
		for i := range len(part) {
			switch part[i] {
			case '(':
				depth++
			case ')':
				depth--
			case ',':
				if depth <= 0 {
					return mentions(part[:i], column)
				}
			}
		}
	}
	return mentions(part, column)
}

// mentions reports whether a word stands in a text by itself.
func mentions(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(word)
		if (start == 0 || !isWord(text[start-1])) && (end == len(text) || !isWord(text[end])) {
			return true
		}
		at = start + 1
	}
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}
