# Sourced by the runners: starts and stops an idemdb for scripts. Wants $idemdb, the program.

# start_idemdb FOLDER [arguments]: sets $idemdb_pid and $idemdb_port.
start_idemdb() {
  local folder=$1; shift
  rm -f "$folder/port"
  "$idemdb" --data "$folder/data" --port 0 --port-file "$folder/port" --log-level warn "$@" >"$folder/server.out" 2>"$folder/server.err" </dev/null &
  idemdb_pid=$!
  for _ in $(seq 1200); do
    [ -s "$folder/port" ] && { idemdb_port=$(cat "$folder/port"); return 0; }
    kill -0 "$idemdb_pid" 2>/dev/null || break
    sleep 0.05
  done
  echo "idemdb did not start:" >&2
  cat "$folder/server.err" >&2
  return 1
}

# Its exit code is that of the server: a sanitizer's findings at the end show there.
stop_idemdb() {
  local code=0
  [ -n "${idemdb_pid:-}" ] || return 0
  kill "$idemdb_pid" 2>/dev/null || true
  wait "$idemdb_pid" 2>/dev/null || code=$?
  idemdb_pid=
  return "$code"
}
