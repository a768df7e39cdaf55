-- script: all kinds
CREATE TABLE t (a int, b text, c text COLLATE "C", d int[], e jsonb, f tsvector, g timestamptz, h int4range, i point, j varchar(10));
CREATE INDEX ON t (a);
CREATE INDEX ON t (a DESC);
CREATE INDEX ON t (a DESC NULLS LAST, b NULLS FIRST);
CREATE INDEX ON t USING hash (b);
CREATE INDEX ON t USING gin (d);
CREATE INDEX ON t USING gin (e jsonb_path_ops);
CREATE INDEX ON t USING gin (e, f);
CREATE INDEX ON t USING gist (h);
CREATE INDEX ON t USING brin (g) WITH (pages_per_range = 16);
CREATE INDEX ON t USING spgist (i);
CREATE INDEX ON t (b text_pattern_ops);
CREATE INDEX ON t (b COLLATE "C");
CREATE INDEX ON t (c COLLATE "C");
CREATE INDEX ON t (c COLLATE "POSIX");
CREATE INDEX ON t (j varchar_pattern_ops);
CREATE INDEX ON t (j);
CREATE INDEX ON t (lower(b), upper(c));
CREATE INDEX ON t ((e->>'x'));
CREATE INDEX ON t ((e->>'x'), lower(b));
CREATE INDEX ON t (date_trunc('day', g));
CREATE INDEX ON t (date_trunc('day', g AT TIME ZONE 'UTC'));
CREATE UNIQUE INDEX u ON t (a) INCLUDE (b, c) WHERE a > 0 AND b IS NOT NULL;
CREATE UNIQUE INDEX ON t (a, b) NULLS NOT DISTINCT;
CREATE INDEX CONCURRENTLY conc ON t (a);
CREATE INDEX IF NOT EXISTS conc ON t (b);
CREATE INDEX conc ON t (b);
CREATE INDEX x ON t (nothing);
CREATE INDEX x ON nothing (a);
CREATE INDEX x ON t USING nothing (a);
CREATE INDEX x ON t (a nothing);
CREATE INDEX x ON t (e);
CREATE INDEX x ON t (i);
CREATE INDEX x ON t (random());
CREATE INDEX x ON t ((now()));
CREATE INDEX x ON t (a) WHERE a;
CREATE INDEX x ON t (a) WHERE g > now();
CREATE INDEX x ON t ((SELECT 1));
CREATE INDEX x ON t (a) WITH (fillfactor = 70);
CREATE UNIQUE INDEX y ON t USING gin (d);
CREATE INDEX y ON t USING hash (a, b);
CREATE INDEX y ON t USING hash (a DESC);
CREATE INDEX y ON t (a) INCLUDE ((b || c));
ALTER INDEX x SET (fillfactor = 80);
ALTER INDEX x RESET (fillfactor);
ALTER INDEX u RENAME TO uu;
CREATE INDEX t ON t (a);
CREATE VIEW v AS SELECT 1 AS one;
CREATE INDEX ON v (one);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS one, 'x'::text AS two;
CREATE UNIQUE INDEX ON m (one);
CREATE INDEX ON m (lower(two));
REINDEX TABLE t;
REINDEX INDEX CONCURRENTLY uu;
REINDEX INDEX nothing;
CLUSTER t USING conc;
DROP TABLE t;

-- script: concurrently in a transaction
CREATE TABLE t (a int);
BEGIN;
CREATE INDEX CONCURRENTLY i ON t (a);
ROLLBACK;
CREATE INDEX i ON t (a);
BEGIN;
DROP INDEX CONCURRENTLY i;
ROLLBACK;
DROP INDEX CONCURRENTLY i;
DROP INDEX CONCURRENTLY IF EXISTS i;

-- script: keys that are columns after all
CREATE TABLE t (a int, b text, c varchar(10));
CREATE INDEX ON t ((a));
CREATE INDEX ON t ((b::text));
CREATE INDEX ON t ((a::bigint));
CREATE INDEX ON t ((c::varchar(10)));
CREATE INDEX ON t ((c::varchar(5)));
CREATE INDEX ON t ((c::text));
CREATE INDEX ON t ((c::varchar));
CREATE INDEX ON t ((c));
-- script: COLLATE around a whole index key
CREATE TABLE page (id int, title text, body text COLLATE "C");
CREATE INDEX page_title_c ON page ((title COLLATE "C"));
CREATE INDEX page_both ON page (((title || body) COLLATE "POSIX") DESC);
CREATE INDEX page_id ON page ((id::text COLLATE "C"));
CREATE INDEX page_twice ON page ((title COLLATE "C") COLLATE "POSIX");
CREATE INDEX page_default ON page (body COLLATE "default");
-- script: functions that the planner puts in line
CREATE FUNCTION half(int) RETURNS int LANGUAGE sql AS 'SELECT $1 / 2';
CREATE FUNCTION quarter(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT public.half(public.half(n))';
CREATE FUNCTION hour_of(int) RETURNS timestamptz LANGUAGE sql AS 'SELECT now()';
CREATE FUNCTION plain(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE TABLE n (a int);
CREATE INDEX n_half ON n (half(a));
CREATE INDEX n_quarter ON n (quarter(a)) WHERE half(a) > 1;
CREATE INDEX n_hour ON n (hour_of(a));
CREATE INDEX n_plain ON n (plain(a));
CREATE TABLE parted (a int) PARTITION BY RANGE (half(a));
-- script: an operator class that is another type's default
CREATE TABLE codes (code text);
CREATE INDEX codes_padded ON codes (code bpchar_ops);
-- script: what an index computes of a column whose type changes
CREATE TABLE t (id bigint, e bigint, n int);
CREATE INDEX ON t (abs(e));
CREATE INDEX ON t (n) WHERE id IN (1, 2, 3);
ALTER TABLE t ALTER id TYPE text;
ALTER TABLE t ALTER e TYPE varchar(20);
ALTER TABLE t ALTER id TYPE numeric, ALTER e TYPE int;
-- script: a type changed twice, to what it is and to another
CREATE TABLE t (a bigint);
ALTER TABLE t ALTER a TYPE bigint, ALTER a TYPE varchar(20);
ALTER TABLE t ALTER a TYPE text, ALTER a TYPE varchar(10);
ALTER TABLE t ALTER a TYPE text, ALTER a TYPE text;
-- script: a key that was cast, and its column gets the type
CREATE TABLE t (id jsonb);
CREATE INDEX ON t ((id::text));
ALTER TABLE t ALTER id TYPE text;
-- script: predicates of a materialized view's indexes
CREATE TABLE t (a int);
CREATE MATERIALIZED VIEW v AS SELECT a, 1 AS one FROM t;
CREATE INDEX ON v (a) WHERE one BETWEEN 1 AND 10;
-- script: a predicate that always holds is none
CREATE TABLE t (a int) PARTITION BY LIST (a);
CREATE TABLE p PARTITION OF t FOR VALUES IN (1);
CREATE INDEX ON p (a);
CREATE INDEX ON t (a) WHERE a IS NULL OR true;
