//! The kinds of clients of a run: every target with every member of the mix.

use std::path::PathBuf;
use std::sync::Arc;

use super::data_source::{self, Templates};
use super::net_settings::Connections;
use super::{ConfigError, target_source};
use crate::cli::{MixMember, RequestArgs, WeightedTarget};
use crate::hls::VariantChoice;
use crate::net;
use crate::player::{self, Profile, SessionLength};
use crate::swarm::{Cast, ClientKind, DataOrder, Personal};
use crate::vocabulary::{SecretUrl, limits, placeholder};

/// A stream with its weight among others.
#[derive(Clone, Debug)]
pub struct WeightedUrl {
    /// Its weight.
    pub weight: u32,
    /// Its URL.
    pub url: SecretUrl,
}

impl From<SecretUrl> for WeightedUrl {
    fn from(url: SecretUrl) -> Self {
        Self { weight: 1, url }
    }
}

/// Returns the streams that were given, or that are in the given files.
///
/// # Errors
/// See [`ConfigError`].
pub fn targets(given: Vec<WeightedTarget>) -> Result<Vec<WeightedUrl>, ConfigError> {
    if given.len() > limits::TARGETS {
        return Err(ConfigError::TooManyTargets);
    }
    let read =
        |WeightedTarget { weight, target }| Ok(WeightedUrl { weight, url: target_source::target(target)? });
    given.into_iter().map(read).collect()
}

/// Streams and viewers of a run.
pub(super) struct Viewers {
    pub(super) targets: Vec<WeightedUrl>,
    pub(super) mix: Vec<MixMember>,
    /// File of the data of each client, the order of its rows, and the seed of that order.
    pub(super) data: Option<(PathBuf, DataOrder, u64)>,
    /// Variant, player and session length of members that do not say theirs.
    pub(super) choice: VariantChoice,
    pub(super) profile: &'static Profile,
    pub(super) session: SessionLength,
}

impl Viewers {
    /// Builds the kinds of clients, whose requests have these options.
    pub(super) fn cast(self, requests: RequestArgs, run_id: &str) -> Result<Cast, ConfigError> {
        if self.mix.len() > limits::MIX {
            return Err(ConfigError::TooManyMembers);
        }
        let everyone = MixMember { share: 1, ..MixMember::default() };
        let mix = if self.mix.is_empty() { vec![everyone] } else { self.mix };
        let connections = Connections::new(requests, run_id)?;
        let mut kinds = Vec::new();
        for (target, WeightedUrl { url, .. }) in self.targets.iter().enumerate() {
            let first = connections.settings(url, self.profile)?;
            for (number, member) in mix.iter().enumerate() {
                let profile = member.player.unwrap_or(self.profile);
                let player = player::Settings {
                    entry: url.clone(),
                    choice: member.variant.unwrap_or(self.choice),
                    profile,
                    session: member.session_length.unwrap_or(self.session),
                };
                // All members share the scope: what one of them learns of a host holds for all.
                let net = net::Settings { http_profile: profile.http_profile, ..first.clone() };
                kinds.push(ClientKind { target, member: number, player: Arc::new(player), net });
            }
        }
        let personal = match self.data {
            Some((path, order, seed)) => {
                let urls = self.targets.iter().map(|target| &target.url).collect();
                let data = data_source::read(&path, &Templates { urls, headers: &connections.given })?
                    .dealt(order, seed);
                let Connections { given, user_agent, run_id, avoids_caches, .. } = connections;
                let has_placeholder = given.iter().any(|line| placeholder::names(line).next().is_some());
                let lines = if has_placeholder { given } else { Vec::new() };
                Some(Arc::new(Personal { data, lines, user_agent, run_id, avoids_caches }))
            }
            None => None,
        };
        let mut kinds = kinds.into_iter();
        Ok(Cast {
            first: kinds.next().ok_or(ConfigError::NoTarget)?,
            others: kinds.collect(),
            targets: self.targets.iter().map(|target| target.weight).collect(),
            mix: mix.iter().map(|member| member.share).collect(),
            personal,
        })
    }
}
