//! Tests of the reader, of rates and resets, and of the cells, in virtual time.

use std::time::Duration;

use proptest::prelude::*;

use super::page_reader::Sum;
use super::*;
use crate::sync::image::{Depth, Image};
use crate::vocabulary::SecretUrl;
use crate::vocabulary::outcome::{Fault, HttpFailure};

/// Lines of node_exporter 1.9 (Debian) on a machine with two cores, and of nginx-prometheus-exporter 1.1.
const NODE: &str = include_str!("../../tests/fuzz/seeds/metrics/node");
const NGINX: &str = include_str!("../../tests/fuzz/seeds/metrics/nginx");

fn sums(page: &str) -> PageSums {
    let mut reader = PageReader::default();
    assert!(reader.take(page.as_bytes()));
    reader.finish()
}

/// Returns the values after pages that were read two seconds apart.
fn values(pages: &[&str]) -> OriginValues {
    let mut meter = RateMeter::default();
    let mut values = OriginValues::default();
    for (number, page) in (0..).zip(pages) {
        values = meter.read(SCRAPE_PERIOD * number, &sums(page));
    }
    values
}

fn cpu(idle: f64, user: f64) -> String {
    format!(
        "node_cpu_seconds_total{{cpu=\"0\",mode=\"idle\"}} {idle}\nnode_cpu_seconds_total{{cpu=\"0\",mode=\"user\"}} {user}\n"
    )
}

fn network(device: &str, bytes: f64) -> String {
    format!("node_network_transmit_bytes_total{{device=\"{device}\"}} {bytes}\n")
}

#[test]
fn pages_of_the_real_exporters_are_read() {
    let node = sums(NODE);
    assert!(node.is_known() && !node.is_nginx_down());
    let [cpu, idle] = [Sum::CpuSeconds, Sum::IdleSeconds].map(|sum| node.get(sum).expect("seconds"));
    assert!(idle > 0.0 && cpu > idle, "{cpu} {idle}");
    for sum in [Sum::BytesOut, Sum::BytesIn, Sum::LoopbackOut, Sum::LoopbackIn, Sum::MemoryBytes, Sum::Load] {
        assert!(node.get(sum).is_some_and(|number| number > 0.0), "{sum:?}");
    }
    let nginx = sums(NGINX);
    assert!(nginx.is_known() && !nginx.is_nginx_down());
    for sum in [Sum::Connections, Sum::Writing, Sum::Requests, Sum::NginxUp] {
        assert!(nginx.get(sum).is_some_and(|number| number > 0.0), "{sum:?}");
    }
    assert_eq!(nginx.get(Sum::CpuSeconds), None);
    let first = values(&[NGINX]);
    assert!(
        first.get(OriginQuantity::Connections).is_some() && first.get(OriginQuantity::Requests).is_none()
    );
}

#[test]
fn lines_take_every_form_that_the_format_has() {
    let read = |line: &str| sums(line).get(Sum::Load);
    for line in [
        "node_load1 2.5",
        "node_load1 2.5\n",
        "node_load1 2.5\r\n",
        "node_load1\t2.5 1795437067000\n",
        "node_load1{} 2.5\n",
        "node_load1 {host=\"a\"} 2.5\n",
        "node_load1{a=\"}\\\"{ \",b=\"\\\\\",} +2.5e0\n",
        "# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 2.5\n",
    ] {
        let expected = (!line.contains(" {")).then_some(2.5);
        assert_eq!(read(line), expected, "{line}");
    }
    for line in [
        "node_load1",
        "node_load1 ",
        "node_load1 x\n",
        "node_load1 NaN\n",
        "node_load1 +Inf\n",
        "node_load1 -2.5\n",
        "node_load1 1e300\n",
        "node_load1{a=\"b} 2.5\n",
        "node_load1{a} 2.5\n",
        "node_load1{a=b} 2.5\n",
        "node_load1{a=\"b\\\"} 2.5\n",
        "node_load15 2.5\n",
        " node_load1 2.5\n",
        "xnode_load1 2.5\n",
    ] {
        assert_eq!(read(line), None, "{line}");
    }
}

