package verify

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"github.com/jackc/pgx/v5/pgconn"
)

// binding is a value for a parameter: a text, NULL, or what a column of a row holds on the schema where it is run.
type binding struct {
	null          bool
	text          string
	schema, table string
	column        string
	row           int
	parent        bool // what the column refers to in the row of the parent table
	// home is what a parent's binding takes where the column has another name: the column there that is referred to at home.
	home  *binding
	array bool // {value}
	typ   *typ // of the column, where the code is at home
}

// sends reports whether code that holds a value of the column's type at home may hold what is in the column here: text that is of a
// type of the same kind, a number that is one of the type's.
func (p *Probe) sends(b binding, text string) bool {
	here := p.typeIn(b)
	switch {
	case b.typ == nil || here == nil || here.name == b.typ.name:
		return true
	case b.typ.category != 'N':
		return here.category == b.typ.category && here.category == 'S'
	}
	var err error
	if strings.HasPrefix(b.typ.name, "int") {
		_, err = strconv.ParseInt(text, 10, 64)
	} else {
		_, err = strconv.ParseFloat(text, 64)
	}
	return err == nil
}

// ran is what came of a statement.
type ran struct {
	failure  *Failure
	affected int64
	nulls    []bool            // by column: some row has NULL there
	rows     [][]string        // the first rows of a read; NULL and the empty text are told apart by nulls
	values   []map[string]bool // by column: what was seen of an enumeration
	// stored is what an INSERT put into the columns that it does not name, as JSON, where that is the same each time.
	stored map[string]storedValue
}

// errNoRow means that a value was to be taken from a row that there is not here.
var errNoRow = errors.New("there is no row to find")

// resolve turns bindings into what is sent. Rows that they need are made now, so it must not be called behind a mark.
func (p *Probe) resolve(ctx context.Context, list []binding) ([][]byte, error) {
	var out [][]byte
	for _, b := range list {
		if b.null {
			out = append(out, nil)
			continue
		}
		text, ok, err := p.referred(ctx, b)
		if err != nil {
			return nil, err
		}
		if !ok && b.table != "" && !b.parent {
			return nil, errNoRow
		}
		if !ok || !p.sends(b, text) {
			text = b.text // as it is where the code is at home
		}
		if b.array {
			text = "{" + quoteElement(text) + "}"
		}
		out = append(out, []byte(text))
	}
	return out, nil
}

// referred is the text of a binding that takes its value from a row; ok is false where there is no such row or column, or NULL
// in it.
func (p *Probe) referred(ctx context.Context, b binding) (text string, ok bool, err error) {
	if b.table == "" {
		return "", false, nil
	}
	if b.parent {
		t := p.schema.find(b.schema, b.table)
		if t == nil || t.column(b.column) == nil {
			if b.home == nil {
				return "", false, nil
			}
			return p.referred(ctx, *b.home)
		}
		parent, ref := p.schema.foreignKey(t, t.column(b.column).num)
		if parent == nil || ref == nil {
			return "", false, nil
		}
		b.schema, b.table, b.column = parent.schema, parent.name, ref.name
	}
	rows, err := p.rowsOf(ctx, b.schema, b.table, b.row+1)
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	v := rows[min(b.row, len(rows)-1)][b.column]
	if v == nil {
		return "", false, nil
	}
	return *v, true, nil
}

// rowsOf are the rows of a relation, of which there are count when that is possible.
func (p *Probe) rowsOf(ctx context.Context, schemaName, name string, count int) ([]row, error) {
	t := p.schema.find(schemaName, name)
	if t == nil {
		return nil, nil
	}
	if err := p.require(ctx, t, max(count, rowsEach)); err != nil {
		return nil, err
	}
	if t.kind == 'r' || t.kind == 'p' {
		return p.rows[t.oid], nil
	}
	key := t.sql()
	if rows, ok := p.seen[key]; ok && len(rows) >= min(count, rowsEach) {
		return rows, nil
	}
	var rows []row
	err := p.try(ctx, func() error {
		result, err := p.execParams(ctx, "SELECT * FROM "+key+" LIMIT 2", nil)
		if err != nil {
			return err
		}
		if _, err := refusal(ctx, result.Err); err != nil {
			return err
		}
		for i := range result.Rows {
			rows = append(rows, toRow(result, i))
		}
		return nil
	})
	p.seen[key] = rows
	return rows, err
}

