-- +brant Up
ALTER TABLE list RENAME COLUMN note TO memo;
ALTER TABLE list RENAME COLUMN name TO "Title";
ALTER TABLE repo RENAME TO repository;
-- +brant Down
ALTER TABLE repository RENAME TO repo;
ALTER TABLE list RENAME COLUMN "Title" TO name;
ALTER TABLE list RENAME COLUMN memo TO note;
