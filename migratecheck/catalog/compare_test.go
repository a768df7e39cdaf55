package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func applied(t *testing.T, sql string) *Catalog {
	t.Helper()
	c := New(Config{})
	applyAll(t, c, parseAll(t, sql))
	return c
}

// TestCompareDump compares statements as a person writes them with what pg_dump makes of the result: no difference.
func TestCompareDump(t *testing.T) {
	a := applied(t, `
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE p (id serial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x' CHECK (name IN ('a', 'b')), m mood DEFAULT 'ok', at timestamptz DEFAULT now());
CREATE TABLE t (b int, a int REFERENCES p ON DELETE CASCADE, CHECK (a BETWEEN 1 AND 5));
CREATE INDEX ON t (a) WHERE b > 0;
CREATE VIEW v AS SELECT p.id, name FROM p WHERE name LIKE 'a%';
`)
	b := applied(t, `
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE TABLE public.p (id integer NOT NULL, name character varying(20) DEFAULT 'x'::character varying NOT NULL, m public.mood DEFAULT 'ok'::public.mood, at timestamp with time zone DEFAULT now(),
    CONSTRAINT p_name_check CHECK (((name)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))));
CREATE SEQUENCE public.p_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.p_id_seq OWNED BY public.p.id;
CREATE TABLE public.t (a integer, b integer, CONSTRAINT t_a_check CHECK (((a >= 1) AND (a <= 5))));
CREATE VIEW public.v AS SELECT p.id, p.name FROM public.p WHERE ((p.name)::text ~~ 'a%'::text);
ALTER TABLE ONLY public.p ALTER COLUMN id SET DEFAULT nextval('public.p_id_seq'::regclass);
ALTER TABLE ONLY public.p ADD CONSTRAINT p_pkey PRIMARY KEY (id);
CREATE INDEX t_a_idx ON public.t USING btree (a) WHERE (b > 0);
ALTER TABLE ONLY public.t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES public.p(id) ON DELETE CASCADE;
`)
	require.Empty(t, Compare(a, b))
}

// TestCompare shows each kind of difference once.
func TestCompare(t *testing.T) {
	a := applied(t, `CREATE TABLE t (a int NOT NULL, b text DEFAULT 'x', c int); CREATE TABLE gone (a int PRIMARY KEY); CREATE INDEX i ON t (a);
ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0); COMMENT ON TABLE t IS 'x'`)
	b := applied(t, `CREATE SCHEMA s; CREATE TABLE t (a bigint, b text DEFAULT 'y', d int); CREATE TABLE s.x (a int); CREATE INDEX i ON t (a, b);
ALTER TABLE t ADD CONSTRAINT k CHECK (a > 1) NOT VALID`)
	var lines []string
	for _, d := range Compare(a, b) {
		lines = append(lines, d.Description)
	}
	require.Equal(t, []string{
		"column t.a: not null yes, other side none",
		"column t.a: type integer, other side bigint",
		"column t.b: default 'x', other side 'y'",
		"column t.c: missing on the other side",
		"column t.d: only on the other side",
		"constraint k on t: expression a > 0, other side a > 1",
		"constraint k on t: not valid none, other side yes",
		"index i: keys a, other side a, b",
		"schema s: only on the other side",
		"table gone: missing on the other side",
		"table s.x: only on the other side",
		"table t: comment x, other side none",
	}, lines)
}

// TestCompareRelated compares two states of one history, where only what was touched is looked at.
func TestCompareRelated(t *testing.T) {
	a := applied(t, "CREATE TABLE t (a int); CREATE TABLE u (a int)")
	b := a.Clone()
	applyAll(t, b, parseAll(t, "ALTER TABLE t ADD b int; CREATE INDEX i ON t (a); DROP TABLE u"))
	var lines []string
	for _, d := range Compare(a, b) {
		lines = append(lines, d.Description)
	}
	require.Equal(t, []string{"column t.b: only on the other side", "index i: only on the other side", "table u: missing on the other side"}, lines)
	applyAll(t, b, parseAll(t, "DROP INDEX i; ALTER TABLE t DROP b; CREATE TABLE u (a int)"))
	require.Empty(t, Compare(a, b))
}
