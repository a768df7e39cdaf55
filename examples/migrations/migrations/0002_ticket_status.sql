-- Adding a column with a constant default neither rewrites the table nor breaks code that does not know it.

-- +brant Up
SET LOCAL lock_timeout = '2s';
ALTER TABLE ticket ADD COLUMN status integer NOT NULL DEFAULT 0;

-- +brant Down
ALTER TABLE ticket DROP COLUMN status;
