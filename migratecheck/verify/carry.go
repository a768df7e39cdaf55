package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxCarried is how many rows of a table are carried over a migration at most: a text for each that code knows, as far as they go.
const maxCarried = 24

// Plant fills every table, and puts texts that code knows into the columns of texts. It comes before a migration that is then
// run in the same transaction; Carried tells what it has made of the rows. Two databases with one schema get the same rows.
func (p *Probe) Plant(ctx context.Context, texts []string) error {
	if err := p.restart(ctx); err != nil {
		return err
	}
	if err := p.fill(ctx); err != nil {
		return err
	}
	texts = texts[:min(len(texts), maxCarried)]
	p.kept = maxCarried * maxCarried // a join of two tables
	for _, oid := range slices.Sorted(maps.Keys(p.schema.tables)) {
		t := p.schema.tables[oid]
		if t.kind != 'r' || p.unfit[oid] != "" {
			continue
		}
		// Values may be asked for of one row more than are filled: none must be added later, on one schema and not on the other.
		if err := p.require(ctx, t, max(rowsEach+1, len(texts)+rowsEach/2)); err != nil {
			return err
		}
		if err := p.unguarded(ctx, t, func() error { return p.plant(ctx, t, texts) }); err != nil {
			return err
		}
		if err := p.reread(ctx, t); err != nil {
			return err
		}
	}
	if !p.deferrable() {
		return p.settle(ctx)
	}
	// No table is altered while a row of it waits for its constraints (CheckTableNotInUse, src/backend/commands/tablecmds.c).
	_, err := p.exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
	return err
}

// restart makes the sequences begin anew, which no rollback does (src/backend/commands/sequence.c): else the rows of two databases
// had other numbers.
func (p *Probe) restart(ctx context.Context) error {
	_, err := p.exec(ctx, `DO $restart$ DECLARE s record; BEGIN
		FOR s IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relkind = 'S' AND c.oid >= 16384 AND pg_has_role(c.relowner, 'USAGE') ORDER BY c.oid LOOP
			EXECUTE 'ALTER SEQUENCE ' || s.name || ' RESTART';
		END LOOP; END $restart$`)
	if err != nil {
		return fmt.Errorf("making sequences begin anew: %w", err)
	}
	return nil
}

// plant writes the texts into one table, a row each. A column that does not take them stays as it is.
func (p *Probe) plant(ctx context.Context, t *table, texts []string) error {
	for i := range t.columns {
		c := &t.columns[i]
		parent, _ := p.schema.foreignKey(t, c.num)
		if ty := p.typ(c.typ); ty == nil || ty.category != 'S' || c.generated || parent != nil || len(texts) == 0 {
			continue
		}
		var list []string
		for _, text := range texts {
			list = append(list, literalOf(text))
		}
		// Row by row, in their order, which stays that of the table: so that two databases have the same.
		sql := fmt.Sprintf(`DO $plant$ DECLARE r record; BEGIN
			FOR r IN SELECT ctid AS at, row_number() OVER (PARTITION BY %[2]s IS NULL ORDER BY ctid) AS n FROM %[1]s ORDER BY ctid LOOP
				UPDATE %[1]s SET %[2]s = CASE WHEN %[2]s IS NULL OR r.n > %[4]d THEN %[2]s ELSE (ARRAY[%[3]s])[r.n]::%[5]s END WHERE ctid = r.at;
			END LOOP; END $plant$`, t.sql(), quote(c.name), strings.Join(list, ", "), len(texts), c.typeName)
		p.mark()
		_, err := p.exec(ctx, sql)
		failure, err := refusal(ctx, err)
		if err != nil {
			return err
		}
		if failure != nil {
			p.back()
		} else {
			p.keep()
		}
	}
	return nil
}

