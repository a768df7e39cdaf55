package compat

import (
	"maps"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// lintRule is what this package has to know of a rule of migratecheck.
type lintRule struct {
	// speaksOf are the changes of the schema that it is about, each with its rank among the rules that are: 1 is the usual one.
	speaksOf map[kind]int
	// untold says why the code's queries do not tell all there is to tell of its matter, "" when they do (see Exact): rights,
	// rows, and what functions do are not told by the text of a query, nor is what the code makes of a label it reads.
	untold string
	// bothWays: it takes a name, or its meaning, from old code while it gives new code another one.
	bothWays bool
	// doubtful: where it finds something, the schema behind may be another than the one it is taken for.
	doubtful bool
}

// lintRules has every rule about the two versions, and every one about what a migration, or a history of them, does by itself.
// A test fails when one is missing.
var lintRules = map[string]lintRule{
	"add-check":           {speaksOf: map[kind]int{checkCreated: 1, constraintAltered: 1}},
	"add-enum-value":      {speaksOf: map[kind]int{labelsAdded: 1}, untold: "what the code makes of a label is in no query"},
	"add-exclusion":       {speaksOf: map[kind]int{exclusionCreated: 1}},
	"add-foreign-key":     {speaksOf: map[kind]int{foreignKeyCreated: 1, constraintAltered: 2}},
	"add-required-column": {speaksOf: map[kind]int{requiredColumnAdded: 1, notNullSet: 2, defaultChanged: 2}},
	"add-trigger":         {speaksOf: map[kind]int{triggerCreated: 1}},
	"add-unique":          {speaksOf: map[kind]int{uniqueCreated: 1}},
	"change-column-type":  {speaksOf: map[kind]int{columnTypeChanged: 1, columnDropped: 3, columnRenamed: 3, columnAdded: 3}, bothWays: true},
	"change-function":     {speaksOf: map[kind]int{functionCreated: 1, functionDropped: 2}, untold: "what a function does is in no query", bothWays: true},
	"drop-column":         {speaksOf: map[kind]int{columnDropped: 1}},
	"drop-constraint":     {speaksOf: map[kind]int{constraintDropped: 1, keyDropped: 2}, untold: "what it kept out comes in, which no query shows"},
	"drop-database":       {untold: "nothing is left to ask"},
	"drop-default":        {speaksOf: map[kind]int{defaultChanged: 1}},
	"drop-function":       {speaksOf: map[kind]int{functionDropped: 1}},
	"drop-not-null":       {speaksOf: map[kind]int{notNullDropped: 1}},
	"drop-object":         {untold: "which operators, casts and collations a query comes to use is not followed"},
	"drop-schema":         {speaksOf: map[kind]int{schemaDropped: 1}},
	"drop-sequence":       {speaksOf: map[kind]int{sequenceDropped: 1, sequenceRenamed: 1}, bothWays: true},
	"drop-table":          {speaksOf: map[kind]int{tableDropped: 1}},
	"drop-trigger":        {speaksOf: map[kind]int{triggerDropped: 1}, untold: "what it did is in no query"},
	"drop-type":           {speaksOf: map[kind]int{rowTypeDropped: 1, typeDropped: 1, typeAltered: 2}},
	"drop-unique":         {speaksOf: map[kind]int{indexDropped: 1, keyDropped: 1}},
	"drop-view":           {speaksOf: map[kind]int{viewDropped: 1}},
	"enable-rls":          {speaksOf: map[kind]int{policyCreated: 1}},
	"narrow-column-type":  {speaksOf: map[kind]int{columnTypeChanged: 2, typeAltered: 3}, bothWays: true},
	"rename-column":       {speaksOf: map[kind]int{columnRenamed: 1}, bothWays: true},
	"rename-constraint":   {speaksOf: map[kind]int{constraintRenamed: 1}, bothWays: true},
	"rename-enum-value":   {speaksOf: map[kind]int{typeAltered: 1, typeDropped: 2}, bothWays: true},
	"rename-index":        {speaksOf: map[kind]int{indexRenamed: 1}, bothWays: true},
	"rename-schema":       {speaksOf: map[kind]int{schemaRenamed: 1, relationRenamed: 2, sequenceRenamed: 3}, bothWays: true},
	"rename-table":        {speaksOf: map[kind]int{relationCreated: 1, relationRenamed: 1, sequenceRenamed: 2, viewCreated: 2}, bothWays: true},
	"replace-view":        {speaksOf: map[kind]int{viewCreated: 1, viewAltered: 1, viewDropped: 2, relationRenamed: 3}, bothWays: true},
	"reuse-column-name":   {speaksOf: map[kind]int{columnDropped: 2, columnRenamed: 2, requiredColumnAdded: 2, columnAdded: 2}, bothWays: true},
	"revoke":              {speaksOf: map[kind]int{grantsChanged: 1}, untold: "the role that the code runs as is not known"},
	"set-not-null":        {speaksOf: map[kind]int{notNullSet: 1}},
	"truncate-table":      {untold: "the rows are gone, not their names"},
	"widen-select-star":   {speaksOf: map[kind]int{columnAdded: 1, requiredColumnAdded: 3}},

	"down-cannot-run":        {},
	"down-not-inverse":       {},
	"duplicate-version":      {doubtful: true},
	"edited-released":        {doubtful: true},
	"fails-on-existing-rows": {},
	"fails-to-apply":         {doubtful: true},
	"lossy-down":             {},
	"missing-down":           {},
	"not-understood":         {doubtful: true},
	"schema-drift":           {},
	"syntax-error":           {doubtful: true},
	"unknown-object":         {doubtful: true},
	"version-gap":            {},
}

// families are the rules that speak of each kind of change, the usual one first.
var families = func() map[kind][]string {
	all := map[kind][]string{}
	for _, id := range slices.Sorted(maps.Keys(lintRules)) {
		for k := range lintRules[id].speaksOf {
			all[k] = append(all[k], id)
		}
	}
	for k, ids := range all {
		slices.SortFunc(ids, func(a, b string) int { return lintRules[a].speaksOf[k] - lintRules[b].speaksOf[k] })
	}
	return all
}()

// family lists the lint rules that speak of a change, the usual one first.
func family(c catalog.Change) []string { return families[kindOf(c)] }

// decidable reports whether queries tell of a rule's matter all there is to tell.
func decidable(rule string) bool {
	r := lintRules[rule]
	return len(r.speaksOf) > 0 && r.untold == ""
}

// rulesOf lists the lint rules that tell of what a check may find.
func rulesOf(check string) []string {
	if c := checkOf(check); c != nil {
		return c.Rules
	}
	return nil
}

// asks reports whether a check finds that a schema asks for more, not that it has less.
func asks(check string) bool {
	c := checkOf(check)
	return c != nil && c.Asks == query.TheSchema
}

func checkOf(id string) *query.Check {
	list := query.Checks()
	if i := slices.IndexFunc(list, func(c *query.Check) bool { return c.ID == id }); i >= 0 {
		return list[i]
	}
	return nil
}
