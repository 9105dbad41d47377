#!/usr/bin/env bash
# Runs the tests, and installs what they need first: on a machine with Rust, Node, Go, JDK 17 with Maven, and Python.
#
#   ./test.sh                  everything
#   ./test.sh --fast           each crate's own tests: no other language, no process of the broker
#   ./test.sh --clients        real clients and crashes, against the release build
#   ./test.sh --fuzz           hostile bytes for each decoder, a minute each
#   ./test.sh NAME...          the tests with NAME in their names (after a flag, too)
set -uo pipefail
cd "$(dirname "$0")"

run_fast=true
run_clients=true
run_fuzz=true
case ${1:-} in
  --fast) run_clients=false; run_fuzz=false; shift ;;
  --clients) run_fast=false; run_fuzz=false; shift ;;
  --fuzz) run_fast=false; run_clients=false; shift ;;
  --help | -h) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --*) echo "unknown option $1: see ./test.sh --help" >&2; exit 2 ;;
esac

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

say() { printf '\n== %s\n' "$*"; }
die() { echo "test.sh: $*" >&2; exit 1; }

# up_to_date STAMP FILE...: whether nothing below the files is newer than the stamp.
up_to_date() { [ -e "$1" ] && [ -z "$(find "${@:2}" -newer "$1" -print -quit)" ]; }

# install PACKAGE: one of Debian's.
install() {
  [ "$(id -u)" = 0 ] || die "missing: apt-get install $1"
  say "Installing $1"
  { apt-get update -q && apt-get install -qy --no-install-recommends "$1"; } >/dev/null || die "could not install $1"
}

install_clients() {
  local clients=tests/clients go library stamp
  for command in node npm java mvn python3; do
    command -v $command >/dev/null || die "$command is missing: the clients' tests need Node, Go, JDK 17 with Maven, and Python"
  done
  # Go is often unpacked there, and not on the path.
  go=$(command -v go || echo /usr/local/go/bin/go)
  [ -x "$go" ] || die "go is missing, on the path and in /usr/local/go: the clients' tests need Go 1.26 or later"
  command -v kcat >/dev/null || install kcat
  command -v strace >/dev/null || install strace
  command -v ip >/dev/null || install iproute2
  # Debian's own Python comes without the part that makes environments.
  python3 -c 'import ensurepip' 2>/dev/null || install python3-venv

  # @confluentinc/kafka-javascript compiles librdkafka where it can't fetch it: with the system's zlib and zstd, and in a
  # third of the time without optimization.
  [ -e /usr/include/zlib.h ] || install zlib1g-dev
  [ -e /usr/include/zstd.h ] || install libzstd-dev
  for library in kafkajs platformatic confluent_javascript; do
    stamp=$clients/$library/node_modules/.installed
    up_to_date $stamp $clients/$library/package-lock.json || {
      say "Installing npm packages: $library"
      CKJS_LINKING=dynamic CFLAGS='-O0 -g0' CXXFLAGS='-O0 -g0' npm ci --silent --prefix $clients/$library && touch $stamp || die "npm ci failed"
    }
  done
  stamp=$clients/java/target/.installed
  up_to_date $stamp $clients/java/pom.xml $clients/java/tools/pom.xml $clients/java/client/pom.xml $clients/java/*/src || {
    say "Fetching Kafka's tools and building the Java client's program"
    mvn -B -q -f $clients/java package && mkdir -p $clients/java/target && touch $stamp || die "mvn package failed"
  }
  stamp=$clients/go/target/.built
  up_to_date $stamp $clients/go/go.mod $clients/go/go.sum $clients/go/{check,crew,franz,sarama} || {
    say "Building the programs of Go's clients"
    CGO_ENABLED=0 "$go" build -C $clients/go -o target/ ./... && touch $stamp || die "go build failed"
  }
  stamp=tests/kafka/target/lib/.complete
  up_to_date $stamp tests/kafka/pom.xml || {
    say "Fetching Apache Kafka"
    mvn -B -q -f tests/kafka/pom.xml package && touch $stamp || die "mvn package failed"
  }
  stamp=$clients/python/.venv/.installed
  up_to_date $stamp $clients/python/requirements.txt || {
    say "Installing Python packages"
    rm -rf $clients/python/.venv
    python3 -m venv $clients/python/.venv &&
      $clients/python/.venv/bin/pip install -q -r $clients/python/requirements.txt && touch $stamp || die "pip install failed"
  }
}

# cargo_test ARGUMENT...: goes on after failures, and keeps the output for the summary.
cargo_test() {
  cargo test --locked --no-fail-fast "$@" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || status=1
}

if $run_fast; then
  say "Each crate's own tests"
  cargo_test --workspace --exclude tidelog-tests --exclude testkit -- "$@"
  say "The whole broker under simulation"
  cargo_test --profile simulation -p testkit -- "$@"
fi
if $run_clients; then
  install_clients
  say "The release build"
  cargo build --locked --release -p tidelog || die "the release build failed"
  say "Real clients, crashes under load, the documentation's commands"
  cargo_test -p tidelog-tests -- "$@"
fi

if $run_fuzz && { [ $# = 0 ] || ! $run_fast; }; then
  say "Hostile bytes"
  tests/fuzz/run.sh 60 "$@" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || status=1
fi

awk '/^test result:/ { passed += $4; failed += $6 }
     /^test fuzz / { if ($4 == "ok:") passed++; else failed++ } END { printf "\n%d passed, %d failed\n", passed, failed }' "$log"
grep -qE '^test (result:|fuzz )' "$log" || status=1
exit $status
