//! Places where a test makes the real program panic, by the environment: `HLSWARM_PANIC=console:5`.
//!
//! What happens after a panic is only known of a program that really panicked. Release builds have no such places.

/// Panics if the environment asks for it at this place and number.
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

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline]
pub fn reach(_place: &str, _number: u64) {}
