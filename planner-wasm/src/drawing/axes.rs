//! Axes in the plane, with ranges that hold what is drawn on them.

use super::words::{FURTHEST, Range};
use crate::drawing::axis;
use crate::drawing::expression::Evaluator;
use crate::storyboard::{Axes, Curve, CurveKind, Expression};

/// What is known of axes before their ranges are.
#[derive(Debug, Clone, Default)]
pub(crate) struct AxesBuilder {
    pub(crate) caption: String,
    pub(crate) x: Option<Range>,
    pub(crate) y: Option<Range>,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) legend: bool,
    /// Whether its units are those of Manim's frame, so that what has a place in the frame has it on the plane.
    pub(crate) is_frame: bool,
    pub(crate) curves: Vec<Curve>,
}

impl AxesBuilder {
    /// The axes. Ranges that nobody gave are found from what is drawn.
    ///
    /// # Errors
    /// In words, why there is nothing to see.
    pub(crate) fn axes(self) -> Result<Axes, String> {
        let field = self.curves.iter().any(|curve| is_field(&curve.kind));
        // A field is everywhere: where nobody says, it is looked at round the origin.
        let around = if field { 3.0 } else { 5.0 };
        let x = match self.x {
            Some(x) => axis::exactly(x.min, x.max, x.step, self.x_label),
            None => match axis::range_of(&self.known_x()) {
                Some((low, high)) => axis::around(low, high, self.x_label),
                None => axis::exactly(-around, around, None, self.x_label),
            },
        };
        let y = match self.y {
            Some(y) => axis::exactly(y.min, y.max, y.step, self.y_label),
            None => {
                let ranges = self.curves.iter().filter_map(|curve| range_of_y(&curve.kind, x.min, x.max));
                let ranges: Vec<_> = ranges.collect();
                let low = ranges.iter().map(|range| range.0).fold(f64::INFINITY, f64::min);
                let high = ranges.iter().map(|range| range.1).fold(f64::NEG_INFINITY, f64::max);
                if ranges.is_empty() && (field || self.curves.is_empty()) {
                    axis::exactly(-around, around, None, self.y_label)
                } else if ranges.is_empty() {
                    return Err("no curve has a value in the range of x".to_owned());
                } else if low.abs().max(high.abs()) > FURTHEST {
                    return Err("the values are too large to draw; give a range such as `y: -10..10`".to_owned());
                } else {
                    axis::around(low, high, self.y_label)
                }
            }
        };
        // An axis may reach further than what it holds.
        if [x.min, x.max, y.min, y.max].iter().any(|end| end.abs() > FURTHEST) {
            return Err("the values are too large to draw; give a range such as `y: -10..10`".to_owned());
        }
        Ok(Axes { x, y, curves: self.curves, caption: self.caption, legend: self.legend })
    }

    /// The x of points and parametric curves.
    fn known_x(&self) -> Vec<f64> {
        let mut known = Vec::new();
        for curve in &self.curves {
            match &curve.kind {
                CurveKind::Function(_) | CurveKind::Vectors(_) | CurveKind::Streamlines(_) => {}
                CurveKind::Area(area) => known.extend([area.from, area.to]),
                CurveKind::Parametric(curve) => {
                    let t = Range { min: curve.from, max: curve.to, step: None };
                    let mut x = Evaluator::of(&curve.x);
                    known.extend(t.samples().map(|t| x.at(|_| t)));
                }
                CurveKind::Points(points) | CurveKind::Dots(points) => known.extend(points.iter().map(|point| point.x)),
                CurveKind::Arrow(way) => known.extend([way.from.x, way.to.x]),
            }
        }
        // The area under a function that is drawn too is a part of it: the function decides what is looked at.
        let function = self.curves.iter().any(|curve| matches!(curve.kind, CurveKind::Function(_)));
        let alone = self.curves.iter().all(|one| matches!(one.kind, CurveKind::Function(_) | CurveKind::Area(_)));
        let low = known.iter().copied().min_by(f64::total_cmp);
        let high = known.iter().copied().max_by(f64::total_cmp);
        if let (true, Some(low), Some(high)) = (function && alone, low, high) {
            let room = 0.25 * (high - low);
            return vec![low - room, high + room];
        }
        known
    }
}

fn is_field(kind: &CurveKind) -> bool {
    matches!(kind, CurveKind::Vectors(_) | CurveKind::Streamlines(_))
}

fn range_of_y(kind: &CurveKind, min: f64, max: f64) -> Option<(f64, f64)> {
    let over = |function: &Expression, min, max| {
        let mut worked = Evaluator::of(function);
        Range { min, max, step: None }.samples().map(|x| worked.at(|_| x)).collect::<Vec<_>>()
    };
    let values: Vec<f64> = match kind {
        CurveKind::Function(function) => over(function, min, max),
        CurveKind::Parametric(curve) => over(&curve.y, curve.from, curve.to),
        CurveKind::Points(points) | CurveKind::Dots(points) => points.iter().map(|point| point.y).collect(),
        CurveKind::Arrow(way) => vec![way.from.y, way.to.y],
        CurveKind::Area(area) => {
            let mut values = over(&area.function, area.from, area.to);
            values.push(0.0);
            values
        }
        CurveKind::Vectors(_) | CurveKind::Streamlines(_) => Vec::new(),
    };
    axis::range_of(&values)
}
