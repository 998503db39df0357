#!/usr/bin/env bash
# Builds and tests. Installs what is missing from Debian's packages first.
#   tools/test.sh           release build; unit, golden, documentation, oracle, integration, crash and tidy tests
#   tools/test.sh --quick   the same without the oracle, with two crash rounds
#   tools/test.sh --all     and builds with sanitizers, and each fuzzer for a minute
# Closes with one line "N passed, N failed", summed over all runners; exit code 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
mode=${1:-}
case $mode in ''|--quick|--all) ;; *) echo "usage: tools/test.sh [--quick|--all]" >&2; exit 2 ;; esac

tools/install_packages.sh test || exit 1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 broken=()

title() { echo; echo "== $1"; }

count() {  # what, passed, failed
  passed=$((passed + $2))
  failed=$((failed + $3))
  [ "$3" = 0 ] || broken+=("$1: $3 failed")
  echo "$1: $2 passed, $3 failed"
}

# A step that counts as one test: nothing is printed unless it fails.
step() {  # what, command …
  local what=$1; shift
  if "$@" >"$logs/step" 2>&1; then count "$what" 1 0; else tail -60 "$logs/step"; count "$what" 0 1; return 1; fi
}

build() { cmake --preset "$1" >/dev/null && cmake --build --preset "$1" ${2:+--target $2}; }

unit() {  # what, preset, ctest arguments
  local what=$1 preset=$2; shift 2
  ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --timeout 900 "$@" >"$logs/unit" 2>&1
  local code=$? line total
  line=$(grep -E 'tests passed, .* tests failed out of' "$logs/unit" | tail -1)
  total=$(sed -nE 's/.*out of ([0-9]+).*/\1/p' <<<"$line")
  local bad
  bad=$(sed -nE 's/.*, ([0-9]+) tests failed.*/\1/p' <<<"$line")
  if [ -z "$total" ]; then tail -40 "$logs/unit"; count "$what" 0 1; return; fi
  [ "$code" = 0 ] || grep -vE '^ *[0-9]+/[0-9]+ Test.*Passed|^ +Start ' "$logs/unit" | tail -200
  count "$what" $((total - bad)) "$bad"
}

# What one run of a GoogleTest program came to, in `good` and `bad`; what failed is printed.
read_gtest() {  # output, exit code
  local passed_here failed_here
  passed_here=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?.*/\1/p' "$1" | tail -1)
  failed_here=$(grep -E '^\[  FAILED  \] [A-Za-z_/0-9]+[.][A-Za-z_/0-9]+' "$1" | sed 's/ (.*//' | sort -u | wc -l)
  [ "$2" = 0 ] || [ "$failed_here" != 0 ] || failed_here=1   # it crashed, or took too long
  grep -E 'SKIPPED|cannot be mounted' "$1" | sort -u
  [ "$2" = 0 ] || tail -200 "$1"
  good=$((good + ${passed_here:-0})) bad=$((bad + failed_here))
}

gtest() {  # what, program, arguments
  local what=$1 good=0 bad=0; shift
  timeout 1500 "$@" --gtest_brief=1 >"$logs/gtest" 2>&1
  read_gtest "$logs/gtest" $?
  count "$what" "$good" "$bad"
}

# The same with a process on each core, each with its share of the tests.
sharded() {  # what, program, arguments
  local what=$1 good=0 bad=0 shards i processes=(); shift
  shards=$(nproc)
  for i in $(seq 0 $((shards - 1))); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i timeout 1500 "$@" --gtest_brief=1 >"$logs/shard$i" 2>&1 &
    processes+=($!)
  done
  for i in $(seq 0 $((shards - 1))); do
    wait "${processes[$i]}"
    read_gtest "$logs/shard$i" $?
  done
  count "$what" "$good" "$bad"
}

# Fuzzers beside each other, for a minute.
fuzz() {  # names
  local fuzzer processes=()
  for fuzzer in "$@"; do
    mkdir -p "$logs/corpus/$fuzzer"
    "build/asan/${fuzzer}_fuzzer" -max_total_time=60 -rss_limit_mb=4096 -timeout=20 -print_final_stats=1 \
      -artifact_prefix="$PWD/build/asan/$fuzzer-" "$logs/corpus/$fuzzer" >"$logs/$fuzzer" 2>&1 &
    processes+=($!)
  done
  for fuzzer in "$@"; do
    if wait "${processes[0]}"; then count "$fuzzer fuzzer" 1 0; else tail -60 "$logs/$fuzzer"; count "$fuzzer fuzzer" 0 1; fi
    processes=("${processes[@]:1}")
  done
}

runner() {  # what, command … that closes with "N passed, N failed"
  local what=$1; shift
  "$@" >"$logs/runner" 2>&1
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$logs/runner" | tail -1)
  if [ -z "$line" ]; then tail -60 "$logs/runner"; count "$what" 0 1; return; fi
  set -- $line
  [ "$3" = 0 ] || grep -v '^ok ' "$logs/runner" | head -400
  count "$what" "$1" "$3"
}

