//! Chooses the variants of a multivariant playlist that a client plays: `--variant`.
//!
//! * The choice takes linear time and is the same for every client; of equal variants the first listed wins.
//! * With content steering, only variants of the initial pathway are considered.

use std::{fmt, str::FromStr};

use crate::vocabulary::units::parse_bit_rate;

use super::multivariant::{Multivariant, Variant};

/// Pathway of variants that do not name one.
const DEFAULT_PATHWAY: &str = ".";

/// Variants that a client plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum VariantChoice {
    /// The variant with the highest bandwidth.
    #[default]
    Highest,
    /// The variant with the lowest bandwidth.
    Lowest,
    /// The variant that is listed first.
    First,
    /// The highest variant not above this many bits per second; if there is none, the lowest.
    Bandwidth(u64),
    /// All variants at once.
    All,
}

impl FromStr for VariantChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "highest" => Ok(Self::Highest),
            "lowest" => Ok(Self::Lowest),
            "first" => Ok(Self::First),
            "all" => Ok(Self::All),
            "abr" => Err("abr is not supported yet; expected highest, lowest, first, all, \
                          or a bandwidth, such as 2500k"
                .to_owned()),
            bandwidth => parse_bit_rate(bandwidth).map(Self::Bandwidth).map_err(|_| {
                "expected highest, lowest, first, all, or a bandwidth, such as 2500k".to_owned()
            }),
        }
    }
}

impl fmt::Display for VariantChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Highest => f.write_str("highest"),
            Self::Lowest => f.write_str("lowest"),
            Self::First => f.write_str("first"),
            Self::Bandwidth(bits_per_second) => write!(f, "{bits_per_second}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// Returns the indices in [`Multivariant::variants`] of the variants to play; empty if there are no variants.
pub fn choose(playlist: &Multivariant, choice: VariantChoice) -> Vec<usize> {
    if choice == VariantChoice::All {
        return (0..playlist.variants.len()).collect();
    }
    let pathway = first_pathway(playlist);
    let on_pathway = |(_, variant): &Listed<'_>| pathway_of(variant) == pathway;
    let variants: Vec<Listed<'_>> = playlist.variants.iter().enumerate().filter(on_pathway).collect();
    let one = match choice {
        VariantChoice::Highest => highest(&variants, u64::MAX),
        VariantChoice::Lowest => lowest(&variants),
        VariantChoice::First | VariantChoice::All => variants.first().copied(),
        VariantChoice::Bandwidth(limit) => highest(&variants, limit).or_else(|| lowest(&variants)),
    };
    one.into_iter().map(|(index, _)| index).collect()
}

/// A variant and its place in the playlist.
type Listed<'a> = (usize, &'a Variant);

/// Returns the initial pathway (RFC 8216bis section 4.4.6.6): the one that EXT-X-CONTENT-STEERING names if it has
/// variants, else that of the first variant.
fn first_pathway(playlist: &Multivariant) -> &str {
    let steering = playlist.content_steering.as_ref();
    let named = steering.map_or(DEFAULT_PATHWAY, |steering| {
        steering.pathway.as_ref().map_or(DEFAULT_PATHWAY, |pathway| pathway.as_str())
    });
    let has_variants = playlist.variants.iter().any(|variant| pathway_of(variant) == named);
    if has_variants { named } else { playlist.variants.first().map_or(DEFAULT_PATHWAY, pathway_of) }
}

fn pathway_of(variant: &Variant) -> &str {
    variant.pathway.as_ref().map_or(DEFAULT_PATHWAY, |pathway| pathway.as_str())
}

/// Returns the first listed of the variants with the highest bandwidth not above `limit`.
fn highest<'a>(variants: &[Listed<'a>], limit: u64) -> Option<Listed<'a>> {
    let fitting = variants.iter().filter(|(_, variant)| variant.bandwidth <= limit);
    // `max_by_key` returns the last of equals: in reverse order, that is the first listed.
    fitting.rev().max_by_key(|(_, variant)| variant.bandwidth).copied()
}

/// Returns the first listed of the variants with the lowest bandwidth.
fn lowest<'a>(variants: &[Listed<'a>]) -> Option<Listed<'a>> {
    variants.iter().min_by_key(|(_, variant)| variant.bandwidth).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hls::parse::tests::multivariant;

    fn playlist(bandwidths: &[u64]) -> Multivariant {
        let lines =
            bandwidths.iter().map(|bandwidth| format!("#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}\nv.m3u8\n"));
        multivariant(&format!("#EXTM3U\n{}", lines.collect::<String>()))
    }

    #[test]
    fn the_first_listed_of_equal_variants_wins() {
        let playlist = playlist(&[200, 300, 100, 300, 100]);
        for (choice, expected) in [
            (VariantChoice::Highest, vec![1]),
            (VariantChoice::Lowest, vec![2]),
            (VariantChoice::First, vec![0]),
            (VariantChoice::All, vec![0, 1, 2, 3, 4]),
        ] {
            assert_eq!(choose(&playlist, choice), expected, "{choice}");
        }
    }

    #[test]
    fn a_bandwidth_is_a_limit_unless_every_variant_is_above_it() {
        let playlist = playlist(&[200, 300, 100, 200]);
        for (limit, expected) in
            [(1, 2), (99, 2), (100, 2), (199, 2), (200, 0), (299, 0), (300, 1), (u64::MAX, 1)]
        {
            assert_eq!(choose(&playlist, VariantChoice::Bandwidth(limit)), [expected], "{limit}");
        }
    }

    #[test]
    fn only_variants_of_the_pathway_to_begin_with_are_chosen_from() {
        let variants = "#EXT-X-STREAM-INF:BANDWIDTH=900,PATHWAY-ID=\"A\"\na.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=800,PATHWAY-ID=\"B\"\nb.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=100,PATHWAY-ID=\"B\"\nc.m3u8\n";
        for (steering, highest, lowest) in [
            ("", 0, 0),
            ("#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\",PATHWAY-ID=\"B\"\n", 1, 2),
            ("#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\",PATHWAY-ID=\"C\"\n", 0, 0),
        ] {
            let playlist = multivariant(&format!("#EXTM3U\n{steering}{variants}"));
            assert_eq!(choose(&playlist, VariantChoice::Highest), [highest], "{steering}");
            assert_eq!(choose(&playlist, VariantChoice::Lowest), [lowest], "{steering}");
        }
    }

    #[test]
    fn without_variants_nothing_is_chosen() {
        for choice in
            [VariantChoice::Highest, VariantChoice::First, VariantChoice::Bandwidth(1), VariantChoice::All]
        {
            assert_eq!(choose(&Multivariant::default(), choice), Vec::<usize>::new());
        }
    }

    #[test]
    fn every_choice_is_read_as_it_is_written() {
        for text in ["highest", "lowest", "first", "all", "2500000"] {
            assert_eq!(text.parse::<VariantChoice>().expect(text).to_string(), text);
        }
        assert_eq!("2500k".parse(), Ok(VariantChoice::Bandwidth(2_500_000)));
        for bad in ["", "best", "-1", "abr"] {
            let error = bad.parse::<VariantChoice>().expect_err(bad);
            assert!(error.contains("highest, lowest, first, all"), "{error}");
        }
        assert!("abr".parse::<VariantChoice>().expect_err("not yet").contains("not supported yet"));
    }
}
