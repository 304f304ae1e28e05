//! Cache status of a response: the various headers of CDNs, reduced to one word.
//!
//! `X-Cache` (Fastly, CloudFront, Varnish, Akamai's `TCP_HIT`), `X-Cache-Status` and `X-Proxy-Cache` (nginx),
//! `CF-Cache-Status` (Cloudflare) and `Cache-Status` (RFC 9211) name a hit or a miss. An `Age` (RFC 9111 section 5.1)
//! above 0 says that a cache answered; it counts only if none of the others is present.

/// Cache status that a response reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheStatus {
    /// Served from a cache.
    Hit,
    /// Not served from a cache.
    Miss,
    /// Has been in a cache for some time: a hit, unless another header says more.
    Aged,
}

/// Headers that name a hit or a miss, in lower case.
const NAMING: [&str; 5] = ["x-cache", "x-cache-status", "x-proxy-cache", "cf-cache-status", "cache-status"];
/// Words for a hit, in lower case. Any other value of these headers is a miss.
const HITS: [&str; 5] = ["hit", "refreshhit", "stale", "updating", "revalidated"];
/// The header of RFC 9211. Its one word for a hit is `hit`: `fwd=stale` says that the cache asked the origin.
const STANDARD: &str = "cache-status";

impl CacheStatus {
    /// Reads the cache status from one header; `None` if the header does not report one. A header may list several
    /// caches: a hit in any of them counts.
    pub fn read(name: &(impl AsRef<[u8]> + ?Sized), value: &[u8]) -> Option<Self> {
        let name = name.as_ref();
        if name.eq_ignore_ascii_case(b"age") {
            let aged = value.trim_ascii().iter().any(|digit| matches!(digit, b'1'..=b'9'));
            return aged.then_some(Self::Aged);
        }
        let naming = NAMING.iter().find(|naming| name.eq_ignore_ascii_case(naming.as_bytes()))?;
        let hits = if *naming == STANDARD { &HITS[..1] } else { &HITS[..] };
        let is_hit = |word: &[u8]| hits.iter().any(|hit| word.eq_ignore_ascii_case(hit.as_bytes()));
        let hit = value.split(|byte| !byte.is_ascii_alphabetic()).any(is_hit);
        Some(if hit { Self::Hit } else { Self::Miss })
    }

    /// Returns the more specific of two statuses: a named one before `Aged`, and a hit before a miss.
    pub fn stronger(self, other: Self) -> Self {
        match (self, other) {
            (Self::Aged, named) | (named, Self::Aged) => named,
            (Self::Hit, _) | (_, Self::Hit) => Self::Hit,
            (Self::Miss, Self::Miss) => Self::Miss,
        }
    }

    /// Returns the name, as records have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Aged => "aged",
        }
    }

    /// Reports whether the response came from a cache.
    pub fn is_hit(self) -> bool {
        self != Self::Miss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(headers: &[(&str, &str)]) -> Option<CacheStatus> {
        let read = headers.iter().filter_map(|(name, value)| CacheStatus::read(*name, value.as_bytes()));
        read.reduce(CacheStatus::stronger)
    }

    #[test]
    fn the_words_of_the_large_networks_are_understood() {
        for (name, value, hit) in [
            ("X-Cache", "HIT", true),
            ("x-cache", "MISS, HIT", true),
            ("X-Cache", "Hit from cloudfront", true),
            ("X-Cache", "Miss from cloudfront", false),
            ("X-Cache", "RefreshHit from cloudfront", true),
            ("X-Cache", "TCP_MEM_HIT from a1", true),
            ("X-Cache", "TCP_MISS from a1", false),
            ("CF-Cache-Status", "HIT", true),
            ("CF-Cache-Status", "DYNAMIC", false),
            ("X-Cache-Status", "UPDATING", true),
            ("X-Proxy-Cache", "EXPIRED", false),
            ("Cache-Status", "Edge; fwd=uri-miss; stored", false),
            ("Cache-Status", "Edge; fwd=stale; fwd-status=304", false),
            ("X-Cache-Status", "STALE", true),
            ("Cache-Status", "Origin; hit; ttl=30", true),
        ] {
            assert_eq!(status(&[(name, value)]).map(CacheStatus::is_hit), Some(hit), "{name}: {value}");
        }
        assert_eq!(status(&[("Server", "hit"), ("Age", "0"), ("Age", "x")]), None);
    }

    #[test]
    fn age_is_believed_only_where_nothing_else_speaks() {
        assert_eq!(status(&[("Age", "12")]), Some(CacheStatus::Aged));
        assert_eq!(status(&[("Age", "12"), ("X-Cache", "MISS")]), Some(CacheStatus::Miss));
        assert_eq!(status(&[("X-Cache", "HIT"), ("Age", "12")]), Some(CacheStatus::Hit));
    }
}
