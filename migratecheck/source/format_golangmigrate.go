package source

import (
	"strconv"
	"strings"
)

// golangMigrateFormat reads golang-migrate's files (golang-migrate/migrate v4.20.1, source/parse.go): each is sent to
// the server as it is, in one message, so that its statements are one implicit transaction (database/postgres, Run;
// x-multi-statement is off unless asked for).
func golangMigrateFormat() Format {
	return Format{
		Name:  "golang-migrate",
		About: "N_name.up.sql and N_name.down.sql, each sent as one text",
		ext:   ".sql",
		claim: func(name, _ string) claim {
			if _, ok := golangMigrateName(name); ok {
				return claimName
			}
			return claimNone
		},
		name:    golangMigrateName,
		read:    func(f *File) script { return readWhole(f, "golang-migrate") },
		compare: byNumber,
	}
}

// golangMigrateName is the tool's ^([0-9]+)_(.*)\.(down|up)\.(.*)$ for files that end in .sql.
func golangMigrateName(name string) (named, bool) {
	base, ok := strings.CutSuffix(name, ".sql")
	if !ok {
		return named{}, false
	}
	number := digits(base)
	rest, ok := strings.CutPrefix(base[len(number):], "_")
	if !ok || number == "" {
		return named{}, false
	}
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return named{}, false
	}
	if title, ok := strings.CutSuffix(rest, ".up"); ok {
		return named{version: number, title: title}, true
	}
	if title, ok := strings.CutSuffix(rest, ".down"); ok {
		return named{version: number, title: title, down: true}, true
	}
	return named{}, false
}

// readWhole makes one statement of a whole file.
func readWhole(f *File, tool string) script {
	out := script{downAt: -1}
	out.up.Gaps = bomGap(f, tool)
	start := f.body()
	if strings.TrimSpace(f.Text[start:]) != "" {
		out.up.Statements = []Statement{newStatement(f, start, len(f.Text))}
	}
	return out
}

// bomGap is for the tools that send the byte order mark to the server with the SQL, which takes it for the beginning
// of a word (src/backend/parser/scan.l, ident_start: every byte above 127).
func bomGap(f *File, tool string) []Gap {
	if f.body() == 0 {
		return nil
	}
	return []Gap{{
		Pos: f.Position(0), Refused: true,
		Reason: tool + " sends the file's byte order mark to the server, which refuses it; save the file without",
	}}
}
