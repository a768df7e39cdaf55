-- +brant Up
ALTER TABLE tracker ADD COLUMN kind integer NOT NULL DEFAULT 0;
ALTER TABLE tracker ALTER COLUMN description DROP NOT NULL;
-- +brant Down
UPDATE tracker SET description = '' WHERE description IS NULL;
ALTER TABLE tracker ALTER COLUMN description SET NOT NULL;
ALTER TABLE tracker DROP COLUMN kind;
