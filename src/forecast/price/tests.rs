//! Prices of plans against closed forms and sums made by hand.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::forecast::{Got, PriceConsequence, Priced, Probed, StreamModel};
use crate::hls::{VariantChoice, parse};
use crate::load::{Ramp, StageList};
use crate::player::{Profile, Resource, SessionLength, Settings};
use crate::vocabulary::{HardStops, SecretUrl};

const ENTRY: &str = "http://o.test/live.m3u8";
const SEGMENT: u64 = 500_000;

/// Returns the responses to the first client of a stream of two-second segments: a window of six, or a film of that
/// many. The first is the playlist.
pub(crate) fn probes(film: Option<u64>, host: &str) -> Vec<Probed> {
    let count = film.unwrap_or(6);
    let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\n".to_owned();
    let lines = (0..count).map(|n| format!("#EXTINF:2,\n{host}s{n}.ts\n"));
    let text =
        lines.fold(head, |text, line| text + &line) + if film.is_some() { "#EXT-X-ENDLIST\n" } else { "" };
    let url = SecretUrl::parse(ENTRY).expect("a URL");
    let playlist = Arc::new(parse(text.as_bytes()).expect("a playlist"));
    let probed = |what, wire_bytes, got| Probed {
        what,
        is_other: false,
        url: url.clone(),
        base: url.clone(),
        hops: 0,
        wire_bytes,
        took: Duration::from_millis(5),
        http2: false,
        got,
    };
    let playlist = probed(Resource::Entry, 300, Got::Playlist(playlist, Duration::ZERO, None));
    let segments = (100..103).map(|sequence| probed(Resource::Segment(0, sequence), SEGMENT, Got::Media));
    std::iter::once(playlist).chain(segments).collect()
}

fn model(film: Option<u64>, host: &str) -> StreamModel {
    let mut model = StreamModel::default();
    probes(film, host).into_iter().for_each(|probed| model.learn(probed));
    model
}

pub(crate) fn settings(player: &str, session: SessionLength) -> Arc<Settings> {
    let entry = SecretUrl::parse(ENTRY).expect("a URL");
    let profile = Profile::named(player).expect("a player");
    Arc::new(Settings { entry, choice: VariantChoice::Highest, profile, session })
}

fn terms(clients: u32, ramp: Ramp, seconds: u64) -> Terms {
    let base = Base { open_files: Some(40), resident_bytes: Some(20_000_000), cpu: Duration::ZERO };
    Terms {
        profile: RampProfile { clients, ramp, ..RampProfile::default() },
        stages: None,
        arrivals: None,
        begun: Duration::ZERO,
        duration: Some(Duration::from_secs(seconds)),
        base,
        supply: Supply { files_reserved: 64, ..Supply::default() },
    }
}

fn forecast(model: &StreamModel, player: &str, terms: Terms) -> Forecast {
    let curve = Curve::new(model, &settings(player, SessionLength::Endless), terms.duration, 1);
    Forecast::new(curve.expect("a known stream"), model.bit_rate(), terms)
}

fn planned(forecast: &Forecast) -> Use {
    forecast.planned(forecast.length())
}

/// Returns the price of ten clients of a live stream for such a run.
pub(crate) fn priced(duration: Option<Duration>) -> Priced {
    let terms = Terms { duration, ..terms(10, Ramp::default(), 60) };
    let forecast = forecast(&model(None, ""), "web", terms);
    let shortages = forecast.shortages();
    Priced { forecast, asked: 10, shortages, largest: 10, consequence: PriceConsequence::Fits }
}

/// Asserts that two amounts differ by at most this share.
#[track_caller]
fn assert_near(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() <= share, "{found} instead of {expected}");
}

#[test]
fn a_live_client_loads_three_segments_at_once_and_then_one_with_each_reload() {
    let model = model(None, "");
    for (seconds, ramp) in [(60, 0.0), (60, 20.0), (30, 20.0), (600, 60.0)] {
        let ramp_time = Ramp::Time(Duration::from_secs_f64(ramp));
        let plan = forecast(&model, "web", terms(100, ramp_time, seconds));
        let ages = (0..100).map(|n| seconds as f64 - f64::from(n) * ramp / 100.0);
        // The first reload is two seconds after the first load, and so on until just before the end.
        let segments: f64 = ages.map(|age| 3.0 + (age / 2.0).ceil() - 1.0).sum();
        let bytes = planned(&plan).bytes;
        // The rest are playlists.
        assert_near(bytes, segments * SEGMENT as f64, 0.02);
    }
}

