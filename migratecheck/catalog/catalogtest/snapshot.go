package catalogtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Snapshot is a catalog as sorted facts, free of the numbers that differ from one catalog to the next.
type Snapshot struct {
	objects map[string]map[string]fact
}

// fact is one property of one object.
type fact struct {
	value string
	text  *expression // set when value is SQL text, which need not be equal to the letter
}

// String lists every fact, one a line, sorted.
func (s *Snapshot) String() string {
	var lines []string
	for key, facts := range s.objects {
		for property, f := range facts {
			lines = append(lines, key+" | "+property+" = "+f.value)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Len is the number of facts.
func (s *Snapshot) Len() int {
	n := 0
	for _, facts := range s.objects {
		n += len(facts)
	}
	return n
}

func (s *Snapshot) set(object, property string, f fact) {
	facts := s.objects[object]
	if facts == nil {
		facts = map[string]fact{}
		s.objects[object] = facts
	}
	facts[property] = f
}

// difference is one fact that two snapshots do not share.
type difference struct {
	object, property   string
	server, ours       string
	serverText, ourSQL *expression // both set when it is the text of an expression
}

func (d difference) String() string {
	switch {
	case d.property == "" && d.ours == "":
		return fmt.Sprintf("only on the server: %s", d.object)
	case d.property == "":
		return fmt.Sprintf("only in ours: %s", d.object)
	}
	return fmt.Sprintf("%s: %s: server %s, ours %s", d.object, d.property, orNothing(d.server), orNothing(d.ours))
}

func orNothing(s string) string {
	if s == "" {
		return "has none"
	}
	return s
}

// Diff lists how two snapshots differ, a taken from the server and b from our catalog, in order of object. Texts of
// expressions are compared as trees (see the package comment); to ask the server about those that differ all the same,
// use [Checker.Compare].
func Diff(a, b *Snapshot) []string {
	var lines []string
	for _, d := range diff(a, b) {
		lines = append(lines, d.String())
	}
	return lines
}

func diff(server, ours *Snapshot) []difference {
	keys := maps.Clone(server.objects)
	maps.Copy(keys, ours.objects)
	var list []difference
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		sf, of := server.objects[key], ours.objects[key]
		switch {
		case of == nil:
			list = append(list, difference{object: key, server: "x"})
			continue
		case sf == nil:
			list = append(list, difference{object: key, ours: "x"})
			continue
		}
		properties := maps.Clone(sf)
		maps.Copy(properties, of)
		for _, p := range slices.Sorted(maps.Keys(properties)) {
			s, o := sf[p], of[p]
			if s.value == o.value || s.text != nil && o.text != nil && sameTree(s.text, o.text) {
				continue
			}
			list = append(list, difference{object: key, property: p, server: s.value, ours: o.value, serverText: s.text, ourSQL: o.text})
		}
	}
	return list
}

// FromCatalog makes a snapshot of our own catalog.
func FromCatalog(c *catalog.Catalog) *Snapshot {
	return ourWorld(c).snapshot()
}

// world is what one side knows, before names have replaced numbers.
type world struct {
	ours     bool
	objects  map[catalog.OID]catalog.Object
	members  map[catalog.OID]bool        // of extensions: known by name, not compared
	rowTypes map[catalog.OID]catalog.OID // row type to its relation
	comments map[catalog.Address]string
	grants   map[catalog.Address]map[string]*catalog.Grant
	aclSet   map[catalog.OID]bool
	ruleText map[catalog.OID]string // the server's, for fields that are parse trees on our side
	sqlBody  map[catalog.OID]string
}

func newWorld() *world {
	return &world{
		objects:  map[catalog.OID]catalog.Object{},
		members:  map[catalog.OID]bool{},
		rowTypes: map[catalog.OID]catalog.OID{},
		comments: map[catalog.Address]string{},
		grants:   map[catalog.Address]map[string]*catalog.Grant{},
		aclSet:   map[catalog.OID]bool{},
		ruleText: map[catalog.OID]string{},
		sqlBody:  map[catalog.OID]string{},
	}
}

func (w *world) add(o catalog.Object) { w.objects[o.ObjectID()] = o }

func (w *world) grant(at catalog.Address, grantee, privilege string, grantable bool) {
	to := w.grants[at]
	if to == nil {
		to = map[string]*catalog.Grant{}
		w.grants[at] = to
	}
	g := to[grantee]
	if g == nil {
		g = &catalog.Grant{Grantee: grantee}
		to[grantee] = g
	}
	g.Privileges = append(g.Privileges, privilege)
	if grantable {
		g.Grantable = append(g.Grantable, privilege)
	}
}

// annotated is the part of our catalog that is not kept in its objects.
type annotated interface {
	Comment(of catalog.Address) string
	Grants(on catalog.Address) []catalog.Grant
}

func ourWorld(c *catalog.Catalog) *world {
	w := newWorld()
	w.ours = true
	for o := range c.All() {
		w.add(o)
		for _, d := range c.Dependencies(o.ObjectID()) {
			if d.Type == catalog.DepExtension {
				w.members[o.ObjectID()] = true
			}
		}
	}
	notes, ok := any(c).(annotated)
	if !ok {
		return w
	}
	for oid, o := range w.objects {
		columns := 0
		if r, ok := o.(*catalog.Relation); ok {
			columns = len(r.Columns)
		}
		for n := range columns + 1 {
			at := catalog.Address{OID: oid, Column: n}
			if text := notes.Comment(at); text != "" {
				w.comments[at] = text
			}
			for _, g := range notes.Grants(at) {
				for _, p := range g.Privileges {
					w.grant(at, g.Grantee, p, slices.Contains(g.Grantable, p))
				}
			}
		}
	}
	return w
}
