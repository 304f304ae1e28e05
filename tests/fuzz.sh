#!/usr/bin/env bash
# Feeds arbitrary bytes to everything that reads bytes from outside: fuzz.sh [SECONDS] [TARGET...]
# Each target of tests/fuzz, or each TARGET, runs for SECONDS (60) with AddressSanitizer and checks of overflow. A panic,
# a hang of ten seconds or more than 2 GB of memory is a finding: the script prints its input and fails. Fix it, and
# put the input into tests/fuzz/seeds/TARGET, where the tests of src/fuzzing.rs keep it.
#
# Needs a nightly toolchain, a C++ compiler and cargo-fuzz (cargo install cargo-fuzz). What libFuzzer has learned stays
# in target/fuzz/corpus for the next run. HLSWARM_CORPUS may name a folder of playlists to begin with.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
case ${1:-} in '' | *[!0-9]*) ;; *) seconds=$1; shift ;; esac
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for seeds in tests/fuzz/seeds/*/; do targets+=("$(basename "$seeds")"); done
fi
command -v cargo-fuzz >/dev/null || { echo 'fuzz.sh: cargo-fuzz is missing; run: cargo install cargo-fuzz' >&2; exit 2; }
CARGO_TARGET_DIR=$(mkdir -p "${CARGO_TARGET_DIR:-target}/fuzz" && cd "${CARGO_TARGET_DIR:-target}/fuzz" && pwd)
export CARGO_TARGET_DIR

# Seeds that are not the target's own, and its dictionary.
more_seeds() {
  case $1 in playlist | reloads) echo tests/data ${HLSWARM_CORPUS:+"$HLSWARM_CORPUS"} ;; esac
}
dictionary() {
  case $1 in
    playlist | reloads) echo -dict=tests/fuzz/playlist.dict ;;
    http1 | headers | scrape | control) echo -dict=tests/fuzz/http.dict ;;
  esac
}

cargo +nightly fuzz build --fuzz-dir tests/fuzz
found=()
for target in "${targets[@]}"; do
  corpus=$CARGO_TARGET_DIR/corpus/$target artifacts=$CARGO_TARGET_DIR/artifacts/$target
  log=$CARGO_TARGET_DIR/$target.log
  mkdir -p "$corpus" "$artifacts"
  printf '== %s, %d s\n' "$target" "$seconds"
  # shellcheck disable=SC2046 # several words are several arguments
  if cargo +nightly fuzz run --fuzz-dir tests/fuzz "$target" \
    "$corpus" "tests/fuzz/seeds/$target" $(more_seeds "$target") -- $(dictionary "$target") \
    -artifact_prefix="$artifacts/" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 >"$log" 2>&1; then
    grep -e '^Done' -e 'number_of_executed_units' -e 'peak_rss_mb' "$log"
  else
    tail -n 60 "$log"
    found+=("$target")
  fi
done
if [ ${#found[@]} -gt 0 ]; then
  printf '\nfuzz.sh: findings in: %s; their inputs: %s\n' "${found[*]}" "$CARGO_TARGET_DIR/artifacts" >&2
  exit 1
fi
printf '\nno findings in %d targets\n' "${#targets[@]}"
