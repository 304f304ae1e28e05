#!/bin/sh
# Runs the tests of src/stats, and of the types it stands on, under ThreadSanitizer: real threads run the real code,
# where loom runs models. All memory of ours that two threads share is atomic and there is no unsafe code, so the
# sanitizer searches the crates below the counters (the list of slots, the free list, histograms) and our use of them.
# The order of accesses is loom's task.
#
# Needs a nightly toolchain with the component rust-src: the standard library must be built with the sanitizer too, or
# the sanitizer reports what that library guards. Nothing is suppressed. First the sanitizer must find a known race.
set -eu
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
export TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}"
mkdir -p "$CARGO_TARGET_DIR"

race="$CARGO_TARGET_DIR/race"
cat > "$race.rs" <<'RACE'
static mut COUNT: u64 = 0;
fn main() {
    let count = || (0..1_000_000).for_each(|_| unsafe { COUNT = std::hint::black_box(COUNT) + 1 });
    let other = std::thread::spawn(count);
    count();
    other.join().unwrap();
}
RACE
rustc +nightly --edition 2021 -O -Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer -o "$race" "$race.rs"
if "$race" 2> "$race.log"; then
    echo "tsan.sh: the sanitizer does not find a race that is there" >&2
    exit 1
fi
grep -q "data race" "$race.log"

export RUSTFLAGS="-Zsanitizer=thread ${RUSTFLAGS:-}"
export CARGO_PROFILE_DEV_OPT_LEVEL=1
exec cargo +nightly test -Zbuild-std --target "$target" --lib -- stats:: sync::single_writer_cell sync::live_tasks "$@"
