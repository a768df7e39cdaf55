package migratecheck

var ruleDownCannotRun = &Rule{
	ID: "down-cannot-run", Category: Itself, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A statement of the Down section fails on the schema that the Up section leaves.",
		Why:        "The release cannot be taken back when that is what is needed, at the worst moment to find out.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN notes;",
		Good:       "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN note;",
		Exceptions: "Silent where the catalog is open (unknown beginnings) and for parts that are not understood. Only the first failing statement of a transaction is reported: the others do not run.",
		Versions:   "All.",
		Source:     "git.sr.ht's 0004: its Down refers to a table that it creates only further down.",
	},
	Step: func(s *Step) {
		if !s.Down || !s.fails() || s.Err.Code == "25001" {
			return
		}
		help := failureHelp(s.Err)
		if isMissing(s.Err) {
			help = "Check the name and the order: a Down section undoes the statements of Up from the last to the first."
		}
		s.Report("the Down section fails here: "+failureMessage(s.Err), help)
	},
	File: func(f *File) {
		for _, gap := range f.refusals(&f.Migration.Down) {
			f.reportGap(gap, "the Down section fails here: "+gap.Reason, "Correct the file: a roll-back stops here.")
		}
	},
}
