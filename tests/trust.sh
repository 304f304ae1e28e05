#!/usr/bin/env bash
# Tries to prove the trust verdict wrong, on a machine that does nothing else: trust.sh [RUNS [PART...]]
# RUNS calm runs (10) must be VALID, a slow origin must not make a run worse, busy loops must not make it INVALID, and
# a load tester that is kept from running must be. The parts are calm, origin, busy, often and once; without any, all
# run. Prints a line for each run; the exit code is 1 if one is wrong. All parts take six minutes. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-10}
parts=" ${*:2} "
[ $# -gt 1 ] || parts=' calm origin busy often once '
cargo build --locked --release
hlswarm=$PWD/target/release/hlswarm
[ -z "${CARGO_TARGET_DIR:-}" ] || hlswarm=$CARGO_TARGET_DIR/release/hlswarm
folder=$(mktemp -d)
pids=()
loader=
# Ends what this script started, by its ids, and removes its files. A load tester that is stopped would not end, and its
# origin would stay with it: it goes on first.
clean() {
  [ -z "$loader" ] || { kill -CONT "$loader"; kill -TERM "$loader"; } 2>/dev/null || true
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

# Reports whether a part was asked for, and removes the files of the one before.
part() {
  rm -f "$report" "$folder/stderr"
  case "$parts" in *" $1 "*) ;; *) return 1 ;; esac
}

# Starts a demo, and waits until a second after its load tester has all clients. Its origin is another process.
begin() {
  demo "$@" &
  demo_pid=$!
  pids=("$demo_pid")
  until grep -q RUNNING "$folder/stderr" 2>/dev/null; do
    if ! kill -0 "$demo_pid" 2>/dev/null; then
      printf 'WRONG  the demo ended before its clients had begun: %s\n' "$(tail -n 1 "$folder/stderr")"
      exit 1
    fi
    sleep 0.1
  done
  loader=$(pgrep -P "$demo_pid" -x hlswarm | head -n 1)
  [ -n "$loader" ] || { printf 'WRONG  there is no load tester below the demo\n'; exit 1; }
  sleep 1
}

# Waits for the end of the demo.
finish() {
  wait "$demo_pid" || true
  loader=
  pids=()
}

if part calm; then
  for run in $(seq "$runs"); do
    rm -f "$report" "$folder/stderr"
    demo --healthy -d 20s
    expect "calm $run" VALID
  done
fi

if part origin; then
  demo --fault any:delay=500ms -d 20s
  expect 'origin 500 ms slower' VALID
fi

if part busy; then
  for _ in 1 2; do
    (while kill -0 $$ 2>/dev/null; do for _ in {1..10000}; do :; done; done) &
    pids+=($!)
  done
  demo --healthy -d 20s
  expect 'beside two busy loops' VALID SUSPECT
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  pids=()
fi

if part often; then
  begin --healthy -d 15s
  for _ in $(seq 50); do
    kill -STOP "$loader"; sleep 0.1
    kill -CONT "$loader"; sleep 0.1
  done
  finish
  expect 'stopped every 100 ms' INVALID
fi

if part once; then
  begin --healthy -d 15s
  kill -STOP "$loader"; sleep 3; kill -CONT "$loader"
  finish
  expect 'stopped for 3 s' INVALID
  masked=$(jq -c '[.trust.masked_intervals[] | .to_s - .from_s]' "$report")
  if [ "$(jq -n --argjson masked "$masked" '$masked | length == 1 and (.[0] - 3 | fabs) <= 0.1')" = true ]; then
    printf 'ok     one masked interval          %s\n' "$masked"
  else
    printf 'WRONG  one masked interval          %s\n' "$masked"
    wrong=1
  fi
fi
exit $wrong
