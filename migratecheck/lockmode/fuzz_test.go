package lockmode

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// FuzzAnalyze: no script makes Analyze fail or hang, whether its statements can be applied or not.
func FuzzAnalyze(f *testing.F) {
	for _, e := range entries() {
		f.Add(e.setup+e.example, true)
	}
	f.Add("CREATE VIEW a AS SELECT 1 AS x; CREATE VIEW b AS SELECT * FROM a; CREATE OR REPLACE VIEW a AS SELECT * FROM b; LOCK a; SELECT * FROM a", false)
	base, err := applied(catalog.Config{}, Schema)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, script string, open bool) {
		stmts, _ := pgast.ParseEach(script)
		c := base.Clone()
		c.Open = open
		for _, stmt := range stmts {
			if stmt.Node == nil {
				continue
			}
			for version := FirstVersion; version <= LastVersion; version++ {
				if _, err := Analyze(version, c, stmt); err != nil {
					t.Fatal(err)
				}
			}
			// What cannot be applied is analyzed all the same.
			_, _ = c.Apply(stmt)
		}
	})
}
