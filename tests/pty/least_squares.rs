//! The straight line through measured points, and how well it is known.

/// Slope of a line, and half the width of the interval that holds it with a probability of 95 %.
#[derive(Clone, Copy, Debug)]
pub struct Slope {
    pub per_hour: f64,
    pub error: f64,
}

/// Quantiles of Student's distribution for that probability, for 1, 2, ... degrees of freedom.
const STUDENT: [f64; 30] = [
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11,
    2.10, 2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04,
];

/// Fits a line to points of hours and values; `None` for fewer than three, or if all are at the same time.
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let freedom = points.len().checked_sub(2).filter(|freedom| *freedom > 0)?;
    let count = points.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (at, level) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(hours, _)| (hours - at).powi(2)).sum();
    let per_hour = points.iter().map(|(hours, value)| (hours - at) * (value - level)).sum::<f64>() / spread;
    let residual = |(hours, value): &(f64, f64)| (value - level - per_hour * (hours - at)).powi(2);
    let variance = points.iter().map(residual).sum::<f64>() / freedom as f64;
    // Beyond the table the quantile falls by less than 5 %: its last value errs to the wide side.
    let quantile = STUDENT[freedom.min(STUDENT.len()) - 1];
    Some(Slope { per_hour, error: quantile * (variance / spread).sqrt() }).filter(|_| spread > 0.0)
}

#[test]
fn a_line_is_found_with_its_error() {
    let exact = slope(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]).unwrap();
    assert!((exact.per_hour - 2.0).abs() < 1e-12 && exact.error < 1e-9, "{exact:?}");
    // By hand: the squares of the residuals add up to 3.2, with two degrees of freedom and a spread of 5.
    let noisy = slope(&[(0.0, 9.0), (1.0, 11.0), (2.0, 9.0), (3.0, 11.0)]).unwrap();
    assert!((noisy.per_hour - 0.4).abs() < 1e-12, "{noisy:?}");
    assert!((noisy.error - 4.30 * (1.6_f64 / 5.0).sqrt()).abs() < 1e-9, "{noisy:?}");
    assert!(slope(&[(0.0, 1.0), (1.0, 2.0)]).is_none() && slope(&[(1.0, 1.0); 5]).is_none());
}
