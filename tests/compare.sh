#!/usr/bin/env bash
# Compares runs of one load: two against equal origins, and one against an origin that is a fifth slower:
# compare.sh [TRIES]
# In each of TRIES (10) tries `compare` must find the first two equal, and the slower one worse. Prints a line for each
# try; the exit code is 1 if one was judged otherwise. Takes half a minute a try. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/.."
tries=${1:-10}
cargo build --locked --release
hlswarm=$PWD/target/release/hlswarm
[ -z "${CARGO_TARGET_DIR:-}" ] || hlswarm=$CARGO_TARGET_DIR/release/hlswarm
folder=$(mktemp -d)
origins=()
# Ends the origins that this script started, by their ids, and removes the files.
clean() {
  [ ${#origins[@]} -eq 0 ] || kill "${origins[@]}" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts an origin that answers after this delay, and leaves the URL of its stream in $url.
start() {
  "$hlswarm" origin --listen 127.0.0.1:0 --fault "any:delay=$1" >"$folder/origin-$1" 2>&1 &
  origins+=($!)
  until url=$(grep -o 'http://[0-9.:]*' "$folder/origin-$1" | head -n 1) && [ -n "$url" ]; do
    kill -0 $!
    sleep 0.1
  done
  url=$url/live/ts/master.m3u8
}

start 50ms
usual=$url
start 60ms
slower=$url

# Starts a run: run URL NAME
run() {
  "$hlswarm" run "$1" -c 40 --ramp-rate 20 -d 24s --no-tui --allow-untrusted \
    --report "$folder/$2.json" >/dev/null 2>"$folder/$2.stderr" || { cat "$folder/$2.stderr"; exit 1; }
}

# Prints how many numbers are worse than in the first run, and how many are better: judged NAME
judged() {
  "$hlswarm" compare "$folder/first.json" "$folder/$1.json" --json | jq -r '[.worse, .better] | @tsv'
}

wrong=0
for try in $(seq "$tries"); do
  runs=()
  run "$usual" first & runs+=($!)
  run "$usual" second & runs+=($!)
  run "$slower" slower & runs+=($!)
  for id in "${runs[@]}"; do wait "$id"; done
  read -r equal_worse equal_better < <(judged second)
  read -r slower_worse slower_better < <(judged slower)
  mark=ok
  if [ $((equal_worse + equal_better + slower_better)) -ne 0 ] || [ "$slower_worse" -eq 0 ]; then
    mark=WRONG
    wrong=1
    "$hlswarm" compare "$folder/first.json" "$folder/second.json"
    "$hlswarm" compare "$folder/first.json" "$folder/slower.json"
  fi
  printf '%-5s try %d: equal origin %s worse %s better, slower origin %s worse %s better\n' \
    $mark "$try" "$equal_worse" "$equal_better" "$slower_worse" "$slower_better"
done
exit $wrong
