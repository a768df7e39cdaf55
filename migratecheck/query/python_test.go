package query

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPythonValues has SQLAlchemy load and store values of each of its types in columns of each of the server's: python_values.tsv
// is what it answers. (To write it anew: python3 python_values.py DSN >python_values.tsv.)
func TestPythonValues(t *testing.T) {
	python := need.Python(t, "sqlalchemy", "psycopg2")
	cmd := exec.Command(python, "-W", "ignore", "python_values.py", pgtest.Shared(t, pgtest.Config{}).Database(t))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	assert.Equal(t, string(out), pythonValues)
}

// pythonKinds are the kinds of what the types of the table bind, as package sqlalchemy says them.
var pythonKinds = map[string]GoKind{"Integer": Int, "Numeric": Float, "Float": Float, "Boolean": Bool, "String": String, "DateTime": Time,
	"Date": Time, "Time": Time, "LargeBinary": Bytes, "UUID": UUID, "ARRAY": List, "Enum": String, "JSON": Custom}

// TestPythonFits: of each pair of types a model is found broken where the table says that every value is refused, and nowhere else.
func TestPythonFits(t *testing.T) {
	checked := 0
	for cell, fit := range pythonTable() {
		typ := strings.NewReplacer("[]", "text[]", "enum", "letter").Replace(cell.theirs)
		cat := catalog.New(catalog.Config{})
		apply(t, cat, fmt.Sprintf("CREATE TYPE letter AS ENUM ('a', 'b'); CREATE TABLE t (id serial PRIMARY KEY, v %s)", typ))
		g := GoType{Name: "sa." + cell.ours, SQLAlchemy: cell.ours, Kind: pythonKinds[cell.ours]}
		broken := func(v Variant) bool {
			s := &Site{Lang: "python", Kind: Model, Status: Static, Variants: []Variant{v}}
			verdict := Parse(s).On(cat)
			assert.Empty(t, verdict.Unknown)
			assert.LessOrEqual(t, len(verdict.Problems), 1, "%v", verdict.Problems)
			return len(verdict.Problems) > 0
		}
		if fit[0] != pyMay {
			checked++
			scan := &Scan{Kind: ByName, Extra: true, Dests: []Dest{{Name: "v", Type: GoType{Name: g.Name, SQLAlchemy: cell.ours, Kind: Custom, Nullable: true}}}}
			assert.Equal(t, fit[0] == pyFails, broken(Variant{SQL: "SELECT t.v FROM t", Scan: scan}), "%v is read", cell)
		}
		if fit[1] != pyMay {
			checked++
			assert.Equal(t, fit[1] == pyFails, broken(Variant{SQL: "INSERT INTO t (v) VALUES ($1)", Args: []GoType{g}}), "%v is written", cell)
		}
	}
	assert.Greater(t, checked, 400)
	assert.Equal(t, len(pythonColumns)+2, len(pythonTable())/len(slices.Compact(ours())), "a row for each type")
}

// ours lists the SQLAlchemy types of the table, sorted.
func ours() []string {
	var list []string
	for cell := range pythonTable() {
		list = append(list, cell.ours)
	}
	slices.Sort(list)
	return list
}
