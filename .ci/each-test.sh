#!/bin/sh
# each-test.sh PATTERN PACKAGES ARG…: runs "go test ARG… PACKAGE" for each test or fuzz target that matches PATTERN, one
# at a time, since go test fuzzes only one. "NAME" in an argument becomes the anchored name. All are run although one
# fails; the status then is 1.
set -eu
pattern=$1 packages=$2
shift 2

# go test -list prints the names of a package, then a line "ok PACKAGE TIME" for it.
list=$(mktemp)
trap 'rm -f "$list"' EXIT
# shellcheck disable=SC2086 # PACKAGES may be several words
"$GO" test -list "$pattern" $packages >"$list" || { cat "$list"; exit 1; }
targets=$(awk '$1 == "ok" { for (i = 1; i <= n; i++) print $2 ":" names[i]; n = 0; next } NF == 1 { names[++n] = $1 }' "$list")
if [ -z "$targets" ]; then
	echo "no test matches $pattern in $packages"
	exit 0
fi

failed=
for target in $targets; do
	name=${target##*:} package=${target%:*}
	echo "=== $package $name"
	status=0
	(
		for arg; do
			shift
			case $arg in *NAME*) arg="${arg%%NAME*}^$name\$${arg#*NAME}" ;; esac
			set -- "$@" "$arg"
		done
		exec "$GO" test "$@" "$package"
	) || status=$?
	[ $status = 0 ] || failed="$failed $target"
done
if [ -n "$failed" ]; then
	echo "failed:$failed" >&2
	exit 1
fi
