#!/bin/sh
# Runs the models of the lock-free protocols (the modules `loom_tests`) with every interleaving and every value that
# a load may return. Prints for each model the number of interleavings, and in how many of them the reader meets the
# case under test; a model that never meets its case fails. Uses its own target directory, because the flag rebuilds
# everything.
set -eu
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg hlswarm_loom ${RUSTFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
export CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_PROFILE_DEV_DEBUG=0
export LOOM_LOG="${LOOM_LOG:-off}"
exec cargo test --lib loom_tests:: -- --nocapture "$@"
