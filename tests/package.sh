#!/usr/bin/env bash
# Builds the Debian package, installs it, tries what a user tries, and removes it again:
#   tests/package.sh [PROGRAM]
# With PROGRAM, a release build of this version, nothing is built. Needs `cargo-deb`, man, bash and the rights of root or
# sudo; not for a machine on which hlswarm is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)
fail() { echo "package: $*" >&2; exit 1; }

dpkg -s hlswarm >/dev/null 2>&1 && fail 'hlswarm is already installed here'
if [ $# -gt 0 ]; then
  mkdir -p "$target/release"
  [ "$1" -ef "$target/release/hlswarm" ] || cp "$1" "$target/release/hlswarm"
else
  cargo build --locked --release
fi
assets/package.sh "$target/release/hlswarm" target/package
package=$(cargo deb --no-build --no-strip --locked | tail -1)
contents=$(dpkg-deb --contents "$package")
echo "$contents"

"${root[@]}" dpkg -i "$package"
trap '"${root[@]}" dpkg -r hlswarm' EXIT

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
[ "$(hlswarm -V)" = "hlswarm $version" ] || fail "another version: $(hlswarm -V)"
hlswarm --version
# Images of containers leave manual pages out when a package is installed.
pages=$(grep -c 'man1/hlswarm.*\.1\.gz$' <<<"$contents")
[ "$pages" -ge 13 ] || fail "$pages manual pages"
if [ -e /usr/share/man/man1/hlswarm.1.gz ]; then
  page=$(MANWIDTH=80 man hlswarm hlswarm-run | col -b)
  grep -q '^EXIT STATUS' <<<"$page" || fail 'no manual page'
  grep -q -- '--ramp-rate' <<<"$page" || fail 'no manual page of run'
fi
# shellcheck disable=SC2016 # the inner shell expands it
bash -c '
  . /usr/share/bash-completion/completions/hlswarm
  COMP_WORDS=(hlswarm run --ramp) COMP_CWORD=2
  _hlswarm hlswarm --ramp run
  [[ " ${COMPREPLY[*]} " == *" --ramp-rate "* ]]' || fail 'bash completes nothing'
for file in /usr/share/zsh/vendor-completions/_hlswarm /usr/share/fish/vendor_completions.d/hlswarm.fish; do
  grep -q "$file" <<<"$contents" || fail "no $file"
done
hlswarm demo --healthy --no-tui --allow-untrusted -c 2 -d 3s
trap - EXIT
"${root[@]}" dpkg -r hlswarm
[ ! -e /usr/bin/hlswarm ] || fail 'the program is still there'
echo 'package: all well'
