#!/usr/bin/env bash
# From a fresh Debian 12 to an answer: installs what is missing, builds, starts a server with a web console on the folder ./data, loads
# real trades and shop figures, and asks three questions. Run it again at any time: the tables are as if it had run once.
#   tools/quickstart.sh            leaves the server running
#   tools/quickstart.sh stop       ends it
#   IDEMDB_DATA=DIR IDEMDB_PORT=N IDEMDB_HTTP_PORT=N choose another folder and other ports
set -euo pipefail
cd "$(dirname "$0")/.."
data=${IDEMDB_DATA:-$PWD/data} port=${IDEMDB_PORT:-5433} http_port=${IDEMDB_HTTP_PORT:-9000}
idem=build/release/idem

case ${1:-} in
  '') ;;
  stop) exec "$idem" stop "$data" ;;
  *) echo "usage: tools/quickstart.sh [stop]" >&2; exit 2 ;;
esac

# Says what begins, and how long the step before took.
step() {
  [ -z "${begun:-}" ] || echo "   $((SECONDS - begun)) s"
  begun=$SECONDS
  [ -z "${1:-}" ] || echo "== $1"
}

step packages
tools/install_packages.sh build
step build
cmake --preset release -DIDEM_TESTS=OFF -DIDEM_BENCH=OFF >/dev/null
cmake --build --preset release

step start
[ -e "$data/idemdb.toml" ] || "$idem" init "$data" --port "$port" --http-port "$http_port" >/dev/null
"$idem" start "$data"
port=$(head -1 "$data/idemdb.port")

psql=(psql -X -q -h 127.0.0.1 -p "$port" -U admin -d main -v ON_ERROR_STOP=1)

step load
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
step ask
ask "SELECT timestamp, first(price) AS open, max(price) AS high, min(price) AS low, last(price) AS close, sum(amount) AS volume FROM btc_trades SAMPLE BY 15m LIMIT 4"
ask "SELECT * FROM btc_trades LATEST ON timestamp PARTITION BY symbol, side"
ask "SELECT country, sum(visits) AS visits, round(sum(sales)::numeric, 2) AS sales FROM ecommerce_stats GROUP BY country ORDER BY sales DESC"
step

cat <<TEXT

The server runs. Its console is at the address above; connect with
  psql -h 127.0.0.1 -p $port -U admin main
and end it with
  tools/quickstart.sh stop
TEXT
