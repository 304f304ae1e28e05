//! The `plan` block of the report: what the plan was to use, and what the run used.

use serde::Serialize;

use super::cells::{plural, rate};
use super::doc::Part;
use crate::forecast::{BitRate, Destination, Priced, RateSource, Use, UseShares};
use crate::sample::RunSample;
use crate::vocabulary::Untrusted;
use crate::vocabulary::units::{self, UNKNOWN};

/// Price of the plan, made from the first client before the ramp, and the use that is compared with it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanReport {
    /// Basis of the sizes: `byte_ranges`, `bitrate_tags`, `average_bandwidth` (confirmed by a measurement),
    /// `measured`, or `bandwidth` (as the playlist states it); `null`: unknown.
    pub bit_rate_source: Option<&'static str>,
    /// Body bits per second of the media that one client plays.
    pub client_bits_per_second: Option<f64>,
    /// Segments that were measured.
    pub segments_measured: u32,
    /// False if the player loads as fast as the network allows: then rates are unknown.
    pub paced: bool,
    /// Clients of the plan; fewer than `run.clients_asked` with `--clamp`.
    pub clients: u32,
    /// Length for which `planned` holds, in seconds: that of the run; without an end, an hour before it has ended.
    pub length_s: f64,
    /// Amounts that the plan needs. Bytes and requests count until the end of `length_s`, files, ports and memory
    /// are maxima.
    pub planned: Use,
    /// Amounts that the run has used; `null` before there is a run.
    pub used: Option<Use>,
    /// `used` as a share of `planned`.
    pub used_share: Option<UseShares>,
    /// Amounts available.
    pub available: AvailableReport,
    /// Resources of which the requested clients need more than is available.
    pub shortages: Vec<ShortageReport>,
    /// The most clients that fit.
    pub clients_largest: u32,
    /// Reasons why the run did not follow the plan; empty if the two can be compared.
    pub not_comparable: Vec<&'static str>,
    /// Hosts that clients connect to.
    pub destinations: Vec<DestinationReport>,
    /// The shortages as a sentence; `null`: there are none.
    pub sentence: Option<String>,
}

/// Resources of this machine; `null`: without a limit, or unknown.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AvailableReport {
    /// Open files of the process.
    pub open_files: Option<u64>,
    /// Local ports towards one address and port.
    pub ports: Option<u64>,
    /// Memory that the process may use.
    pub memory_bytes: Option<u64>,
    /// Processors that the process may use.
    pub cpus: Option<f64>,
}

/// A resource of which the plan needs more than is available.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShortageReport {
    /// `open_files`, `ports`, `memory_bytes`, `cpu_share`, `max_bandwidth`, `max_bytes` or `max_requests`.
    pub resource: &'static str,
    /// Amount that is needed.
    pub needed: f64,
    /// Amount available.
    pub available: f64,
}

/// A host that clients connect to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DestinationReport {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// True over TLS.
    pub secure: bool,
    /// True if it answered over HTTP/2.
    pub http2: bool,
    /// Most connections that one client has open there at once.
    pub connections_per_client: u32,
    /// Its addresses, as far as `hlswarm plan` has looked them up.
    pub addresses: Vec<String>,
    #[serde(skip)]
    authority: String,
}

impl PlanReport {
    /// Returns the plan without a run.
    pub(super) fn planned(priced: &Priced) -> Self {
        let forecast = &priced.forecast;
        let supply = &forecast.terms.supply;
        let length = forecast.length();
        let planned = forecast.planned(length);
        let shortages = priced.shortages.iter();
        Self {
            bit_rate_source: forecast.bit_rate.map(|rate| RateSource::name(rate.source)),
            client_bits_per_second: forecast.bit_rate.map(|rate| rate.bits_per_second),
            segments_measured: forecast.bit_rate.map_or(0, |rate: BitRate| rate.segments),
            paced: forecast.is_paced(),
            clients: forecast.terms.profile.clients,
            length_s: length.as_secs_f64(),
            planned,
            used: None,
            used_share: None,
            available: AvailableReport {
                open_files: supply.open_files,
                ports: supply.ports,
                memory_bytes: supply.memory_bytes,
                cpus: supply.cpus,
            },
            shortages: shortages
                .map(|shortage| ShortageReport {
                    resource: shortage.what.name(),
                    needed: shortage.needed,
                    available: shortage.available,
                })
                .collect(),
            clients_largest: priced.largest,
            not_comparable: Vec::new(),
            destinations: forecast.destinations().iter().map(DestinationReport::from).collect(),
            sentence: priced.sentence(),
        }
    }

