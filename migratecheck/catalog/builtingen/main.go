// Command builtingen writes the tables of what a PostgreSQL server brings along (builtin/*.tsv): the types, functions,
// operators, casts and catalog relations of pg_catalog, and the members of the extensions in contrib. It reads them from
// a running server, in a database that it fills with extensions and should be thrown away afterwards:
//
//	go run ./builtingen -dsn 'host=… user=postgres dbname=scratch'
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

func main() {
	log.SetFlags(0)
	dsn := flag.String("dsn", "", "the server to read; extensions are created in its database")
	dir := flag.String("dir", "builtin", "the directory to write to")
	flag.Parse()
	if err := run(context.Background(), *dsn, *dir); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dsn, dir string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, prelude); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	const server = "in ('pg_catalog', 'information_schema')"
	for _, table := range []struct{ name, query string }{
		{"types.tsv", fmt.Sprintf(types, "n.nspname "+server)},
		{"functions.tsv", fmt.Sprintf(functions, "n.nspname "+server)},
		{"operators.tsv", fmt.Sprintf(operators, "o.oid < 16384")},
		{"casts.tsv", fmt.Sprintf(casts, "c.oid < 16384")},
		{"relations.tsv", relations},
		{"opclasses.tsv", opclasses},
	} {
		var b bytes.Buffer
		if err := dump(ctx, conn, &b, "", table.query); err != nil {
			return fmt.Errorf("reading %s: %w", table.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, table.name), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	b, err := extensions(ctx, conn)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "extensions.tsv"), b, 0o644)
}

// dump appends the rows of query to b, a line each, prefix first.
func dump(ctx context.Context, conn *pgx.Conn, b *bytes.Buffer, prefix, query string) error {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		b.WriteString(prefix)
		for i, v := range values {
			if i > 0 {
				b.WriteByte('\t')
			}
			s := fmt.Sprint(v)
			if strings.ContainsAny(s, "\t\n") {
				return fmt.Errorf("value with a tab or newline: %q", s)
			}
			b.WriteString(s)
		}
		b.WriteByte('\n')
	}
	return rows.Err()
}

// extensions creates every extension the server offers, one at a time, and writes its members.
func extensions(ctx context.Context, conn *pgx.Conn) ([]byte, error) {
	rows, err := conn.Query(ctx, `select name, version, relocatable, coalesce(schema, ''), coalesce(array_to_string(requires, ','), '')
		from pg_available_extension_versions v where (name, version) in (select name, default_version from pg_available_extensions)
		and name <> 'plpgsql' order by name`)
	if err != nil {
		return nil, err
	}
	type extension struct {
		name, version string
		relocatable   bool
		schema        string
		requires      string
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e extension, err error) {
		err = row.Scan(&e.name, &e.version, &e.relocatable, &e.schema, &e.requires)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing extensions: %w", err)
	}
	var b bytes.Buffer
	for _, e := range list {
		if _, err := conn.Exec(ctx, fmt.Sprintf("create extension %q cascade", e.name)); err != nil {
			return nil, fmt.Errorf("creating extension %s: %w", e.name, err)
		}
		fmt.Fprintf(&b, "E\t%s\t%s\t%t\t%s\t%s\n", e.name, e.version, e.relocatable, e.schema, e.requires)
		member := func(class, column string) string {
			return fmt.Sprintf(`exists (select 1 from pg_depend d join pg_extension e on e.oid = d.refobjid
				where d.classid = '%s'::regclass and d.objid = %s and d.deptype = 'e' and e.extname = '%s')`, class, column, e.name)
		}
		for _, part := range []struct{ prefix, query string }{
			{"T\t", fmt.Sprintf(types, member("pg_type", "t.oid"))},
			{"F\t", fmt.Sprintf(functions, member("pg_proc", "p.oid"))},
			{"O\t", fmt.Sprintf(operators, member("pg_operator", "o.oid"))},
			{"C\t", fmt.Sprintf(casts, member("pg_cast", "c.oid"))},
			{"R\t", fmt.Sprintf(memberRelations, member("pg_class", "c.oid"))},
			{"K\t", fmt.Sprintf(memberOpclasses, member("pg_opclass", "o.oid"))},
			{"X\t", fmt.Sprintf(others, e.name)},
		} {
			if err := dump(ctx, conn, &b, part.prefix, part.query); err != nil {
				return nil, fmt.Errorf("reading members of %s: %w", e.name, err)
			}
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf("drop extension %q cascade", e.name)); err != nil {
			return nil, fmt.Errorf("dropping extension %s: %w", e.name, err)
		}
	}
	return b.Bytes(), nil
}

