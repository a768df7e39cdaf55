package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// row is one row as text, by column; nil is NULL.
type row map[string]*string

// rowsEach is how many rows a table gets: one with a value in every column, one with NULL wherever it may be, two twins of the
// first, which differ from it in no more than unique keys ask for (the one in their first column, the other in their last), and
// two with NULL in every second column that takes it.
const (
	rowsEach  = 6
	hollowRow = 1
	firstTwin = 2
	lastTwin  = 3
	halfRow   = 4
)

// hollow reports whether the row of an index is one with NULL in a column that takes it.
func hollow(index, column int) bool {
	return index == hollowRow || index >= halfRow && index < rowsEach && column%2 == index%2
}

// attempts is how many rows are tried before a table is given up.
const attempts = 60

// fill puts rows into every table, so that one that nothing refers to in a query is there to refer to the query's.
func (p *Probe) fill(ctx context.Context) error {
	if p.filled {
		return nil
	}
	p.filled = true
	for _, oid := range slices.Sorted(maps.Keys(p.schema.tables)) {
		if err := p.require(ctx, p.schema.tables[oid], rowsEach); err != nil {
			return err
		}
	}
	return nil
}

// require puts rows into a table that a query needs, and into those it refers to. An unfit table is remembered.
func (p *Probe) require(ctx context.Context, t *table, count int) error {
	switch t.kind {
	case 'v', 'm':
		for _, oid := range t.base {
			if base := p.schema.tables[oid]; base != nil && base != t {
				if err := p.require(ctx, base, count); err != nil {
					return err
				}
			}
		}
		return nil
	case 'r', 'p':
	default:
		p.unfit[t.oid] = "rows cannot be put into a foreign table"
	}
	if p.filling[t.oid] || p.unfit[t.oid] != "" {
		return nil
	}
	p.filling[t.oid] = true
	defer delete(p.filling, t.oid)
	for len(p.rows[t.oid]) < count && p.unfit[t.oid] == "" {
		if err := p.insertUnguarded(ctx, t, len(p.rows[t.oid])); err != nil {
			return err
		}
	}
	return nil
}

// insertUnguarded makes a row while the table's own triggers are off: such rows may have been there before the triggers were.
func (p *Probe) insertUnguarded(ctx context.Context, t *table, index int) error {
	return p.unguarded(ctx, t, func() error { return p.insert(ctx, t, index) })
}

// unguarded runs f while the table's own triggers are off.
func (p *Probe) unguarded(ctx context.Context, t *table, f func() error) error {
	turn := func(how string) error {
		for _, g := range t.triggers {
			if _, err := p.exec(ctx, "ALTER TABLE "+t.sql()+" "+how+" TRIGGER "+quote(g.name)); err != nil {
				return fmt.Errorf("turning triggers of %s off and on: %w", t.name, err)
			}
		}
		return nil
	}
	if err := turn("DISABLE"); err != nil {
		return err
	}
	return errors.Join(f(), turn("ENABLE"))
}

// draft is a row that is still being looked for.
type draft struct {
	t       *table
	index   int
	values  map[int]*string  // by column number; a column that is not in it is left to its default
	choices map[int][]string // what there is to choose from
	rng     *rand.Rand
}

// insert finds a row that the table takes and leaves it there.
func (p *Probe) insert(ctx context.Context, t *table, index int) error {
	d, err := p.draft(ctx, t, index)
	if err != nil {
		return err
	}
	var last *Failure
	for range attempts {
		p.mark()
		sql, args := d.statement()
		result, err := p.execParams(ctx, sql, args)
		if err != nil {
			return err
		}
		failure, err := refusal(ctx, result.Err)
		if err != nil {
			return fmt.Errorf("putting a row into %s: %w", t.name, err)
		}
		if failure == nil && len(result.Rows) == 1 {
			p.rows[t.oid] = append(p.rows[t.oid], toRow(result, 0))
			p.keep()
			return nil
		}
		p.back()
		if failure == nil {
			failure = &Failure{Message: "a trigger or rule swallowed the row"}
		}
		last = failure
		if !p.amend(d, failure) {
			break
		}
	}
	if index > 0 {
		return p.insertFull(ctx, d)
	}
	p.unfit[t.oid] = "no row could be made: " + last.String()
	return nil
}

// insertFull replaces a row that the table does not take by one with a value in every column.
func (p *Probe) insertFull(ctx context.Context, d *draft) error {
	p.rows[d.t.oid] = slices.Clip(p.rows[d.t.oid])
	full, err := p.draft(ctx, d.t, d.index)
	if err != nil {
		return err
	}
	for num, c := range full.choices {
		if len(c) > 0 && full.values[num] == nil {
			full.values[num] = &c[0]
		}
	}
	sql, args := full.statement()
	p.mark()
	result, err := p.execParams(ctx, sql, args)
	if err != nil {
		return err
	}
	failure, err := refusal(ctx, result.Err)
	if err != nil {
		return err
	}
	if failure != nil || len(result.Rows) != 1 {
		// One row is enough for most queries: the table is full, not unfit.
		p.rows[d.t.oid] = append(p.rows[d.t.oid], p.rows[d.t.oid][0])
		p.back()
		return nil
	}
	p.rows[d.t.oid] = append(p.rows[d.t.oid], toRow(result, 0))
	p.keep()
	return nil
}

