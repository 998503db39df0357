#!/usr/bin/env bash
# Do short queries keep their latency beside long ones? 64 clients read single tickers of single minutes of a table of 5 million rows,
# first alone, then while two others sort and join all of it. Prints both latencies as pgbench sees them, and their ratio.
#   bench/fairness.sh [--idemdb PROGRAM] [--seconds N]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
idemdb=$root/build/release/idemdb
seconds=10
while [ $# -gt 0 ]; do
  case $1 in
    --idemdb) idemdb=$2 ;;
    --seconds) seconds=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done

source "$root/tests/sql/server_for_scripts.sh"
work=$(mktemp -d)
long_pids=()
stop_all() {
  for pid in "${long_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  stop_idemdb
  rm -rf "$work"
}
trap stop_all EXIT
start_idemdb "$work"
connection=(-h 127.0.0.1 -p "$idemdb_port" -U admin)

psql -X -q "${connection[@]}" -d main <<'SQL'
CREATE TABLE trades (ts TIMESTAMP, ticker SYMBOL, price DOUBLE, amount BIGINT) TIMESTAMP(ts) PARTITION BY DAY;
INSERT INTO trades
  SELECT '2024-01-01'::timestamp + i * interval '100 ms', 'T' || i % 100, (i * 7919 % 10000) / 100.0, i * 104729 % 5000000
  FROM generate_series(1::bigint, 5000000) AS g(i);
SQL

cat >"$work/short.sql" <<'SQL'
\set minute random(0, 8000)
\set ticker random(0, 99)
SELECT count(*), max(price) FROM trades
  WHERE ts >= '2024-01-01'::timestamp + :minute * interval '1 minute' AND ts < '2024-01-01'::timestamp + (:minute + 1) * interval '1 minute'
    AND ticker = 'T' || :ticker;
SQL
long_query() {
  while psql -X -q "${connection[@]}" -d main -c "$1" >/dev/null 2>&1; do :; done
}
latency() {
  pgbench -n -M prepared "${connection[@]}" -c 64 -j 2 -T "$seconds" -f "$work/short.sql" main 2>/dev/null |
    sed -n 's/^latency average = \([0-9.]*\) ms$/\1/p'
}

alone=$(latency)
long_query "SELECT count(*) FROM (SELECT * FROM trades ORDER BY amount, price OFFSET 1000000) q" &
long_pids+=($!)
long_query "SELECT count(*), sum(a.price) FROM trades a JOIN trades b ON a.amount = b.amount" &
long_pids+=($!)
sleep 1
beside=$(latency)
echo "64 clients, short queries: $alone ms alone, $beside ms beside two long queries, ratio $(echo "$beside $alone" | awk '{ printf "%.2f", $1 / $2 }')"