#[test]
fn a_long_line_is_passed_over_and_a_large_page_ends() {
    let long = format!("node_load1{{a=\"{}\"}} 1\nnode_load1 2\n", "x".repeat(5_000));
    assert_eq!(sums(&long).get(Sum::Load), Some(2.0));
    let mut reader = PageReader::default();
    long.as_bytes().chunks(7).for_each(|piece| assert!(reader.take(piece)));
    assert_eq!(reader.finish().get(Sum::Load), Some(2.0));
    let mut reader = PageReader::default();
    let endless = vec![b'x'; 1 << 20];
    assert_eq!((0..20).filter(|_| reader.take(&endless)).count(), 16);
}

#[test]
fn counters_become_rates_over_all_cores_and_cards() {
    let before = cpu(100.0, 50.0) + &network("eth0", 1e9) + &network("eth1", 5.0);
    let after = cpu(100.5, 53.5) + &network("eth0", 1e9 + 250e6) + &network("eth1", 5.0);
    let both = values(&[&before, &after]);
    assert_eq!(both.get(OriginQuantity::Cpu), Some(0.875));
    assert_eq!(both.get(OriginQuantity::BitsOut), Some(1e9));
    assert_eq!(both.get(OriginQuantity::Requests), None);
    let rate = values(&["nginx_http_requests_total 10\n", "nginx_http_requests_total 30\n"]);
    assert_eq!(rate.get(OriginQuantity::Requests), Some(10.0));
}

#[test]
fn traffic_is_that_of_the_cards_unless_only_the_loopback_device_moves() {
    let moved = |devices: &[(&str, f64)]| {
        let page =
            |share: f64| devices.iter().map(|(name, bytes)| network(name, 7.0 + bytes * share)).collect();
        let pages: [String; 2] = [page(0.0), page(1.0)];
        values(&[&pages[0], &pages[1]]).get(OriginQuantity::BitsOut)
    };
    assert_eq!(moved(&[("eth0", 1_000.0), ("lo", 900.0)]), Some(4_000.0));
    assert_eq!(moved(&[("eth0", 20.0), ("lo", 1_000.0)]), Some(80.0), "a proxy on the machine itself");
    assert_eq!(moved(&[("eth0", 2.0), ("lo", 1_000.0)]), Some(4_000.0));
    assert_eq!(moved(&[("lo", 1_000.0)]), Some(4_000.0));
    assert_eq!(
        moved(&[("eth0", 1_000.0), ("docker0", 990.0), ("veth1a", 990.0), ("eth0.7", 9.0)]),
        Some(4_000.0)
    );
    assert_eq!(moved(&[("eth0", 0.0)]), Some(0.0));
}

#[test]
fn a_counter_that_fell_has_no_rate_for_that_interval() {
    let page =
        |requests: u32, idle: f64| format!("nginx_http_requests_total {requests}\n{}", cpu(idle, idle));
    let (a, b, c) = (page(100, 10.0), page(4, 9.0), page(24, 10.0));
    let reset = values(&[&a, &b]);
    assert_eq!(
        [OriginQuantity::Requests, OriginQuantity::Cpu].map(|quantity| reset.get(quantity)),
        [None; 2]
    );
    let after = values(&[&a, &b, &c]);
    let expected = [Some(10.0), Some(0.5)];
    assert_eq!([OriginQuantity::Requests, OriginQuantity::Cpu].map(|quantity| after.get(quantity)), expected);
    assert_eq!(values(&[&a, &a]).get(OriginQuantity::Cpu), None, "no time passed for the exporter");
}

#[test]
fn pages_that_are_far_apart_have_no_rate() {
    let mut meter = RateMeter::default();
    let mut read = |at: u64, requests: u32| {
        let sums = sums(&format!("nginx_http_requests_total {requests}\n"));
        meter.read(Duration::from_secs(at), &sums).get(OriginQuantity::Requests)
    };
    assert_eq!(
        [read(0, 0), read(8, 80), read(17, 170), read(17, 170), read(18, 180)],
        [None, Some(10.0), None, None, Some(10.0)]
    );
}

