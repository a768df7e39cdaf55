#!/bin/sh
# Restarts two processes of this service in turn, behind a HAProxy, under load, and prints how many requests failed.
#
#	sh examples/webservice/rolling.sh [ROUNDS]
#
# The restarts are rollouts (examples/rollout): whoever goes on to the next node before HAProxy has seen the last one healthy has none left.
# It needs go, haproxy and curl, listens on 127.0.0.1 only, and leaves nothing behind.
set -eu
rounds=${1:-3}
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
pids=
cleanup() {
	touch "$dir/done"
	# shellcheck disable=SC2046,SC2086 # one word per process
	kill $pids $(cat "$dir"/node?.pid) 2>/dev/null || :
	wait
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
go build -o "$dir/" ./examples/webservice ./examples/rollout

# What an init system would do: restart NODE.
cat >"$dir/restart" <<'EOF'
node=${1#node} dir=$(dirname "$0")
if [ -e "$dir/node$node.pid" ]; then
	pid=$(cat "$dir/node$node.pid")
	kill "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
fi
"$dir/webservice" -listen "127.0.0.1:808$node" -agent "127.0.0.1:908$node" >"$dir/node$node.log" 2>&1 &
echo $! >"$dir/node$node.pid"
EOF
sh "$dir/restart" node1
sh "$dir/restart" node2
# The configuration that is shipped, with its files in a directory of this script's own.
sed -e "s|/run/haproxy|$dir|; s|/var/lib/haproxy|$dir|; s|bind :8000|bind 127.0.0.1:8000|; s|mode 660|mode 600|" examples/webservice/haproxy.cfg >"$dir/haproxy.cfg"
: >"$dir/state"
haproxy -db -f "$dir/haproxy.cfg" 2>"$dir/haproxy.log" &
pids=$!
n=0
until curl -fs -m 1 http://127.0.0.1:8081/readyz && curl -fs -m 1 http://127.0.0.1:8082/readyz && curl -fs -m 1 http://127.0.0.1:8000/; do
	n=$((n + 1))
	if [ $n = 100 ]; then
		cat "$dir"/*.log >&2
		echo "nothing serves: does another program have port 8000, 8081, 8082, 9081 or 9082 of 127.0.0.1?" >&2
		exit 1
	fi
	sleep 0.1
done >/dev/null
sleep 2 # for the first health checks

clients=
for client in 1 2 3 4; do
	( # 50 requests over one connection, half of them POSTs, and again
		set --
		i=0
		while [ $i -lt 25 ]; do
			set -- "$@" --next -s -m 10 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8000/ --next -s -m 10 -o /dev/null -w '%{http_code}\n' -d x http://127.0.0.1:8000/
			i=$((i + 1))
		done
		shift
		while [ ! -e "$dir/done" ]; do curl "$@" || :; done
	) >"$dir/codes.$client" &
	clients="$clients $!"
done
pids="$pids $clients"

n=0
while [ $n -lt "$rounds" ]; do
	# The status of a pipe is that of its last command.
	{
		"$dir/rollout" -haproxy "$dir/admin.sock" -backend web -journal "$dir/journal" -up-for 3500ms run -- sh "$dir/restart" "{server}" ||
			touch "$dir/stopped"
	} | grep -v progress || :
	if [ -e "$dir/stopped" ]; then
		"$dir/rollout" -haproxy "$dir/admin.sock" -backend web -journal "$dir/journal" status || :
		exit 1
	fi
	n=$((n + 1))
done
touch "$dir/done"
# shellcheck disable=SC2086 # one word per process
wait $clients
total=$(cat "$dir"/codes.* | wc -l)
failed=$(cat "$dir"/codes.* | grep -cv '^200$' || :)
echo "$((2 * n)) restarts, $total requests, $failed failed"
[ "$failed" = 0 ]
