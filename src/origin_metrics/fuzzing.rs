//! Entry point for fuzzing the reader of pages; see [`crate::fuzzing`].

use std::time::Duration;

use super::{OriginQuantity, PageReader, PageSums, RateMeter, SCRAPE_PERIOD};

/// Reads bytes as a page of metrics, in pieces of the length that the first byte gives. Whatever they are, the pieces
/// change nothing, and values are finite and not negative.
pub fn metrics(data: &[u8]) {
    let (length, page) =
        data.split_first().map_or((1, data), |(length, page)| (usize::from(*length).max(1), page));
    let whole = read([page].into_iter());
    assert_eq!(whole, read(page.chunks(length)));
    let (first, second) = page.split_at(page.len() / 2);
    let pages = [read([first].into_iter()), read([second].into_iter()), whole];
    let mut meter = RateMeter::default();
    for (number, sums) in (0..).zip(&pages) {
        let values = meter.read(SCRAPE_PERIOD.saturating_mul(number), sums);
        for quantity in OriginQuantity::ALL {
            let value = values.get(quantity).unwrap_or_default();
            assert!(value.is_finite() && value >= 0.0, "{quantity:?}: {value}");
            assert!(quantity != OriginQuantity::Cpu || value <= 1.0, "{value}");
            assert!(!quantity.shown(Some(value)).is_empty());
        }
    }
    assert_eq!(meter.read(Duration::ZERO, &whole).get(OriginQuantity::Cpu), None, "time that went back");
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> PageSums {
    let mut reader = PageReader::default();
    for piece in pieces {
        assert!(reader.take(piece), "a page that a fuzzer makes is small");
    }
    reader.finish()
}
