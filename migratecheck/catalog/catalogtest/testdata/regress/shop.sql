--
-- A psql script in the shape of PostgreSQL's regression tests: comments, backslash commands, COPY data, statements that
-- fail on purpose.
--
\set VERBOSITY terse
\pset null '(null)'

/* block comment; with a semicolon /* and another inside; */ */
CREATE TABLE customer (
	id		serial PRIMARY KEY,	-- a comment; with a semicolon
	name	text NOT NULL CHECK (name <> ';'),
	email	varchar(100) UNIQUE
);
COPY customer (name, email) FROM stdin;
Ann	ann@example.org
Bob;	bob@example.org
\.
SELECT * FROM customer \gset
SELECT 1 AS one \; SELECT 2 AS two;

CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customer, total numeric(10,2) DEFAULT 0);
CREATE FUNCTION total_of(c int) RETURNS numeric LANGUAGE sql
BEGIN ATOMIC
  SELECT CASE WHEN sum(total) IS NULL THEN 0 ELSE sum(total) END FROM orders WHERE customer = c;
END;
CREATE FUNCTION touch() RETURNS trigger AS '
  BEGIN
    NEW.total := coalesce(NEW.total, 0); -- a quote '' and ; inside
    RETURN NEW;
  END;
' LANGUAGE plpgsql;
CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE PROCEDURE touch();
CREATE VIEW summary AS SELECT c.name, count(*) AS n, sum(o.total) AS total FROM customer c JOIN orders o ON o.customer = c.id GROUP BY c.name;
CREATE RULE log AS ON DELETE TO customer DO ALSO (DELETE FROM orders WHERE customer = OLD.id; SELECT 1);
-- should fail
DROP TABLE customer;
ALTER TABLE orders DROP COLUMN total;
DROP FUNCTION touch();
CREATE TABLE customer (id int);
ALTER TABLE orders ADD COLUMN note text DEFAULT E'it\'s; fine', ADD CHECK (note <> '');
ALTER TABLE customer RENAME COLUMN name TO full_name;
DROP VIEW summary;
ALTER TABLE orders DROP COLUMN total CASCADE;
\d orders
DROP TABLE customer CASCADE;
DROP FUNCTION IF EXISTS total_of(int);
DROP TABLE orders;
