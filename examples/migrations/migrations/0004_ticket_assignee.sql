-- A foreign key in two steps: NOT VALID holds its locks for an instant, VALIDATE lets everybody work meanwhile.

-- +brant NO TRANSACTION
-- +brant Up
SET lock_timeout = '2s';
ALTER TABLE ticket ADD COLUMN IF NOT EXISTS assignee_id integer;
-- +brant StatementBegin
DO $$ BEGIN
	ALTER TABLE ticket ADD CONSTRAINT ticket_assignee_id_fkey
		FOREIGN KEY (assignee_id) REFERENCES "user" (id) NOT VALID;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
-- +brant StatementEnd
ALTER TABLE ticket VALIDATE CONSTRAINT ticket_assignee_id_fkey;

-- +brant Down
ALTER TABLE ticket DROP COLUMN IF EXISTS assignee_id;
