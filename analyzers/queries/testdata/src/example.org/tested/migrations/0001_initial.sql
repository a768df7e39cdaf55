-- +brant Up
CREATE TABLE list (
	id serial PRIMARY KEY,
	note text
);
-- +brant Down
DROP TABLE list;
