#!/usr/bin/env bash
# 1,000 connections that wait and 200 that work, half of them committing rows and half of them reading: says how many statements a second
# were answered, how many failed, and what memory the server has.
#   bench/connections.sh [--idemdb PROGRAM] [--idle N] [--busy N] [--seconds N]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
idemdb=$root/build/release/idemdb
idle=1000 busy=200 seconds=10
while [ $# -gt 0 ]; do
  case $1 in
    --idemdb) idemdb=$2 ;;
    --idle) idle=$2 ;;
    --busy) busy=$2 ;;
    --seconds) seconds=$2 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done

source "$root/tests/sql/server_for_scripts.sh"
work=$(mktemp -d)
waiting_pid=
stop_all() {
  [ -z "$waiting_pid" ] || kill "$waiting_pid" 2>/dev/null || true
  stop_idemdb
  rm -rf "$work"
}
trap stop_all EXIT
ulimit -n 8192
start_idemdb "$work" --max-connections $((idle + busy + 20))
ask() { psql -X -q -At -h 127.0.0.1 -p "$idemdb_port" -U admin -d main -c "$1"; }
resident() { awk '/^VmRSS/ { printf "%d MiB\n", $2 / 1024 }' "/proc/$idemdb_pid/status"; }

ask "CREATE TABLE trades (ts TIMESTAMP, sym SYMBOL, price DOUBLE) TIMESTAMP(ts)"
ask "INSERT INTO trades SELECT '2024-01-01'::timestamp + g * INTERVAL '1 second', 'S' || g % 100, g FROM generate_series(1, 100000) AS g"
echo "resident with no connection: $(resident)"

# Connections that have logged in and say nothing more.
python3 - "$idemdb_port" "$idle" >"$work/waiting" <<'PYTHON' &
import socket, struct, sys, time
body = struct.pack("!i", 3 << 16) + b"user\0admin\0database\0main\0\0"
connections = []
for _ in range(int(sys.argv[2])):
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection.sendall(struct.pack("!i", len(body) + 4) + body)
    answer = b""
    while not answer.endswith(b"Z\0\0\0\5I"):
        piece = connection.recv(65536)
        if not piece: sys.exit("a connection was closed: %r" % answer)
        answer += piece
    connections.append(connection)
print("ready", flush=True)
time.sleep(3600)
PYTHON
waiting_pid=$!
until grep -q ready "$work/waiting"; do
  kill -0 "$waiting_pid" 2>/dev/null || exit 1
  sleep 0.1
done
echo "resident with $idle idle connections: $(resident)"

echo "INSERT INTO trades VALUES (now()::timestamp, 'S1', 1);" >"$work/write.sql"
echo '\set n random(1, 99000)'$'\n'"SELECT sum(price) FROM trades WHERE ts >= '2024-01-01'::timestamp + :n * INTERVAL '1 second' AND ts < '2024-01-01'::timestamp + (:n + 60) * INTERVAL '1 second';" >"$work/read.sql"
pgbench -n -h 127.0.0.1 -p "$idemdb_port" -U admin -c "$busy" -j 2 -T "$seconds" -M extended -f "$work/write.sql" -f "$work/read.sql" main 2>"$work/errors" |
  sed -n 's/^number of transactions actually processed: /statements: /p; s/^number of failed transactions: /failed: /p; s/^latency average = /average: /p; s/^tps = \(.*\) (without.*/a second: \1/p'
sed 's/^/pgbench: /' "$work/errors"
echo "resident with $((idle + busy)) connections: $(resident)"
[ "$(ask "SELECT count(*) > $idle FROM sessions()")" = t ] || { echo "idle connections were lost"; exit 1; }
