#!/usr/bin/env bash
# Makes the pictures of the README again, from the real program: `demo` runs in tmux, and its own key `w` writes what
# its screen shows. Needs tmux and a release build. Takes two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/target/release/hlswarm
assets=$PWD/assets
[ -x "$program" ] || { echo "first: cargo build --release"; exit 1; }
folder=$(mktemp -d)
session=hlswarm-pictures-$$
trap 'tmux kill-session -t "$session" 2>/dev/null || true; rm -rf "$folder"' EXIT

keys() { tmux send-keys -t "$session" "$@"; }

# Writes what the screen shows now as assets/NAME.svg.
shot() {
  rm -f "$folder"/hlswarm-*
  keys w
  local tries=0
  until ls "$folder"/hlswarm-*.txt >/dev/null 2>&1; do
    sleep 0.2
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { echo "no picture $1"; exit 1; }
  done
  mv "$folder"/hlswarm-*.svg "$assets/$1.svg"
  echo "assets/$1.svg"
}

start() { # columns, lines, options of demo
  local columns=$1 lines=$2
  shift 2
  tmux new-session -d -s "$session" -x "$columns" -y "$lines" \
    "cd '$folder' && LANG=C.UTF-8 '$program' demo --seed 7 --theme dark $*"
}

finish() {
  keys C-c
  while tmux has-session -t "$session" 2>/dev/null; do sleep 0.2; done
}

start 160 48 -c 200 --ramp-rate 10 -d 3m
sleep 12
keys m
sleep 0.3
keys 'cache warmed' Enter
sleep 18
shot console-overview
keys 2
sleep 1.5
keys j j
sleep 0.5
keys Enter
sleep 1.2
shot console-clients
keys Escape 3
sleep 1.2
shot console-errors
keys 4
sleep 1.2
shot console-generator
keys 5
sleep 1.2
shot console-log
keys 1 '?'
sleep 1
keys q
sleep 6
shot console-report
keys q
while tmux has-session -t "$session" 2>/dev/null; do sleep 0.2; done

start 80 24 -c 60 --ramp-rate 10 -d 1m
sleep 16
shot console-80x24
finish