#[test]
fn a_film_fills_the_buffer_first_and_ends() {
    let film = model(Some(200), "");
    // Thirty seconds ahead, and the minute that is played meanwhile.
    let bytes = planned(&forecast(&film, "web", terms(10, Ramp::default(), 60))).bytes;
    assert_near(bytes, 10.0 * 45.0 * SEGMENT as f64, 0.03);
    for seconds in [400, 500, 5_000] {
        let bytes = planned(&forecast(&film, "web", terms(10, Ramp::default(), seconds))).bytes;
        assert_near(bytes, 10.0 * 200.0 * SEGMENT as f64, 0.01);
    }
    // A film that is longer than what is simulated ends as well.
    let long = model(Some(600), "");
    let bytes = planned(&forecast(&long, "web", terms(10, Ramp::default(), 5_000))).bytes;
    assert_near(bytes, 10.0 * 600.0 * SEGMENT as f64, 0.03);
}

#[test]
fn connections_follow_from_the_lanes_and_hosts_of_the_stream() {
    for (host, player, each) in [("", "web", 1.0), ("", "ffmpeg", 2.0), ("http://cdn.test/", "web", 2.0)] {
        let plan = forecast(&model(None, host), player, terms(100, Ramp::default(), 60));
        assert_eq!(planned(&plan).open_files, Some(40.0 + 100.0 * each), "{host} {player}");
    }
    let plan = forecast(&model(None, "http://cdn.test/"), "web", terms(100, Ramp::default(), 60));
    assert_eq!(planned(&plan).ports, Some(100.0), "each to its own address");
    assert_eq!(plan.destinations().len(), 2);
    let mut terms = terms(100, Ramp::default(), 60);
    terms.supply.ports_are_shared = true;
    let plan = forecast(&model(None, "http://cdn.test/"), "web", terms);
    assert_eq!(planned(&plan).ports, Some(200.0), "both from one source, or to one proxy");
}

#[test]
fn viewers_that_come_and_go_open_connections_and_join_again() {
    let stream = model(None, "");
    let fixed = SessionLength::Fixed(Duration::from_secs(5));
    let curve = |session| Curve::new(&stream, &settings("web", session), Some(Duration::from_secs(60)), 1);
    let terms = terms(100, Ramp::default(), 60);
    let [stay, go] = [SessionLength::Endless, fixed].map(|session| {
        let plan = Forecast::new(curve(session).expect("a known stream"), None, terms.clone());
        planned(&plan)
    });
    assert!(go.bytes > 1.5 * stay.bytes, "{} and {}", go.bytes, stay.bytes);
    assert_eq!(stay.ports, Some(100.0));
    // A port waits for a minute: twelve viewers one after another, each with its own.
    assert_near(go.ports.expect("known"), 100.0 * 12.0, 0.1);
}

#[test]
fn a_shortage_is_found_and_the_largest_load_that_fits_has_none() {
    let model = model(None, "");
    let mut terms = terms(1_000, Ramp::default(), 60);
    terms.supply.open_files = Some(564);
    let plan = forecast(&model, "web", terms.clone());
    let expected = Shortage { what: Supplied::OpenFiles, needed: 1_064.0, available: 564.0 };
    assert_eq!(plan.shortages(), [expected]);
    assert_eq!(plan.largest(), 500);
    assert_eq!(plan.with_clients(500).shortages(), []);
    terms.supply.open_files = None;
    let steady = 1_000.0 * SEGMENT as f64 * 8.0 / 2.0;
    let stops = |bits: f64| HardStops { bits_per_second: Some(bits as u64), ..HardStops::default() };
    // The join of all at once is three segments in its first second.
    terms.supply.hard_stops = stops(steady * 1.1);
    assert_eq!(forecast(&model, "web", terms.clone()).shortages().len(), 1);
    terms.supply.hard_stops = stops(steady * 7.0);
    assert_eq!(forecast(&model, "web", terms.clone()).shortages(), []);
    terms.profile.ramp = Ramp::Time(Duration::from_secs(50));
    terms.supply.hard_stops = stops(steady * 1.2);
    assert_eq!(forecast(&model, "web", terms).shortages(), [], "a ramp spreads the joins");
}

