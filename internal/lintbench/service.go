package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeService makes a git repository of a service at two versions, the older one tagged v1: a history of migrations, the
// last two of which are pending, and packages of ten query sites each in the proportions of SourceHut's services (raw
// literals, squirrel chains, a few wrappers). One pending migration adds a column, which a tenth of the new sites use, the
// other drops one that some of the old ones read. The same seed gives the same files.
func writeService(dir string, sites, migrations int, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, seed))
	tables := max(1, migrations/3)
	files := map[string]string{
		"go.mod": "module example.org/service\n\ngo 1.25\n\nrequire github.com/Masterminds/squirrel v1.5.4\n",
	}
	for i := 1; i <= migrations-2; i++ {
		t := (i - 1) % tables
		text := fmt.Sprintf("ALTER TABLE thing_%d ADD COLUMN extra_%d text;\n", t, i)
		if i <= tables {
			text = fmt.Sprintf("CREATE TABLE thing_%d (\n\tid serial PRIMARY KEY,\n\towner_id integer NOT NULL,\n\tname varchar NOT NULL,\n\tcreated timestamp NOT NULL DEFAULT now(),\n\tnote text,\n\tUNIQUE (owner_id, name)\n);\n", t)
		}
		files[fmt.Sprintf("migrations/%04d_change.sql", i)] = "-- +brant Up\n" + text
	}
	writeSites(files, r, sites, tables, "note")
	if err := commitService(dir, files); err != nil {
		return err
	}
	var add, drop strings.Builder
	for t := range tables {
		fmt.Fprintf(&add, "ALTER TABLE thing_%d ADD COLUMN summary text;\n", t)
		fmt.Fprintf(&drop, "ALTER TABLE thing_%d DROP COLUMN note;\n", t)
	}
	files[fmt.Sprintf("migrations/%04d_change.sql", migrations-1)] = "-- +brant Up\n" + add.String()
	files[fmt.Sprintf("migrations/%04d_change.sql", migrations)] = "-- +brant Up\n" + drop.String()
	writeSites(files, rand.New(rand.NewPCG(seed, seed)), sites, tables, "summary")
	return writeFiles(dir, files)
}

// writeSites writes the Go files; column is read or written by a tenth of the sites.
func writeSites(files map[string]string, r *rand.Rand, sites, tables int, column string) {
	for p := 0; 10*p < sites; p++ {
		var b strings.Builder
		fmt.Fprintf(&b, "package part%d\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n\n\tsq \"github.com/Masterminds/squirrel\"\n)\n", p)
		fmt.Fprintf(&b, "\nfunc exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {\n\t_, err := tx.ExecContext(ctx, query, args...)\n\treturn err\n}\n")
		for i := range min(10, sites-10*p) {
			name, t := "name", r.IntN(tables)
			if i == 0 {
				name = column
			}
			fmt.Fprintf(&b, "\nfunc site%d(ctx context.Context, tx *sql.Tx, id int, text string) error {\n", i)
			switch r.IntN(8) {
			case 0, 1:
				fmt.Fprintf(&b, "\tvar got sql.NullString\n\treturn tx.QueryRowContext(ctx, `\n\t\tSELECT t.%s\n\t\tFROM thing_%d t\n\t\tWHERE t.id = $1\n\t`, id).Scan(&got)\n", name, t)
			case 2:
				fmt.Fprintf(&b, "\t_, err := tx.ExecContext(ctx, `UPDATE thing_%d SET %s = $1 WHERE id = $2`, text, id)\n\treturn err\n", t, name)
			case 3:
				fmt.Fprintf(&b, "\t_, err := tx.ExecContext(ctx, `\n\t\tINSERT INTO thing_%d (owner_id, name, %s) VALUES ($1, $2, $3)\n\t\tON CONFLICT (owner_id, name) DO NOTHING\n\t`, id, text, text)\n\treturn err\n", t, map[bool]string{true: "created", false: name}[name == "name"])
			case 4:
				fmt.Fprintf(&b, "\treturn exec(ctx, tx, `DELETE FROM thing_%d WHERE owner_id = $1 AND %s = $2`, id, text)\n", t, name)
			default:
				fmt.Fprintf(&b, "\tq := sq.Select(\"t.id\", \"t.%s\").From(\"thing_%d t\").PlaceholderFormat(sq.Dollar)\n\tif text != \"\" {\n\t\tq = q.Where(\"t.name = ?\", text)\n\t}\n", name, t)
				fmt.Fprintf(&b, "\tvar got sql.NullString\n\treturn q.Where(sq.Eq{\"t.owner_id\": id}).OrderBy(\"t.created DESC\").Limit(25).RunWith(tx).QueryRowContext(ctx).Scan(&id, &got)\n")
			}
			b.WriteString("}\n")
		}
		files[fmt.Sprintf("part%d/part.go", p)] = b.String()
	}
}

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// commitService writes files as the first commit of a new repository, tagged v1, with one more after it.
func commitService(dir string, files map[string]string) error {
	if err := writeFiles(dir, files); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "v1"}, {"tag", "v1"}, {"commit", "-q", "--allow-empty", "-m", "next"}} {
		cmd := exec.Command("git", append([]string{"-c", "user.name=bench", "-c", "user.email=bench@localhost"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}
