-- Renames and moves: what follows, what does not.

-- script: rename table, column, constraint, index
CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE CHECK (a > 0), b int DEFAULT 3, c int GENERATED ALWAYS AS (b * 2) STORED);
CREATE INDEX t_expr ON t ((a + b)) WHERE b > 0;
CREATE TABLE u (id serial, t_id int REFERENCES t (id));
CREATE VIEW v AS SELECT id, a, b + 1 AS next FROM t WHERE b > 2;
CREATE VIEW w AS SELECT v.a, u.id FROM v JOIN u ON u.t_id = v.id;
ALTER TABLE t RENAME TO t2;
ALTER TABLE t2 RENAME COLUMN a TO aa;
ALTER TABLE t2 RENAME b TO bb;
ALTER TABLE t2 RENAME CONSTRAINT t_a_key TO aa_key;
ALTER TABLE t2 RENAME CONSTRAINT t_a_check TO aa_check;
ALTER INDEX t_pkey RENAME TO t2_pkey;
ALTER INDEX t_expr RENAME TO t2_expr;
ALTER SEQUENCE t_id_seq RENAME TO t2_id_seq;
ALTER TABLE u RENAME CONSTRAINT u_t_id_fkey TO fk;
ALTER VIEW v RENAME TO vv;
ALTER VIEW vv RENAME COLUMN next TO following;
ALTER TABLE t2 RENAME COLUMN nothing TO x;
ALTER TABLE t2 RENAME COLUMN aa TO bb;
ALTER TABLE t2 RENAME COLUMN aa TO xmin;
ALTER TABLE t RENAME TO x;
ALTER TABLE IF EXISTS t RENAME TO x;
ALTER TABLE t2 RENAME TO u;
ALTER TABLE t2 RENAME CONSTRAINT nothing TO x;
ALTER TABLE t2 RENAME CONSTRAINT aa_key TO aa_check;
ALTER INDEX nothing RENAME TO x;
ALTER INDEX IF EXISTS nothing RENAME TO x;
ALTER INDEX t2_pkey RENAME TO u;
ALTER TABLE vv RENAME TO v;
ALTER INDEX u RENAME TO uu;
ALTER TABLE t2_expr RENAME TO t3_expr;
ALTER TABLE t2 DROP COLUMN bb;
ALTER TABLE t2 DROP COLUMN bb CASCADE;
CREATE TABLE t (id serial PRIMARY KEY);

-- script: rename schema, type, function, trigger, rule, policy
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('a', 'b');
CREATE TABLE s.t (id serial PRIMARY KEY, m s.mood DEFAULT 'a');
CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER trg BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.f();
CREATE RULE r AS ON DELETE TO s.t DO INSTEAD NOTHING;
CREATE POLICY p ON s.t USING (true);
CREATE DOMAIN s.d AS int CHECK (VALUE > 0);
ALTER SCHEMA s RENAME TO s2;
ALTER SCHEMA s RENAME TO s3;
ALTER SCHEMA s2 RENAME TO public;
ALTER TYPE s2.mood RENAME TO feeling;
ALTER TYPE s2.feeling RENAME VALUE 'a' TO 'aa';
ALTER TYPE s2.feeling RENAME VALUE 'x' TO 'y';
ALTER TYPE s2.feeling RENAME VALUE 'aa' TO 'b';
ALTER FUNCTION s2.f() RENAME TO g;
ALTER TRIGGER trg ON s2.t RENAME TO trg2;
ALTER RULE r ON s2.t RENAME TO r2;
ALTER POLICY p ON s2.t RENAME TO p2;
ALTER DOMAIN s2.d RENAME TO dd;
ALTER DOMAIN s2.dd RENAME CONSTRAINT d_check TO dd_check;
ALTER TRIGGER nothing ON s2.t RENAME TO x;
ALTER POLICY nothing ON s2.t RENAME TO x;
ALTER RULE nothing ON s2.t RENAME TO x;
ALTER TYPE nothing RENAME TO x;
ALTER FUNCTION nothing() RENAME TO x;
ALTER TYPE s2.feeling RENAME TO dd;
ALTER SCHEMA public RENAME TO old;
CREATE TABLE x (id int);
CREATE SCHEMA public;
CREATE TABLE x (id int);
DROP SCHEMA s2;
DROP SCHEMA s2 CASCADE;

