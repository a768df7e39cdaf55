package query

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestDrivers has pgx scan and bind values of many types: what the tables say is refused must be, for every value.
func TestDrivers(t *testing.T) {
	ctx := t.Context()
	conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t))
	const ddl = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text)"
	_, err := conn.Exec(ctx, ddl)
	require.NoError(t, err)
	cat := catalog.New(catalog.Config{})
	apply(t, cat, ddl)

	samples := []struct {
		typ    string
		values []string
	}{
		{"int2", []string{"1", "0"}}, {"int4", []string{"1", "0", "-5"}}, {"int8", []string{"1", "9999999999"}}, {"numeric", []string{"1", "1.5"}},
		{"float4", []string{"1.5"}}, {"float8", []string{"1", "1.5"}}, {"bool", []string{"true", "false"}}, {"text", []string{"x", "1", "", "true"}},
		{"varchar(20)", []string{"x"}}, {"bytea", []string{"x", "1"}}, {"timestamptz", []string{"2024-01-02"}}, {"timestamp", []string{"2024-01-02"}},
		{"date", []string{"2024-01-02"}}, {"time", []string{"10:00"}}, {"interval", []string{"1 day"}}, {"uuid", []string{"0f8fad5b-d9cb-469f-a165-70867728950e"}},
		{"json", []string{"1", "{}", `"x"`}}, {"jsonb", []string{"1", "{}", `"x"`}}, {"inet", []string{"1.2.3.4"}}, {"mood", []string{"sad"}},
		{"int4[]", []string{"{1}", "{}"}}, {"text[]", []string{"{x}"}}, {"pair", []string{"(1,x)"}}, {"int4range", []string{"[1,2)"}},
	}
	values := map[GoKind][]any{
		Bool: {true, false}, Int: {int64(1), int64(0), int64(20240102)}, Float: {1.0, 1.5}, String: {"x", "1", "true"},
		Bytes: {[]byte("x")}, Time: {time.Unix(1700000000, 0).UTC()}, UUID: {[16]byte{1, 2}}, List: {[]int32{1}, []string{"x"}},
	}
	refused := 0
	for _, s := range samples {
		typ := typeOf(t, cat, s.typ)
		for kind, list := range values {
			g := GoType{Name: string(kind), Kind: kind}
			if scanFit(cat, typ, g) == refuses {
				refused++
				for _, text := range s.values {
					for _, v := range list {
						dest := reflect.New(reflect.TypeOf(v)).Interface()
						err := conn.QueryRow(ctx, fmt.Sprintf("SELECT '%s'::%s", text, s.typ)).Scan(dest)
						assert.Error(t, err, "scanning %s %q into %T", s.typ, text, v)
					}
				}
			}
			if bindFit(cat, typ, g) == refuses {
				refused++
				for _, v := range list {
					assert.Error(t, bind(t, conn, s.typ, v), "binding %T to %s", v, s.typ)
				}
			}
		}
	}
	assert.Greater(t, refused, 100)
}

func bind(t *testing.T, conn *pgx.Conn, typ string, v any) error {
	var null bool
	return conn.QueryRow(t.Context(), fmt.Sprintf("SELECT $1::%s IS NULL", typ), v).Scan(&null)
}

// typeOf is the type of a name in a catalog.
func typeOf(t *testing.T, cat *catalog.Catalog, name string) catalog.TypeRef {
	b := Parse(&Site{Variants: []Variant{{SQL: "SELECT NULL::" + name}}})
	an, err := cat.Analyze(b.stmts[0][0], catalog.Ask{})
	require.NoError(t, err)
	return an.Columns[0].Type
}