func literalOf(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'::text" }

// reread takes a table's rows as they are, in their order.
func (p *Probe) reread(ctx context.Context, t *table) error {
	result, err := p.execParams(ctx, "SELECT * FROM "+t.sql()+" ORDER BY ctid", nil)
	if err == nil {
		err = result.Err
	}
	if err != nil {
		return fmt.Errorf("reading the rows of %s: %w", t.name, err)
	}
	p.rows[t.oid] = nil
	for i := range result.Rows {
		p.rows[t.oid] = append(p.rows[t.oid], toRow(result, i))
	}
	for n := len(p.rows[t.oid]); n > 0 && n <= rowsEach; n++ {
		p.rows[t.oid] = append(p.rows[t.oid], p.rows[t.oid][0])
	}
	return nil
}

// Carried returns a probe of the schema that the migration has left, with the planted rows that it has left.
func (p *Probe) Carried(ctx context.Context) (*Probe, error) {
	q, err := p.Another(ctx, p.conn)
	if err != nil {
		return nil, err
	}
	q.role, q.number, q.filled, q.kept = p.role, p.number, true, p.kept
	for oid, t := range q.schema.tables {
		if t.kind != 'r' {
			continue
		}
		if len(p.rows[oid]) > 0 {
			if err := q.reread(ctx, t); err != nil {
				return nil, err
			}
			q.rows[oid] = sorted(p.schema.tables[oid], t, p.rows[oid], q.rows[oid])
		}
		if len(q.rows[oid]) == 0 {
			q.unfit[oid] = "which of its rows were there before the migration cannot be told"
		}
	}
	return q, nil
}

// sorted puts the rows after a migration into the order that those before it have, told by the primary key; nil when that cannot
// be done for each.
func sorted(before, after *table, were, are []row) []row {
	i := slices.IndexFunc(before.constraints, func(c constraint) bool { return c.kind == 'p' })
	if i < 0 {
		return nil
	}
	key := func(t *table, r row) string {
		k := ""
		for _, num := range before.constraints[i].columns {
			if c := t.byNum(num); c != nil && r[c.name] != nil {
				k += *r[c.name] + "\x00"
			}
		}
		return k
	}
	byKey := map[string]row{}
	for _, r := range are {
		byKey[key(after, r)] = r
	}
	var list []row
	for _, r := range were {
		if now, ok := byKey[key(before, r)]; ok {
			list = append(list, now)
		} else {
			return nil
		}
	}
	return list
}

// place is a column as the schema calls it.
type place struct{ schema, table, column string }

// conversion is what a migration has made of texts in one column of the rows that there were.
type conversion struct {
	was, is place
	values  map[string]string // those that are not what they were, by what they were
}

// conversions compares the rows before a migration with those after: the columns of texts and enumerations, by number.
func conversions(before, after *Probe) []conversion {
	var list []conversion
	text := func(p *Probe, c *column) bool {
		t := p.typ(c.typ)
		return t != nil && (t.category == 'S' || t.kind == 'e')
	}
	for _, oid := range slices.Sorted(maps.Keys(before.schema.tables)) {
		t, u := before.schema.tables[oid], after.schema.tables[oid]
		if u == nil || t.kind != 'r' || len(before.rows[oid]) != len(after.rows[oid]) {
			continue
		}
		for i := range t.columns {
			c := &t.columns[i]
			d := u.byNum(c.num)
			if d == nil || !text(before, c) || !text(after, d) {
				continue
			}
			v := conversion{place{t.schema, t.name, c.name}, place{u.schema, u.name, d.name}, map[string]string{}}
			ambiguous := map[string]bool{}
			for j, row := range before.rows[oid] {
				was, is := row[c.name], after.rows[oid][j][d.name]
				if was == nil || is == nil {
					continue // what is emptied is no other value
				}
				if now, ok := v.values[*was]; ok && now != *is {
					ambiguous[*was] = true
				}
				v.values[*was] = *is
			}
			maps.DeleteFunc(v.values, func(was, is string) bool { return was == is || ambiguous[was] })
			if len(v.values) > 0 {
				list = append(list, v)
			}
		}
	}
	return list
}
