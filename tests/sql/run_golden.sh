#!/usr/bin/env bash
# Runs tests/sql/*.sql through psql, each against a fresh server, and compares the output with the .out file beside it. A script
# that begins with "-- run twice" runs again at once on the database that it left, and must print the same.
#   tests/sql/run_golden.sh [--update] [--idemdb PROGRAM] [name …]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
idemdb=$root/build/release/idemdb
update=0 names=()
while [ $# -gt 0 ]; do
  case $1 in
    --update) update=1 ;;
    --idemdb) idemdb=$2; shift ;;
    *) names+=("$(basename "$1" .sql)") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || for script in "$here"/*.sql; do names+=("$(basename "$script" .sql)"); done

source "$here/server_for_scripts.sh"
work=$(mktemp -d)
trap 'stop_idemdb; rm -rf "$work"' EXIT

# Statements and answers one after the other, as one would see them on a terminal. The scratch folder has another name each time.
run_script() {
  (cd "$here" && PGOPTIONS= psql -X -q -A -a -h 127.0.0.1 -p "$idemdb_port" -U admin -d main -v VERBOSITY=verbose <"$1.sql" 2>&1) | sed "s#$work#WORK#g"
}

passed=0 failed=0
for name in "${names[@]}"; do
  mkdir -p "$work/$name"
  verdict=ok
  if start_idemdb "$work/$name"; then
    run_script "$name" >"$work/$name/first"
    if head -1 "$here/$name.sql" | grep -q '^-- run twice'; then
      run_script "$name" >"$work/$name/second"
      # Only notices may differ: "already exists, skipping".
      diff -u --label "$name, first run" --label "$name, second run" <(grep -v '^NOTICE' "$work/$name/first") <(grep -v '^NOTICE' "$work/$name/second") ||
        verdict="prints something else the second time"
    fi
    kill -0 "$idemdb_pid" 2>/dev/null || verdict="the server ended"
    stop_idemdb || { verdict="the server ended with an error"; tail -60 "$work/$name/server.err"; }
    if [ "$update" = 1 ]; then cp "$work/$name/first" "$here/$name.out"; fi
    diff -u --label "$name.out" --label "$name, now" "$here/$name.out" "$work/$name/first" || verdict="prints something else than $name.out"
  else
    verdict="no server"
  fi
  if [ "$verdict" = ok ]; then passed=$((passed + 1)); echo "ok   golden $name"
  else failed=$((failed + 1)); echo "FAIL golden $name: $verdict"; fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
