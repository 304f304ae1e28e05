#!/usr/bin/env bash
# Makes the pictures of the README again, from the real program, for dark and light pages: `demo` runs in tmux, and its
# own key `w` writes what its screen shows. `film.py` makes the first minute of a run from a picture every two seconds.
# Needs tmux, Python and a release build, and a machine that does nothing else. Takes three minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/target/release/hlswarm
assets=$PWD/assets
[ -x "$program" ] || { echo "first: cargo build --release"; exit 1; }

keys() { tmux send-keys -t "$session" "$@"; }

# Writes what the screen shows now as DIRECTORY/NAME.svg: shot DIRECTORY NAME
shot() {
  rm -f "$folder"/hlswarm-*
  keys w
  local tries=0
  until ls "$folder"/hlswarm-*.txt >/dev/null 2>&1; do
    sleep 0.1
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "no picture $2"; exit 1; }
  done
  # Beside the text stands its picture; the report also has a card.
  local text
  text=$(ls "$folder"/hlswarm-*.txt)
  mv "${text%.txt}.svg" "$1/$2.svg"
}

# Starts the program on a screen of its own: start COLUMNS LINES OPTION...
start() {
  local columns=$1 lines=$2
  shift 2
  tmux new-session -d -s "$session" -x "$columns" -y "$lines" \
    "cd '$folder' && LANG=C.UTF-8 '$program' demo --seed 7 --theme $theme $*"
}

# Waits until the program has ended.
ended() {
  while tmux has-session -t "$session" 2>/dev/null; do sleep 0.2; done
}

views() {
  start 160 48 -c 200 --ramp-rate 10 -d 3m
  sleep 12
  keys m
  sleep 0.3
  keys 'cache warmed' Enter
  sleep 18
  shot "$assets" "console-overview-$theme"
  keys 2
  sleep 1.5
  keys j j
  sleep 0.5
  keys Enter
  # The minute of a client that was not watched begins now.
  sleep 24
  shot "$assets" "console-clients-$theme"
  keys Escape
  for view in '3 errors' '4 generator' '5 log' '8 stream'; do
    keys "${view% *}"
    sleep 1.2
    shot "$assets" "console-${view#* }-$theme"
  done
  keys 1 q
  sleep 6
  shot "$assets" "console-report-$theme"
  keys q
  ended
  start 80 24 -c 60 --ramp-rate 10 -d 1m
  sleep 16
  shot "$assets" "console-80x24-$theme"
  keys C-c
  ended
}

film() {
  start 120 30 -c 100 --ramp-rate 8 -d 2m
  sleep 1.5
  for frame in $(seq -w 0 27); do
    shot "$folder/frames" "$frame"
    sleep 1.8
  done
  keys q
  sleep 6
  # The result stays twice as long.
  for frame in 28 29; do
    shot "$folder/frames" "$frame"
    sleep 1.2
  done
  keys q
  ended
  python3 "$assets/film.py" 1 14 "$folder"/frames/*.svg >"$assets/first-minute-$theme.svg"
}

# One run at a time would take three times as long; the pictures need little of the machine.
make() {
  theme=$1
  session=hlswarm-pictures-$$-$theme-$2
  folder=$(mktemp -d)
  mkdir "$folder/frames"
  trap 'tmux kill-session -t "$session" 2>/dev/null || true; rm -rf "$folder"' EXIT
  "$2"
}

jobs=()
for theme in dark light; do
  for part in views film; do
    make "$theme" "$part" &
    jobs+=($!)
  done
done
for job in "${jobs[@]}"; do wait "$job"; done
ls -l "$assets"/*.svg
