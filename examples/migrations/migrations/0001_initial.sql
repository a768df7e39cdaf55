-- +brant Up
CREATE TYPE visibility AS ENUM ('PUBLIC', 'UNLISTED', 'PRIVATE');

CREATE TABLE "user" (
	id serial PRIMARY KEY,
	created timestamp without time zone NOT NULL,
	username character varying(255) NOT NULL UNIQUE,
	email character varying(255) NOT NULL UNIQUE
);

CREATE TABLE tracker (
	id serial PRIMARY KEY,
	created timestamp without time zone NOT NULL,
	updated timestamp without time zone NOT NULL,
	owner_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
	name character varying(255) NOT NULL,
	description character varying(8192),
	visibility visibility NOT NULL DEFAULT 'PUBLIC',
	CONSTRAINT tracker_owner_id_name_unique UNIQUE (owner_id, name)
);

CREATE TABLE ticket (
	id serial PRIMARY KEY,
	tracker_id integer NOT NULL REFERENCES tracker (id) ON DELETE CASCADE,
	submitter_id integer NOT NULL REFERENCES "user" (id),
	created timestamp without time zone NOT NULL,
	title character varying(2048) NOT NULL,
	description character varying(16384)
);

-- +brant Down
DROP TABLE ticket;
DROP TABLE tracker;
DROP TABLE "user";
DROP TYPE visibility;
