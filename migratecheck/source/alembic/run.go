package alembic

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// run is one run of upgrade(), downgrade() or a module's top level; it collects what the code sends.
type run struct {
	h      *history
	script *Script // nil at a module's top level
	seen   map[gapKey]bool
	used   map[usedIgnore]bool
	tx     *transaction
	names  convention
	enums  map[string]bool // the enum types that create_table has created in this run
}

type gapKey struct {
	file, at int
	reason   string
}

// transaction counts the transactions of one run over the history.
type transaction struct {
	last       int // the highest number given out
	current    int
	autocommit int // depth of autocommit_block
}

func (t *transaction) begin() { t.last++; t.current = t.last }

// command looks for a transaction command sent as SQL: behind a COMMIT each statement commits by itself, because the
// driver believes its transaction to be open and begins no other (psycopg2, connection.status).
func (t *transaction) command(sql string) {
	if len(sql) > 40 {
		return
	}
	switch strings.ToUpper(strings.Trim(sql, " \t\r\n;")) {
	case "COMMIT", "END", "COMMIT TRANSACTION", "COMMIT WORK", "ROLLBACK":
		t.current = 0
	case "BEGIN", "BEGIN TRANSACTION", "START TRANSACTION":
		if t.current == 0 {
			t.begin()
		}
	}
}

func (t *transaction) number() int {
	if t.autocommit > 0 {
		return 0
	}
	return t.current
}

// collecting is the run that x is part of, nil where nothing is collected: at a module's top level, in a class body.
func collecting(x *python.Interp) *run {
	if !x.Effects {
		return nil
	}
	return x.Host.(*run)
}

// Gap records code that is not understood, once for each place and reason.
func (r *run) Gap(x *python.Interp, n *python.Node, reason string, refused bool) {
	if !x.Effects {
		// At a module's top level, only what stops Python or may send SQL matters.
		if !x.Quiet && (refused || strings.Contains(x.Mod.Src(n), "op.")) {
			r.h.early[x.Mod] = append(r.h.early[x.Mod], Gap{File: x.Mod.File, At: n.Start, Reason: reason, Source: python.Shorten(x.Mod.Src(n)), Refused: refused})
		}
		return
	}
	g := Gap{File: x.Mod.File, At: n.Start, Reason: reason, Source: python.Shorten(x.Mod.Src(n)), Refused: refused}
	key := gapKey{g.File, g.At, reason}
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	g.Ignores = r.ignores(x)
	if len(x.Stack) == 0 || n.Start < x.Stack[len(x.Stack)-1].N.Start || n.End > x.Stack[len(x.Stack)-1].N.End {
		g.Ignores = append(g.Ignores, r.ignoresAt(x.Mod, n)...)
	}
	r.script.Gaps = append(r.script.Gaps, g)
}

// statement makes a Statement of SQL sent by the call n.
func (r *run) statement(x *python.Interp, n *python.Node, sql python.Text) Statement {
	x.Charge(sql)
	b := python.Builder{Home: python.Span{At: n.Start, Mod: x.Mod}}
	b.Add(sql)
	t := b.Text()
	s := Statement{SQL: t.S, File: x.Mod.File, Ignores: r.ignores(x)}
	for _, p := range t.P {
		if p.Mod != x.Mod {
			p.At, p.Linear = n.Start, false
		}
		if k := len(s.Pieces); k > 0 && !p.Linear && !s.Pieces[k-1].Linear && s.Pieces[k-1].At == p.At {
			continue
		}
		s.Pieces = append(s.Pieces, Piece{p.Off, p.At, p.Linear})
	}
	return s
}

// emit adds a statement to the script.
func emit(x *python.Interp, n *python.Node, sql python.Text) {
	r := collecting(x)
	if r == nil {
		early(x, n)
		return
	}
	if strings.TrimSpace(sql.S) == "" {
		x.Gap(n, "empty SQL, which the driver refuses", true)
		return
	}
	s := r.statement(x, n, sql)
	s.Tx = r.tx.number()
	r.script.Statements = append(r.script.Statements, s)
	r.tx.command(sql.S)
}

// early notes SQL that is sent while the file is imported, before any migration runs.
func early(x *python.Interp, n *python.Node) {
	r := x.Host.(*run)
	r.h.early[x.Mod] = append(r.h.early[x.Mod], Gap{File: x.Mod.File, At: n.Start, Source: python.Shorten(x.Mod.Src(n)),
		Reason: "SQL outside of upgrade() and downgrade(), sent whenever the file is read"})
}

// emitOr emits sql, or a gap when writing it failed.
func emitOr(x *python.Interp, n *python.Node, g *python.Gen, sql python.Text) bool {
	if g.Why != "" {
		x.Gap(n, g.Why, false)
		return false
	}
	emit(x, n, sql)
	return true
}

func (r *run) ImportName(m *python.Module, path string) python.Value {
	if s := r.h.sibling(m, path); s != nil {
		return s
	}
	return nil
}

// CallExt calls what alembic and SQLAlchemy do to the database.
func (r *run) CallExt(x *python.Interp, path string, a python.Args) (python.Value, bool) {
	if name, ok := strings.CutPrefix(path, "op."); ok {
		return callOp(x, name, a), true
	}
	g := &python.Gen{Why: a.Why}
	switch path {
	case "context.is_offline_mode":
		return false, true
	case "sa.DDL.execute":
		execute(x, python.Args{N: a.N, Pos: a.Pos[:1]})
	case "sa.Enum.create", "sa.Enum.drop":
		e := g.Enum(x, a.Pos[0].(*python.Type))
		switch {
		case e == nil || e.Name.S == "" || !e.Native:
			x.Gap(a.N, python.OrText(g.Why, "an enum type that is not known"), false)
		case path == "sa.Enum.create":
			emit(x, a.N, e.CreateSQL())
		default:
			emit(x, a.N, python.CatAny("DROP TYPE ", python.Qualified(e.Schema, e.Name)))
		}
	case "sa.Sequence.create":
		emitOr(x, a.N, g, g.SequenceSQL(x, a.Pos[0].(*python.Sequence)))
	case "sa.Sequence.drop":
		emitOr(x, a.N, g, python.CatAny("DROP SEQUENCE ", g.SequenceName(a.Pos[0].(*python.Sequence))))
	case "sa.Table.create", "sa.Table.drop":
		t := a.Pos[0].(*python.Table)
		o := &opCall{x: x, n: a.N, g: &python.Gen{Why: t.Why}, given: t.Kw.Kw}
		if t.Open {
			o.g.Fail("a table whose columns only the database knows")
		}
		if path == "sa.Table.drop" {
			o.send(python.CatAny("DROP TABLE ", t.SQL()))
		} else {
			o.makeTable(t)
		}
	default:
		return callORM(path)
	}
	return python.None{}, true
}
