-- script: the common ones
CREATE EXTENSION pgcrypto;
CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION ltree;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION nothing_like_this;
CREATE TABLE t (id uuid DEFAULT uuid_generate_v4() PRIMARY KEY, email citext UNIQUE, tags hstore DEFAULT '', path ltree, name text, k text DEFAULT encode(gen_random_bytes(8), 'hex'), es citext[]);
CREATE INDEX ON t USING gin (name gin_trgm_ops);
CREATE INDEX ON t USING gin (tags);
CREATE VIEW v AS SELECT email, tags -> 'x' AS x FROM t WHERE path @> 'a.b' AND email = 'x';
DROP EXTENSION citext;
DROP EXTENSION "uuid-ossp";
DROP EXTENSION pgcrypto CASCADE;
DROP FUNCTION uuid_generate_v4();
DROP TYPE hstore;
DROP EXTENSION hstore CASCADE;
DROP EXTENSION IF EXISTS nothing_like_this;
DROP EXTENSION nothing_like_this;
DROP EXTENSION citext, ltree, pg_trgm CASCADE;

-- script: in a schema
CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE TABLE t (e ext.citext);
CREATE TABLE u (e citext);
SET search_path = public, ext;
CREATE TABLE u (e citext);
ALTER EXTENSION citext SET SCHEMA public;
CREATE EXTENSION hstore WITH SCHEMA nothing;
DROP SCHEMA ext;
CREATE EXTENSION pg_trgm WITH SCHEMA ext VERSION '1.6';
DROP SCHEMA ext CASCADE;
COMMENT ON EXTENSION citext IS 'case';
