package sqlquery

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLoad reads a service of 300 query sites in 30 packages: texts, builders, wrappers and models, with everything
// that surrounds them in a service of that size.
func BenchmarkLoad(b *testing.B) {
	var tree strings.Builder
	tree.WriteString("-- go.mod --\nmodule svc\n\ngo 1.25.0\n")
	tree.WriteString("-- db/db.go --\npackage db\n\nimport \"database/sql\"\n\ntype DB struct{ D *sql.DB }\n\nfunc (d *DB) Exec(q string, args ...any) error {\n\t_, err := d.D.Exec(q, args...)\n\treturn err\n}\n")
	for p := range 30 {
		fmt.Fprintf(&tree, "-- p%d/p.go --\npackage p%d\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n\t\"errors\"\n\t\"strings\"\n\n\tsq \"github.com/Masterminds/squirrel\"\n\t\"svc/db\"\n)\n\n", p, p)
		for f := range 4 {
			fmt.Fprintf(&tree, "func read%d(ctx context.Context, tx *sql.Tx, id int) (string, error) {\n\tvar name string\n\terr := tx.QueryRowContext(ctx, `\n\t\tSELECT name FROM t%d\n\t\tWHERE id = $1`, id).Scan(&name)\n\tif errors.Is(err, sql.ErrNoRows) {\n\t\treturn \"\", nil\n\t}\n\treturn name, err\n}\n\n", f, f)
			fmt.Fprintf(&tree, "func write%d(d *db.DB, names []string) error {\n\tfor _, n := range names {\n\t\tif err := d.Exec(\"INSERT INTO t%d (name) VALUES ($1)\", strings.ToLower(n)); err != nil {\n\t\t\treturn err\n\t\t}\n\t}\n\treturn nil\n}\n\n", f, f)
		}
		for f := range 2 {
			fmt.Fprintf(&tree, "func list%d(tx *sql.Tx, owner *int) (*sql.Rows, error) {\n\tq := sq.Select(\"id\", \"name\").From(\"t%d\").Where(sq.Eq{\"deleted\": nil})\n\tif owner != nil {\n\t\tq = q.Where(\"owner = ?\", *owner)\n\t}\n\treturn q.OrderBy(\"id\").RunWith(tx).Query()\n}\n\n", f, f)
		}
		for f := range 60 { // what a service does besides
			fmt.Fprintf(&tree, "func other%d(in []string) map[string]int {\n\tout := map[string]int{}\n\tfor i, s := range in {\n\t\tif s = strings.TrimSpace(s); s == \"\" {\n\t\t\tcontinue\n\t\t}\n\t\tswitch {\n\t\tcase i > 5:\n\t\t\tout[s]++\n\t\tdefault:\n\t\t\tout[s+s] = i\n\t\t}\n\t}\n\treturn out\n}\n\n", f)
		}
	}
	dir := b.TempDir()
	writeTree(b, dir, tree.String())
	for b.Loop() {
		t, err := Load(context.Background(), Config{Dir: dir, Env: []string{"HOME=" + dir}})
		if err != nil {
			b.Fatal(err)
		}
		if len(t.Sites) != 300 {
			b.Fatalf("%d sites", len(t.Sites))
		}
	}
}
