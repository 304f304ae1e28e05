#!/bin/sh
# Runs the models of the lock-free protocols, the modules named `models`: every interleaving, every value that a load
# may return. Prints of each how many interleavings there are, and in how many its reader meets what it is about; a
# model in which that never happens fails. In a target directory of its own, because the flag means another build of
# everything.
set -eu
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg hlswarm_loom ${RUSTFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
export CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_PROFILE_DEV_DEBUG=0
export LOOM_LOG="${LOOM_LOG:-off}"
exec cargo test --lib models:: -- --nocapture "$@"
