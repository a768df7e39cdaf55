package query

import (
	"path/filepath"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestMemory: what a site remembers of earlier schemas is what it would say anew, on every schema of a history and in any
// order. The histories are the fixtures' migrations, statement by statement; the sites all of a fixture's queries.
func TestMemory(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	remembered := 0
	for _, file := range files {
		var schemas []*catalog.Catalog
		var sites []*Site
		check := func() {
			for _, site := range sites {
				b := Parse(site)
				for i := range 2 * len(schemas) {
					cat := schemas[min(i, 2*len(schemas)-1-i)] // there and back
					require.Equal(t, Parse(site).On(cat), b.On(cat), site.Variants)
					require.Equal(t, Parse(site).Between(schemas[0], cat), b.Between(schemas[0], cat), site.Variants)
				}
				for i := range b.memos {
					distinct := map[*memo]bool{}
					for _, m := range b.memos[i].at {
						distinct[m] = true
					}
					remembered += len(b.memos[i].at) - len(distinct)
				}
			}
			schemas, sites = nil, nil
		}
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				check()
				c := catalog.New(catalog.Config{Open: d.HasArg("open")})
				apply(t, c, d.Input)
				schemas = []*catalog.Catalog{c}
			case "migrate":
				c := schemas[0].Clone() // migrations of a fixture do not follow each other
				stmts, err := pgast.Parse(d.Input)
				require.NoError(t, err)
				for _, stmt := range stmts {
					_, err := c.Apply(stmt)
					require.NoError(t, err)
					schemas = append(schemas, c.Clone())
				}
			default:
				sites = append(sites, site(t, d))
			}
			return d.Expected
		})
		check()
	}
	require.NotZero(t, remembered)
	t.Logf("%d readings remembered", remembered)
}
