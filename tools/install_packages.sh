#!/usr/bin/env bash
# Installs what the build and the tests need from Debian's packages, as far as it is missing. Needs root or sudo only then.
#   tools/install_packages.sh [build|test]      test (the default of tools/test.sh) includes build
set -euo pipefail

build="g++ cmake ninja-build pkg-config ccache lld libboost1.81-dev libfmt-dev libspdlog-dev libssl-dev liblz4-dev libjemalloc-dev zlib1g-dev libxxhash-dev
  libre2-dev libfast-float-dev libcli11-dev libtomlplusplus-dev libpqxx-dev libpq-dev postgresql-client tzdata"
test="libgtest-dev libgmock-dev libbenchmark-dev clang clang-format libclang-rt-14-dev postgresql python3 python3-psycopg2 openssl git"

wanted=$build
[ "${1:-build}" = test ] && wanted="$build $test"

missing=()
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
  sudo=sudo
  command -v sudo >/dev/null || { echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2; exit 1; }
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -qq update
$sudo apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" >/dev/null
