package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// writeCorpus writes files migrations of a growing schema, about ten statements each, the kinds mixed as in long-lived
// services: many columns, indexes and constraints, a few tables, some changes of rows. The same seed gives the same
// files. It returns the number of statements.
func writeCorpus(dir string, files int, seed uint64) (statements int, err error) {
	r := rand.New(rand.NewPCG(seed, seed))
	var tables []string
	columns := map[string][]string{}
	name := func(prefix string) string { return fmt.Sprintf("%s_%d", prefix, r.IntN(1_000_000)) }
	for i := 1; i <= files; i++ {
		var b strings.Builder
		b.WriteString("-- +brant Up\nSET LOCAL lock_timeout = '2s';\n")
		n := 1
		add := func(format string, args ...any) {
			fmt.Fprintf(&b, format+"\n", args...)
			n++
		}
		for range 8 + r.IntN(4) {
			if len(tables) == 0 || r.IntN(12) == 0 {
				t := name("table")
				if columns[t] != nil {
					continue
				}
				add("CREATE TABLE %s (\n\tid serial PRIMARY KEY,\n\tcreated timestamp without time zone NOT NULL DEFAULT now(),\n\tname character varying(255) NOT NULL,\n\tsize bigint DEFAULT 0,\n\tCONSTRAINT %s_name_unique UNIQUE (name)\n);", t, t)
				tables = append(tables, t)
				columns[t] = []string{"created", "name", "size"}
				continue
			}
			t := tables[r.IntN(len(tables))]
			col := columns[t][r.IntN(len(columns[t]))]
			switch r.IntN(10) {
			case 0, 1, 2:
				c := name("col")
				add("ALTER TABLE %s ADD COLUMN %s %s;", t, c, []string{"text", "integer NOT NULL DEFAULT 0", "boolean DEFAULT false", "uuid", "timestamptz"}[r.IntN(5)])
				columns[t] = append(columns[t], c)
			case 3, 4:
				add("CREATE INDEX %s ON %s (%s);", name("idx"), t, col)
			case 5:
				add("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", t, name("chk"), col)
			case 6:
				c, ref := name("ref"), tables[r.IntN(len(tables))]
				add("ALTER TABLE %s ADD COLUMN %s integer REFERENCES %s (id) ON DELETE CASCADE;", t, c, ref)
				columns[t] = append(columns[t], c)
			case 7:
				add("UPDATE %s SET size = size + 1 WHERE id BETWEEN %d AND %d;", t, r.IntN(1000), 1000+r.IntN(1000))
			case 8:
				add("COMMENT ON COLUMN %s.%s IS 'set by %s, see the release notes';", t, col, name("job"))
			case 9:
				add("ALTER TABLE %s ALTER COLUMN size SET DEFAULT %d;", t, r.IntN(100))
			}
		}
		statements += n
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d_change.sql", i)), []byte(b.String()), 0o644); err != nil {
			return 0, err
		}
	}
	return statements, nil
}
