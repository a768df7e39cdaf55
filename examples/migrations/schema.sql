CREATE TYPE visibility AS ENUM ('PUBLIC', 'UNLISTED', 'PRIVATE', 'INTERNAL');

CREATE TABLE "user" (
	id serial PRIMARY KEY,
	created timestamp without time zone NOT NULL,
	username character varying(255) NOT NULL UNIQUE,
	email character varying(128) NOT NULL UNIQUE
);

CREATE TABLE tracker (
	id serial PRIMARY KEY,
	created_at timestamp without time zone NOT NULL,
	updated timestamp without time zone NOT NULL,
	owner_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
	name character varying(255) NOT NULL,
	visibility visibility NOT NULL DEFAULT 'PUBLIC',
	CONSTRAINT tracker_owner_id_name_unique UNIQUE (owner_id, name)
);

CREATE TABLE ticket (
	id serial PRIMARY KEY,
	rid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
	tracker_id integer NOT NULL REFERENCES tracker (id) ON DELETE CASCADE,
	submitter_id integer NOT NULL REFERENCES "user" (id),
	assignee_id integer REFERENCES "user" (id),
	created timestamp without time zone NOT NULL,
	title character varying(2048) NOT NULL,
	description character varying(16384) NOT NULL,
	status integer NOT NULL DEFAULT 0,
	priority integer NOT NULL
);

CREATE INDEX ticket_tracker_id_idx ON ticket (tracker_id);
CREATE INDEX ticket_status_idx ON ticket (status);
