package query

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestChecks compares the list with the files.
func TestChecks(t *testing.T) {
	files, err := filepath.Glob("check_*.go")
	require.NoError(t, err)
	inFiles := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^var check\w+ = &Check\{\n\tID:\s+"([a-z-]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		m := declared.FindAllStringSubmatch(string(text), -1)
		require.Len(t, m, 1, file)
		assert.Equal(t, "check_"+strings.ReplaceAll(m[0][1], "-", "_")+".go", file)
		inFiles[m[0][1]] = true
	}
	list := Checks()
	var ids []string
	for _, c := range list {
		assert.True(t, inFiles[c.ID], c.ID)
		delete(inFiles, c.ID)
		ids = append(ids, c.ID)
		assert.NotEmpty(t, c.Catches, c.ID)
		assert.NotEmpty(t, c.Source, c.ID)
		assert.NotEmpty(t, c.Rules, c.ID)
		assert.NotZero(t, c.Asks, c.ID)
		assert.True(t, slices.IsSorted(c.Rules), c.ID)
	}
	assert.Empty(t, inFiles)
	assert.True(t, slices.IsSorted(ids[:len(ids)-1]), "sorted but for the last")
	assert.Equal(t, "refused", ids[len(ids)-1])
}

// TestEveryCheckFindsSomething: each check has a fixture that it alone finds, so that without it the fixtures fail.
func TestEveryCheckFindsSomething(t *testing.T) {
	found := map[string]int{}
	files, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	for _, file := range files {
		var from, to *catalog.Catalog
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			judge := func(b *Bound) Verdict { return b.On(to) }
			switch d.Cmd {
			case "schema":
				from = catalog.New(catalog.Config{Open: d.HasArg("open")})
				apply(t, from, d.Input)
				to = from
				return d.Expected
			case "migrate":
				to = from.Clone()
				apply(t, to, d.Input)
				return d.Expected
			case "between":
				judge = func(b *Bound) Verdict { return b.Between(from, to) }
			}
			b := Parse(site(t, d))
			for _, p := range judge(b).Problems {
				found[p.Check]++
				without := judge(b.Without(p.Check))
				assert.False(t, slices.ContainsFunc(without.Problems, func(q Problem) bool { return q.Offset == p.Offset && q.Code == p.Code && q.Check == p.Check }), d.Pos)
			}
			return d.Expected
		})
	}
	for _, c := range Checks() {
		assert.NotZero(t, found[c.ID], "no fixture of %s", c.ID)
	}
}
