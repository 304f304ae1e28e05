//! Variants of a presentation for one client: the one that plays, and the next one if it fails.
//!
//! * The order is that of hls.js 1.7: within a pathway the variant below the failed one, wrapping around to the
//!   highest; then another pathway (RFC 8216bis section 4.4.6.6), at the variant of the same rank. Variants that are
//!   listed again with another URI are pathways of their own: `.`, `..` and so on.
//! * A failed variant is left out until its penalty is over, a failed pathway forever: the client does not fetch the
//!   steering manifest, so nothing would bring the pathway back.
//! * Only a client that fails over computes the order: a healthy presentation costs two indices.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::profile::{Failover, Profile, StartVariant};
use super::selection;
use super::track::{Role, Track};
use crate::hls::{Multivariant, Playlist, Variant, VariantChoice, choose};
use crate::vocabulary::SecretUrl;

/// A variant that was left, and the time of leaving it.
#[derive(Clone, Copy, Debug)]
struct Penalty {
    variant: usize,
    since: Duration,
}

/// Variants that one client can choose from.
#[derive(Debug)]
pub(super) struct Presentation {
    /// The multivariant playlist.
    playlist: Arc<Playlist>,
    url: SecretUrl,
    /// Variant to play as long as it is available.
    preferred: usize,
    playing: usize,
    penalties: Vec<Penalty>,
    /// Pathways that have failed.
    left_pathways: Vec<String>,
}

impl Presentation {
    /// Creates the presentation of a multivariant playlist from `url`, of which one variant is played. Returns `None`
    /// without another variant to choose.
    pub(super) fn new(
        playlist: &Arc<Playlist>,
        url: &SecretUrl,
        choice: VariantChoice,
        profile: &Profile,
    ) -> Option<Self> {
        let Playlist::Multivariant(multivariant) = &**playlist else { return None };
        let [preferred] = choose(multivariant, choice)[..] else { return None };
        if multivariant.variants.len() < 2 {
            return None;
        }
        let playing = match (profile.start_variant, choice) {
            (StartVariant::Estimated { default, most }, VariantChoice::Highest) => {
                estimated(multivariant, default, most).unwrap_or(preferred)
            }
            (StartVariant::Lowest, VariantChoice::Highest) => {
                choose(multivariant, VariantChoice::Lowest).first().copied().unwrap_or(preferred)
            }
            _ => preferred,
        };
        Some(Self {
            playlist: Arc::clone(playlist),
            url: url.clone(),
            preferred,
            playing,
            penalties: Vec::new(),
            left_pathways: Vec::new(),
        })
    }

    fn multivariant(&self) -> Option<&Multivariant> {
        match &*self.playlist {
            Playlist::Multivariant(multivariant) => Some(multivariant),
            Playlist::Media(_) => None,
        }
    }

    /// Returns the tracks of the variant that plays.
    pub(super) fn tracks(&self) -> Vec<Track> {
        let tracks = |multivariant| selection::tracks(multivariant, &[self.playing], &self.url);
        self.multivariant().map(tracks).unwrap_or_default()
    }

    /// Switches to the preferred variant, if another one plays and the preferred one has no penalty. Returns true if
    /// it did.
    pub(super) fn return_to_preferred(&mut self, rule: Failover, now: Duration) -> bool {
        self.forgive(rule, now);
        let free = self.playing != self.preferred && !self.is_penalized(self.preferred);
        if free {
            self.playing = self.preferred;
        }
        free
    }

    /// Leaves the variant that plays, because a playlist or media of this role has failed. Returns true if there was
    /// another variant.
    pub(super) fn fail_over(&mut self, role: Role, rule: Failover, now: Duration) -> bool {
        self.forgive(rule, now);
        let Some((next, pathway)) = self.next(role) else { return false };
        if !self.is_penalized(self.playing) {
            self.penalties.push(Penalty { variant: self.playing, since: now });
        }
        if let Some(left) = pathway {
            self.left_pathways.push(left);
            // The pathway that was left does not come back, and neither does its preferred variant.
            self.preferred = next;
        }
        self.playing = next;
        true
    }

    /// Returns the next variant and, if it is in another pathway, the pathway that is left for it.
    fn next(&self, role: Role) -> Option<(usize, Option<String>)> {
        let variants = &self.multivariant()?.variants;
        let levels = levels(variants);
        let current = levels.iter().find(|level| level.variant == self.playing)?.pathway.clone();
        let within = |pathway: &str| -> Vec<usize> {
            levels.iter().filter(|level| level.pathway == pathway).map(|level| level.variant).collect()
        };
        let here = within(&current);
        let rank = here.iter().position(|variant| *variant == self.playing)?;
        let audio = |variant: usize| variants.get(variant).and_then(|variant| variant.audio.as_ref());
        let usable = |variant: &usize| {
            !self.is_penalized(*variant) && (role != Role::Audio || audio(*variant) != audio(self.playing))
        };
        // The next lower variants, then those above from the highest down.
        let (below, above) = here.split_at_checked(rank)?;
        let lower_first = below.iter().rev().chain(above.iter().skip(1).rev());
        if let Some(next) = lower_first.copied().find(|variant| usable(variant)) {
            return Some((next, None));
        }
        let mut others = pathways(&levels)
            .filter(|pathway| *pathway != current && !self.left_pathways.iter().any(|left| left == pathway));
        let there = within(others.next()?);
        let next = there.get(rank).or(there.last()).copied()?;
        Some((next, Some(current)))
    }

