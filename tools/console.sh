#!/usr/bin/env bash
# Builds the web console from server/console/src into server/console/dist, which is committed: building the server needs no npm.
#   tools/console.sh            install the packages, check types, test, build
#   tools/console.sh --check    only says whether dist is of these sources; needs no npm
set -euo pipefail
cd "$(dirname "$0")/../server/console"

if [ "${1:-}" = --check ]; then
  listed=$(sed 's/^[^ ]*  //' dist/SOURCES.sha256 | sort)
  present=$(ls build.mjs package.json package-lock.json tsconfig.json src/* | LC_ALL=C sort)
  [ "$(LC_ALL=C sort <<<"$listed")" = "$present" ] || { echo "dist was built of other files: run tools/console.sh" >&2; exit 1; }
  sha256sum --check --quiet dist/SOURCES.sha256 || { echo "sources changed since dist was built: run tools/console.sh" >&2; exit 1; }
  exit 0
fi
npm ci --no-audit --no-fund
npm run --silent check
npm test --silent
npm run --silent build