fn gauges() -> ExporterGauges {
    ExporterGauges::new(&SecretUrl::parse("http://u:hunter2@h:9100/metrics?t=hunter2").expect("a URL"))
}

#[test]
fn values_are_unknown_after_three_scrapes_that_brought_nothing() {
    let gauges = gauges();
    assert_eq!((&*gauges.name, &*gauges.url), ("h:9100", "http://h:9100/metrics?***"));
    let s = Duration::from_secs;
    let load = |now| gauges.read(s(now)).values.get(OriginQuantity::Load);
    assert_eq!(gauges.read(s(0)), ExporterState::default());
    gauges.succeeded(s(2), &values(&["node_load1 2.5"]));
    assert_eq!((load(2), load(12), load(13)), (Some(2.5), Some(2.5), None), "a scrape that hangs");
    let (refused, none) = (ScrapeProblem::Fault(Fault::ConnRefused), ScrapeProblem::NothingKnown);
    gauges.failed(s(4), refused);
    gauges.failed(s(6), none);
    assert_eq!(load(6), Some(2.5));
    gauges.failed(s(8), refused);
    assert_eq!(load(8), None);
    let state = gauges.read(s(8));
    assert_eq!((state.scrapes, state.failures, state.failing), (4, 3, Some((s(4), refused))));
    gauges.succeeded(s(10), &values(&["node_load1 3"]));
    let state = gauges.read(s(10));
    assert_eq!((state.values.get(OriginQuantity::Load), state.failing), (Some(3.0), None));
}

#[test]
fn a_replay_sets_the_same_state() {
    let (run, again) = (gauges(), gauges());
    let (mut record, mut replay) = (Image::default(), Image::default());
    let s = Duration::from_secs;
    run.succeeded(s(2), &values(&[NODE, NODE]));
    run.failed(s(4), ScrapeProblem::Status(HttpFailure::new(503)));
    for _ in 0..2 {
        let changes = record.record(Depth::Whole, |walk| run.walk(walk));
        assert_eq!(replay.replay(Depth::Whole, &changes, |walk| again.walk(walk)), Ok(()));
        assert_eq!(again.read(s(5)), run.read(s(5)));
        run.succeeded(s(6), &values(&[NGINX]));
    }
}

#[test]
fn every_problem_has_its_own_number_and_words() {
    let statuses = (0..HttpFailure::SLOTS).filter_map(HttpFailure::at).map(ScrapeProblem::Status);
    let others = [ScrapeProblem::NothingKnown, ScrapeProblem::NginxDown, ScrapeProblem::Redirect];
    let all = statuses.chain(Fault::ALL.map(ScrapeProblem::Fault)).chain(others);
    for problem in all {
        assert_eq!(ScrapeProblem::from_code(problem.code()), Some(problem));
        assert!(!problem.words().is_empty());
    }
    assert_eq!([0, 4, 99, 999, 1_201, u64::MAX].map(ScrapeProblem::from_code), [None; 6]);
    let words = |status| ScrapeProblem::of_status(status).map(|problem| problem.words().into_owned());
    assert_eq!(words(200), None);
    assert_eq!(words(404).as_deref(), Some("HTTP 404 Not Found"));
    assert_eq!(words(302).as_deref(), Some("a redirect, which is not followed"));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(pieces in proptest::collection::vec(
        prop_oneof![
            Just("node_cpu_seconds_total".to_owned()),
            Just("node_network_transmit_bytes_total".to_owned()),
            Just("nginx_http_requests_total".to_owned()),
            Just("node_load1".to_owned()),
            Just("{mode=\"idle\"} ".to_owned()),
            Just("{device=\"lo\",".to_owned()),
            Just("\\\"".to_owned()),
            Just("\n".to_owned()),
            "[ -~\n]{0,12}",
            "[0-9.e+-]{1,6}",
            ".{0,4}",
        ],
        0..60,
    ), length in 1_u8..20) {
        let page = pieces.concat();
        super::fuzzing::metrics(&[&[length], page.as_bytes()].concat());
    }
}
