//! The limits of a planner. Each has its own error.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// The limits of a planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instructions, as wasmtime counts them. A lesson of 100 scenes takes some 30 million.
    pub fuel: u64,
    /// Wall-clock seconds.
    pub wall_clock: Duration,
    /// Bytes of linear memory, over all memories.
    pub memory: u64,
    /// Elements of tables, over all tables.
    pub table: u64,
    /// Bytes that the storyboard may take when it is read out, counted as it is lifted and again as JSON.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 20_000_000_000,
            wall_clock: Duration::from_secs(10),
            memory: 256 << 20,
            table: 100_000,
            output: 32 << 20,
        }
    }
}

/// Bytes of a planner's output that are kept for the log.
const MOST_SAID: usize = 8 << 10;

/// The limit that ended a planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exceeded {
    #[error("it requested {wanted} bytes of memory")]
    Memory { wanted: u64 },
    #[error("it requested a table of {wanted} elements")]
    Table { wanted: u64 },
    #[error("its time limit passed")]
    Time,
}

/// Grants memory and tables up to the limits, and remembers how much.
#[derive(Debug)]
pub(super) struct Meter {
    pub limits: Limits,
    pub memory: u64,
    pub table: u64,
    /// What it wrote to its standard streams, the first [`MOST_SAID`] bytes.
    pub said: Vec<u8>,
    /// The state of its random number generator.
    seed: u64,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, table: 0, said: Vec::new(), seed: 0 }
    }

    /// Keeps what the planner writes, as far as there is room.
    pub(super) fn say(&mut self, bytes: impl Iterator<Item = u8>) {
        self.said.extend(bytes.take(MOST_SAID.saturating_sub(self.said.len())));
    }

    /// The next number of a fixed sequence: SplitMix64 (Steele, Lea and Flood).
    pub(super) fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory + (desired - current) as u64;
        if wanted > self.limits.memory {
            // An error and not a refusal, after which the planner would only trap, without a reason.
            return Err(Exceeded::Memory { wanted }.into());
        }
        self.memory = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.table + (desired - current) as u64;
        if wanted > self.limits.table {
            return Err(Exceeded::Table { wanted }.into());
        }
        self.table = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        // A component is made of a few core modules.
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}
