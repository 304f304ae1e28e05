//! Price of the plan: from the first client's responses, before the others start.
//!
//! The first client tells the size of the media within some round trips, so the others wait for it, but no longer than
//! [`MEDIA_WAIT`]: a slow origin is worth a load test. Then the sizes are those that the playlist states.

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
    /// Settings of the players.
    pub settings: Arc<Settings>,
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
}

impl PriceGate {
    pub(super) fn new(pricing: Pricing) -> Self {
        Self { open: Some(Box::new(Open { pricing, model: StreamModel::default(), media_at: None })) }
    }

    /// Reports whether the plan has no price yet, and will get one.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Learns from the first client, and prices the plan once enough is known. `has_media`: the first client has
    /// requested media. Returns the price when it is made; `None` before and after.
    pub(super) fn look(&mut self, now: Duration, plan: &Plan, media: Media) -> Option<Arc<Priced>> {
        let open = self.open.as_mut()?;
        open.pricing.probes.drain().for_each(|probed| open.model.learn(probed));
        if media == Media::Requested {
            open.media_at.get_or_insert(now);
        }
        let waited =
            |since: Option<Duration>, most| since.is_some_and(|since| now.saturating_sub(since) >= most);
        let is_late = match plan.ahead {
            Ahead::Together => now >= TOGETHER_WAIT,
            Ahead::First | Ahead::Probe | Ahead::Single => waited(open.media_at, MEDIA_WAIT),
        };
        if !open.model.is_complete() && !is_late {
            return None;
        }
        let open = self.open.take()?;
        let begun = if plan.ahead == Ahead::Together { Duration::ZERO } else { now };
        let priced = Arc::new(open.price(plan, begun)?);
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
    /// Prices the plan; `None` if too little of the stream is known.
    fn price(&self, plan: &Plan, begun: Duration) -> Option<Priced> {
        let Pricing { settings, supply, base, .. } = &self.pricing;
        // A viewer that leaves an open load is not followed by another one.
        let endless = || Arc::new(Settings { session: SessionLength::Endless, ..(**settings).clone() });
        let settings = if plan.arrivals.is_some() { &endless() } else { settings };
        let curve = Curve::new(&self.model, settings, plan.duration, plan.profile.seed)?;
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
            OnShortage::Refuse if plan.ahead == Ahead::Together => PriceConsequence::Ignored,
            OnShortage::Clamp if largest > 0 => PriceConsequence::Clamped,
            OnShortage::Clamp | OnShortage::Refuse => PriceConsequence::Refused,
        };
        let clients = if consequence == PriceConsequence::Clamped { largest } else { asked };
        let forecast = forecast.with_clients(clients);
        Some(Priced { forecast, asked, shortages, largest, consequence })
    }
}
