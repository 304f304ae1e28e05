#!/bin/sh
# Runs the tests of src/stats and of the types below it under ThreadSanitizer, which watches the real threads of the
# real code where loom runs models. Needs a nightly toolchain; its standard library is not instrumented, so what is
# known of its own synchronisation is in tests/tsan.supp. A report fails the run.
set -eu
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer ${RUSTFLAGS:-}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
export CARGO_PROFILE_DEV_OPT_LEVEL=1
export TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp ${TSAN_OPTIONS:-}"
exec cargo +nightly test --target "$target" --lib -- stats:: base::cell base::roll "$@"