title "release"
if step "release build" build release; then
  unit "unit tests" release
  runner "tidy" python3 tests/tidy/tidy_test.py build/release/compile_commands.json
  runner "golden scripts" tests/sql/run_golden.sh
  runner "examples of the documentation" python3 tests/docs/run_examples.py
  [ "$mode" = --quick ] || runner "PostgreSQL as oracle" tests/sql/run_oracle.sh
  runner "SQL logic tests" python3 tests/sql/run_slt.py
  [ "$mode" = --quick ] || runner "random queries" python3 tests/sql/random_queries.py --seed 1 --queries 2300 --seconds 300
  if /usr/bin/python3 -c 'import psycopg2' 2>/dev/null; then
    runner "tasks of a scheduler" /usr/bin/python3 tests/sql/scheduler_test.py
  else
    echo "tasks of a scheduler: not run, since python3-psycopg2 is not installed"
  fi
  gtest "integration" build/release/test_integration
  step "console bundle" tools/console.sh --check
  if command -v chromium >/dev/null && command -v chromedriver >/dev/null && /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
    runner "console in Chromium" /usr/bin/python3 tests/console/console_test.py
  else
    echo "console in Chromium: not run, since chromium, chromium-driver or python3-selenium is not installed"
  fi
  if [ "$mode" = --quick ]; then export IDEM_CRASH_ROUNDS=2; else export IDEM_CRASH_ROUNDS=${IDEM_CRASH_ROUNDS:-8}; fi
  gtest "crash" build/release/test_crash
fi

if [ "$mode" = --all ]; then
  # The release build's tests and scripts drive servers with sanitizers; only the lower layers have unit tests of their own there. Built with
  # clang, which takes little more than half of g++'s time for it.
  title "address and undefined-behaviour sanitizers"
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  export LSAN_OPTIONS=suppressions=$PWD/tests/harness/leak_suppressions.txt
  # What goes through every failure of long scripts runs in the release build; here a part of it must do.
  slow='FaultInjectionTest.*:StatementFaultTest.*:CrashRecoveryTest.*:HistoryCrashTest.*:ManyTablesTest.*:Seeds/RandomChangesTest.*:LogCrashTest.*'
  if step "asan build" build asan "idemdb simulation test_common test_parser test_wal test_storage \
    parser_fuzzer segment_fuzzer protocol_fuzzer http_fuzzer"; then
    for layer in common parser wal storage; do sharded "unit tests of $layer, asan" "build/asan/test_$layer" --gtest_filter="-$slow"; done
    step "simulation, asan" build/asan/simulation --seeds 1..100
    runner "golden scripts, asan" tests/sql/run_golden.sh --idemdb build/asan/idemdb
    runner "SQL logic tests, asan" python3 tests/sql/run_slt.py --idemdb build/asan/idemdb
    IDEMDB=$PWD/build/asan/idemdb sharded "integration, asan" build/release/test_integration \
      --gtest_filter='Statement.*:TransactionOverConnections.*:Copy.*:Protocol.*:Connection.*:LineProtocol*:Run.*:Http*:-Protocol.DoesNotBuffer*:Protocol.TakesNoMemory*:HttpQueryTest.HoldsBack*'
    IDEMDB=$PWD/build/asan/idemdb IDEM_CRASH_ROUNDS=2 IDEM_REPLAY_ROUNDS=1 gtest "crash, asan" build/release/test_crash
    fuzz parser segment
    fuzz protocol http
  fi
  title "thread sanitizer"
  export TSAN_OPTIONS=suppressions=$PWD/tests/harness/thread_suppressions.txt
  if step "tsan build" build tsan "idemdb test_common test_wal test_storage test_server"; then
    for layer in common wal server; do sharded "unit tests of $layer, tsan" "build/tsan/test_$layer" --gtest_filter="-$slow"; done
    sharded "unit tests of storage, tsan" build/tsan/test_storage \
      --gtest_filter='ConcurrencyTest.*:DatabaseTest.*:CommitGateTest.*:CompactionTest.*:BackupTest.*:ChunkCache.*:LargeInsertTest.*:RunTest.*:SymbolDictionary.*'
    runner "golden scripts, tsan" tests/sql/run_golden.sh --idemdb build/tsan/idemdb
    runner "SQL logic tests of many rows, tsan" python3 tests/sql/run_slt.py --idemdb build/tsan/idemdb many_groups first_rows
    IDEMDB=$PWD/build/tsan/idemdb sharded "integration, tsan" build/release/test_integration \
      --gtest_filter='TransactionOverConnections.*:Connection.*:Operation.*:MaterializedViews.*:Http*:LineProtocolTest.*'
  fi
fi

echo
for text in "${broken[@]}"; do echo "FAILED $text"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
