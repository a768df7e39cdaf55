#!/bin/sh
# Installs from Debian's packages what the tests need and this machine lacks, as root or with sudo that asks no password.
# Where it may not it says so and succeeds: the tests concerned are then skipped, or fail when CI=true.
set -eu

packages=
want() { packages="$packages $1"; }

# PostgreSQL's server programs are on PATH or where Debian puts them (as package internal/pgserver looks for them).
if ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then want postgresql; fi
command -v psql >/dev/null 2>&1 || want postgresql-client
# Debian's pgbouncer is not on every user's PATH (as pgtest.Bouncer looks for it).
command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ] || want pgbouncer
# Debian's python3-* packages serve the system's interpreter only, which need not be the first on PATH.
for python in /usr/bin/python3 python3; do
	if "$python" -c 'import alembic' >/dev/null 2>&1; then alembic=yes; fi
	if "$python" -c 'import sqlalchemy, sqlalchemy_utils, psycopg2' >/dev/null 2>&1; then sqlalchemy=yes; fi
done
[ "${alembic:-}" = yes ] || want python3-alembic
[ "${sqlalchemy:-}" = yes ] || { want python3-sqlalchemy; want python3-sqlalchemy-utils; want python3-psycopg2; }
# drain: the balancer, the queue and its Python peer, and the supervisors whose signals it is told by. OpenRC is not brought to a
# machine that systemd has booted.
command -v haproxy >/dev/null 2>&1 || [ -x /usr/sbin/haproxy ] || want haproxy
command -v redis-server >/dev/null 2>&1 || want redis-server
for python in /usr/bin/python3 python3; do
	if "$python" -c 'import celery, redis' >/dev/null 2>&1; then celery=yes; fi
done
[ "${celery:-}" = yes ] || { want python3-celery; want python3-redis; }
command -v runsv >/dev/null 2>&1 || want runit
command -v systemd-socket-activate >/dev/null 2>&1 || want systemd
[ -d /run/systemd/system ] || [ -x /usr/sbin/openrc-run ] || [ -x /sbin/openrc-run ] || want openrc
command -v git >/dev/null 2>&1 || want git
command -v "${CC:-cc}" >/dev/null 2>&1 || { want gcc; want libc6-dev; }

[ -n "$packages" ] || exit 0

command="apt-get install$packages"
if ! command -v apt-get >/dev/null 2>&1; then
	echo "make: missing here, and there is no apt-get to install it with:$packages" >&2
	exit 0
fi
if [ "$(id -u)" = 0 ]; then
	as_root=
elif sudo -n true >/dev/null 2>&1; then
	as_root=sudo
else
	echo "make: missing here, and neither root nor passwordless sudo to install it; please run: $command" >&2
	exit 0
fi

echo "make: installing from Debian's packages:$packages"
# The tests start their own servers. Debian would also create a cluster and start it for good; keep it from that unless
# the machine's owner has already decided.
conf=/etc/postgresql-common/createcluster.conf
if [ ! -e "$conf" ]; then
	$as_root mkdir -p "${conf%/*}"
	echo 'create_main_cluster = false' | $as_root tee "$conf" >/dev/null
fi
# Nor are the daemons started that come along, now or at the next boot.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap '$as_root rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod 755 "$policy"
fi
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@" </dev/null; }
# A list of packages that was never fetched, or is old, is the usual reason for an install to fail.
# shellcheck disable=SC2086 # the names are words
if ! apt install --yes --no-install-recommends $packages >/dev/null 2>&1; then
	if ! { apt update && apt install --yes --no-install-recommends $packages >/dev/null; }; then
		echo "make: apt-get could not install:$packages; their tests are skipped, or fail when CI=true" >&2
	fi
fi
if [ -d /run/systemd/system ]; then
	for package in $packages; do
		case $package in haproxy | redis-server) $as_root systemctl --quiet disable "$package" || true ;; esac
	done
fi
