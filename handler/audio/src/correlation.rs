//! Finds where in a sound another one occurs, by the correlation of their envelopes.

/// Samples of one step of an envelope.
pub const STEP: usize = 16;

/// The level of each step, up to a constant factor.
pub fn envelope(samples: &[f32]) -> Vec<f32> {
    samples.as_chunks::<STEP>().0.iter().map(|step| step.iter().map(|sample| sample.abs()).sum()).collect()
}

/// The position in `around` that correlates best with `sought`, and how well: 1 is the same up to its level.
pub fn best_match(sought: &[f32], around: &[f32]) -> (usize, f64) {
    // In double precision: neighbours of a low tone differ by less than single precision adds up to.
    let sought: Vec<f64> = sought.iter().copied().map(f64::from).collect();
    let around: Vec<f64> = around.iter().copied().map(f64::from).collect();
    let one: f64 = sought.iter().map(|sample| sample * sample).sum();
    let mut best = (0, -1.0);
    for (lag, window) in around.windows(sought.len().max(1)).enumerate() {
        // Four sums each, so that the processor need not wait for one to be added before the next.
        let (mut both, mut other) = ([0.0; 4], [0.0; 4]);
        let (quads, rest) = sought.as_chunks::<4>();
        for (a, b) in quads.iter().zip(window.as_chunks::<4>().0) {
            for lane in 0..4 {
                both[lane] += a[lane] * b[lane];
                other[lane] += b[lane] * b[lane];
            }
        }
        for (a, b) in rest.iter().zip(&window[4 * quads.len()..]) {
            both[0] += a * b;
            other[0] += b * b;
        }
        let (both, other): (f64, f64) = (both.iter().sum(), other.iter().sum());
        let alike = both / (one * other).sqrt().max(1e-12);
        if alike > best.1 {
            best = (lag, alike);
        }
    }
    best
}
