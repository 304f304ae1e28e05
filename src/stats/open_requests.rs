//! Open requests of a client in one word: their number in the low eight bits, above it the start of the oldest in
//! microseconds since the start of the run.
//!
//! A client has one to three open requests, and a word has no room for the start of each. When the oldest ends while
//! others are open, their start is not known any more; the end of the oldest stands for it. So a request may be older
//! than it seems, but never younger.

/// Width of the number.
const COUNT_BITS: u32 = 8;
const MOST: u64 = (1 << COUNT_BITS) - 1;

const fn pack(since_us: u64, count: u64) -> u64 {
    // 56 bits hold two thousand years of microseconds.
    since_us << COUNT_BITS | count
}

/// Returns the word after a request has begun.
#[inline]
pub(super) const fn begun(word: u64, started_us: u64) -> u64 {
    match word & MOST {
        0 => pack(started_us, 1),
        // No client has that many: it has at most a request for each of its lanes.
        MOST => word,
        _ => word + 1,
    }
}

/// Returns the word after the request that began at `started_us` has ended.
#[inline]
pub(super) const fn ended(word: u64, started_us: u64, now_us: u64) -> u64 {
    let since_us = word >> COUNT_BITS;
    match word & MOST {
        0 | 1 => 0,
        count if started_us <= since_us => pack(now_us, count - 1),
        count => pack(since_us, count - 1),
    }
}

/// Returns the start of the oldest open request, or a later time; `None` without an open request.
pub(super) const fn since_us(word: u64) -> Option<u64> {
    if word & MOST == 0 { None } else { Some(word >> COUNT_BITS) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_of_two_lanes_is_kept_until_it_ends() {
        let one = begun(0, 1_000);
        let two = begun(one, 3_000);
        assert_eq!((since_us(0), since_us(one), since_us(two)), (None, Some(1_000), Some(1_000)));
        assert_eq!(since_us(ended(two, 3_000, 4_000)), Some(1_000));
        let rest = ended(two, 1_000, 4_000);
        assert_eq!((since_us(rest), since_us(ended(rest, 3_000, 9_000))), (Some(4_000), None));
    }

    proptest! {
        #[test]
        fn no_request_seems_older_than_it_is(lanes in proptest::collection::vec(0_usize..4, 1..60)) {
            let mut open = [None; 4];
            let mut word = 0;
            for (step, lane) in (1_u64..).zip(lanes) {
                let now_us = step * 500;
                match open[lane].take() {
                    Some(started_us) => word = ended(word, started_us, now_us),
                    None => {
                        word = begun(word, now_us);
                        open[lane] = Some(now_us);
                    }
                }
                let oldest = open.iter().flatten().min().copied();
                prop_assert_eq!(since_us(word).is_some(), oldest.is_some());
                prop_assert!(since_us(word) >= oldest && since_us(word) <= oldest.map(|_| now_us));
            }
        }
    }
}
