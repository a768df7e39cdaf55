package migratecheck

import "fmt"

var ruleCodeWithMigration = &Rule{
	ID: "code-with-migration", Category: Hygiene, Severity: Warning,
	Doc: Doc{
		Summary:    "A pending migration was committed together with code.",
		Why:        "What is committed together is reviewed, released and reverted together: the code that needs the new schema cannot follow one release later, nor the migration that the old code cannot bear, and reverting the code takes the migration along.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "-- file 0002_change.sql (with api/resolver.go)\nALTER TABLE repo ADD COLUMN note text;",
		Good:       "-- file 0002_change.sql (with schema.sql)\nALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Code is every file in a programming language but tests, and files beside the migrations. A migration that is not committed yet is looked at with all else that is not. Silent without git. In go vet what is not committed is asked again only when the migrations or their package change; srhtvet lint always asks.",
		Versions:   "All.",
		Source:     "hub.sr.ht e76439d renamed a column of three tables in the commit that changed its code.",
	},
	File: func(f *File) {
		list := f.Run.Pending.companions[f.Migration.File]
		if len(list) == 0 {
			return
		}
		more := ""
		if len(list) > 1 {
			more = fmt.Sprintf(" and %d more", len(list)-1)
		}
		f.Report(fmt.Sprintf("committed together with code (%s%s): neither can be released, or taken back, without the other", list[0], more),
			"Commit the migration by itself: before the code when it adds something, a release after the code when it takes something away.")
	},
}