func toRow(result *pgconn.Result, i int) row {
	r := row{}
	for j, f := range result.FieldDescriptions {
		if v := result.Rows[i][j]; v != nil {
			s := string(v)
			r[f.Name] = &s
		} else {
			r[f.Name] = nil
		}
	}
	return r
}

// draft chooses a first value for every column; parents of foreign keys get their rows before.
func (p *Probe) draft(ctx context.Context, t *table, index int) (*draft, error) {
	d := &draft{
		t: t, index: index, values: map[int]*string{}, choices: map[int][]string{},
		rng: rand.New(rand.NewPCG(uint64(index), uint64(len(t.columns)))),
	}
	for i := range t.columns {
		c := &t.columns[i]
		if c.generated || c.identity != 0 || strings.HasPrefix(c.def, "nextval(") {
			continue
		}
		n := index + 1
		if (index == firstTwin || index == lastTwin) && !t.distinguishes(c.num, index == firstTwin) {
			n = 1
		}
		d.choices[c.num] = p.values(c.typ, c.typeName, n, t.literals(c.num))
		if len(d.choices[c.num]) == 0 || hollow(index, c.num) && !c.notNull && !p.domainNotNull(c.typ) {
			d.values[c.num] = nil
			continue
		}
		d.values[c.num] = &d.choices[c.num][0]
	}
	for _, c := range t.constraints {
		parent := p.schema.tables[c.ref]
		if c.kind != 'f' || parent == nil {
			continue
		}
		if hollow(index, c.columns[0]) && !slices.ContainsFunc(c.columns, func(num int) bool { return t.byNum(num).notNull }) {
			continue
		}
		if err := p.require(ctx, parent, index+1); err != nil {
			return nil, err
		}
		for i, num := range c.columns {
			d.choices[num] = nil
			d.values[num] = nil
			if rows := p.rows[parent.oid]; len(rows) > 0 {
				d.values[num] = rows[min(index, len(rows)-1)][parent.byNum(c.refCols[i]).name]
			} else if parent == t && t.byNum(num).notNull {
				d.values[num] = d.values[c.refCols[i]] // the first row refers to itself
			}
		}
	}
	return d, nil
}

// distinguishes: the column is the first (or last) of a unique key or an exclusion constraint.
func (t *table) distinguishes(num int, first bool) bool {
	return slices.ContainsFunc(t.constraints, func(c constraint) bool {
		if len(c.columns) == 0 || !strings.ContainsRune("puxi", rune(c.kind)) {
			return false
		}
		if first {
			return c.columns[0] == num
		}
		return c.columns[len(c.columns)-1] == num
	})
}

func (p *Probe) domainNotNull(oid uint32) bool {
	t := p.typ(oid)
	return t != nil && t.kind == 'd' && (t.notNull || p.domainNotNull(t.base))
}

// literals lists the constants that may matter to a column: those of CHECKs on it and of partition bounds.
func (t *table) literals(num int) []string {
	texts := slices.Clone(t.bounds)
	for _, c := range t.constraints {
		if c.kind == 'c' && (num == 0 || slices.Contains(c.columns, num)) {
			texts = append(texts, c.def)
		}
	}
	return literalsIn(texts...)
}

func (d *draft) statement() (string, [][]byte) {
	var names, marks []string
	var args [][]byte
	for i := range d.t.columns {
		c := &d.t.columns[i]
		v, ok := d.values[c.num]
		if !ok || v == nil && c.identity != 0 {
			continue
		}
		names = append(names, quote(c.name))
		args = append(args, bytesOf(v))
		marks = append(marks, fmt.Sprintf("$%d", len(args)))
	}
	if len(names) == 0 {
		return "INSERT INTO " + d.t.sql() + " DEFAULT VALUES RETURNING *", nil
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) RETURNING *", d.t.sql(), strings.Join(names, ", "), strings.Join(marks, ", ")), args
}

func bytesOf(v *string) []byte {
	if v == nil {
		return nil
	}
	return []byte(*v)
}

// amend changes the values that the server's answer is about, and reports whether there is anything to change.
func (p *Probe) amend(d *draft, f *Failure) bool {
	var nums []int
	switch f.Code {
	case "23502":
		if c := d.t.column(f.Column); c != nil {
			if len(d.choices[c.num]) > 0 {
				d.values[c.num] = &d.choices[c.num][0]
				return true
			}
			return false
		}
	case "23514", "23505", "23P01":
		for _, c := range d.t.constraints {
			if c.name == f.Constraint {
				nums = c.columns
			}
		}
	}
	if len(nums) == 0 {
		for num := range d.choices {
			nums = append(nums, num)
		}
		slices.Sort(nums)
	}
	changed := false
	for _, num := range nums {
		if choices := d.choices[num]; len(choices) > 0 && num != 0 {
			v := choices[d.rng.IntN(len(choices))]
			d.values[num] = &v
			changed = true
		}
	}
	return changed
}
