#!/usr/bin/env bash
# Runs the tests on a busy machine: busy.sh [TIMES] [LOOPS] [-- ARGUMENTS OF cargo test]
# Two endless loops (LOOPS) run beside the whole suite, five times over (TIMES). Stops at the first run that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
times=5 loops=2
case ${1:---} in --) ;; *) times=$1; shift ;; esac
case ${1:---} in --) ;; *) loops=$1; shift ;; esac
[ "${1:-}" != -- ] || shift
export CARGO_TERM_COLOR=never

# Built first: the machine is to be busy while tests run, and compilers need no test.
cargo test --locked --no-run

pids=()
# The loops end by their ids, however this script does.
end_loops() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
}
trap end_loops EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
for _ in $(seq "$loops"); do
  # A loop whose script was killed ends by itself.
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
