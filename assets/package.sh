#!/usr/bin/env bash
# Makes the manual pages and completions that packages have, from the program itself:
#   assets/package.sh [PROGRAM [FOLDER]]
# By default from target/release/hlswarm, in target/package. `cargo deb` takes them from there.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/hlswarm}
folder=${2:-target/package}

rm -rf "$folder/man" "$folder/completions"
mkdir -p "$folder/man" "$folder/completions"
"$program" man >"$folder/man/hlswarm.1"
# The page of the program lists those of its commands.
sed -n 's/^hlswarm\\-\([a-z]*\)(1)$/\1/p' "$folder/man/hlswarm.1" | while read -r command; do
  "$program" man "$command" >"$folder/man/hlswarm-$command.1"
done
"$program" completions bash >"$folder/completions/hlswarm.bash"
"$program" completions zsh >"$folder/completions/_hlswarm"
"$program" completions fish >"$folder/completions/hlswarm.fish"
