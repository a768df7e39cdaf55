package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleNarrowColumnType = &Rule{
	ID: "narrow-column-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column changes to a type that holds less: shorter, smaller or coarser.",
		Why:        "Old code goes on writing values that no longer fit and gets errors (22001, 22003); values already there make the migration fail, or are rounded and lost.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, description varchar(1024));",
		Bad:        "ALTER TABLE repo ALTER COLUMN description TYPE varchar(256);",
		Good:       "ALTER TABLE repo ALTER COLUMN description TYPE varchar(2048);",
		Exceptions: "Silent for a column that the pending change adds. Columns swapped for narrower ones count (see change-column-type).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET DATA TYPE; chapter 8, Data Types.",
	},
	File: func(f *File) {
		for _, r := range f.retypedColumns() {
			if !narrows(r.from, r.to) {
				continue
			}
			s := r.step
			help := "Ship code that only writes values that fit first, and repair the old rows; then keep the type as it is and let a CHECK constraint say what fits."
			if fits := fitsCheck(r.old.Name, r.from, r.to); fits != "" && r.table.Kind != catalog.CompositeRel {
				help = fmt.Sprintf("Split it over releases:\nrelease 1: ship code that only writes values that fit; then repair the old rows:\nSELECT count(*) FROM %[1]s WHERE NOT (%[3]s);\nrelease 2, when no older code runs: leave the type as it is (to narrow it rewrites the table) and say it by a CHECK, validated in a later migration:\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s CHECK (%[3]s) NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;",
					s.sqlName(r.table.OID), quoteIdent(r.table.Name+"_"+r.old.Name+"_fits"), fits)
			}
			f.ReportStepAt(s, r.at, Error,
				fmt.Sprintf("narrows %s.%s from %s to %s: released code still writes values that do not fit, and one that is there already makes the migration fail or is cut", s.Name(r.table.OID), r.old.Name, r.from, r.to), help)
		}
	},
}

// fitsCheck is the condition that a value of the column fits the type; "" where a cast that may fail is the only way to tell.
func fitsCheck(column, from, to string) string {
	c := quoteIdent(column)
	base, mods := splitType(to)
	fromBase, _ := splitType(from)
	switch {
	case isText(base) && base == to[:len(base)] && len(mods) == 1:
		return fmt.Sprintf("char_length(%s) <= %d", c, mods[0])
	case base == "smallint":
		return c + " BETWEEN -32768 AND 32767"
	case base == "integer":
		return c + " BETWEEN -2147483648 AND 2147483647"
	case base == fromBase && base == "numeric" && len(mods) > 0 && mods[0] > scale(mods):
		return fmt.Sprintf("abs(%s) < 1e%d AND %[1]s = round(%[1]s, %[3]d)", c, mods[0]-scale(mods), scale(mods))
	case base == fromBase && len(mods) == 1 && (strings.HasPrefix(base, "time") || base == "interval"):
		return fmt.Sprintf("%s = %[1]s::%s", c, to) // which rounds
	}
	return ""
}
