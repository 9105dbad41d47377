#!/usr/bin/env bash
# Feeds each target bytes that it has not seen, guided by coverage: ./run.sh [SECONDS [TARGET...]]. It takes only the
# stable toolchain and a C++ compiler. What makes a target fail is kept in crashes/; what reaches new code is added to
# corpus/ if GROW=1 is set. Each run goes the same way; SEED=0 takes another one each time.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} != 0 ] || targets=(requests batches segments journals manifests group_records)

# With a --target of its own, build scripts and macros go without counters.
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
cargo build --locked --release --quiet --target "$host"

fuzz() {
  local target=$1 grown status=0
  grown=$(mktemp -d)
  mkdir -p "corpus/$target" crashes
  "target/$host/release/$target" "$grown" "corpus/$target" -max_total_time="$seconds" -timeout=10 \
    -seed="${SEED:-1}" -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="crashes/$target-" -print_final_stats=1 \
    >"$grown.log" 2>&1 || status=1
  [ $status = 0 ] || tail -40 "$grown.log"
  local verdict=(ok FAILED)
  echo "test fuzz $target ${verdict[$status]}: $(sed -n 's/^stat::number_of_executed_units: *//p' "$grown.log") runs," \
    "$(sed -n 's/^stat::new_units_added: *//p' "$grown.log") reached something new"
  [ "${GROW:-}" != 1 ] || "target/$host/release/$target" -merge=1 "corpus/$target" "$grown" >"$grown.log" 2>&1
  rm -rf "$grown" "$grown.log"
  return $status
}

export -f fuzz
export seconds host
# As many at a time as there are cores.
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
