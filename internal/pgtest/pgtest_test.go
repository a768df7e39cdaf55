package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { Main(m) }

func TestServerHasTheVersionAskedForAndADatabasePerTest(t *testing.T) {
	versions := Versions()
	if len(versions) == 0 {
		Shared(t, Config{}) // skips or fails, as package need decides
	}
	for _, major := range versions {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			t.Parallel()
			server := Shared(t, Config{Version: major})
			require.Same(t, server, Shared(t, Config{Version: major}))
			require.Equal(t, major, server.Major())

			first, second := server.Database(t), server.Database(t)
			a, b := Connect(t, first), Connect(t, second)
			_, err := a.Exec(t.Context(), "CREATE TABLE t ()")
			require.NoError(t, err)
			_, err = b.Exec(t.Context(), "CREATE TABLE t ()")
			require.NoError(t, err, "the databases are not the same one")

			var version int
			require.NoError(t, a.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int / 10000").Scan(&version))
			require.Equal(t, major, version)
			var listen, collate, encoding string
			require.NoError(t, a.QueryRow(t.Context(), "SELECT current_setting('listen_addresses'), datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()").Scan(&listen, &collate, &encoding))
			require.Empty(t, listen, "only the Unix socket is listened on")
			require.Equal(t, "C", collate)
			require.Equal(t, "UTF8", encoding)
			for _, extension := range []string{"pgcrypto", "uuid-ossp", "citext", "hstore", "pg_trgm", "ltree", "btree_gist"} {
				_, err := a.Exec(t.Context(), `CREATE EXTENSION "`+extension+`"`)
				require.NoError(t, err)
			}
		})
	}
}

func TestDatabaseIsDroppedEvenWhileConnected(t *testing.T) {
	server := Shared(t, Config{})
	var dsn string
	t.Run("inner", func(t *testing.T) {
		dsn = server.Database(t)
		conn, err := pgx.Connect(t.Context(), dsn)
		require.NoError(t, err)
		require.NoError(t, conn.Ping(t.Context())) // and never closed
	})
	_, err := pgx.Connect(t.Context(), dsn)
	require.ErrorContains(t, err, "does not exist")
}

func TestDatabasesCreatedAtOnce(t *testing.T) {
	server := Shared(t, Config{})
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, Connect(t, server.Database(t)).Ping(t.Context()))
		})
	}
}

func TestSettingsMakeAnotherServer(t *testing.T) {
	server := Shared(t, Config{Settings: map[string]string{"wal_level": "logical", "search_path": "it's, public"}})
	require.NotSame(t, Shared(t, Config{}), server)
	var level, path string
	conn := Connect(t, server.Database(t))
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting('wal_level'), current_setting('search_path')").Scan(&level, &path))
	require.Equal(t, "logical", level)
	require.Equal(t, "it's, public", path)
}

func TestBadSettingIsReportedWithTheServersWords(t *testing.T) {
	inst := prepare(t, Config{})
	temp, err := os.MkdirTemp("/tmp", "pgtest-empty-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.Remove(temp), "nothing is left in it") })
	require.NoError(t, os.Chmod(temp, 0o755)) // the server's user must be able to enter it
	t.Setenv("TMPDIR", temp)
	_, err = start(inst, map[string]string{"no_such_setting": "1"})
	require.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)
}

func TestStopIsIdempotentAndLeavesNothing(t *testing.T) {
	server := Start(t, Config{})
	pid, dir := server.PID(), server.Dir()
	require.True(t, alive(pid))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(server.Stop)
	}
	wg.Wait()
	require.False(t, alive(pid))
	require.NoDirExists(t, dir)
}

func TestMissingVersionSaysWhereItLooked(t *testing.T) {
	_, err := find(9)
	require.ErrorContains(t, err, "no PostgreSQL 9 server programs")
	require.ErrorContains(t, err, CacheDir())
	require.ErrorContains(t, err, "make test")
}

func TestBinDirsAreLookedAtFirst(t *testing.T) {
	inst := prepare(t, Config{})
	base := t.TempDir()
	// The directory must be one that the server's user may enter, which the parents of t.TempDir are not for root's.
	for dir := base; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	for _, program := range []string{"initdb", "postgres"} {
		require.NoError(t, os.Symlink(filepath.Join(inst.Bin, program), filepath.Join(base, program)))
	}
	t.Setenv(BinDirsVariable, "/does/not/exist"+string(os.PathListSeparator)+base)
	found, err := find(inst.Major)
	require.NoError(t, err)
	require.Equal(t, base, found.Bin)
}

// victimVariable makes TestVictim a test that starts a server, says so and hangs until it is killed.
const victimVariable = "HA_PGTEST_VICTIM"

func TestVictim(t *testing.T) {
	if os.Getenv(victimVariable) == "" {
		return
	}
	server := Shared(t, Config{})
	server.Database(t)
	fmt.Println("victim", server.PID(), server.SupervisorPID(), server.Dir())
	<-t.Context().Done()
}

type victim struct {
	cmd                    *exec.Cmd
	postmaster, supervisor int
	dir                    string
}

// runVictim starts this test binary again on TestVictim and waits until its server runs.
func runVictim(t *testing.T) victim {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victimVariable+"=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	v := victim{cmd: cmd}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "victim %d %d %s", &v.postmaster, &v.supervisor, &v.dir); n == 3 {
			require.True(t, alive(v.postmaster))
			return v
		}
	}
	t.Fatal("the victim ended before its server ran")
	return v
}

func TestKilledTestProcessLeavesNoServer(t *testing.T) {
	prepare(t, Config{})
	v := runVictim(t)
	require.NoError(t, v.cmd.Process.Kill())
	require.Eventually(t, func() bool { return !alive(v.postmaster) && !alive(v.supervisor) }, time.Minute, 10*time.Millisecond)
	require.NoDirExists(t, v.dir)
}

func TestKilledSupervisorLeavesNoServer(t *testing.T) {
	prepare(t, Config{})
	v := runVictim(t)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(v.dir)) }) // nobody is left to do it
	require.NoError(t, syscall.Kill(v.supervisor, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !alive(v.postmaster) }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { return !anyProcessUses(t, v.dir) }, time.Minute, 10*time.Millisecond, "backends are gone too")
}

func TestTestBinariesAtOnce(t *testing.T) {
	prepare(t, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDatabasesCreatedAtOnce$")
			text, err := cmd.CombinedOutput()
			if err != nil {
				errs[i] = fmt.Errorf("%w: %s", err, text)
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// A zombie has ended; who reaps it is its parent's affair. The state follows the name in parentheses (proc(5)).
	_, rest, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// anyProcessUses tells whether a process has dir's data directory as its working directory, as every PostgreSQL process
// of a cluster does.
func anyProcessUses(t *testing.T, dir string) bool {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir+"/") {
			return true
		}
	}
	return false
}

func BenchmarkDatabase(b *testing.B) {
	server := Shared(b, Config{})
	for b.Loop() {
		server.Database(b)
	}
}

func TestMissingMajors(t *testing.T) {
	require.Empty(t, missingMajors("", []int{15}))
	require.Empty(t, missingMajors("15 12", []int{12, 15}))
	require.Equal(t, []string{"13", "new"}, missingMajors(" 13 15 new", []int{15}))
}
