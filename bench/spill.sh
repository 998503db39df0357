#!/usr/bin/env bash
# What temporary files cost: a sort, a join and a grouping in memory, then with a tenth of the memory that they took as limit. Prints the
# medians of three runs, and what was written.
#   bench/spill.sh [--idemdb PROGRAM] [--rows N]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
idemdb=$root/build/release/idemdb
rows=4000000
while [ $# -gt 0 ]; do
  case $1 in
    --idemdb) idemdb=$2 ;;
    --rows) rows=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done

source "$root/tests/sql/server_for_scripts.sh"
work=$(mktemp -d)
trap 'stop_idemdb; rm -rf "$work"' EXIT
start_idemdb "$work"
sql() { psql -X -q -A -t -h 127.0.0.1 -p "$idemdb_port" -U admin -d main "$@"; }

sql -c "CREATE TABLE facts (id BIGINT, k BIGINT, name VARCHAR, v DOUBLE)" \
    -c "INSERT INTO facts SELECT i, i * 7919 % $rows, 'customer ' || i * 104729 % $rows, i / 7.0 FROM generate_series(1::bigint, $rows) AS g(i)"

# explain LIMIT QUERY: the plan of an execution under this limit.
explain() { sql -c "SET query_memory_limit = '$1'" -c "EXPLAIN ANALYZE $2"; }
milliseconds() { sed -n 's/^Execution Time: \([0-9.]*\) ms$/\1/p'; }
most() { sed -n "s/^ *$1: \([0-9]*\) kB$/\1/p" | sort -n | tail -1; }

measure() {
  local name=$1 query=$2 memory limit fast=() slow=()
  for _ in 1 2 3; do
    explain 0 "$query" >"$work/plan"
    fast+=("$(milliseconds <"$work/plan")")
  done
  memory=$(most Memory <"$work/plan")
  limit=$((memory / 10))
  for _ in 1 2 3; do
    explain "${limit}kB" "$query" >"$work/plan"
    slow+=("$(milliseconds <"$work/plan")")
  done
  local a b
  a=$(printf '%s\n' "${fast[@]}" | sort -n | sed -n 2p)
  b=$(printf '%s\n' "${slow[@]}" | sort -n | sed -n 2p)
  echo "$name: $((memory / 1024)) MB in memory, $a ms; limit $((limit / 1024)) MB, $b ms, $(($(most Spilled <"$work/plan") / 1024)) MB written; ratio $(echo "$b $a" | awk '{ printf "%.2f", $1 / $2 }')"
}

measure "sort by a number" "SELECT count(*) FROM (SELECT * FROM facts ORDER BY k OFFSET $((rows / 2))) q"
measure "sort by a string" "SELECT count(*) FROM (SELECT * FROM facts ORDER BY name OFFSET $((rows / 2))) q"
measure "join by a number" "SELECT count(*), sum(a.v) FROM facts a JOIN facts b ON a.k = b.id"
measure "join by a string" "SELECT count(*), sum(a.v) FROM facts a LEFT JOIN facts b USING (name)"
measure "group by a number" "SELECT count(*), sum(s) FROM (SELECT k, sum(v) AS s FROM facts GROUP BY k) q"
measure "group by a string" "SELECT count(*), sum(s) FROM (SELECT name, sum(v) AS s FROM facts GROUP BY name) q"
