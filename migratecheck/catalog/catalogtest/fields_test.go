package catalogtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/stretchr/testify/require"
)

// modelled are the structs that a catalog is made of.
func modelled() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[catalog.Schema](), reflect.TypeFor[catalog.Relation](), reflect.TypeFor[catalog.Column](),
		reflect.TypeFor[catalog.TypeRef](), reflect.TypeFor[catalog.Expr](), reflect.TypeFor[catalog.Bound](),
		reflect.TypeFor[catalog.PartitionKey](), reflect.TypeFor[catalog.Query](), reflect.TypeFor[catalog.SequenceAttrs](),
		reflect.TypeFor[catalog.IndexAttrs](), reflect.TypeFor[catalog.IndexKey](), reflect.TypeFor[catalog.Constraint](),
		reflect.TypeFor[catalog.Type](), reflect.TypeFor[catalog.Func](), reflect.TypeFor[catalog.FuncArg](),
		reflect.TypeFor[catalog.Trigger](), reflect.TypeFor[catalog.Rule](), reflect.TypeFor[catalog.Policy](),
		reflect.TypeFor[catalog.Extension](), reflect.TypeFor[catalog.Other](), reflect.TypeFor[catalog.Grant](),
		reflect.TypeFor[catalog.Address](),
	}
}

// TestModelledIsComplete: every struct declared in object.go is in the list above.
func TestModelledIsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "object.go"), nil, 0)
	require.NoError(t, err)
	var known []string
	for _, typ := range modelled() {
		known = append(known, typ.Name())
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if _, isStruct := spec.Type.(*ast.StructType); isStruct {
				require.Contains(t, known, spec.Name.Name, "a struct of package catalog that the field tests do not know")
			}
		}
		return true
	})
}

// TestEveryFieldIsCompared: for every field of every struct there is a statement in the suite after which emptying that
// field, in one object of our catalog, shows up as a difference. So no field can be left out of the comparison.
func TestEveryFieldIsCompared(t *testing.T) {
	missing := map[string]bool{}
	exempt := notCompared()
	for _, typ := range modelled() {
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := typ.Name() + "." + f.Name
			switch {
			case !f.IsExported():
			case exempt[key] != "":
				delete(exempt, key)
			case f.Name == "OID" && f.Type == reflect.TypeFor[catalog.OID]() && typ != reflect.TypeFor[catalog.TypeRef]() && typ != reflect.TypeFor[catalog.Address]():
				// The identity itself; references to it are compared.
			default:
				missing[key] = true
			}
		}
	}
	require.Empty(t, exempt, "exemptions for fields that do not exist")

	files, err := filepath.Glob("testdata/*.sql")
	require.NoError(t, err)
	m := mutator{missing: missing, tried: map[string]int{}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, script := range ParseScripts(string(text)) {
			cat := catalog.New(catalog.Config{Version: script.Since})
			for _, sql := range script.Statements {
				if _, e := apply(cat, sql); e == nil {
					m.mutate(cat)
				}
			}
		}
	}
	var left []string
	for key := range missing {
		left = append(left, fmt.Sprintf("%s (tried %d times)", key, m.tried[key]))
	}
	slices.Sort(left)
	require.Empty(t, left, "fields that nothing in the suite compares")
}

// mutator empties fields and looks whether the snapshots notice.
type mutator struct {
	missing map[string]bool
	tried   map[string]int
}

const attempts = 40 // at a field, before it is given up as not noticed

func (m *mutator) mutate(cat *catalog.Catalog) {
	if len(m.missing) == 0 {
		return
	}
	w := ourWorld(cat)
	var want *Snapshot
	notices := func() bool {
		if want == nil {
			want = ourWorld(cat).snapshot()
		}
		return len(diff(want, w.snapshot())) > 0
	}
	for oid, o := range w.objects {
		if w.isBuiltin(o) || w.members[oid] {
			continue
		}
		v := reflect.ValueOf(o).Elem()
		if !m.interesting(v) {
			continue
		}
		clone := deepCopy(reflect.ValueOf(o))
		w.objects[oid] = clone.Interface().(catalog.Object)
		m.fields(clone.Elem(), notices)
		w.objects[oid] = o
	}
	for _, to := range w.grants {
		for _, g := range to {
			m.fields(reflect.ValueOf(g).Elem(), notices)
		}
	}
}

// fields empties each field below v that is still missing.
func (m *mutator) fields(v reflect.Value, notices func() bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !isTree(v.Type()) {
			m.fields(v.Elem(), notices)
		}
	case reflect.Slice:
		for i := range v.Len() {
			m.fields(v.Index(i), notices)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			key := v.Type().Name() + "." + f.Name
			field := v.Field(i)
			if m.missing[key] && !field.IsZero() && m.tried[key] < attempts {
				old := reflect.New(field.Type()).Elem()
				old.Set(field)
				field.SetZero()
				m.tried[key]++
				if noticed(notices) {
					delete(m.missing, key)
				}
				field.Set(old)
			}
			m.fields(field, notices)
		}
	}
}

// noticed counts a crash of the printer as noticing: it means that the object was unusable without the field.
func noticed(notices func() bool) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = true
		}
	}()
	return notices()
}

// interesting tells whether anything below v is still missing and set.
func (m *mutator) interesting(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && !isTree(v.Type()) && m.interesting(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if m.interesting(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := v.Type().Name() + "." + f.Name
			if f.IsExported() && (m.missing[key] && !v.Field(i).IsZero() && m.tried[key] < attempts || m.interesting(v.Field(i))) {
				return true
			}
		}
	}
	return false
}

// isTree tells parse trees, which are values to this test.
func isTree(t reflect.Type) bool {
	return t == reflect.TypeFor[*pgast.Node]() || t == reflect.TypeFor[*pgast.RuleStmt]() || t == reflect.TypeFor[*pgast.PartitionBoundSpec]()
}

// deepCopy copies what v points to, parse trees excepted.
func deepCopy(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || isTree(v.Type()) {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(deepCopy(v.Elem()))
		return p
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			s.Index(i).Set(deepCopy(v.Index(i)))
		}
		return s
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(deepCopy(v.Field(i)))
			}
		}
		return c
	}
	return v
}
