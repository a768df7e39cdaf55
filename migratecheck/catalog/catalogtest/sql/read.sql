-- One SELECT per kind of object; each answers one row with one JSON array. The names after "--:" are read by read.go.
--: members
SELECT json_agg(objid::bigint) AS j FROM pg_depend WHERE deptype = 'e';
--: schemas
SELECT json_agg(q) FROM (
SELECT oid::bigint AS oid, nspname AS name FROM pg_namespace
WHERE nspname !~ '^pg_toast' AND nspname <> 'information_schema') q;
--: relations
SELECT json_agg(q) FROM (
SELECT c.oid::bigint AS oid, c.relnamespace::bigint AS schema, c.relname AS name, c.relkind::text AS kind,
       c.relpersistence::text AS persistence, c.relispartition AS ispartition, c.relrowsecurity AS rowsecurity,
       c.relforcerowsecurity AS forcerls, c.relreplident::text AS replident, c.reloptions AS options,
       coalesce(t.spcname, '') AS tablespace, coalesce(am.amname, '') AS am, c.reloftype::bigint AS oftype,
       c.relispopulated AS populated, coalesce(fs.srvname, '') AS server,
       pg_get_expr(c.relpartbound, c.oid) AS bound,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query,
       (SELECT r.oid::bigint FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename = '_RETURN') AS rule,
       (SELECT array_agg(i.inhparent::bigint ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parents
FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace LEFT JOIN pg_am am ON am.oid = c.relam
     LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid LEFT JOIN pg_foreign_server fs ON fs.oid = ft.ftserver
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c', 'S', 'i', 'I')
  AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_toast')) q;
--: columns
SELECT json_agg(q) FROM (
SELECT a.attrelid::bigint AS rel, a.attnum AS num, a.attname AS name, a.attisdropped AS dropped,
       a.atttypid::bigint AS type, a.atttypmod AS mod, a.attnotnull AS notnull,
       EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey[1] = a.attnum
         AND NOT n.convalidated) AS unproved, a.attgenerated::text AS generated,
       a.attidentity::text AS identity, a.attstorage::text AS storage, t.typstorage::text AS typstorage,
       CASE WHEN a.attcollation <> coalesce(t.typcollation, 0) THEN co.collname ELSE '' END AS collation,
       a.atthasmissing AS missing, a.attinhcount AS inherited, a.attislocal AS local,
       coalesce(a.attstattarget, -1) AS stats, CASE coalesce(to_jsonb(a) ->> 'attcompression', '') WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END AS compression, a.attoptions AS options, d.adbin::text AS tree, pg_get_expr(d.adbin, d.adrelid) AS def
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_type t ON t.oid = a.atttypid
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attnum > 0 AND c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
ORDER BY a.attrelid, a.attnum) q;
--: partitionkeys
SELECT json_agg(q) FROM (
SELECT p.partrelid::bigint AS rel, p.partstrat::text AS strategy, p.partattrs::int2[] AS columns,
       p.partexprs::text AS tree, pg_get_expr(p.partexprs, p.partrelid) AS exprs,
       pg_get_partkeydef(p.partrelid) AS def
FROM pg_partitioned_table p) q;
--: sequences
SELECT json_agg(q) FROM (
SELECT s.seqrelid::bigint AS rel, s.seqtypid::bigint AS type, s.seqstart AS start, s.seqincrement AS increment,
       s.seqmin AS min, s.seqmax AS max, s.seqcache AS cache, s.seqcycle AS cycle,
       coalesce(d.refobjid::bigint, 0) AS owner, coalesce(d.refobjsubid, 0) AS ownercolumn, coalesce(d.deptype = 'i', false) AS identity
FROM pg_sequence s LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) q;
--: indexes
SELECT json_agg(q) FROM (
SELECT i.indexrelid::bigint AS rel, i.indrelid::bigint AS table, i.indisunique AS unique, i.indisprimary AS primary,
       i.indisexclusion AS exclusion, i.indimmediate AS immediate, i.indisvalid AS valid,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) AS nullsnotdistinct,
       i.indisclustered AS clustered, i.indisreplident AS replident, i.indnkeyatts AS nkeys, i.indkey::int2[] AS columns,
       (SELECT array_agg(CASE WHEN oc.opcdefault AND NOT EXISTS (SELECT FROM pg_opclass own WHERE own.opcdefault AND own.oid <> oc.oid
                                      AND own.opcmethod = oc.opcmethod AND own.opcintype = a.atttypid)
                              THEN '' ELSE oc.opcname END ORDER BY u.n)
          FROM unnest(i.indclass::oid[]) WITH ORDINALITY u(oid, n) JOIN pg_opclass oc ON oc.oid = u.oid
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = (i.indkey::int2[])[u.n - 1] AND a.attnum <> 0) AS opclasses,
       (SELECT array_agg(CASE WHEN u.oid = 0 OR u.oid = coalesce(nullif(a.attcollation, 0), tt.typcollation) THEN ''
                              ELSE (SELECT collname FROM pg_collation co WHERE co.oid = u.oid) END ORDER BY u.n)
          FROM unnest(i.indcollation::oid[]) WITH ORDINALITY u(oid, n)
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = (i.indkey::int2[])[u.n - 1] AND a.attnum <> 0
               LEFT JOIN pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = u.n
               LEFT JOIN pg_type tt ON tt.oid = ia.atttypid) AS collations,
       i.indoption::int2[] AS options,
       i.indexprs::text AS tree,
       (SELECT array_agg(pg_get_indexdef(i.indexrelid, u.n::int, false) ORDER BY u.n)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(k, n)) AS defs,
       i.indpred::text AS predtree, pg_get_expr(i.indpred, i.indrelid) AS predicate,
       (SELECT h.inhparent::bigint FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) AS parent
FROM pg_index i WHERE i.indexrelid >= 16384
  AND i.indrelid NOT IN (SELECT oid FROM pg_class WHERE relkind = 't')) q;
--: constraints
SELECT json_agg(q) FROM (
SELECT c.oid::bigint AS oid, c.conname AS name, c.contype::text AS kind, c.conrelid::bigint AS table,
       c.contypid::bigint AS domain, c.conkey AS columns, c.conindid::bigint AS index, c.conbin::text AS tree,
       pg_get_expr(c.conbin, c.conrelid) AS check, c.convalidated AS valid, c.condeferrable AS deferrable,
       c.condeferred AS deferred, c.connoinherit AS noinherit, c.coninhcount AS inherited, c.conislocal AS local,
       c.conparentid::bigint AS parent, c.confrelid::bigint AS reftable, c.confkey AS refcolumns,
       c.confupdtype::text AS onupdate, c.confdeltype::text AS ondelete, c.confmatchtype::text AS match,
       to_jsonb(c) -> 'confdelsetcols' AS setcolumns,
       (SELECT array_agg(o.oprname ORDER BY u.n) FROM unnest(c.conexclop) WITH ORDINALITY u(oid, n)
          JOIN pg_operator o ON o.oid = u.oid) AS operators
FROM pg_constraint c WHERE c.oid >= 16384) q;
--: types
SELECT json_agg(q) FROM (
SELECT t.oid::bigint AS oid, t.typnamespace::bigint AS schema, t.typname AS name, t.typtype::text AS kind,
       t.typrelid::bigint AS rel, (SELECT c.relkind::text FROM pg_class c WHERE c.oid = t.typrelid) AS relkind,
       t.typbasetype::bigint AS base, t.typtypmod AS mod, t.typnotnull AS notnull,
       t.typdefaultbin::text AS tree, pg_get_expr(t.typdefaultbin, 0) AS def,
       CASE WHEN t.typtype = 'd' AND t.typcollation <> coalesce(b.typcollation, 0) THEN co.collname ELSE '' END AS collation,
       (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
       coalesce(r.rngsubtype::bigint, 0) AS subtype, coalesce(mr.rngtypid::bigint, 0) AS range, NOT t.typisdefined AS shell,
       t.typelem::bigint AS elem, EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) AS isarray
FROM pg_type t LEFT JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_collation co ON co.oid = t.typcollation
     LEFT JOIN pg_range r ON r.rngtypid = t.oid
     LEFT JOIN pg_range mr ON to_jsonb(mr) ->> 'rngmultitypid' = t.oid::text AND t.typtype = 'm'
WHERE t.oid >= 16384) q;
--: arrays
SELECT json_agg(q) FROM (
SELECT typarray::bigint AS oid, oid::bigint AS elem FROM pg_type WHERE typarray <> 0) q;
--: functions
SELECT json_agg(q) FROM (
SELECT p.oid::bigint AS oid, p.pronamespace::bigint AS schema, p.proname AS name, p.prokind::text AS kind,
       coalesce(p.proallargtypes, p.proargtypes::oid[])::bigint[] AS types, p.proargmodes::text[] AS modes,
       p.proargnames AS names, p.pronargs AS nargs, p.pronargdefaults AS ndefaults, p.proargdefaults::text AS tree,
       (SELECT array_agg(pg_get_function_arg_default(p.oid, n) ORDER BY n)
          FROM generate_series(1, coalesce(array_length(p.proallargtypes, 1), p.pronargs::int)) n) AS defaults,
       p.prorettype::bigint AS returns, p.proretset AS retset, l.lanname AS language, p.provolatile::text AS volatility,
       p.proisstrict AS strict, p.prosecdef AS secdef, p.proleakproof AS leakproof, p.proparallel::text AS parallel,
       p.prosrc AS body, pg_get_function_sqlbody(p.oid) AS sqlbody, p.proconfig AS settings
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384) q;
--: triggers
SELECT json_agg(q) FROM (
SELECT t.oid::bigint AS oid, t.tgrelid::bigint AS table, t.tgname AS name, t.tgfoid::bigint AS function, t.tgtype AS type,
       t.tgattr::int2[] AS columns, t.tgqual::text AS tree, pg_get_triggerdef(t.oid) AS def, t.tgenabled::text AS enabled,
       t.tgconstraint::bigint AS constraint, t.tgdeferrable AS deferrable, t.tginitdeferred AS deferred,
       coalesce(t.tgoldtable, '') AS oldtable, coalesce(t.tgnewtable, '') AS newtable,
       coalesce((to_jsonb(t) ->> 'tgparentid')::bigint, 0) AS parent
FROM pg_trigger t WHERE NOT t.tgisinternal OR coalesce((to_jsonb(t) ->> 'tgparentid')::bigint, 0) <> 0 AND t.tgconstraint = 0) q;
--: rules
SELECT json_agg(q) FROM (
SELECT r.oid::bigint AS oid, r.ev_class::bigint AS table, r.rulename AS name, r.ev_type::text AS event,
       r.is_instead AS instead, r.ev_enabled::text AS enabled, pg_get_ruledef(r.oid) AS def
FROM pg_rewrite r WHERE r.oid >= 16384 AND r.rulename <> '_RETURN') q;
--: policies
SELECT json_agg(q) FROM (
SELECT p.oid::bigint AS oid, p.polrelid::bigint AS table, p.polname AS name, p.polpermissive AS permissive,
       p.polcmd::text AS command, (SELECT array_agg(coalesce(r.rolname, 'public') ORDER BY coalesce(r.rolname, 'public') COLLATE "C")
          FROM unnest(p.polroles) u(oid) LEFT JOIN pg_roles r ON r.oid = u.oid) AS roles,
       p.polqual::text AS usingtree, pg_get_expr(p.polqual, p.polrelid) AS using,
       p.polwithcheck::text AS checktree, pg_get_expr(p.polwithcheck, p.polrelid) AS withcheck
FROM pg_policy p) q;
--: extensions
SELECT json_agg(q) FROM (
SELECT e.oid::bigint AS oid, e.extnamespace::bigint AS schema, e.extname AS name, e.extversion AS version
FROM pg_extension e WHERE e.extname <> 'plpgsql') q;
--: others
SELECT json_agg(q) FROM (
SELECT oid::bigint AS oid, collnamespace::bigint AS schema, 'collation' AS kind, collname AS name, 0 AS table FROM pg_collation WHERE oid >= 16384
UNION ALL SELECT oid::bigint, 0, 'cast', '(' || regexp_replace(format_type(castsource, NULL), '^.*\.', '') || ' AS ' || regexp_replace(format_type(casttarget, NULL), '^.*\.', '') || ')', 0 FROM pg_cast WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_cast.oid AND d.deptype = 'i')
UNION ALL SELECT oid::bigint, 0, 'publication', pubname, 0 FROM pg_publication
UNION ALL SELECT oid::bigint, stxnamespace::bigint, 'statistics', stxname, stxrelid::bigint FROM pg_statistic_ext
UNION ALL SELECT oid::bigint, 0, 'event trigger', evtname, 0 FROM pg_event_trigger
UNION ALL SELECT oid::bigint, 0, 'foreign-data wrapper', fdwname, 0 FROM pg_foreign_data_wrapper
UNION ALL SELECT oid::bigint, 0, 'server', srvname, 0 FROM pg_foreign_server
UNION ALL SELECT oid::bigint, 0, 'language', lanname, 0 FROM pg_language WHERE oid >= 16384
UNION ALL SELECT oid::bigint, 0, 'access method', amname, 0 FROM pg_am WHERE oid >= 16384
UNION ALL SELECT oid::bigint, cfgnamespace::bigint, 'text search configuration', cfgname, 0 FROM pg_ts_config WHERE oid >= 16384
UNION ALL SELECT oid::bigint, dictnamespace::bigint, 'text search dictionary', dictname, 0 FROM pg_ts_dict WHERE oid >= 16384
UNION ALL SELECT oid::bigint, tmplnamespace::bigint, 'text search template', tmplname, 0 FROM pg_ts_template WHERE oid >= 16384
UNION ALL SELECT oid::bigint, prsnamespace::bigint, 'text search parser', prsname, 0 FROM pg_ts_parser WHERE oid >= 16384
UNION ALL SELECT s.oid::bigint, 0, 'subscription', s.subname, 0 FROM pg_subscription s JOIN pg_database b ON b.oid = s.subdbid WHERE b.datname = current_database()
UNION ALL SELECT oid::bigint, connamespace::bigint, 'conversion', conname, 0 FROM pg_conversion WHERE oid >= 16384
UNION ALL SELECT oid::bigint, oprnamespace::bigint, 'operator', oprname || '(' || coalesce(regexp_replace(format_type(nullif(oprleft, 0), NULL), '^.*\.', ''), 'NONE') || ',' || coalesce(regexp_replace(format_type(nullif(oprright, 0), NULL), '^.*\.', ''), 'NONE') || ')', 0 FROM pg_operator WHERE oid >= 16384
UNION ALL SELECT oid::bigint, opcnamespace::bigint, 'operator class', opcname, 0 FROM pg_opclass WHERE oid >= 16384
UNION ALL SELECT oid::bigint, opfnamespace::bigint, 'operator family', opfname, 0 FROM pg_opfamily WHERE oid >= 16384) q;
--: depends
SELECT json_agg(q) FROM (
SELECT d.objid::bigint AS oid, d.objsubid AS column, d.refobjid::bigint AS ref, d.refobjsubid AS refcolumn, d.deptype::text AS type,
       d.classid::bigint AS class, d.refclassid::bigint AS refclass
FROM pg_depend d WHERE d.objid >= 16384 AND (d.refobjid >= 16384 OR d.refobjid = 2200)) q;
--: comments
SELECT json_agg(q) FROM (
SELECT d.objoid::bigint AS oid, d.objsubid AS column, d.description AS text FROM pg_description d
WHERE (d.objoid >= 16384 OR d.objoid = 2200) AND d.description <> 'standard public schema') q;
--: grants
SELECT json_agg(q) FROM (
SELECT o.oid::bigint AS oid, o.sub AS column, coalesce(r.rolname, '') AS grantee, x.privilege_type AS privilege, x.is_grantable AS grantable
FROM (SELECT c.oid, 0 AS sub, c.relacl AS acl, c.relowner AS owner FROM pg_class c
      UNION ALL SELECT a.attrelid, a.attnum, a.attacl, c.relowner FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      UNION ALL SELECT oid, 0, proacl, proowner FROM pg_proc
      UNION ALL SELECT oid, 0, typacl, typowner FROM pg_type
      UNION ALL SELECT oid, 0, nspacl, nspowner FROM pg_namespace WHERE obj_description(oid, 'pg_namespace') IS DISTINCT FROM 'standard public schema' OR nspacl::text NOT IN ('{pg_database_owner=UC/pg_database_owner,=U/pg_database_owner}', '{postgres=UC/postgres,=UC/postgres}')) o,
     LATERAL aclexplode(o.acl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
WHERE (o.oid >= 16384 OR o.oid = 2200) AND x.grantee <> o.owner) q;
--: aclset
SELECT json_agg(q) FROM (
SELECT p.oid::bigint AS oid FROM pg_proc p WHERE p.oid >= 16384 AND p.proacl IS NOT NULL
UNION ALL SELECT oid::bigint FROM pg_type WHERE oid >= 16384 AND typacl IS NOT NULL
UNION ALL SELECT oid::bigint FROM pg_namespace WHERE oid >= 16384 AND nspacl IS NOT NULL
UNION ALL SELECT oid::bigint FROM pg_class WHERE oid >= 16384 AND relacl IS NOT NULL) q;
--: volatile
SELECT json_agg(q) FROM (
SELECT p.oid::bigint AS oid, p.provolatile::text AS v FROM pg_proc p WHERE p.oid >= 16384 OR p.provolatile <> 'i') q;
--: typeio
SELECT json_agg(q) FROM (
SELECT t.oid::bigint AS oid, i.provolatile::text AS i, o.provolatile::text AS o
FROM pg_type t JOIN pg_proc i ON i.oid = t.typinput JOIN pg_proc o ON o.oid = t.typoutput
WHERE (i.provolatile <> 'i' OR o.provolatile <> 'i')) q;
