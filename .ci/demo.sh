#!/bin/sh
# Runs the linter on the example, as its developers would: in a repository whose tag holds the released version of the code
# and of the history, and whose work tree holds the next. It is meant to find something: exit status 1 is the success of
# this demonstration, 0 and 2 are not. ("go run" would turn every status into 1.)
set -eu
"$GO" build -o "$BUILD/srhtvet" ./cmd/srhtvet
srhtvet=$(cd "$BUILD" && pwd)/srhtvet

repo=$(mktemp -d)
trap 'rm -rf "$repo"' EXIT
trap 'exit 130' INT TERM
git() { command git -C "$repo" -c user.name=demo -c user.email=demo@example.org -c commit.gpgSign=false -c tag.gpgSign=false "$@"; }

cp -R examples/migrations/. "$repo"
# There is no SQL in main.go, so that the released one need not be kept.
rm -r "$repo/testdata" "$repo/migrations/0005_rework.sql" "$repo/main.go"
cp -R examples/migrations/testdata/v1/. "$repo"
{ echo 'module git.sr.ht/~sourcehut/ha-go/examples/migrations'; grep -E '^go |github.com/jackc/pgx/v5 ' go.mod | sed 's/^	/require /'; } >"$repo/go.mod"
git init -q
git add -A
git commit -q -m 'the released version'
git tag v1.0
cp -R examples/migrations/. "$repo"
rm -r "$repo/testdata"
git add -A
git commit -q -m 'the next version'

# expect COMMAND…: runs it in the repository, and wants findings.
expect() {
	echo "\$ $*"
	status=0
	(cd "$repo" && PATH="${srhtvet%/*}:$PATH" "$@") || status=$?
	case $status in
	1) echo; echo "$1 ended with status 1: findings at or above the bar, as this example means it to."; echo ;;
	0) echo "$1 found nothing in examples/migrations, which is wrong on purpose" >&2; exit 1 ;;
	*) echo "$1 could not run (status $status)" >&2; exit "$status" ;;
	esac
}
expect srhtvet lint
expect srhtvet compat
