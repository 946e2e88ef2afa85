//! The errors of planning.

use storyboard::Refusal;

use super::Usage;

/// Why there is no storyboard.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The planner refused the document.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// It used up its instructions.
    #[error("the planner used up its {0} units of fuel (instructions)")]
    OutOfFuel(u64),
    /// It ran past its wall clock.
    #[error("the planner took longer than the allowed {0:.1} s")]
    TimedOut(f64),
    /// It requested too much memory.
    #[error("the planner requested {wanted} bytes of memory, more than the {limit} allowed")]
    MemoryLimit {
        /// Bytes.
        wanted: u64,
        /// Bytes.
        limit: u64,
    },
    /// It requested too large a table.
    #[error("the planner requested a table of {wanted} elements, more than the {limit} allowed")]
    TableLimit {
        /// Elements.
        wanted: u64,
        /// Elements.
        limit: u64,
    },
    /// It recursed too deep.
    #[error("the planner overflowed its stack")]
    StackOverflow,
    /// Its storyboard is too large.
    #[error("the planner's storyboard has more than the allowed {0} bytes")]
    OutputLimit(u64),
    /// It crashed.
    #[error("the planner crashed: {0}")]
    Trapped(String),
    /// It is no component of the planner world.
    #[error("the component is not a valid planner: {0}")]
    ComponentInvalid(String),
    /// It imports something.
    #[error("the planner imports `{0}`, but planners get nothing but an empty WASI")]
    ImportsNotGranted(String),
    /// Its storyboard breaks a rule of the host.
    #[error("the planner's storyboard is invalid: {0}")]
    StoryboardInvalid(String),
}

/// A [`Fault`], and the planner's use of resources up to it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{fault}")]
pub struct PlanError {
    /// What happened.
    pub fault: Fault,
    /// None when the planner never ran.
    pub usage: Option<Box<Usage>>,
}

impl PlanError {
    /// What the planner had used by then.
    pub fn usage(&self) -> Option<&Usage> {
        self.usage.as_deref()
    }
}

impl From<Fault> for PlanError {
    fn from(fault: Fault) -> Self {
        Self { fault, usage: None }
    }
}
