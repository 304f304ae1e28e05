#!/bin/sh
# Runs 1,000 clients for a minute against the built-in origin with faults, adds and removes 200 clients during the
# run, and compares every count with the origin's own. Prints both sides. See tests/it/exact.rs.
set -eu
cd "$(dirname "$0")/.."
export HLSWARM_EXACT_CLIENTS="${HLSWARM_EXACT_CLIENTS:-1000}"
export HLSWARM_EXACT_CHURN="${HLSWARM_EXACT_CHURN:-200}"
export HLSWARM_EXACT_SECONDS="${HLSWARM_EXACT_SECONDS:-60}"
exec cargo test --locked --release --test it exact:: -- --nocapture "$@"