-- script: set schema
CREATE SCHEMA a;
CREATE SCHEMA b;
CREATE TABLE a.t (id serial PRIMARY KEY, x int UNIQUE, y int GENERATED ALWAYS AS IDENTITY);
CREATE VIEW a.v AS SELECT * FROM a.t;
CREATE TYPE a.e AS ENUM ('x');
CREATE FUNCTION a.f(a.e) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SEQUENCE a.s;
CREATE DOMAIN a.d AS text;
CREATE MATERIALIZED VIEW a.m AS SELECT 1 AS one;
ALTER TABLE a.t SET SCHEMA b;
ALTER VIEW a.v SET SCHEMA b;
ALTER TYPE a.e SET SCHEMA b;
ALTER FUNCTION a.f(b.e) SET SCHEMA b;
ALTER SEQUENCE a.s SET SCHEMA b;
ALTER DOMAIN a.d SET SCHEMA b;
ALTER MATERIALIZED VIEW a.m SET SCHEMA b;
ALTER SEQUENCE b.t_id_seq SET SCHEMA a;
ALTER INDEX b.t_pkey SET SCHEMA a;
ALTER TABLE b.t SET SCHEMA nothing;
ALTER TABLE nothing SET SCHEMA a;
ALTER TABLE IF EXISTS nothing SET SCHEMA a;
CREATE TABLE a.t (x int);
ALTER TABLE b.t SET SCHEMA a;
ALTER TABLE b.t SET SCHEMA b;
DROP SCHEMA a;
DROP SCHEMA a CASCADE;
DROP SCHEMA b CASCADE;

-- script: a label's new name is in all that was stored with the old
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE person (m mood DEFAULT 'sad', n mood DEFAULT 'sad'::mood, note text DEFAULT 'sad', CHECK (m <> 'sad' OR note = 'sad'), CONSTRAINT listed CHECK (m IN ('sad', 'ok')));
CREATE UNIQUE INDEX person_note ON person (note) WHERE m = 'sad';
CREATE VIEW sad_people AS SELECT note, 'sad' AS word, m = 'sad' AS sad FROM person WHERE m = 'sad' AND note <> 'sad';
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER keep BEFORE UPDATE ON person FOR EACH ROW WHEN (NEW.m = 'sad') EXECUTE FUNCTION keep();
CREATE POLICY mine ON person USING (m = 'sad');
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
ALTER TABLE person ADD CHECK (m <> 'sad');
ALTER TABLE person ADD CONSTRAINT more CHECK (m <> 'blue');
ALTER TYPE mood RENAME VALUE 'blue' TO 'blue';
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';

-- script: a rule follows its table, and the tables in its actions
CREATE TABLE u (a int);
CREATE TABLE log (n int);
CREATE RULE nothing AS ON INSERT TO u DO INSTEAD NOTHING;
CREATE RULE noted AS ON DELETE TO u DO ALSO INSERT INTO log SELECT OLD.a;
ALTER TABLE u RENAME TO items;
ALTER TABLE log RENAME TO journal;
CREATE TABLE u (b text);

-- script: a new name that something else in a view goes by
CREATE SCHEMA other;
CREATE TABLE big (f int);
CREATE TABLE small (x int);
CREATE TABLE other.big (y int);
CREATE VIEW v1 AS SELECT * FROM big a1 WHERE EXISTS (SELECT 1 FROM small WHERE a1.f = small.x);
CREATE VIEW v2 AS SELECT * FROM big WHERE EXISTS (SELECT 1 FROM small a2 WHERE big.f = a2.x);
CREATE VIEW v3 AS SELECT * FROM other.big WHERE EXISTS (SELECT 1 FROM big WHERE other.big.y = big.f);
ALTER TABLE small RENAME TO a1;
ALTER TABLE big RENAME TO a2;
ALTER TABLE a1 RENAME TO big;
ALTER TABLE other.big RENAME TO huge;
ALTER TABLE other.huge SET SCHEMA public;
-- script: a text that is spelt as a table's old name, and one that names it
CREATE TABLE x (name text, c regclass DEFAULT 'x'::regclass, CHECK (name <> 'x'));
CREATE VIEW v AS SELECT name || 'x' AS y, pg_table_size('x') AS z FROM x;
CREATE SEQUENCE s;
CREATE TABLE u (id int DEFAULT nextval('s'), n text DEFAULT 's');
ALTER TABLE x RENAME TO t;
ALTER SEQUENCE s RENAME TO r;
-- script: a column of the renamed one's name in a query inside, and outside
CREATE TABLE a (d int);
CREATE TABLE b (d int, e int);
CREATE VIEW v AS SELECT d, (SELECT count(d) FROM a) AS n FROM b WHERE EXISTS (SELECT 1 FROM a WHERE d = e);
ALTER TABLE b RENAME d TO f;
ALTER TABLE a RENAME d TO g;
ALTER TABLE b RENAME e TO h;
