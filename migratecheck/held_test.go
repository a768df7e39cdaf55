package migratecheck

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// manyInserts is a history whose pending file has n INSERTs in one transaction.
func manyInserts(n int) *fixture {
	f := newFixture()
	f.add("schema", "CREATE TABLE repo (id integer PRIMARY KEY, name text);")
	var b strings.Builder
	b.WriteString("-- +brant Up\nALTER TABLE repo ADD COLUMN n integer;\n")
	for i := range n {
		fmt.Fprintf(&b, "INSERT INTO repo (id, name) VALUES (%d, 'x');\n", i)
	}
	f.add("0002_change.sql", b.String())
	return f
}

// run walks a fixture with one more rule.
func (f *fixture) run(t testing.TB, step func(*Step)) {
	p := &Pending{Known: true, Released: map[string]string{}}
	for _, name := range f.released {
		p.Released[name] = string(f.files[name].Data)
	}
	sets, err := source.Config{Format: f.tool}.Discover(f.files, ".")
	require.NoError(t, err)
	r := newRun(&Config{}, &sets[0], p)
	r.stepRules = append(r.stepRules, &Rule{ID: "test", Severity: Info, Step: step})
	require.True(t, r.walk(catalog.New(catalog.Config{}), false))
}

// TestLongTransaction: what the rules see of the statements before does not grow with their number, or a file of a
// hundred thousand would take hours.
func TestLongTransaction(t *testing.T) {
	seen, largest := 0, 0
	manyInserts(20_000).run(t, func(s *Step) {
		h := &s.Tx.held
		seen++
		largest = max(largest, len(h.exclusive)+len(h.locked)+len(h.labels)+len(h.scanned)+len(h.notValid))
	})
	require.Equal(t, 20_001, seen)
	require.Equal(t, 2, largest, "the table that ALTER TABLE has locked, in its list and its set")
}

// BenchmarkLongTransaction: the time for a statement is the same in a long transaction as in a short one.
func BenchmarkLongTransaction(b *testing.B) {
	for _, n := range []int{1_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := manyInserts(n)
			b.ResetTimer()
			for b.Loop() {
				f.run(b, func(*Step) {})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/statement")
		})
	}
}
