//! Ranges and ticks of axes: from where to where, and how far apart.

use crate::storyboard::Axis;

/// At most so many steps from end to end, for numbers beside them to be read.
const STEPS: f64 = 10.0;

/// Ends nearer to each other than this, or than this share of what they are, can't be divided by ticks.
const LEAST_SPAN: f64 = 1e-12;
const LEAST_SHARE: f64 = 1e-9;

/// The share of the values that is shown of a curve with poles.
const TRIMMED: f64 = 0.05;

/// Whether an axis can reach from `min` to `max`, with ticks between them.
pub(crate) fn is_wide(min: f64, max: f64) -> bool {
    max - min > LEAST_SPAN.max(LEAST_SHARE * min.abs().max(max.abs()))
}

/// An axis from `min` to `max` as they are, with ticks at 1, 2 or 5 times a power of ten.
pub(crate) fn exactly(min: f64, max: f64, step: Option<f64>, label: String) -> Axis {
    let step = step.filter(|step| *step > 0.0 && (max - min) / step <= 50.0);
    Axis { min, max, step: step.unwrap_or_else(|| step_of(max - min)), label }
}

/// An axis that holds `low` to `high` and ends on ticks.
pub(crate) fn around(low: f64, high: f64, label: String) -> Axis {
    let (low, high) = if is_wide(low, high) {
        (low, high)
    } else {
        (low - 1.0_f64.max(low.abs() * 0.1), high + 1.0_f64.max(high.abs() * 0.1))
    };
    // Nought belongs on the axis when it is near.
    let near = 0.5 * (high - low);
    let low = if low > 0.0 && low < near { 0.0 } else { low };
    let high = if high < 0.0 && -high < near { 0.0 } else { high };
    let step = step_of(high - low);
    // A value that is a tick but for rounding needs no further step.
    let min = clean(libm::floor(low / step + 1e-6) * step, step);
    let max = clean(libm::ceil(high / step - 1e-6) * step, step);
    Axis { min, max, step, label }
}

/// The range of a curve's values, some of which may be no numbers; none when none is. Of a curve with poles, which would
/// be flat but for them, the range of most of its values.
pub(crate) fn range_of(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite() && value.abs() < 1e15).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (*sorted.first()?, *sorted.last()?);
    let gap = sorted.len() < values.len();
    let jump = values.windows(2).any(|pair| (pair[1] - pair[0]).abs() > 0.4 * (high - low));
    let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64) as usize];
    let (lower, upper) = (at(TRIMMED), at(1.0 - TRIMMED));
    if (gap || jump) && high - low > 8.0 * (upper - lower) && upper > lower {
        let room = 0.25 * (upper - lower);
        return Some(((lower - room).max(low), (upper + room).min(high)));
    }
    Some((low, high))
}

/// The least of 1, 2, 5 times a power of ten that makes no more than [`STEPS`] steps of `span`.
fn step_of(span: f64) -> f64 {
    let least = span / STEPS;
    let ten = libm::pow(10.0, libm::floor(libm::log10(least)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * ten).find(|step| *step >= least * 0.999_999);
    clean(step.unwrap_or(10.0 * ten), ten)
}

/// `value`, a multiple of `step`, without the noise of binary fractions: 0.3 and not 0.30000000000000004.
fn clean(value: f64, step: f64) -> f64 {
    let digits = (-libm::floor(libm::log10(step))).clamp(0.0, 15.0) as usize;
    let cleaned = format!("{value:.digits$}").parse().unwrap_or(value);
    if cleaned == 0.0 { 0.0 } else { cleaned }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(low: f64, high: f64) -> (f64, f64, f64) {
        let axis = around(low, high, String::new());
        (axis.min, axis.max, axis.step)
    }

    #[test]
    fn axes_end_on_ticks() {
        assert_eq!(axis(-1.0, 1.0), (-1.0, 1.0, 0.2));
        assert_eq!(axis(-0.31, 0.29), (-0.4, 0.3, 0.1));
        assert_eq!(axis(0.0, 25.0), (0.0, 25.0, 5.0));
        assert_eq!(axis(0.3, 9.7), (0.0, 10.0, 1.0));
        assert_eq!(axis(100.0, 103.0), (100.0, 103.0, 0.5));
        assert_eq!(axis(3.0, 3.0), (2.0, 4.0, 0.2));
        assert_eq!(axis(-2e6, 7e6), (-2e6, 7e6, 1e6));
        assert_eq!(axis(0.0, 1e-200), (-1.0, 1.0, 0.2), "too near to each other to be told apart");
        let tiny = axis(0.0, 2e-12);
        assert!(tiny.2 > 0.0 && tiny.1 > tiny.0, "{tiny:?}");
    }

    #[test]
    fn a_pole_does_not_flatten_a_curve() {
        let curve: Vec<f64> = (0..401).map(|i| 1.0 / (f64::from(i) / 40.0 - 5.0)).collect();
        let (low, high) = range_of(&curve).unwrap();
        assert!(low > -10.0 && high < 10.0, "{low} to {high}");
        let square: Vec<f64> = (0..401).map(|i| f64::from(i).powi(2)).collect();
        assert_eq!(range_of(&square), Some((0.0, 160_000.0)));
        assert_eq!(range_of(&[f64::NAN]), None);
    }
}
