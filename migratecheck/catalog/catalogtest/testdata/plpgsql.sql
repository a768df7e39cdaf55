-- Bodies that run: DO blocks and functions that a statement calls.

-- script: do blocks
DO $$ BEGIN CREATE TABLE a (id serial PRIMARY KEY); END $$;
DO $$ BEGIN ALTER TABLE a ADD COLUMN b int; CREATE INDEX ON a (b); EXECUTE 'CREATE TABLE c (x int)'; END $$;
DO $$ BEGIN IF true THEN CREATE TABLE d (x int); ELSE CREATE TABLE e (x int); END IF; END $$;
DO $$ BEGIN CREATE TYPE mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE TYPE mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE TABLE a (id int); EXCEPTION WHEN duplicate_table THEN RAISE NOTICE 'there'; END $$;
DO $$ BEGIN CREATE TABLE a (id int); END $$;
DO $$ BEGIN PERFORM 1; END $$;
DO LANGUAGE plpgsql $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['x', 'y'] LOOP EXECUTE format('CREATE TABLE %I (id int)', t); END LOOP; END $$;
DO $$ BEGIN FOR i IN 1..3 LOOP EXECUTE 'CREATE TABLE n' || i || ' (id int)'; END LOOP; END $$;
DO $$ BEGIN syntax error here; END $$;
DO LANGUAGE sql 'SELECT 1';
DO LANGUAGE nothing 'x';

-- script: functions with ddl
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE a (id int); ALTER TABLE a ADD COLUMN b text; END $$;
SELECT f();
SELECT f();
DROP FUNCTION f();
CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  n int := 0;
BEGIN
  IF n = 0 THEN
    ALTER TABLE a RENAME b TO c;
  END IF;
  RETURN n;
END $$;
SELECT g();
CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN DROP TABLE a; END $$;
CALL p();
CREATE FUNCTION s() RETURNS void LANGUAGE sql AS 'CREATE TABLE z (id int)';
SELECT s();
CALL nothing();
SELECT nothing();
