#!/bin/sh
# 1,000 clients for a minute against the built-in origin with faults, 200 clients added and 200 removed on the way:
# every number against the origin's own. Prints both sides. See tests/it/exact.rs.
set -eu
cd "$(dirname "$0")/.."
export HLSWARM_EXACT_CLIENTS="${HLSWARM_EXACT_CLIENTS:-1000}"
export HLSWARM_EXACT_CHURN="${HLSWARM_EXACT_CHURN:-200}"
export HLSWARM_EXACT_SECONDS="${HLSWARM_EXACT_SECONDS:-60}"
exec cargo test --locked --release --test it exact:: -- --nocapture "$@"
