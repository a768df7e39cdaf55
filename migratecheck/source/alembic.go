package source

import (
	"errors"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/alembic"
)

// readAlembic reads the revisions among files. The others are read for what revisions take from them: an env.py for
// how it sets transactions, a Python file beside a revision for what that imports of it.
func readAlembic(files []File) ([]Migration, error) {
	in := make([]alembic.File, len(files))
	for i := range files {
		in[i] = alembic.File{Path: files[i].Path, Text: files[i].Text}
	}
	revisions, err := alembic.Read(in)
	err = alembicProblems(files, err)
	last := 0
	for i := range revisions {
		for _, s := range revisions[i].Up.Statements {
			last = max(last, s.Tx)
		}
	}
	out := make([]Migration, len(revisions))
	for i, r := range revisions {
		out[i] = Migration{
			Tool: "alembic", Version: r.ID, Name: r.Message, File: files[r.File].Path,
			Up: alembicScript(files, r.Up, 0), Down: alembicScript(files, r.Down, last), HasDown: r.HasDown, NoWayBack: r.NoWayBack,
		}
	}
	return out, err
}

// alembicScript turns one direction of a revision into a Script; firstTx is added to its transactions' numbers.
func alembicScript(files []File, in alembic.Script, firstTx int) Script {
	var out Script
	for _, s := range in.Statements {
		f := &files[s.File]
		pieces := make([]piece, len(s.Pieces))
		for i, p := range s.Pieces {
			pieces[i] = piece{Offset: p.Offset, At: p.At, Linear: p.Linear}
		}
		stmt := newPieced(f, s.SQL, pieces)
		if s.Tx > 0 {
			stmt.Tx = s.Tx + firstTx
		}
		for _, ignore := range s.Ignores {
			stmt.Ignores = append(stmt.Ignores, alembicIgnore(files, ignore))
		}
		if mayIgnore(s.SQL) {
			out.StrayIgnores = append(out.StrayIgnores, attachInner(&stmt)...)
		}
		out.Statements = append(out.Statements, stmt)
	}
	for _, g := range in.Gaps {
		gap := Gap{Pos: files[g.File].Position(g.At), Reason: g.Reason, Source: g.Source, Refused: g.Refused}
		for _, ignore := range g.Ignores {
			gap.Ignores = append(gap.Ignores, alembicIgnore(files, ignore))
		}
		out.Gaps = append(out.Gaps, gap)
	}
	for _, ignore := range in.StrayIgnores {
		out.StrayIgnores = append(out.StrayIgnores, alembicIgnore(files, ignore))
	}
	return out
}

// alembicProblems makes Problems of the errors that alembic.Read joined.
func alembicProblems(files []File, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var out []error
	for _, e := range joined.Unwrap() {
		var at *alembic.Error
		if errors.As(e, &at) {
			e = &Problem{Pos: Position{File: files[at.File].Path, Line: at.Line, Column: at.Column}, Reason: at.Reason, Err: e}
		}
		out = append(out, e)
	}
	return errors.Join(out...)
}

func alembicIgnore(files []File, in alembic.Ignore) Ignore {
	return Ignore{Rules: in.Rules, Reason: in.Reason, Pos: files[in.File].Position(in.At), Offset: -1}
}

// attachInner gives a statement the suppression comments that stand in its SQL, and returns those that govern nothing.
func attachInner(s *Statement) []Ignore {
	inner := NewFile(s.file.Path, s.SQL)
	own := script{up: Script{Statements: []Statement{newStatement(&inner, 0, len(s.SQL))}}, downAt: -1}
	attachIgnores(&inner, &own)
	place := func(in []Ignore) []Ignore {
		for i := range in {
			in[i].Pos = s.Position(inner.Offset(in[i].Pos))
		}
		return in
	}
	s.Ignores = append(s.Ignores, place(own.up.Statements[0].Ignores)...)
	return place(own.up.StrayIgnores)
}
