-- +brant Up
CREATE TABLE tracker (
	id serial PRIMARY KEY,
	name text NOT NULL,
	created timestamp NOT NULL,
	description text NOT NULL
);
-- +brant Down
DROP TABLE tracker;
