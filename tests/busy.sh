#!/usr/bin/env bash
# Runs the tests on a busy machine: busy.sh [TIMES] [LOOPS] [-- ARGUMENTS OF cargo test]
# The whole suite runs TIMES times (5) beside LOOPS endless loops (2). Stops at the first run that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
times=5 loops=2
case ${1:---} in --) ;; *) times=$1; shift ;; esac
case ${1:---} in --) ;; *) loops=$1; shift ;; esac
[ "${1:-}" != -- ] || shift
export CARGO_TERM_COLOR=never

# Build first: the machine must be busy while tests run, and the build is not under test.
cargo test --locked --no-run

pids=()
# Ends the loops by their ids, whatever ends this script.
end_loops() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
}
trap end_loops EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
for _ in $(seq "$loops"); do
  # A loop ends by itself when its script has been killed.
  (while kill -0 $$ 2>/dev/null; do for _ in {1..10000}; do :; done; done) &
  pids+=($!)
done

for round in $(seq "$times"); do
  start=$SECONDS
  printf '\n== round %d of %d beside %d loops\n' "$round" "$times" "$loops"
  cargo test --locked "$@"
  printf -- '-- round %d: %d s\n' "$round" $((SECONDS - start))
done
echo 'all rounds passed'
