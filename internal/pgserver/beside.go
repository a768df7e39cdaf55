package pgserver

import "os/exec"

// Beside makes what another server's program needs that runs beside a PostgreSQL, such as a pooler: a temporary directory
// with room for a Unix socket in its path, and the program as a command that runs as the user that PostgreSQL runs as (root's
// are refused by PgBouncer, too) and, on Linux, is killed with the thread that starts it (see runtime.LockOSThread). The caller
// removes the directory.
func Beside(prefix, path string, args ...string) (dir string, cmd *exec.Cmd, err error) {
	owner, err := serverAccount()
	if err != nil {
		return "", nil, err
	}
	if dir, err = owner.tempDir(prefix, tempBases()...); err != nil {
		return "", nil, err
	}
	cmd = command(owner, path, args...)
	cmd.Dir = dir
	dieWithParent(cmd.SysProcAttr) // SIGQUIT, PostgreSQL's immediate shutdown, only makes HAProxy print its pools
	return dir, cmd, nil
}
