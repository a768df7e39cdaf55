-- What a hurried release looks like. Each statement below works on a developer's machine, and each takes something
-- down, or away, in production.

-- +brant Up
ALTER TABLE tracker RENAME COLUMN created TO created_at;
ALTER TABLE ticket ADD COLUMN rid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();
ALTER TABLE ticket ADD COLUMN priority integer NOT NULL;
ALTER TABLE ticket ALTER COLUMN description SET NOT NULL;
ALTER TABLE tracker DROP COLUMN description;
ALTER TABLE "user" ALTER COLUMN email TYPE varchar(128);
CREATE INDEX ticket_status_idx ON ticket (status);
ALTER TYPE visibility ADD VALUE 'INTERNAL';
UPDATE tracker SET visibility = 'INTERNAL' WHERE visibility = 'PRIVATE';

-- +brant Down
ALTER TABLE tracker RENAME COLUMN created_at TO created;
ALTER TABLE ticket DROP COLUMN rid;
ALTER TABLE ticket DROP COLUMN prio;
