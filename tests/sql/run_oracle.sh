#!/usr/bin/env bash
# Runs tests/sql/oracle/*.sql on IdemDB and on a private PostgreSQL; both must print the same. Where the two need other words, a
# script says so with \if :idem … \else … \endif.
#   tests/sql/run_oracle.sh [--idemdb PROGRAM] [name …]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
idemdb=$root/build/release/idemdb
names=()
while [ $# -gt 0 ]; do
  case $1 in
    --idemdb) idemdb=$2; shift ;;
    *) names+=("$(basename "$1" .sql)") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || for script in "$here"/oracle/*.sql; do names+=("$(basename "$script" .sql)"); done

postgres_bin=$(dirname "$(find /usr/lib/postgresql/*/bin -name initdb 2>/dev/null | sort -V | tail -1)")
[ -x "$postgres_bin/initdb" ] || { echo "PostgreSQL is not installed" >&2; echo "0 passed, 1 failed"; exit 1; }

source "$here/server_for_scripts.sh"
work=$(mktemp -d)
chmod 755 "$work"
# PostgreSQL refuses to run as root.
as_postgres=()
if [ "$(id -u)" = 0 ]; then
  as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups)
  install -d -o postgres "$work/postgres"
else
  mkdir "$work/postgres"
fi
postgres_pid=
finish() {
  stop_idemdb
  if [ -n "$postgres_pid" ]; then
    kill -INT "$postgres_pid" 2>/dev/null
    wait "$postgres_pid" 2>/dev/null
  fi
  rm -rf "$work"
}
trap finish EXIT

cd "$work"
"${as_postgres[@]}" "$postgres_bin/initdb" -D "$work/postgres/data" -U admin --locale=C.UTF-8 --encoding=UTF8 --auth=trust --no-sync >"$work/initdb.log" 2>&1 ||
  { cat "$work/initdb.log"; exit 1; }
"${as_postgres[@]}" "$postgres_bin/postgres" -D "$work/postgres/data" -k "$work/postgres" -c listen_addresses= -c timezone=UTC -c fsync=off \
  >"$work/postgres.log" 2>&1 </dev/null &
postgres_pid=$!
for _ in $(seq 600); do
  psql -X -q -h "$work/postgres" -U admin -d postgres -c 'SELECT 1' >/dev/null 2>&1 && break
  kill -0 "$postgres_pid" 2>/dev/null || { cat "$work/postgres.log"; exit 1; }
  sleep 0.05
done

run_script() {  # name, 1 for IdemDB, connection arguments
  local name=$1 idem=$2; shift 2
  (cd "$root/tests/data" && psql -X -A -v idem="$idem" -v VERBOSITY=terse "$@" <"$here/oracle/$name.sql" 2>&1)
}

passed=0 failed=0
for name in "${names[@]}"; do
  mkdir -p "$work/$name"
  psql -X -q -h "$work/postgres" -U admin -d postgres -c 'DROP DATABASE IF EXISTS main' -c 'CREATE DATABASE main' >/dev/null 2>&1
  run_script "$name" 0 -h "$work/postgres" -U admin -d main >"$work/$name/postgres"
  verdict=ok
  if start_idemdb "$work/$name"; then
    run_script "$name" 1 -h 127.0.0.1 -p "$idemdb_port" -U admin -d main >"$work/$name/idem"
    stop_idemdb
    diff -u --label "$name, PostgreSQL" --label "$name, IdemDB" "$work/$name/postgres" "$work/$name/idem" || verdict="the answers differ"
  else
    verdict="no server"
  fi
  if [ "$verdict" = ok ]; then passed=$((passed + 1)); echo "ok   oracle $name"
  else failed=$((failed + 1)); echo "FAIL oracle $name: $verdict"; fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
