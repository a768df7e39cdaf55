-- +brant Up
ALTER TABLE list RENAME COLUMN note TO memo;
ALTER TABLE list RENAME COLUMN name TO "Title";
ALTER TABLE repo RENAME TO repository;
ALTER TABLE tag RENAME COLUMN word TO label;
ALTER TABLE tagged RENAME COLUMN word TO label;
-- +brant Down
ALTER TABLE tagged RENAME COLUMN label TO word;
ALTER TABLE tag RENAME COLUMN label TO word;
ALTER TABLE repository RENAME TO repo;
ALTER TABLE list RENAME COLUMN "Title" TO name;
ALTER TABLE list RENAME COLUMN memo TO note;
