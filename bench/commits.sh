#!/usr/bin/env bash
# Durable one-row commits a second over TCP as pgbench sends them, IdemDB and a private PostgreSQL in turn: median of the rounds,
# microseconds of CPU of IdemDB for each commit, and what the same clients get of a server without a database (commit_floor.cpp). Then
# rows a second of one client that sends many before it waits (pipelined_inserts.cpp).
#   bench/commits.sh [--idemdb PROGRAM] [--rounds N] [--clients "1 8 64"]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
idemdb=$root/build/release/idemdb
rounds=7
clients="1 8 64"
while [ $# -gt 0 ]; do
  case $1 in
    --idemdb) idemdb=$2 ;;
    --rounds) rounds=$2 ;;
    --clients) clients=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done

source "$root/tests/sql/server_for_scripts.sh"
work=$(mktemp -d)
chmod 755 "$work"
# PostgreSQL refuses to run as root.
as_postgres=()
[ "$(id -u)" != 0 ] || as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups)
postgres_bin=$(dirname "$(find /usr/lib/postgresql/*/bin -name initdb | sort -V | tail -1)")
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
postgres_port=$(free_port) floor_port=$(free_port)
postgres_pid= floor_pid=
stop_all() {
  stop_idemdb
  [ -z "$floor_pid" ] || { kill "$floor_pid"; wait "$floor_pid" || true; }
  [ -z "$postgres_pid" ] || { kill -QUIT "$postgres_pid"; wait "$postgres_pid" || true; }
  rm -rf "$work"
}
trap stop_all EXIT

mkdir "$work/postgres" "$work/idemdb"
[ "$(id -u)" != 0 ] || chown postgres "$work/postgres"
cd "$work"
"${as_postgres[@]}" "$postgres_bin/initdb" -D "$work/postgres/data" -U admin --auth=trust >"$work/initdb.log" 2>&1
"${as_postgres[@]}" "$postgres_bin/postgres" -D "$work/postgres/data" -k "$work/postgres" -p "$postgres_port" -c listen_addresses=127.0.0.1 \
  -c max_connections=200 >"$work/postgres.log" 2>&1 </dev/null &
postgres_pid=$!
start_idemdb "$work/idemdb"
"$(dirname "$idemdb")/commit_floor" "$floor_port" "$work/floor" thread &
floor_pid=$!
until psql -X -q -h 127.0.0.1 -p "$postgres_port" -U admin -d postgres -c 'CREATE DATABASE main' >/dev/null 2>&1; do sleep 0.1; done
psql -X -q -h 127.0.0.1 -p "$postgres_port" -U admin -d main -c 'CREATE TABLE trades (ts timestamp, sym text, price float8, amount float8)'
trades='CREATE TABLE trades (ts TIMESTAMP, sym SYMBOL, price DOUBLE, amount DOUBLE) TIMESTAMP(ts) PARTITION BY DAY'
psql -X -q -h 127.0.0.1 -p "$idemdb_port" -U admin -d main -c "$trades"

insert="INSERT INTO trades VALUES (now()::timestamp, 'SYM1', :price, 2.0);"
echo '\set price random(1, 1000)'$'\n'"$insert" >"$work/statement.sql"
echo '\set price random(1, 1000)'$'\n'"BEGIN;"$'\n'"$insert"$'\n'"COMMIT;" >"$work/transaction.sql"

commits() {  # port, clients, script, protocol
  pgbench -n -h 127.0.0.1 -p "$1" -U admin -c "$2" -j 1 -T 2 -M "$4" -f "$work/$3.sql" main 2>/dev/null |
    sed -n 's/^tps = \([0-9]*\).*without initial.*/\1/p'
}
cpu() { awk '{ print $14 + $15 }' "/proc/$idemdb_pid/stat"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for shape in "statement prepared" "transaction simple"; do
  read -r script protocol <<<"$shape"
  for count in $clients; do
    : >"$work/ours"; : >"$work/theirs"; : >"$work/cpu"; : >"$work/floors"
    for _ in $(seq "$rounds"); do
      before=$(cpu)
      done_now=$(commits "$idemdb_port" "$count" "$script" "$protocol")
      echo "$done_now" >>"$work/ours"
      echo $((($(cpu) - before) * 5000 / done_now)) >>"$work/cpu"
      commits "$postgres_port" "$count" "$script" "$protocol" >>"$work/theirs"
      [ "$protocol" != prepared ] || commits "$floor_port" "$count" "$script" "$protocol" >>"$work/floors"
    done
    ours=$(median <"$work/ours") theirs=$(median <"$work/theirs") floor=$(median <"$work/floors")
    echo "$script ($protocol), $count clients: IdemDB $ours, PostgreSQL $theirs a second, ratio $(awk "BEGIN { printf \"%.2f\", $ours / $theirs }"), CPU $(median <"$work/cpu") us${floor:+, without a database $floor}"
  done
done

for rows in 1 100 1000; do
  for flight in 1 8; do
    : >"$work/ours"; : >"$work/theirs"
    for _ in $(seq "$rounds"); do
      psql -X -q -h 127.0.0.1 -p "$idemdb_port" -U admin -d main -c 'DROP TABLE trades' -c "$trades"
      psql -X -q -h 127.0.0.1 -p "$postgres_port" -U admin -d main -c 'TRUNCATE trades'
      for system in ours theirs; do
        port=$idemdb_port
        [ "$system" = ours ] || port=$postgres_port
        "$(dirname "$idemdb")/pipelined_inserts" "host=127.0.0.1 port=$port user=admin dbname=main" 2 "$rows" "$flight" >>"$work/$system"
      done
    done
    ours=$(median <"$work/ours") theirs=$(median <"$work/theirs")
    echo "a Sync every $rows rows, $flight in flight: IdemDB $ours, PostgreSQL $theirs rows a second, ratio $(awk "BEGIN { printf \"%.2f\", $ours / $theirs }")"
  done
done
