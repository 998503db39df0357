#!/usr/bin/env bash
# From a fresh Debian 12 to an answer: installs what is missing, builds, starts a server on the folder ./data, loads real
# trades and shop figures, and asks three questions. Run it again at any time: the tables are as if it had run once.
#   tools/quickstart.sh            leaves the server running
#   tools/quickstart.sh stop       ends it
#   IDEMDB_DATA=DIR IDEMDB_PORT=N choose another folder and port
set -euo pipefail
cd "$(dirname "$0")/.."
data=${IDEMDB_DATA:-$PWD/data} port=${IDEMDB_PORT:-5433}
pid_file=$data.pid log_file=$data.log

running() { [ -f "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null; }

if [ "${1:-}" = stop ]; then
  running || { echo "no server of tools/quickstart.sh is running"; exit 0; }
  kill "$(cat "$pid_file")"
  while running; do sleep 0.1; done
  echo "stopped"
  exit 0
fi

tools/install_packages.sh build
echo "== build"
cmake --preset release -DIDEM_TESTS=OFF -DIDEM_BENCH=OFF >/dev/null
cmake --build --preset release

if running; then
  echo "== a server is running already (process $(cat "$pid_file"))"
else
  echo "== start"
  setsid build/release/idemdb --data "$data" --port "$port" --pid-file "$pid_file" >"$log_file" 2>&1 </dev/null &
  for _ in $(seq 300); do grep -q 'is ready' "$log_file" 2>/dev/null && break; sleep 0.1; done
  grep 'is ready' "$log_file" || { cat "$log_file" >&2; exit 1; }
fi

psql=(psql -X -q -h 127.0.0.1 -p "$port" -U admin -d main -v ON_ERROR_STOP=1)

echo "== load"
"${psql[@]}" <<'SQL'
\set QUIET on
CREATE TABLE IF NOT EXISTS btc_trades (symbol SYMBOL, side SYMBOL, price DOUBLE, amount DOUBLE, timestamp TIMESTAMP)
  TIMESTAMP(timestamp) PARTITION BY DAY WAL DEDUP UPSERT KEYS(timestamp, symbol, price, amount);
CREATE TABLE IF NOT EXISTS ecommerce_stats (ts TIMESTAMP, country SYMBOL, category SYMBOL, visits LONG,
  unique_visitors LONG, sales DOUBLE, number_of_products INT)
  TIMESTAMP(ts) PARTITION BY DAY WAL DEDUP UPSERT KEYS(ts, country, category);
\set QUIET off
\copy btc_trades FROM 'tests/data/btc_trades.csv' CSV HEADER
\copy ecommerce_stats FROM 'tests/data/ecommerce_stats.csv' CSV HEADER
SQL

ask() { echo; echo "$1"; "${psql[@]}" -c "$1"; }
echo "== ask"
ask "SELECT timestamp, first(price) AS open, max(price) AS high, min(price) AS low, last(price) AS close, sum(amount) AS volume FROM btc_trades SAMPLE BY 15m LIMIT 4"
ask "SELECT * FROM btc_trades LATEST ON timestamp PARTITION BY symbol, side"
ask "SELECT country, sum(visits) AS visits, round(sum(sales)::numeric, 2) AS sales FROM ecommerce_stats GROUP BY country ORDER BY sales DESC"

cat <<TEXT

The server runs. Connect with
  psql -h 127.0.0.1 -p $port -U admin main
and end it with
  tools/quickstart.sh stop
TEXT
