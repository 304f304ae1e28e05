//! Criteria of the operator, as options give them.

use std::time::Duration;

use super::{ConfigError, limits};
use crate::cli::CriteriaArgs;
use crate::verdict::Criteria;
use crate::vocabulary::units;

/// Takes each threshold once: a second one with the same words would be the same check twice. `length` is that of the
/// run, if it has one: a threshold that can have no value until then is an error before the run, not after it.
pub(super) fn criteria(
    args: CriteriaArgs,
    allow_untrusted: bool,
    length: Option<Duration>,
) -> Result<Criteria, ConfigError> {
    let warmup = args.warmup.unwrap_or_default();
    let mut thresholds = Vec::new();
    for threshold in args.thresholds {
        let threshold = threshold.after_warmup(warmup);
        if !thresholds.contains(&threshold) {
            thresholds.push(threshold);
        }
    }
    if let Some(length) = length {
        let beyond = thresholds.iter().find(|threshold| threshold.first_value() > length);
        if let Some(threshold) = beyond {
            let (expr, length) = (threshold.text().to_owned(), units::span(length));
            return Err(ConfigError::ThresholdBeyondRun { expr, length });
        }
    }
    if thresholds.len() > limits::THRESHOLDS {
        return Err(ConfigError::TooManyThresholds);
    }
    Ok(Criteria { thresholds, warmup, abort_grace: args.abort_on_fail, allow_untrusted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{After, Threshold};

    #[test]
    fn the_warm_up_is_left_out_of_thresholds_that_do_not_say_themselves_where_they_begin() {
        let texts = ["error_rate<1%", "error_rate < 1% after ramp", "stalls==0 after 1m", "drift_max_s<5s"];
        let args = CriteriaArgs {
            thresholds: texts.map(|text| Threshold::parse(text).expect(text)).to_vec(),
            warmup: Some(After::Ramp),
            abort_on_fail: None,
        };
        let criteria = criteria(args, false, None).expect("criteria");
        let kept: Vec<_> = criteria.thresholds.iter().map(Threshold::text).collect();
        // The first two are the same criterion, and the last exists only for the whole run.
        assert_eq!(kept, ["error_rate<1% after ramp", "stalls==0 after 1m", "drift_max_s<5s"]);
        assert!(kept.iter().all(|text| Threshold::parse(text).is_ok_and(|again| again.text() == *text)));
    }

    #[test]
    fn a_threshold_that_a_run_is_too_short_for_is_refused_before_it() {
        let refused = |text: &str, seconds| {
            let thresholds = vec![Threshold::parse(text).expect(text)];
            let args = CriteriaArgs { thresholds, warmup: None, abort_on_fail: None };
            criteria(args, false, Some(Duration::from_secs(seconds))).is_err()
        };
        assert!(refused("error_rate<1% over 30s", 20) && !refused("error_rate<1% over 30s", 30));
        assert!(
            refused("error_rate<1% over 30s after 1m", 89) && !refused("error_rate<1% over 30s after 1m", 90)
        );
        assert!(!refused("error_rate<1% after ramp", 1), "how long a ramp takes is known only afterwards");
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
