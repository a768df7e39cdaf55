-- script: objects kept by name
CREATE TABLE t (a int, b int, c text);
CREATE STATISTICS s ON a, b FROM t;
CREATE STATISTICS IF NOT EXISTS s (ndistinct) ON a, b FROM t;
CREATE STATISTICS s ON a, b FROM t;
ALTER STATISTICS s RENAME TO s2;
CREATE COLLATION german (provider = icu, locale = 'de');
CREATE COLLATION german (provider = icu, locale = 'de');
CREATE TABLE u (a text COLLATE german);
CREATE PUBLICATION pub FOR TABLE t;
ALTER PUBLICATION pub ADD TABLE u;
CREATE PUBLICATION pub FOR ALL TABLES;
CREATE FUNCTION op(int, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = op);
CREATE VIEW v AS SELECT a === c AS eq FROM t;
DROP OPERATOR === (int, text);
DROP FUNCTION op(int, text);
CREATE CAST (text AS int4range) WITH INOUT;
DROP CAST (text AS int4range);
CREATE TEXT SEARCH CONFIGURATION cfg (COPY = english);
DROP TEXT SEARCH CONFIGURATION cfg;
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER srv FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE ft (a int NOT NULL, b text) SERVER srv;
ALTER FOREIGN TABLE ft ADD COLUMN c int;
DROP SERVER srv;
DROP FOREIGN TABLE ft;
DROP SERVER srv;
DROP FOREIGN DATA WRAPPER w;
DROP STATISTICS s2;
DROP PUBLICATION pub;
ALTER TABLE t DROP COLUMN b;
DROP COLLATION german;
DROP COLLATION german CASCADE;
DROP TABLE t CASCADE;
DROP FUNCTION op(int, text) CASCADE;
SELECT 1;
INSERT INTO nothing VALUES (1);
VACUUM;
ANALYZE;
CHECKPOINT;
LOCK TABLE nothing;
CREATE TABLESPACE x LOCATION '/nonexistent';
SET nothing = 1;
SET lock_timeout = '1s';
SELECT syntax error from;
DROP CONSTRIANT x;
-- script: operators that others name before they are there
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_lt(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT $1.a < $2.a';
CREATE OPERATOR <<< (leftarg = pair, rightarg = pair, function = pair_lt, commutator = >>>, negator = >>=);
CREATE OPERATOR >>> (leftarg = pair, rightarg = pair, function = pair_lt, commutator = <<<);
CREATE OPERATOR === (leftarg = pair, rightarg = pair, function = pair_lt, commutator = ===, negator = ===);
DROP OPERATOR >>= (pair, pair);
DROP OPERATOR <<< (pair, pair);
-- script: an operator on a type that the search path no longer finds
CREATE SCHEMA s;
SET search_path = s;
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_lt(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT $1.a < $2.a';
CREATE OPERATOR <<< (leftarg = pair, rightarg = pair, function = pair_lt);
SET search_path = public;
DROP OPERATOR s.<<< (s.pair, s.pair);
-- script: text search templates and parsers
CREATE TEXT SEARCH TEMPLATE tmpl (lexize = dsimple_lexize);
CREATE TEXT SEARCH PARSER prs (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
ALTER TEXT SEARCH PARSER prs RENAME TO parser2;
-- script: operator classes go with their access method
CREATE ACCESS METHOD gist2 TYPE INDEX HANDLER gisthandler;
CREATE OPERATOR CLASS box2 DEFAULT FOR TYPE box USING gist2 AS OPERATOR 1 <<, FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);
DROP ACCESS METHOD gist2;
-- script: rules that write parts of columns, or find their conflict
CREATE TYPE part AS (a int, b text);
CREATE DOMAIN dpart AS part;
CREATE TABLE whole (p part, ps part[], d dpart, name text);
CREATE UNIQUE INDEX whole_name ON whole (name);
CREATE TABLE src (a int, b text);
CREATE RULE r1 AS ON INSERT TO src DO ALSO INSERT INTO whole (p.a, p.b) VALUES (NEW.a, NEW.b);
CREATE RULE r2 AS ON UPDATE TO src DO ALSO UPDATE whole SET d.a = 1;
CREATE RULE r3 AS ON DELETE TO src DO ALSO INSERT INTO whole (name) VALUES (OLD.b) ON CONFLICT (name) DO NOTHING;
-- script: objects of the temporary schema
CREATE TYPE pg_temp.pair AS (a int);
CREATE VIEW pg_temp.one AS SELECT 1 AS a;
-- script: the schema of TOAST tables
GRANT USAGE ON SCHEMA pg_toast TO PUBLIC;
REVOKE USAGE ON SCHEMA pg_toast FROM PUBLIC;

-- script: timeouts that cannot be read
SET lock_timeout = '2s';
SET lock_timeout = 2000;
SET lock_timeout = ' 1.5 min ';
SET lock_timeout = '1e3';
SET lock_timeout = '0x10';
SET lock_timeout = '.5s';
SET lock_timeout = '2 sec';
SET lock_timeout = '2S';
SET lock_timeout = 'off';
SET statement_timeout TO '';
SET idle_in_transaction_session_timeout = '5 minutes';
SET LOCAL lock_timeout = '2x';
SET lock_timeout TO DEFAULT;
RESET lock_timeout;
