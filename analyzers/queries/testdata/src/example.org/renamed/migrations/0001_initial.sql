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
CREATE TABLE tag (
	id integer,
	word text
);
CREATE UNIQUE INDEX ON tag (lower(word), id) WHERE word <> '';
CREATE TABLE tagged (
	paste integer,
	word text
);
-- +brant Down
DROP TABLE tagged;
DROP TABLE tag;
DROP TABLE repo;
DROP TABLE paste;
DROP TABLE list;