    /// Returns the plan beside what the run has used so far; `None` if the plan has no price.
    pub(super) fn compared(sample: &RunSample) -> Option<Self> {
        let priced = sample.priced.as_deref()?;
        let length = sample.planned_length(priced);
        let planned = priced.forecast.planned(length);
        let used = sample.used(priced);
        Some(Self {
            length_s: length.as_secs_f64(),
            planned,
            used: Some(used),
            used_share: Some(used.shares_of(&planned)),
            not_comparable: sample.not_comparable(priced),
            ..Self::planned(priced)
        })
    }
}

/// Returns lines for the text: planned and used amounts side by side. There are none if the plan was not priced.
pub(super) fn lines(plan: Part<'_>) -> Vec<String> {
    if !plan.is_known() {
        return Vec::new();
    }
    let length = units::span(plan.at("/length_s").seconds());
    let source = plan.at("/bit_rate_source").word().replace('_', " ");
    let source = if source.is_empty() { UNKNOWN.to_owned() } else { source };
    let heading = if plan.at("/used").is_known() { "planned / used" } else { "planned" };
    let clients = plural(plan.at("/clients"), "client");
    let each = rate(plan.at("/client_bits_per_second"));
    let mut lines = vec![format!("plan    {heading}: {clients}, {length}, {each} each ({source})")];
    let cell = |(name, path, shown)| cell(plan, name, path, shown);
    for [left, right] in CELLS.map(|pair| pair.map(cell)) {
        lines.push(format!("        {left:<36} {right}"));
    }
    let why: Vec<String> = plan.at("/not_comparable").list().map(Part::word).collect();
    if !why.is_empty() {
        lines.push(format!("        not comparable: {}", why.join(", ")));
    }
    lines
}

/// An amount of the text: its name, its place, and the way to show it.
type Cell = (&'static str, &'static str, fn(f64) -> String);

/// Amounts of the text, two in a line.
const CELLS: [[Cell; 2]; 3] = [
    [("bytes", "/bytes", bytes), ("requests", "/requests", whole)],
    [("cpu", "/cpu_s", seconds), ("rate", "/bits_per_second", units::bit_rate)],
    [("files", "/open_files", whole), ("memory", "/memory_bytes", bytes)],
];
/// Amounts whose difference from the plan is shown.
const WITH_SHARE: [&str; 3] = ["/bytes", "/requests", "/cpu_s"];

/// Returns an amount, planned and used: `bytes 104 GB / 103 GB (-0.9%)`.
fn cell(plan: Part<'_>, name: &str, path: &str, shown: fn(f64) -> String) -> String {
    let amount = |of: &str| plan.at(of).at(path).number().map_or(UNKNOWN.to_owned(), shown);
    if !plan.at("/used").is_known() {
        return format!("{name:<6} {}", amount("/planned"));
    }
    let share = plan.at("/used_share").at(path).number().filter(|_| WITH_SHARE.contains(&path));
    // Rounded before it is shown: a difference below zero that rounds to zero has no sign.
    let percent = |share: f64| ((share - 1.0) * 1_000.0).round() / 10.0 + 0.0;
    let apart = share.map_or(String::new(), |share| format!(" ({:+.1}%)", percent(share)));
    format!("{name:<6} {} / {}{apart}", amount("/planned"), amount("/used"))
}

fn whole(amount: f64) -> String {
    units::count(amount.round().max(0.0) as u64)
}

fn bytes(amount: f64) -> String {
    units::bytes(amount.round().max(0.0) as u64)
}

fn seconds(amount: f64) -> String {
    format!("{} s", units::number(amount))
}

impl From<&Destination> for DestinationReport {
    fn from(destination: &Destination) -> Self {
        let endpoint = &destination.endpoint;
        Self {
            host: Untrusted::new(&endpoint.host).shown(),
            port: endpoint.port,
            secure: endpoint.tls,
            http2: destination.http2,
            connections_per_client: destination.connections_per_client,
            addresses: Vec::new(),
            authority: endpoint.authority(),
        }
    }
}

impl DestinationReport {
    /// Returns a URL of the host.
    pub fn url(&self) -> String {
        format!("{}://{}/", if self.secure { "https" } else { "http" }, self.authority)
    }
}