#[test]
fn totals_above_a_hard_stop_are_a_shortage_only_if_the_run_has_an_end() {
    let model = model(None, "");
    let mut terms = terms(10, Ramp::default(), 60);
    terms.supply.hard_stops = HardStops { requests: Some(100), ..HardStops::default() };
    let plan = forecast(&model, "web", terms.clone());
    assert_eq!(
        plan.shortages().iter().map(|shortage| shortage.what).collect::<Vec<_>>(),
        [Supplied::Requests]
    );
    terms.duration = None;
    let plan = forecast(&model, "web", terms);
    assert_eq!(plan.shortages(), []);
    let at = plan.reaches(HardStop::Requests).expect("within a week");
    assert_near(plan.planned(at).requests, 100.0, 0.05);
    assert_eq!(plan.reaches(HardStop::Bytes), None, "without a limit");
}

#[test]
fn cpu_has_a_price_only_with_a_calibration() {
    let model = model(None, "");
    let mut terms = terms(100, Ramp::default(), 60);
    let without = planned(&forecast(&model, "web", terms.clone()));
    assert_eq!((without.cpu_s, without.cpu_share), (None, None));
    terms.supply.calibration = Some(Arc::new(crate::capacity::calibration_for_tests()));
    (terms.supply.speed_ns, terms.supply.cpus) = (Some(10.0), Some(2.0));
    let with = planned(&forecast(&model, "web", terms));
    let requests = with.requests * 100e-6;
    let expected = 0.06 + requests + 100.0 * 200e-6 + with.bytes * 0.5e-9;
    assert_near(with.cpu_s.expect("a price"), expected, 0.05);
    assert_near(with.cpu_share.expect("a share"), expected / 60.0 / 2.0, 0.15);
    assert_eq!(with.memory_bytes, Some(20e6 + 100.0 * 11_000.0), "the calibration knows the memory, too");
}

#[test]
fn a_window_of_hours_is_simulated_for_a_shorter_time_and_costs_the_same() {
    let [short, long] = [6, 5_001].map(|count| {
        let list = (0..count).map(|n| format!("#EXTINF:2,\ns{n}.ts\n")).collect::<String>();
        let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\n{list}");
        let playlist = Arc::new(parse(text.as_bytes()).expect("a playlist"));
        let mut model = StreamModel::default();
        for mut probed in probes(None, "") {
            if let Got::Playlist(old, ..) = &mut probed.got {
                *old = Arc::clone(&playlist);
            }
            model.learn(probed);
        }
        forecast(&model, "web", terms(10, Ramp::default(), 600))
    });
    assert_eq!([short.curve.horizon(), long.curve.horizon()], [600.0, 60.0]);
    assert_near(planned(&long).bytes, planned(&short).bytes, 0.02);
}

fn staged(text: &str) -> Terms {
    let StageList(stages) = text.parse().expect(text);
    let stages = StagesProfile::new(&stages).expect(text);
    let seconds = stages.length().as_secs();
    Terms { profile: stages.pace(1), stages: Some(stages), ..terms(0, Ramp::default(), seconds) }
}

#[test]
fn stages_that_are_a_ramp_have_its_price() {
    let model = model(None, "");
    let ramp = planned(&forecast(&model, "web", terms(100, Ramp::Time(Duration::from_secs(20)), 60)));
    let stages = planned(&forecast(&model, "web", staged("ramp to 100 in 20s, hold 40s")));
    let numbers = |used: &Use| {
        [
            Some(used.requests),
            Some(used.bytes),
            used.bits_per_second_peak,
            used.open_files,
            used.ports,
            used.memory_bytes,
        ]
    };
    for (ramp, stages) in numbers(&ramp).into_iter().zip(numbers(&stages)) {
        assert_near(stages.expect("known"), ramp.expect("known"), 0.03);
    }
}

