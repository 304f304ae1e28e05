//! Parses any bytes as a playlist, or as two successive loads of one: nothing panics, and all output is bounded and
//! harmless.
//!
//! The first NUL byte, which no playlist can hold, splits the input: the part before it is the first load, the rest
//! the second.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use hlswarm::hls::{Loaded, Playlist, VariantChoice, Watch, choose, parse};
use hlswarm::report::check::{self, CheckReport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut loads = data.splitn(2, |byte| *byte == 0);
    let [first, second] = [loads.next(), loads.next()].map(|load| load.and_then(|bytes| parse(bytes).ok()));
    let mut watch = Watch::default();
    for (load, seconds) in [&first, &second, &first].into_iter().flatten().zip(0_u64..) {
        let since = Duration::from_secs(seconds * 4);
        let loaded = Loaded { since, until: since + Duration::from_millis(100) };
        watch.take(&Arc::new(load.clone()), loaded, &mut |_, detail| assert!(detail().len() < 4_096));
    }
    if let (Some(Playlist::Media(first)), Some(Playlist::Media(second))) = (&first, second) {
        _ = hlswarm::hls::watch::contradiction(first, &second);
        _ = second.merged_with(first);
    }
    if let Some(Playlist::Multivariant(multivariant)) = &first {
        for choice in [VariantChoice::Highest, VariantChoice::Lowest, VariantChoice::All] {
            choose(multivariant, choice);
        }
    }
    let page = check::text(&CheckReport::of_bytes("fuzz".to_owned(), data));
    for line in page.lines() {
        assert!(line.chars().count() <= 80 && !line.chars().any(char::is_control), "{line:?}");
    }
});
