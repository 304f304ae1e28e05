//! Places at which an environment variable makes the real program panic, for tests: `HLSWARM_PANIC=console:5`.
//!
//! Only a program that really panics shows what happens after a panic. Release builds have no such places.

/// Panics if the environment asks for a panic at this place and number.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "this is what it is for")]
pub fn reach(place: &str, number: u64) {
    use std::sync::OnceLock;
    static ASKED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    let asked = ASKED.get_or_init(|| {
        let (place, number) = std::env::var("HLSWARM_PANIC").ok()?.split_once(':').map(own)?;
        Some((place, number?))
    });
    if asked.as_ref().is_some_and(|(there, at)| there == place && *at == number) {
        panic!("asked for at {place} {number}");
    }
}

#[cfg(debug_assertions)]
fn own((place, number): (&str, &str)) -> (String, Option<u64>) {
    (place.to_owned(), number.parse().ok())
}

/// Does nothing: release builds have no failpoints.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reach(_place: &str, _number: u64) {}
