-- +brant Up
ALTER TABLE tracker RENAME COLUMN created TO linked;
-- +brant Down
ALTER TABLE tracker RENAME COLUMN linked TO created;