#[test]
fn stages_are_priced_by_their_peak_and_by_the_area_under_their_curve() {
    let model = model(None, "");
    let spike =
        forecast(&model, "web", staged("jump to 100, hold 60s, spike +300 for 30s, hold 60s, down in 30s"));
    let used = planned(&spike);
    // Three segments at each join, one every two seconds after it: of 100 clients for 150 s, of as many who leave during
    // 30 s, and of 300 for 30 s.
    let segments = 100.0 * (3.0 + 74.0 + 7.5) + 300.0 * (3.0 + 14.0);
    assert_near(used.bytes, segments * SEGMENT as f64, 0.03);
    assert_eq!(used.open_files, Some(40.0 + 400.0));
    // The second of the spike: three segments of each that joins, one of each that joined a whole number of segments ago.
    assert_near(used.bits_per_second_peak.expect("paced"), 8.0 * SEGMENT as f64 * (900.0 + 100.0), 0.02);
}

#[test]
fn a_stage_of_many_has_the_peak_of_a_stage_alone() {
    // A client stands for its neighbours, the more of them the more stages there are.
    let model = model(None, "");
    let spikes = vec!["spike +30000 for 5s, hold 40s"; 49].join(", ");
    let many = planned(&forecast(&model, "web", staged(&format!("jump to 1000, hold 40s, {spikes}"))));
    let one =
        planned(&forecast(&model, "web", staged("jump to 1000, hold 40s, spike +30000 for 5s, hold 40s")));
    assert_near(many.bits_per_second_peak.expect("paced"), one.bits_per_second_peak.expect("paced"), 0.02);
}

#[test]
fn the_largest_load_of_stages_that_fits_cuts_their_peak() {
    let mut terms = staged("jump to 100, hold 30s, spike +300 for 30s, hold 30s");
    terms.supply.open_files = Some(64 + 150);
    let plan = forecast(&model(None, ""), "web", terms);
    assert_eq!(plan.largest(), 150);
    let cut = planned(&plan.with_clients(150));
    assert_eq!(cut.open_files, Some(40.0 + 150.0));
    assert!(cut.bytes < planned(&plan).bytes);
}

