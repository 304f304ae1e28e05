#!/usr/bin/env bash
# Lets 1,000 clients come and go on the built-in origin with faults: soak.sh [MINUTES]
# Fails if the memory of the program grows by more than 1 MB an hour after the first rounds, or if files or threads are
# left behind. MINUTES (30) is a lower limit: the last round is finished. The first ten are the warm-up, in which charts
# and log fill. A soak of this length that cannot resolve the slope fails, too. A shorter soak cannot resolve so small a
# slope, and says what it can. See tests/pty/soak.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-30}
case $minutes in *[!0-9]* | '') echo "soak.sh: '$minutes': expected a whole number of minutes, such as 30" >&2; exit 2 ;; esac
cargo build --locked --release
HLSWARM_SOAK_PROGRAM=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)/hlswarm
export HLSWARM_SOAK_PROGRAM HLSWARM_SOAK_MINUTES=$minutes
exec cargo test --locked --test pty soak:: -- --nocapture
