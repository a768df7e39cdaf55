#!/bin/sh
# Runs the linter on the example. It is meant to find something: exit status 1 is the success of this demonstration, 0
# and 2 are not. ("go run" would turn every status into 1.)
set -eu
"$GO" build -o "$BUILD/srhtvet" ./cmd/srhtvet
echo "\$ srhtvet lint -since 4 examples/migrations"
status=0
"$BUILD/srhtvet" lint -since 4 examples/migrations || status=$?
case $status in
1) echo; echo "srhtvet ended with status 1: findings at or above the bar, as this example means it to." ;;
0) echo "srhtvet found nothing in examples/migrations, which is wrong on purpose" >&2; exit 1 ;;
*) echo "srhtvet could not run (status $status)" >&2; exit "$status" ;;
esac
