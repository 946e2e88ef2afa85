//! Outlines as cubic Bézier curves, the form in which Manim keeps them.

use ratex_types::path_command::PathCommand;

/// Cubic curves: anchor, handle, handle, anchor; x and y of each, in em, y upwards. Every contour is closed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    points: Vec<f64>,
    start: (f64, f64),
    at: (f64, f64),
    open: bool,
}

impl Curves {
    /// Eight numbers a curve.
    #[must_use]
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    /// Whether there is no curve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The curves of another after those that are here.
    pub fn extend(&mut self, other: &Self) {
        self.points.extend_from_slice(&other.points);
    }

    /// Closes what is open and begins a contour.
    pub fn move_to(&mut self, x: f64, y: f64) {
        self.close();
        (self.start, self.at, self.open) = ((x, y), (x, y), true);
    }

    /// A straight line, as a curve whose handles are its thirds.
    pub fn line_to(&mut self, x: f64, y: f64) {
        let (from_x, from_y) = self.at;
        let (dx, dy) = ((x - from_x) / 3.0, (y - from_y) / 3.0);
        self.cubic_to(from_x + dx, from_y + dy, from_x + 2.0 * dx, from_y + 2.0 * dy, x, y);
    }

    /// A quadratic curve, as the same cubic one.
    pub fn quad_to(&mut self, handle_x: f64, handle_y: f64, x: f64, y: f64) {
        let (from_x, from_y) = self.at;
        let between = |from: f64, to: f64| from + (to - from) * 2.0 / 3.0;
        self.cubic_to(
            between(from_x, handle_x),
            between(from_y, handle_y),
            between(x, handle_x),
            between(y, handle_y),
            x,
            y,
        );
    }

    /// A cubic curve.
    pub fn cubic_to(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, x: f64, y: f64) {
        self.points.extend_from_slice(&[self.at.0, self.at.1, x1, y1, x2, y2, x, y]);
        self.at = (x, y);
    }

    /// Back to where the contour began.
    pub fn close(&mut self) {
        if self.open && (self.at.0 - self.start.0).abs() + (self.at.1 - self.start.1).abs() > 1e-9 {
            self.line_to(self.start.0, self.start.1);
        }
        self.open = false;
        self.at = self.start;
    }
}

/// A rectangle.
#[must_use]
pub fn rectangle(left: f64, bottom: f64, right: f64, top: f64) -> Curves {
    let mut curves = Curves::default();
    curves.move_to(left, bottom);
    curves.line_to(right, bottom);
    curves.line_to(right, top);
    curves.line_to(left, top);
    curves.close();
    curves
}

/// Pieces of a curve that is drawn: enough that none is longer than a twentieth of an em in the ovals there are.
const PIECES: usize = 16;

/// A path of RaTeX (y downwards) drawn with a line of that width, as the closed outline of the line.
#[must_use]
pub fn stroked(commands: &[PathCommand], width: f64) -> Curves {
    let mut out = Curves::default();
    let mut line: Vec<(f64, f64)> = Vec::new();
    for command in commands {
        match *command {
            PathCommand::MoveTo { x, y } => {
                widened(&line, width, false, &mut out);
                line = vec![(x, -y)];
            }
            PathCommand::LineTo { x, y } => line.push((x, -y)),
            PathCommand::QuadTo { x1, y1, x, y } => {
                let from = line.last().copied().unwrap_or_default();
                for step in 1..=PIECES {
                    let t = step as f64 / PIECES as f64;
                    let mix = |a: f64, b: f64, c: f64| (1.0 - t).powi(2) * a + 2.0 * t * (1.0 - t) * b + t * t * c;
                    line.push((mix(from.0, x1, x), mix(from.1, -y1, -y)));
                }
            }
            PathCommand::CubicTo { x1, y1, x2, y2, x, y } => {
                let from = line.last().copied().unwrap_or_default();
                for step in 1..=PIECES {
                    let t = step as f64 / PIECES as f64;
                    let mix = |a: f64, b: f64, c: f64, d: f64| {
                        let u = 1.0 - t;
                        u.powi(3) * a + 3.0 * t * u * u * b + 3.0 * t * t * u * c + t.powi(3) * d
                    };
                    line.push((mix(from.0, x1, x2, x), mix(from.1, -y1, -y2, -y)));
                }
            }
            PathCommand::Close => {
                widened(&line, width, true, &mut out);
                line.truncate(1);
            }
        }
    }
    widened(&line, width, false, &mut out);
    out
}

/// The outline of a line through points: down its one side and back on the other.
fn widened(points: &[(f64, f64)], width: f64, closed: bool, out: &mut Curves) {
    let mut line: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if line.last().is_none_or(|last| (last.0 - point.0).hypot(last.1 - point.1) > 1e-6) {
            line.push(*point);
        }
    }
    if closed
        && line.len() > 2
        && (line[0].0 - line[line.len() - 1].0).hypot(line[0].1 - line[line.len() - 1].1) <= 1e-6
    {
        line.pop();
    }
    let count = line.len();
    if count < 2 {
        return;
    }
    let side = |index: usize, sign: f64| {
        let (before, after) = if closed {
            (line[(index + count - 1) % count], line[(index + 1) % count])
        } else {
            (line[index.saturating_sub(1)], line[(index + 1).min(count - 1)])
        };
        let (dx, dy) = (after.0 - before.0, after.1 - before.1);
        let long = dx.hypot(dy).max(1e-9);
        (line[index].0 - sign * dy / long * width / 2.0, line[index].1 + sign * dx / long * width / 2.0)
    };
    let mut contour = |points: Vec<(f64, f64)>| {
        for (index, (x, y)) in points.into_iter().enumerate() {
            if index == 0 { out.move_to(x, y) } else { out.line_to(x, y) }
        }
        out.close();
    };
    if closed {
        contour((0..count).map(|index| side(index, 1.0)).collect());
        contour((0..count).rev().map(|index| side(index, -1.0)).collect());
    } else {
        contour(
            (0..count).map(|index| side(index, 1.0)).chain((0..count).rev().map(|index| side(index, -1.0))).collect(),
        );
    }
}