#[test]
fn what_the_model_does_not_know_has_no_price() {
    let settings = settings("web", SessionLength::Endless);
    assert!(Curve::new(&StreamModel::default(), &settings, None, 1).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_plan_with_more_clients_or_a_longer_run_uses_more(
        clients in 1_u32..30_000, more in 1_u32..30_000, seconds in 5_u64..2_000, longer in 1_u64..2_000, rate in 1.0_f64..5_000.0,
    ) {
        let model = model(None, "");
        let plan = forecast(&model, "web", terms(clients, Ramp::Rate(rate), seconds));
        let lasts = Duration::from_secs(seconds);
        let uses = |plan: &Forecast, lasts| {
            let used = plan.planned(lasts);
            [used.bytes, used.requests, used.open_files.unwrap_or_default(), used.ports.unwrap_or_default()]
        };
        let this = uses(&plan, lasts);
        let larger = uses(&plan.with_clients(clients + more), lasts);
        let later = uses(&plan, lasts + Duration::from_secs(longer));
        // One client stands for its neighbours in a large load: their order may change by a step.
        prop_assert!(this.iter().zip(larger).all(|(one, other)| *one <= other * 1.001), "{:?} {:?}", this, larger);
        prop_assert!(this.iter().zip(later).all(|(one, other)| *one <= other * 1.001), "{:?} {:?}", this, later);
    }

    #[test]
    fn the_sum_is_that_of_the_clients_one_by_one(clients in 1_u32..40_000, seconds in 5_u64..900, rate in 1.0_f64..5_000.0) {
        let model = model(None, "");
        let plan = forecast(&model, "web", terms(clients, Ramp::Rate(rate), seconds));
        let starts = (0..clients).map(|n| f64::from(n) / rate).take_while(|start| *start <= seconds as f64);
        let bytes: f64 = starts.map(|start| plan.curve.at(seconds as f64 - start).bytes).sum();
        prop_assert!((plan.planned(Duration::from_secs(seconds)).bytes / bytes - 1.0).abs() < 0.01);
    }
}

fn arriving(per_second: f64, stays: Option<u64>, clients: u32, seconds: u64) -> Terms {
    let process = crate::load::ArrivalProcess::Even;
    let stays = stays.map(Duration::from_secs);
    let arrivals = Some(ArrivalProfile { per_second, process, stays });
    Terms { arrivals, ..terms(clients, Ramp::Rate(per_second), seconds) }
}

#[test]
fn arrivals_cost_their_sessions_and_no_more_than_find_room() {
    let model = model(None, "");
    let forecast_of = |terms| forecast(&model, "web", terms);
    // Ten clients a second that stay a minute each, for half an hour: 600 at once.
    let half_hour = forecast_of(arriving(10.0, Some(60), 1_000, 1_800));
    let one = half_hour.curve.at(60.0);
    let used = half_hour.planned(half_hour.length());
    // All but those of the last minute have had their whole session; these have had half of it and their start.
    let whole = 10.0 * 1_740.0 * one.bytes;
    assert!(used.bytes > whole && used.bytes < whole + 600.0 * one.bytes, "{}", used.bytes);
    let files = used.open_files.expect("known") - 40.0;
    assert_eq!(files, 699.0 * half_hour.curve.connections, "600, four deviations and the one that arrives");
    let peak = used.bits_per_second_peak.expect("paced");
    let flow = 8.0 * 10.0 * one.bytes * 699.0 / 600.0;
    assert!((peak / flow - 1.0).abs() < 1e-9, "{peak} {flow}");
    // With room for 300 half of them are turned away.
    let half = forecast_of(arriving(10.0, Some(60), 300, 1_800));
    let share = half.planned(half.length()).bytes / used.bytes;
    assert!((share - 0.5).abs() < 1e-3, "{share}");
    // A room that is full within a second costs what a ramp to as many clients does.
    let full = forecast_of(arriving(40.0, Some(300), 40, 10));
    let as_ramp = forecast_of(terms(40, Ramp::Rate(40.0), 10));
    let [full, as_ramp] = [full, as_ramp].map(|forecast| forecast.planned(forecast.length()));
    assert!((full.bytes / as_ramp.bytes - 1.0).abs() < 0.02, "{} {}", full.bytes, as_ramp.bytes);
    // Without departures the run fills up, and goes on as any other.
    let endless = forecast_of(arriving(10.0, None, 300, 600));
    let ramp = forecast_of(terms(300, Ramp::Rate(10.0), 600));
    let [filled, ramped] = [endless, ramp].map(|forecast| forecast.planned(forecast.length()));
    assert!((filled.bytes / ramped.bytes - 1.0).abs() < 0.01, "{} {}", filled.bytes, ramped.bytes);
    assert_eq!(filled.open_files, ramped.open_files);
}

#[test]
fn a_mixed_run_costs_what_each_kind_costs_by_its_share() {
    let stream = model(None, "");
    let curve = |player| {
        let settings = settings(player, SessionLength::Endless);
        Curve::new(&stream, &settings, Some(Duration::from_secs(60)), 1).expect("a stream that is known")
    };
    let [web, ffmpeg] = ["web", "ffmpeg"].map(curve);
    let mixed = Curve::mixed(vec![(3.0, web.clone()), (1.0, ffmpeg.clone())]).expect("two curves");
    assert!(ffmpeg.connections > web.connections, "ffmpeg keeps its lanes apart");
    let by_share = |of: fn(&Curve) -> f64| of(&web) * 0.75 + of(&ffmpeg) * 0.25;
    for of in [
        |curve: &Curve| curve.at(1.0).bytes,
        |curve: &Curve| curve.at(60.0).bytes,
        |curve: &Curve| curve.at(60.0).requests,
        |curve: &Curve| curve.connections,
    ] {
        assert!((of(&mixed) - by_share(of)).abs() < 1e-6 * by_share(of));
    }
    assert_eq!(mixed.destinations.len(), 1);
    assert!(Curve::mixed(Vec::new()).is_none());
}