    fn is_penalized(&self, variant: usize) -> bool {
        self.penalties.iter().any(|penalty| penalty.variant == variant)
    }

    /// Removes penalties that are over.
    fn forgive(&mut self, rule: Failover, now: Duration) {
        if let Some(length) = rule.penalty() {
            self.penalties.retain(|penalty| now.saturating_sub(penalty.since) < length);
        }
    }
}

/// Returns the variant that hls.js begins with: the highest that fits its first estimate of the bandwidth, or the
/// first that is listed if none fits. The estimate is the bandwidth of the first variant, at least `default` and at
/// most `most`.
fn estimated(multivariant: &Multivariant, default: u64, most: u64) -> Option<usize> {
    let first = *choose(multivariant, VariantChoice::First).first()?;
    let bandwidth = multivariant.variants.get(first)?.bandwidth;
    let estimate = bandwidth.min(most).max(default);
    let fitting = *choose(multivariant, VariantChoice::Bandwidth(estimate)).first()?;
    let fits = multivariant.variants.get(fitting)?.bandwidth <= estimate;
    Some(if fits { fitting } else { first })
}

/// A variant with its pathway, in the order of hls.js.
#[derive(Debug)]
struct Level {
    variant: usize,
    pathway: String,
}

/// Returns the pathways in the order in which the playlist lists their variants, each as often as it has variants.
fn pathways(levels: &[Level]) -> impl Iterator<Item = &str> {
    let mut by_listing: Vec<&Level> = levels.iter().collect();
    by_listing.sort_by_key(|level| level.variant);
    by_listing.into_iter().map(|level| level.pathway.as_str())
}

/// Returns the variants that are worth playing, lowest first, each with its pathway.
fn levels(variants: &[Variant]) -> Vec<Level> {
    // The last URI with these attributes, and the number of variants with them so far.
    let mut listed: HashMap<String, (&str, usize)> = HashMap::new();
    let mut levels = Vec::with_capacity(variants.len());
    for (index, variant) in variants.iter().enumerate() {
        let uri = variant.uri.as_str();
        let (last, times) = listed.entry(attributes(variant)).or_insert((uri, 0));
        let pathway = match &variant.pathway {
            Some(pathway) if *times == 0 => pathway.as_str().to_owned(),
            None if *times == 0 || *last != uri => ".".repeat(*times + 1),
            // The same stream with other renditions.
            _ => continue,
        };
        (*last, *times) = (uri, *times + 1);
        levels.push(Level { variant: index, pathway });
    }
    let has_video = |level: &Level| variants.get(level.variant).is_some_and(has_video);
    if levels.iter().any(has_video) && variants.iter().any(has_audio) {
        levels.retain(has_video);
    }
    levels.sort_by(|one, other| {
        let order = [one, other].map(|level| variants.get(level.variant).map(rank));
        order[0].partial_cmp(&order[1]).unwrap_or(std::cmp::Ordering::Equal)
    });
    levels
}

/// Returns the attributes by which hls.js recognizes two variants as the same.
fn attributes(variant: &Variant) -> String {
    let Variant { pathway, bandwidth, resolution, frame_rate, codecs, video_range, hdcp_level, .. } = variant;
    format!("{pathway:?} {bandwidth} {resolution:?} {frame_rate:?} {codecs:?} {video_range:?} {hdcp_level:?}")
}

/// Returns the sort key of a variant: height, frame rate and average bandwidth.
fn rank(variant: &Variant) -> (u64, f64, u64) {
    let height = variant.resolution.map_or(0, |resolution| resolution.height);
    (height, variant.frame_rate.unwrap_or_default(), variant.average_bandwidth.unwrap_or(variant.bandwidth))
}

fn has_video(variant: &Variant) -> bool {
    const VIDEO: [&str; 9] = ["avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "av01", "vp09", "vp08"];
    variant.resolution.is_some() || has_codec(variant, &VIDEO)
}

fn has_audio(variant: &Variant) -> bool {
    has_codec(variant, &["mp4a", "ac-3", "ec-3", "Opus", "opus", "fLaC", "flac"])
}

fn has_codec(variant: &Variant, names: &[&str]) -> bool {
    let codecs = variant.codecs.as_ref().map_or("", |codecs| codecs.as_str());
    codecs.split(',').any(|codec| names.iter().any(|name| codec.trim().starts_with(name)))
}
