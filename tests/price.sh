#!/usr/bin/env bash
# Compares the CPU that a plan announces with the CPU that the run then uses: price.sh [RUNS]
# Calibrates this machine first, into a folder of its own. RUNS (5) runs each of 100 and 400 clients, over HTTP and
# HTTPS, must be planned within 10 % of what they use, at the median. Prints a line for each run; the exit code is 1 if
# a median is further off, and 4 if no calibration is kept. Takes about fifteen minutes on a machine that does nothing
# else. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5}
cargo build --locked --release
hlswarm=$PWD/target/release/hlswarm
[ -z "${CARGO_TARGET_DIR:-}" ] || hlswarm=$CARGO_TARGET_DIR/release/hlswarm
folder=$(mktemp -d)
origin=
# Ends the origin that this script started, by its id, and removes the files.
clean() {
  [ -z "$origin" ] || kill "$origin" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export XDG_STATE_HOME=$folder/state
"$hlswarm" selftest

# Starts an origin and leaves the URL of its stream in $url: start SCHEME OPTION...
start() {
  local scheme=$1
  shift
  "$hlswarm" origin --listen 127.0.0.1:0 "$@" >"$folder/origin" 2>&1 &
  origin=$!
  until url=$(grep -o "$scheme://[0-9.:]*" "$folder/origin" | head -n 1) && [ -n "$url" ]; do
    kill -0 "$origin"
    sleep 0.1
  done
  url=$url/live/ts/master.m3u8
}

wrong=0
for transport in http https; do
  options=()
  [ $transport = http ] || options=(--tls)
  start $transport "${options[@]}"
  options=()
  [ $transport = http ] || options=(--insecure)
  for clients in 100 400; do
    ratios=()
    for _ in $(seq "$runs"); do
      "$hlswarm" run "$url" -c "$clients" --ramp-rate 200 -d 20s --no-tui --allow-untrusted "${options[@]}" \
        --report "$folder/report.json" >/dev/null 2>"$folder/stderr" || { cat "$folder/stderr"; exit 1; }
      line=$(jq -r '.plan | [.planned.cpu_s, .used.cpu_s, .planned.cpu_s / .used.cpu_s] | @tsv' "$folder/report.json")
      printf '%-5s %4s clients  planned, used, ratio: %s\n' "$transport" "$clients" "$line"
      ratios+=("${line##*$'\t'}")
    done
    median=$(printf '%s\n' "${ratios[@]}" | jq -s 'sort | .[length / 2 | floor]')
    mark=ok
    if [ "$(jq -n --argjson median "$median" '$median - 1 | fabs <= 0.10')" != true ]; then
      mark=WRONG
      wrong=1
    fi
    printf '%-5s %-5s %4s clients  median %s\n' "$mark" "$transport" "$clients" "$median"
  done
  kill "$origin"
  wait "$origin" 2>/dev/null || true
  origin=
done
exit $wrong
