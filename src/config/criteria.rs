//! Criteria of the operator, as options give them.

use std::time::Duration;

use super::{ConfigError, limits};
use crate::cli::CriteriaArgs;
use crate::verdict::{After, Criteria};
use crate::vocabulary::{ExpectedStatuses, units};

/// Parts of a plan that criteria must fit to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Course {
    /// Length of the run, if it has one.
    pub(super) length: Option<Duration>,
    /// Clients arrive at a rate: there is no ramp.
    pub(super) is_open: bool,
}

/// Takes each threshold once: a second one with the same words would be the same check twice. One that can have no value
/// in this run is an error before it, not after it.
pub(super) fn criteria(
    args: CriteriaArgs,
    allow_untrusted: bool,
    course: Course,
) -> Result<Criteria, ConfigError> {
    let warmup = args.warmup.unwrap_or_default();
    course.fits("--warmup", &warmup.to_string(), warmup, Duration::ZERO)?;
    let mut thresholds = Vec::new();
    for threshold in args.thresholds {
        let threshold = threshold.after_warmup(warmup);
        if !thresholds.contains(&threshold) {
            thresholds.push(threshold);
        }
    }
    for threshold in &thresholds {
        course.fits("--threshold", threshold.text(), threshold.after, threshold.over.unwrap_or_default())?;
    }
    if thresholds.len() > limits::THRESHOLDS {
        return Err(ConfigError::TooManyThresholds);
    }
    let expected = args.expected.into_iter().fold(ExpectedStatuses::default(), ExpectedStatuses::and);
    Ok(Criteria { thresholds, warmup, abort_grace: args.abort_on_fail, allow_untrusted, expected })
}

impl Course {
    /// Checks that something begins in this run, and has a value by its end.
    fn fits(
        self,
        option: &'static str,
        given: &str,
        after: After,
        over: Duration,
    ) -> Result<(), ConfigError> {
        let begin = match after {
            After::Start => Duration::ZERO,
            After::Ramp if self.is_open => {
                return Err(ConfigError::NoRamp { option, given: given.to_owned() });
            }
            After::Ramp => Duration::ZERO,
            After::Time(time) => time,
        };
        match self.length {
            Some(length) if begin + over > length || (after != After::Start && begin == length) => {
                let (given, length) = (given.to_owned(), units::span(length));
                Err(ConfigError::BeyondRun { option, given, length })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Threshold;

    #[test]
    fn the_warm_up_is_left_out_of_thresholds_that_do_not_say_themselves_where_they_begin() {
        let texts = ["error_rate<1%", "error_rate < 1% after ramp", "stalls==0 after 1m", "drift_max_s<5s"];
        let args = CriteriaArgs {
            thresholds: texts.map(|text| Threshold::parse(text).expect(text)).to_vec(),
            warmup: Some(After::Ramp),
            ..CriteriaArgs::default()
        };
        let criteria = criteria(args, false, Course::default()).expect("criteria");
        let kept: Vec<_> = criteria.thresholds.iter().map(Threshold::text).collect();
        // The first two are the same criterion, and the last exists only for the whole run.
        assert_eq!(kept, ["error_rate<1% after ramp", "stalls==0 after 1m", "drift_max_s<5s"]);
        assert!(kept.iter().all(|text| Threshold::parse(text).is_ok_and(|again| again.text() == *text)));
    }

    #[test]
    fn a_threshold_that_a_run_is_too_short_for_is_refused_before_it() {
        let refused = |text: &str, seconds| {
            let thresholds = vec![Threshold::parse(text).expect(text)];
            let args = CriteriaArgs { thresholds, ..CriteriaArgs::default() };
            let course = Course { length: Some(Duration::from_secs(seconds)), is_open: false };
            criteria(args, false, course).is_err()
        };
        assert!(refused("error_rate<1% over 30s", 20) && !refused("error_rate<1% over 30s", 30));
        assert!(
            refused("error_rate<1% over 30s after 1m", 89) && !refused("error_rate<1% over 30s after 1m", 90)
        );
        assert!(!refused("error_rate<1% after ramp", 1), "how long a ramp takes is known only afterwards");
    }

    #[test]
    fn a_warm_up_must_end_before_the_run_and_arrivals_have_no_ramp() {
        let said = |warmup, course| {
            let args = CriteriaArgs { warmup: Some(warmup), ..CriteriaArgs::default() };
            criteria(args, false, course).map_or_else(|error| error.to_string(), |_| String::new())
        };
        let course = Course { length: Some(Duration::from_secs(20)), is_open: false };
        let [short, long] = [19, 20].map(|seconds| After::Time(Duration::from_secs(seconds)));
        assert_eq!([said(short, course), said(After::Ramp, course)], ["", ""]);
        assert!(
            said(long, course).starts_with("--warmup 20s: the run ends after 20.0 s"),
            "{}",
            said(long, course)
        );
        let open = said(After::Ramp, Course { is_open: true, ..course });
        assert_eq!(open, "--warmup ramp: --arrival has no ramp; expected a time, such as 30s");
    }

    #[test]
    fn a_warm_up_is_the_ramp_or_a_time() {
        let read = |text| After::parse(text).map(|after| after.to_string());
        assert_eq!(["ramp", "90s", "2m"].map(read), ["ramp", "90s", "2m"].map(|text| Ok(text.to_owned())));
        for text in ["", "0s", "rampe", "-3s"] {
            assert_eq!(read(text), Err("expected 'ramp' or a time such as 30s".to_owned()), "{text}");
        }
    }
}
