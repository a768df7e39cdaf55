package failoversafe

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// TestDefaultsOfPgx: what the manual says of pgx's defaults.
func TestDefaultsOfPgx(t *testing.T) {
	t.Setenv("PGCONNECT_TIMEOUT", "")
	config, err := pgxpool.ParseConfig("host=db.example.org user=u")
	require.NoError(t, err)
	require.Equal(t, time.Hour, config.MaxConnLifetime)
	require.Zero(t, config.ConnConfig.ConnectTimeout)
}

// TestDSN: hosts and parameters are read as pgx reads them.
func TestDSN(t *testing.T) {
	for text, local := range map[string]bool{
		"host=db.example.org user=u":                              false,
		"host = 'db.example.org' password='it\\'s' user=u":        false,
		"host=/run/postgresql user=u":                             true,
		"host=localhost,db.example.org user=u port=5432,5433":     false,
		"postgres://u:p%40ss@db.example.org:5433/app":             false,
		"postgres://u@[2001:db8::1]:5432/app?connect_timeout=3":   false,
		"postgresql://a.example.org,b.example.org/app":            false,
		"postgres://u@127.0.0.1/app?target_session_attrs=primary": true,
		"postgres://u@/app?host=/run/postgresql":                  true,
		"postgres://u@/app?host=db.example.org":                   false,
	} {
		config, err := pgconn.ParseConfig(text)
		require.NoError(t, err, text)
		d, ok := parseDSN(text, false)
		require.True(t, ok, text)
		hosts := map[string]bool{config.Host: true}
		for _, f := range config.Fallbacks {
			hosts[f.Host] = true
		}
		got := map[string]bool{}
		for _, host := range d.hosts {
			got[host] = true
		}
		require.Equal(t, hosts, got, text)
		require.Equal(t, local, d.allLocal(), text)
		_, set := d.params["connect_timeout"]
		require.Equal(t, config.ConnectTimeout > 0, set, text)
	}
	for _, text := range []string{"", "db.example.org", "u:p@tcp(db)/app", "file.db?cache=shared", "a=b", "postgres://%zz?%zz"} {
		_, ok := parseDSN(text, false)
		require.False(t, ok, text)
	}
}

// TestFixedDSN: what the fix adds is taken by pgx, also in front of values that are filled in and empty.
func TestFixedDSN(t *testing.T) {
	for _, text := range []string{
		"connect_timeout=5 host=db.example.org user=u password=",
		"postgres://u@db.example.org/app?connect_timeout=5",
		"postgres://u@db.example.org/app?sslmode=disable&connect_timeout=5",
	} {
		config, err := pgconn.ParseConfig(text)
		require.NoError(t, err, text)
		require.Equal(t, 5*time.Second, config.ConnectTimeout, text)
	}
}
