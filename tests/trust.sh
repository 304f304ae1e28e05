#!/usr/bin/env bash
# Tries to prove the trust verdict wrong, on a machine that does nothing else: trust.sh [RUNS]
# RUNS calm runs (10) must be VALID, a slow origin must not make a run worse, busy loops must not make it INVALID, and
# a load tester that is kept from running must be. Prints a line for each; the exit code is 1 if one is wrong. Takes
# six minutes. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-10}
cargo build --locked --release
hlswarm=$PWD/target/release/hlswarm
[ -z "${CARGO_TARGET_DIR:-}" ] || hlswarm=$CARGO_TARGET_DIR/release/hlswarm
folder=$(mktemp -d)
pids=()
# Ends what this script started, by its ids, and removes its files.
clean() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
wrong=0

# Runs the demo with 100 clients and these options, and leaves its report in $report.
report=$folder/report.json
demo() {
  "$hlswarm" demo --no-tui -c 100 --ramp-rate 50 --allow-untrusted --report "$report" "$@" \
    >/dev/null 2>"$folder/stderr" || true
}

# Prints the verdict and its reasons, and checks it: expect NAME VERDICT...
expect() {
  local name=$1 verdict why
  shift
  verdict=$(jq -r .trust.verdict "$report")
  why=$(jq -c '[.trust.reasons[] | {gauge, level, seconds, worst, worker}]' "$report")
  local delay
  delay=$(jq -c .trust.generator_delay_us "$report")
  local mark='WRONG'
  case " $* " in *" $verdict "*) mark=ok ;; *) wrong=1 ;; esac
  printf '%-5s  %-28s %-8s %s delay %s\n' "$mark" "$name" "$verdict" "$why" "$delay"
}

# Sends a signal to the load tester, a second after its clients have begun; its origin goes on.
begin() {
  demo "$@" &
  demo_pid=$!
  pids+=("$demo_pid")
  until grep -q RUNNING "$folder/stderr" 2>/dev/null; do sleep 0.1; done
  loader=$(pgrep -P "$demo_pid" -x hlswarm | head -n 1)
  sleep 1
}

for run in $(seq "$runs"); do
  rm -f "$report" "$folder/stderr"
  demo --healthy -d 20s
  expect "calm $run" VALID
done

rm -f "$report" "$folder/stderr"
demo --fault any:delay=500ms -d 20s
expect 'origin 500 ms slower' VALID

for _ in 1 2; do
  (while kill -0 $$ 2>/dev/null; do for _ in {1..10000}; do :; done; done) &
  pids+=($!)
done
rm -f "$report" "$folder/stderr"
demo --healthy -d 20s
expect 'beside two busy loops' VALID SUSPECT
kill "${pids[@]}" 2>/dev/null || true
wait "${pids[@]}" 2>/dev/null || true
pids=()

rm -f "$report" "$folder/stderr"
begin --healthy -d 15s
for _ in $(seq 50); do
  kill -STOP "$loader"; sleep 0.1
  kill -CONT "$loader"; sleep 0.1
done
wait "$demo_pid"
expect 'stopped every 100 ms' INVALID

rm -f "$report" "$folder/stderr"
begin --healthy -d 15s
kill -STOP "$loader"; sleep 3; kill -CONT "$loader"
wait "$demo_pid"
expect 'stopped for 3 s' INVALID
masked=$(jq -c '[.trust.masked_intervals[] | .to_s - .from_s]' "$report")
if [ "$(jq '[.trust.masked_intervals[] | .to_s - .from_s] | length == 1 and (.[0] - 3 | fabs) <= 0.1' "$report")" = true ]; then
  printf 'ok     one masked interval          %s\n' "$masked"
else
  printf 'WRONG  one masked interval          %s\n' "$masked"
  wrong=1
fi
exit $wrong
