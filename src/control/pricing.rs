//! Price of the plan: from the first client's responses, before the others start.
//!
//! The first client tells the size of the media within some round trips, so the others wait for it, but no longer than
//! [`MEDIA_WAIT`]: a slow origin is worth a load test. Then the sizes are those that the playlists state. If not even
//! these are known, as with a player that opens all playlists of a slow origin, the run is priced once they are, while it
//! goes on. A plan that is only priced waits longer, because nothing waits for it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{Ahead, Plan};
use crate::capacity::Supply;
use crate::forecast::{Base, Curve, Forecast, PriceConsequence, Priced, Probed, StreamModel, Terms};
use crate::load::Ramp;
use crate::player::{SessionLength, Settings};

/// Maximum wait for media after the first client has requested some.
const MEDIA_WAIT: Duration = Duration::from_millis(500);
/// Maximum wait for the price of a run whose clients start together: then nothing waits for it.
const TOGETHER_WAIT: Duration = Duration::from_secs(3);
/// Time without a response after which a plan that is only priced takes what it has, if that is enough.
const QUIET: Duration = Duration::from_secs(2);
/// Maximum wait for the price of a plan that is only priced, and of a run that has begun without one.
const LATEST: Duration = Duration::from_secs(30);

/// Reaction to a plan that needs more than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnShortage {
    /// The load is refused.
    #[default]
    Refuse,
    /// As many clients as fit are started.
    Clamp,
    /// The load is started all the same.
    Warn,
}

/// Sources of the price.
#[derive(Debug)]
pub struct Pricing {
    /// Responses to the first client.
    pub probes: flume::Receiver<Probed>,
    /// Settings of the players with their shares, those of the first client first.
    pub viewers: Vec<(u32, Arc<Settings>)>,
    /// Resources that may be used.
    pub supply: Supply,
    /// Resources used without clients.
    pub base: Base,
    /// Place for the price.
    pub slot: Arc<OnceLock<Arc<Priced>>>,
}

/// State of the price.
#[derive(Debug, Default)]
pub(super) struct PriceGate {
    /// `None` once the plan has its price, or if it gets none.
    open: Option<Box<Open>>,
}

#[derive(Debug)]
struct Open {
    pricing: Pricing,
    model: StreamModel,
    /// Time at which the first client requested media.
    media_at: Option<Duration>,
    /// Time of the last response.
    heard_at: Duration,
    /// Time at which the others started without a price.
    late_at: Option<Duration>,
}

impl PriceGate {
    pub(super) fn new(pricing: Pricing) -> Self {
        let open = Open {
            pricing,
            model: StreamModel::default(),
            media_at: None,
            heard_at: Duration::ZERO,
            late_at: None,
        };
        Self { open: Some(Box::new(open)) }
    }

    /// Reports whether the plan has no price yet, and will get one.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Reports whether the others wait for the price.
    pub(super) fn is_awaited(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.late_at.is_none())
    }

    /// Learns from the first client, and prices the plan once enough is known. `media`: whether the first client has
    /// requested some. Returns the price when it is made; `None` before and after.
    pub(super) fn look(&mut self, now: Duration, plan: &Plan, media: Media) -> Option<Arc<Priced>> {
        let open = self.open.as_mut()?;
        let is_due = open.listen(now, plan.ahead, media);
        let priced = if is_due { open.price(plan, now) } else { None };
        if priced.is_none() {
            if is_due && plan.ahead != Ahead::Probe {
                open.late_at.get_or_insert(now);
            }
            if now >= LATEST {
                self.open = None;
            }
            return None;
        }
        let open = self.open.take()?;
        let priced = Arc::new(priced?);
        _ = open.pricing.slot.set(Arc::clone(&priced));
        Some(priced)
    }
}

/// Knowledge whether the first client has requested media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// It has, or may have.
    Requested,
    /// Not yet.
    Awaited,
}

impl Open {
    /// Learns from the responses so far. Returns true if the plan is to be priced now, if that is possible.
    fn listen(&mut self, now: Duration, ahead: Ahead, media: Media) -> bool {
        let mut has_heard = false;
        for probed in self.pricing.probes.drain() {
            self.model.learn(probed);
            has_heard = true;
        }
        if has_heard {
            self.heard_at = now;
        }
        if media == Media::Requested {
            self.media_at.get_or_insert(now);
        }
        let waited = |since: Duration, most| now.saturating_sub(since) >= most;
        let is_late = match ahead {
            // Each try simulates some viewers: another one must have a chance.
            _ if self.late_at.is_some() => has_heard,
            Ahead::Probe => waited(self.heard_at, QUIET) || now >= LATEST,
            Ahead::Together => now >= TOGETHER_WAIT,
            Ahead::First | Ahead::Single => self.media_at.is_some_and(|since| waited(since, MEDIA_WAIT)),
        };
        self.model.is_complete() || is_late
    }

    /// Returns the traffic of a mean client of the mix.
    fn curve(&self, plan: &Plan) -> Option<Curve> {
        // The first client has loaded what its own player opens; the others may play other variants.
        let model = self.model.with_other_variants();
        let curve = |(share, settings): &(u32, Arc<Settings>)| {
            // A viewer that leaves an open load is not followed by another one.
            let endless = || Arc::new(Settings { session: SessionLength::Endless, ..(**settings).clone() });
            let settings = if plan.arrivals.is_some() { &endless() } else { settings };
            Some((f64::from(*share), Curve::new(&model, settings, plan.duration, plan.profile.seed)?))
        };
        let mut viewers = self.pricing.viewers.iter();
        let first = curve(viewers.next()?)?;
        // A player that opens playlists which the first client never loads is priced as the mean of the others.
        Curve::mixed(std::iter::once(first).chain(viewers.filter_map(curve)).collect())
    }

    /// Prices the plan; `None` if too little of the stream is known.
    fn price(&self, plan: &Plan, now: Duration) -> Option<Priced> {
        let has_begun = plan.ahead == Ahead::Together || self.late_at.is_some();
        // A run would not wait for its price as long as a probe may.
        let begins = || self.media_at.map_or(now, |since| now.min(since + MEDIA_WAIT));
        let begun = self.late_at.unwrap_or_else(|| if has_begun { Duration::ZERO } else { begins() });
        let Pricing { supply, base, .. } = &self.pricing;
        let curve = self.curve(plan)?;
        let mut profile = plan.profile;
        // Fewer clients than planned start at the planned rate.
        profile.ramp = profile.rate().map_or(profile.ramp, Ramp::Rate);
        let (stages, duration) = (plan.stages.clone(), plan.duration);
        let (arrivals, base, supply) = (plan.arrivals, *base, supply.clone());
        let terms = Terms { profile, stages, arrivals, begun, duration, base, supply };
        let forecast = Forecast::new(curve, self.model.bit_rate(), terms);
        let shortages = forecast.shortages();
        let asked = profile.clients;
        let largest = if shortages.is_empty() { asked } else { forecast.largest() };
        let consequence = match plan.on_shortage {
            _ if shortages.is_empty() => PriceConsequence::Fits,
            OnShortage::Warn => PriceConsequence::Ignored,
            // The others have started: it is too late to refuse.
            OnShortage::Refuse if has_begun => PriceConsequence::Ignored,
            OnShortage::Clamp if largest > 0 => PriceConsequence::Clamped,
            OnShortage::Clamp | OnShortage::Refuse => PriceConsequence::Refused,
        };
        let clients = if consequence == PriceConsequence::Clamped { largest } else { asked };
        let forecast = forecast.with_clients(clients);
        Some(Priced { forecast, asked, shortages, largest, consequence })
    }
}