// prelude makes functions that write types the way the tables do: by number when it is the server's own, by name when it
// is an extension's, with [] behind the element's for an array.
const prelude = `
create function pg_temp.tn(o oid, name name) returns text language sql as $$
	select case when o < 16384 then o::text else name::text end $$;
create function pg_temp.ty(o oid) returns text language sql as $$
	select case when t.oid is null then '0'
		when e.oid is not null then pg_temp.tn(e.oid, e.typname) || '[]'
		else pg_temp.tn(t.oid, t.typname) end
	from (select 1) x left join pg_type t on t.oid = o left join pg_type e on e.oid = t.typelem and e.typarray = t.oid $$;
create function pg_temp.tys(o oid[]) returns text language sql as $$
	select coalesce(string_agg(pg_temp.ty(x), ' ' order by n), '') from unnest(o) with ordinality u(x, n) $$;
`

const (
	types = `select case when t.oid < 16384 then t.oid else 0 end, n.nspname, t.typname, t.typtype::text, t.typcategory::text, t.typispreferred,
		case when t.typelem <> 0 then pg_temp.ty(t.typelem) else '0' end, case when t.oid < 16384 then t.typarray else 0 end,
		pg_temp.ty(t.typbasetype), t.typtypmod, t.typlen, t.typstorage::text, t.typmodin <> 0, t.typcollation <> 0,
		coalesce((select pg_temp.ty(rngsubtype) || ' ' || pg_temp.ty(rngmultitypid) from pg_range where rngtypid = t.oid), ''),
		(select provolatile::text from pg_proc where oid = t.typinput), (select provolatile::text from pg_proc where oid = t.typoutput)
		from pg_type t join pg_namespace n on n.oid = t.typnamespace
		where %s and (t.typrelid = 0) and not exists (select 1 from pg_type e where e.typarray = t.oid)
		order by t.oid`

	functions = `select case when p.oid < 16384 then p.oid else 0 end, n.nspname, p.proname, p.prokind::text, p.provolatile::text, p.proisstrict, p.proretset,
		pg_temp.ty(p.prorettype), pg_temp.tys(p.proargtypes::oid[]), p.provariadic <> 0, p.pronargdefaults,
		case when p.proargmodes is null then '' else pg_temp.tys(p.proallargtypes) end, coalesce(array_to_string(p.proargmodes, ''), ''),
		coalesce(array_to_string(p.proargnames, ' '), ''), l.lanname, coalesce((select a.aggkind::text from pg_aggregate a where a.aggfnoid = p.oid), ''),
		p.proleakproof, p.proparallel::text
		from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
		where %s and p.oid not in (select oid from pg_proc where pronamespace = pg_my_temp_schema()) order by p.oid`

	operators = `select case when o.oid < 16384 then o.oid else 0 end, o.oprname, pg_temp.ty(o.oprleft), pg_temp.ty(o.oprright), pg_temp.ty(o.oprresult),
		coalesce(p.proname, ''), coalesce(p.provolatile::text, 'i'), coalesce(case when p.oid < 16384 then p.oid else 0 end, 0)
		from pg_operator o left join pg_proc p on p.oid = o.oprcode where %s order by o.oid`

	casts = `select pg_temp.ty(c.castsource), pg_temp.ty(c.casttarget), c.castcontext::text, c.castmethod::text, coalesce(p.proname, ''),
		coalesce(p.provolatile::text, 'i')
		from pg_cast c left join pg_proc p on p.oid = c.castfunc where %s and pg_temp.ty(c.castsource) <> '0' order by c.oid`

	relations = `select c.oid, n.nspname, c.relname, c.relkind::text,
		(select string_agg(a.attname || ' ' || pg_temp.ty(a.atttypid) || ' ' || a.atttypmod || ' ' || a.attnotnull::int, ',' order by a.attnum)
			from pg_attribute a where a.attrelid = c.oid and a.attnum > 0)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'v') and c.oid < 16384 order by c.oid`

	opclasses = `select m.amname, o.opcname, pg_temp.ty(o.opcintype), o.opcdefault
		from pg_opclass o join pg_am m on m.oid = o.opcmethod where o.oid < 16384 order by o.oid`

	memberOpclasses = `select m.amname, o.opcname, pg_temp.ty(o.opcintype), o.opcdefault
		from pg_opclass o join pg_am m on m.oid = o.opcmethod where %s order by o.oid`

	memberRelations = `select c.relname, c.relkind::text,
		coalesce((select string_agg(a.attname || ' ' || pg_temp.ty(a.atttypid) || ' ' || a.atttypmod || ' ' || a.attnotnull::int, ',' order by a.attnum)
			from pg_attribute a where a.attrelid = c.oid and a.attnum > 0), '')
		from pg_class c where c.relkind in ('r', 'v', 'c', 'S') and %s order by c.oid`

	others = `select i.type, i.identity from pg_depend d join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass,
		lateral pg_identify_object(d.classid, d.objid, d.objsubid) i
		where d.deptype = 'e' and e.extname = '%s' and d.classid not in ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass,
			'pg_cast'::regclass, 'pg_class'::regclass, 'pg_opclass'::regclass) order by d.classid, d.objid`
)
