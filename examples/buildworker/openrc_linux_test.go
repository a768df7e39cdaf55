package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// openrc gives OpenRC a /run of its own, in which nothing but the sysinit that it wants to have happened is, and does with the service in
// the directory $1 what it is told to by files there.
const openrc = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
for d in daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive; do mkdir -p /run/openrc/$d; done
touch /run/openrc/softlevel
cp "$1/buildworker.init" /run/buildworker
for verb in start restart stop; do
	until [ -e "$1/$verb" ]; do sleep 0.05; done
	/run/buildworker --nodeps $verb
	touch "$1/$verb.done"
done
`

// TestOpenRC: the shipped service under the real openrc-run, with the machine's start-stop-daemon. Debian's is dpkg's, which does not know the options of
// OpenRC's own for logs.
func TestOpenRC(t *testing.T) {
	t.Parallel()
	run := need.Binary(t, "openrc-run", "/usr/sbin/openrc-run", "/sbin/openrc-run")
	s := newSite(t, 5e9)
	text, err := os.ReadFile("openrc/buildworker")
	require.NoError(t, err)
	service := string(text)
	for old, now := range map[string]string{
		"#!/sbin/openrc-run\n":                                      "#!" + run + "\n",
		`command="/usr/bin/buildworker"`:                            fmt.Sprintf("command=%q", s.program),
		`command_args="${buildworker_args:-}"`:                      fmt.Sprintf("command_args=%q", strings.Join(s.flags("a"), " ")),
		`command_user="${buildworker_user:-buildworker}"`:           "",
		`output_log="${buildworker_log:-/var/log/buildworker.log}"`: "",
		`error_log="${buildworker_log:-/var/log/buildworker.log}"`:  "",
		`pidfile="/run/${RC_SVCNAME}.pid"`:                          fmt.Sprintf("pidfile=%q", s.path("pid")),
		`	checkpath --directory --owner "$command_user" --mode 0700 /var/lib/buildworker
	checkpath --file --owner "$command_user" --mode 0600 "$output_log"
`: "	checkpath --directory --mode 0700 " + s.path("lib") + "\n",
	} {
		require.Contains(t, service, old)
		service = strings.ReplaceAll(service, old, now)
	}
	require.Contains(t, service, `retry="TERM/30"`)
	require.NoError(t, os.WriteFile(s.path("buildworker.init"), []byte(service), 0o700))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", openrc, "sh", s.dir)
	log, err := os.Create(s.path("openrc.log"))
	require.NoError(t, err)
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Start(); errors.Is(err, fs.ErrPermission) {
		need.Missing(t, "a mount namespace (%v)", err)
	} else {
		require.NoError(t, err)
	}
	tell := func(verb string) {
		require.NoError(t, os.WriteFile(s.path(verb), nil, 0o600))
		until(t, verb, func() bool {
			_, err := os.Stat(s.path(verb + ".done"))
			return err == nil
		})
	}
	defer func() {
		if t.Failed() {
			said, _ := os.ReadFile(s.path("openrc.log"))
			t.Log(string(said))
		}
	}()
	tell("start")
	s.submit(t, jobs)
	until(t, "all builds are up", func() bool { return s.up(t) == jobs })
	shims := func() (names []string) {
		names, err := filepath.Glob(s.path("a", "jobs", "*", "shim.json"))
		require.NoError(t, err)
		return names
	}
	require.Len(t, shims(), jobs)
	tell("restart")
	s.letGo(t)
	s.audit(t, "a", 1)
	tell("stop")
	require.NoError(t, cmd.Wait())
	until(t, "no process is left", func() bool { return len(s.processes(t)) == 0 })
}
