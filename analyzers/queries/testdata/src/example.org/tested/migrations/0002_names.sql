-- +brant Up
ALTER TABLE list RENAME COLUMN note TO memo;
-- +brant Down
ALTER TABLE list RENAME COLUMN memo TO note;
