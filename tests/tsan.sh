#!/bin/sh
# Runs the tests of src/stats and of the types below it under ThreadSanitizer: the real threads of the real code, where
# loom runs models. All of our own memory that two threads touch is atomic and there is no unsafe code, so what it looks
# for is in the crates that the counters stand on (the list of slots, the free list, histograms) and in how we use them;
# the order of accesses is what loom is for.
#
# Needs a nightly toolchain with the component rust-src: the standard library is built with the sanitizer too, or it
# would report what that library guards. Nothing is suppressed. First it must find a race that is there.
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
