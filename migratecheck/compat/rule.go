package compat

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// family lists the lint rules that speak of a change, the usual one first.
func family(c catalog.Change) []string {
	switch c.Op {
	case catalog.ColumnDropped:
		return []string{"drop-column", "reuse-column-name", "change-column-type"}
	case catalog.ColumnRenamed:
		return []string{"rename-column", "reuse-column-name", "change-column-type"}
	case catalog.ColumnAdded:
		if required(c.NewColumn) {
			return []string{"add-required-column", "reuse-column-name", "widen-select-star"}
		}
		return []string{"widen-select-star", "reuse-column-name", "change-column-type"}
	case catalog.ColumnTypeChanged:
		return []string{"change-column-type", "narrow-column-type"}
	case catalog.ColumnNotNullSet:
		return []string{"set-not-null", "add-required-column"}
	case catalog.ColumnNotNullDropped:
		return []string{"drop-not-null"}
	case catalog.ColumnDefaultChanged:
		return []string{"drop-default", "add-required-column"}
	case catalog.GrantsChanged:
		return []string{"revoke"}
	case catalog.Created:
		return created(c.New)
	case catalog.Dropped:
		return dropped(c.Old)
	case catalog.Renamed, catalog.Moved:
		return renamed(c.New)
	case catalog.Altered:
		return altered(c)
	}
	return nil
}

func required(col *catalog.Column) bool {
	return col.NotNull && col.Default == nil && col.Identity == 0 && col.Generated == 0
}

func created(o catalog.Object) []string {
	switch o := o.(type) {
	case *catalog.Constraint:
		switch o.Kind {
		case catalog.Check:
			return []string{"add-check"}
		case catalog.ForeignKey:
			return []string{"add-foreign-key"}
		case catalog.Exclusion:
			return []string{"add-exclusion"}
		case catalog.Unique, catalog.PrimaryKey:
			return []string{"add-unique"}
		}
	case *catalog.Relation:
		if o.Index != nil && o.Index.Unique {
			return []string{"add-unique"}
		}
		if o.Kind == catalog.View || o.Kind == catalog.MatView {
			return []string{"replace-view", "rename-table"}
		}
		return []string{"rename-table"} // one that took over a name
	case *catalog.Trigger, *catalog.Rule:
		return []string{"add-trigger"}
	case *catalog.Policy:
		return []string{"enable-rls"}
	case *catalog.Func:
		return []string{"change-function"}
	}
	return nil
}

func dropped(o catalog.Object) []string {
	switch o := o.(type) {
	case *catalog.Relation:
		switch o.Kind {
		case catalog.View, catalog.MatView:
			return []string{"drop-view", "replace-view"}
		case catalog.Sequence:
			return []string{"drop-sequence"}
		case catalog.Index, catalog.PartitionedIndex:
			return []string{"drop-unique"}
		case catalog.CompositeRel:
			return []string{"drop-type"}
		}
		return []string{"drop-table"}
	case *catalog.Constraint:
		switch o.Kind {
		case catalog.Unique, catalog.PrimaryKey, catalog.Exclusion:
			return []string{"drop-unique", "drop-constraint"}
		}
		return []string{"drop-constraint"}
	case *catalog.Type:
		return []string{"drop-type", "rename-enum-value"}
	case *catalog.Func:
		return []string{"drop-function", "change-function"}
	case *catalog.Schema:
		return []string{"drop-schema"}
	case *catalog.Trigger, *catalog.Rule:
		return []string{"drop-trigger"}
	}
	return nil
}

func renamed(o catalog.Object) []string {
	switch o := o.(type) {
	case *catalog.Relation:
		if o.Kind == catalog.Index || o.Kind == catalog.PartitionedIndex {
			return []string{"rename-index"}
		}
		return []string{"rename-table", "rename-schema", "replace-view"}
	case *catalog.Constraint:
		return []string{"rename-constraint"}
	case *catalog.Schema:
		return []string{"rename-schema"}
	case *catalog.Type:
		return []string{"drop-type"}
	case *catalog.Func:
		return []string{"drop-function", "change-function"}
	}
	return nil
}

func altered(c catalog.Change) []string {
	switch now := c.New.(type) {
	case *catalog.Type:
		old, _ := c.Old.(*catalog.Type)
		if old != nil && len(now.Labels) > len(old.Labels) {
			return []string{"add-enum-value"}
		}
		return []string{"rename-enum-value", "drop-type", "narrow-column-type"}
	case *catalog.Relation:
		if now.Kind == catalog.View || now.Kind == catalog.MatView {
			return []string{"replace-view"}
		}
		return []string{"enable-rls"}
	case *catalog.Func:
		return []string{"change-function"}
	case *catalog.Constraint:
		return []string{"add-check", "add-foreign-key"}
	case *catalog.Trigger:
		return []string{"add-trigger"}
	}
	return nil
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
	var apt, near, far []string
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
	return slices.Concat(apt, near, far)
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
	if finding == nil && len(rules) > 0 {
		rule = rules[0]
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