// run executes a planned statement with each list of values in turn, and takes back what it did. What it tells is of the last, but
// for the number of rows.
func (p *Probe) run(ctx context.Context, s *planned, runs [][][]byte) (ran, error) {
	var out ran
	var values [][]byte
	err := p.tryAs(ctx, func() error {
		before, err := p.count(ctx, s)
		if err != nil {
			return err
		}
		affected := int64(0)
		for _, values = range runs {
			out, err = p.execute(ctx, s, values)
			if err != nil || out.failure != nil {
				return err
			}
			affected += out.affected
		}
		out.affected = affected
		if p.deferrable() {
			_, err = p.exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE")
			if out.failure, err = refusal(ctx, err); err != nil || out.failure != nil {
				return err
			}
		}
		if after, e := p.count(ctx, s); e != nil || after == before && before >= 0 {
			return e // a MERGE that has inserted nothing
		}
		out.stored, err = p.stored(ctx, s)
		return err
	})
	if out.failure != nil {
		for _, v := range values {
			text := "NULL"
			if v != nil {
				text = "'" + string(v) + "'"
			}
			out.failure.Params = append(out.failure.Params, text)
		}
	}
	return out, err
}

// count is the number of rows of the table that a MERGE changes, -1 of other statements.
func (p *Probe) count(ctx context.Context, s *planned) (int, error) {
	m := s.stmt.Node.GetMergeStmt()
	if m == nil {
		return -1, nil
	}
	t := p.schema.find(m.Relation.GetSchemaname(), m.Relation.GetRelname())
	if t == nil {
		return -1, nil
	}
	var n int
	err := p.try(ctx, func() error {
		results, err := p.exec(ctx, "SET LOCAL ROLE NONE; SELECT count(*) FROM "+t.sql())
		if err == nil {
			n = int(number(results[1].Rows[0][0]))
		}
		return err
	})
	return n, err
}

// execParams sends a statement with its values.
func (p *Probe) execParams(ctx context.Context, sql string, values [][]byte) (*pgconn.Result, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.conn.ExecParams(ctx, sql, values, nil, nil, nil).Read(), nil
}

// execPrepared executes a prepared statement; format is that of the result, 0 text or 1 binary.
func (p *Probe) execPrepared(ctx context.Context, name string, values [][]byte, format int16) (*pgconn.Result, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.conn.ExecPrepared(ctx, name, values, nil, []int16{format}).Read(), nil
}

func (p *Probe) execute(ctx context.Context, s *planned, values [][]byte) (ran, error) {
	var out ran
	if c := s.stmt.Node.GetCopyStmt(); c != nil {
		return p.copy(ctx, s, c, values)
	}
	if s.name == "" {
		_, err := p.exec(ctx, s.stmt.SQL)
		out.failure, err = refusal(ctx, err)
		return out, err
	}
	result, err := p.execPrepared(ctx, s.name, values, 0)
	if err != nil {
		return out, err
	}
	if out.failure, err = refusal(ctx, result.Err); err != nil || out.failure != nil {
		return out, err
	}
	out.affected = result.CommandTag.RowsAffected()
	out.nulls = make([]bool, len(result.FieldDescriptions))
	out.values = make([]map[string]bool, len(result.FieldDescriptions))
	for i := range out.values {
		out.values[i] = map[string]bool{}
	}
	for _, r := range result.Rows {
		var texts []string
		for i, v := range r {
			out.nulls[i] = out.nulls[i] || v == nil
			if v != nil && i < len(s.columns) && s.columns[i].Labels != nil {
				out.values[i][string(v)] = true
			}
			texts = append(texts, string(v))
		}
		if len(out.rows) < p.kept {
			out.rows = append(out.rows, texts)
		}
	}
	return out, nil
}

// copy runs COPY with one row of text (or without, when it reads).
func (p *Probe) copy(ctx context.Context, s *planned, c *pgast.CopyStmt, values [][]byte) (ran, error) {
	var out ran
	var tag pgconn.CommandTag
	err := p.settle(ctx)
	if err != nil {
		return out, err
	}
	if c.IsFrom {
		tag, err = p.conn.CopyFrom(ctx, strings.NewReader(copyLine(values)), s.stmt.SQL)
	} else {
		tag, err = p.conn.CopyTo(ctx, discard{}, s.stmt.SQL)
	}
	out.failure, err = refusal(ctx, err)
	out.affected = tag.RowsAffected()
	return out, err
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// copyLine writes a row as COPY's text format does (doc/src/sgml/ref/copy.sgml, "Text Format").
func copyLine(values [][]byte) string {
	if len(values) == 0 {
		return ""
	}
	var fields []string
	for _, v := range values {
		if v == nil {
			fields = append(fields, `\N`)
			continue
		}
		fields = append(fields, strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(string(v)))
	}
	return strings.Join(fields, "\t") + "\n"
}

// deferrable reports whether a constraint may wait for the end of the transaction.
func (p *Probe) deferrable() bool {
	for _, t := range p.schema.tables {
		for _, c := range t.constraints {
			if strings.Contains(c.def, "DEFERRABLE") {
				return true
			}
		}
	}
	return false
}
