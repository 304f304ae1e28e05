//! The variants of a presentation for one client: the one that plays, and the one to go to when it fails.
//!
//! * The order is that of hls.js 1.7: within a pathway the variant below the failed one, round and round; then another
//!   pathway (RFC 8216bis section 4.4.6.6), at the variant of the same rank. Variants that are listed again with another
//!   URI are pathways of their own: `.`, `..` and so on.
//! * A variant that has failed is left out until its penalty is over, a pathway for good: nothing fetches the steering
//!   manifest, so nothing would bring it back.
//! * Only a client that fails over computes the order: while all is well a presentation costs two indices.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::profile::{Failover, Profile, StartVariant};
use super::selection;
use super::track::{Role, Track};
use crate::hls::{Multivariant, Playlist, Variant, VariantChoice, choose};
use crate::vocabulary::SecretUrl;

/// A variant that was left, and when.
#[derive(Clone, Copy, Debug)]
struct Penalty {
    variant: usize,
    since: Duration,
}

/// The variants that one client can choose from.
#[derive(Debug)]
pub(super) struct Presentation {
    /// A multivariant playlist.
    playlist: Arc<Playlist>,
    url: SecretUrl,
    /// The variant to play as long as it can be had.
    preferred: usize,
    playing: usize,
    penalties: Vec<Penalty>,
    /// Pathways that have failed.
    left_pathways: Vec<String>,
}

impl Presentation {
    /// The presentation of a multivariant playlist from `url`, from which one variant is played. `None`: there is
    /// nothing to choose from.
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

    /// The tracks of the variant that plays.
    pub(super) fn tracks(&self) -> Vec<Track> {
        let tracks = |multivariant| selection::tracks(multivariant, &[self.playing], &self.url);
        self.multivariant().map(tracks).unwrap_or_default()
    }

    /// Goes to the preferred variant, if another one plays and it can be had. Returns whether it did.
    pub(super) fn return_to_preferred(&mut self, rule: Failover, now: Duration) -> bool {
        self.forgive(rule, now);
        let free = self.playing != self.preferred && !self.is_penalized(self.preferred);
        if free {
            self.playing = self.preferred;
        }
        free
    }

    /// Leaves the variant that plays, because a playlist or media of this role has failed. Returns whether there was
    /// another.
    pub(super) fn fail_over(&mut self, role: Role, rule: Failover, now: Duration) -> bool {
        self.forgive(rule, now);
        let Some((next, pathway)) = self.next(role) else { return false };
        if !self.is_penalized(self.playing) {
            self.penalties.push(Penalty { variant: self.playing, since: now });
        }
        if let Some(left) = pathway {
            self.left_pathways.push(left);
            // The pathway that was left does not come back, and with it what was preferred there.
            self.preferred = next;
        }
        self.playing = next;
        true
    }

    /// The variant to go to, and the pathway that is left for it, if one is.
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
        // The next lower ones, then the highest downwards.
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

    /// Forgets penalties that are over.
    fn forgive(&mut self, rule: Failover, now: Duration) {
        if let Some(length) = rule.penalty() {
            self.penalties.retain(|penalty| now.saturating_sub(penalty.since) < length);
        }
    }
}

/// The variant that hls.js begins with: the highest that fits its first estimate of the bandwidth, which is `default`,
/// or the bandwidth of the variant that is listed first, up to `most`.
fn estimated(multivariant: &Multivariant, default: u64, most: u64) -> Option<usize> {
    let first = *choose(multivariant, VariantChoice::First).first()?;
    let bandwidth = multivariant.variants.get(first)?.bandwidth;
    let estimate = bandwidth.min(most).max(default);
    let fitting = *choose(multivariant, VariantChoice::Bandwidth(estimate)).first()?;
    let fits = multivariant.variants.get(fitting)?.bandwidth <= estimate;
    Some(if fits { fitting } else { first })
}

/// A variant with its place in the order of hls.js.
#[derive(Debug)]
struct Level {
    variant: usize,
    pathway: String,
}

/// Pathways in the order in which their first variants stand in `levels`.
fn pathways(levels: &[Level]) -> impl Iterator<Item = &str> {
    let mut by_listing: Vec<&Level> = levels.iter().collect();
    by_listing.sort_by_key(|level| level.variant);
    by_listing.into_iter().map(|level| level.pathway.as_str())
}

/// The variants that are worth playing, lowest first, each with its pathway.
fn levels(variants: &[Variant]) -> Vec<Level> {
    // The URI that was listed last with these attributes, and how often they were listed.
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

/// The attributes by which hls.js takes two variants for one.
fn attributes(variant: &Variant) -> String {
    let Variant { pathway, bandwidth, resolution, frame_rate, codecs, video_range, hdcp_level, .. } = variant;
    format!("{pathway:?} {bandwidth} {resolution:?} {frame_rate:?} {codecs:?} {video_range:?} {hdcp_level:?}")
}

/// Height, frame rate and average bandwidth: what variants are ordered by.
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
