-- +brant Up
CREATE TABLE list (
	id serial PRIMARY KEY,
	name text NOT NULL,
	note text UNIQUE
);
CREATE TABLE paste (
	id serial PRIMARY KEY,
	memo text,
	note text
);
CREATE TABLE repo (
	id serial PRIMARY KEY,
	name text NOT NULL
);
-- +brant Down
DROP TABLE repo;
DROP TABLE paste;
DROP TABLE list;
