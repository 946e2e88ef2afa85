//! Why there is no storyboard.

use storyboard::Refusal;

use super::Usage;
use crate::error::{Code, JobError};

/// Why there is no storyboard.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The planner says no.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// It used up its instructions.
    #[error("the planner used up {0} units of fuel")]
    OutOfFuel(u64),
    /// It ran past its wall clock.
    #[error("the planner took longer than {0:.1} s")]
    TimedOut(f64),
    /// It asked for too much memory.
    #[error("the planner asked for {wanted} bytes of memory; it may have {limit}")]
    MemoryLimit {
        /// Bytes.
        wanted: u64,
        /// Bytes.
        limit: u64,
    },
    /// It asked for too large a table.
    #[error("the planner asked for a table of {wanted} elements; it may have {limit}")]
    TableLimit {
        /// Elements.
        wanted: u64,
        /// Elements.
        limit: u64,
    },
    /// It recursed too deep.
    #[error("the planner's stack is full")]
    StackOverflow,
    /// Its storyboard is too large.
    #[error("the planner's storyboard takes more than {0} bytes")]
    OutputLimit(u64),
    /// It crashed.
    #[error("the planner crashed: {0}")]
    Trapped(String),
    /// It is no component of the planner world.
    #[error("the planner can't be used: {0}")]
    ComponentInvalid(String),
    /// It imports something.
    #[error("the planner imports `{0}`, and is given nothing but a WASI with nothing in it")]
    ImportsNotGranted(String),
    /// Its storyboard breaks a rule of the host.
    #[error("the planner's storyboard is not sound: {0}")]
    StoryboardInvalid(String),
}

/// A [`Fault`], and what the planner had used by then.
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

    /// The stable code: the refusal's own when it is a known one.
    pub fn code(&self) -> Code {
        match &self.fault {
            Fault::Refused(refusal) => {
                // A planner speaks of the document alone: it can't claim that the store failed.
                let of_document = |code: &Code| code.name().starts_with("input.") || code.name().starts_with("plan.");
                Code::from_name(&refusal.code).filter(of_document).unwrap_or(Code::PlanRefused)
            }
            Fault::OutOfFuel(_) => Code::PlannerOutOfFuel,
            Fault::TimedOut(_) => Code::PlannerTimedOut,
            Fault::MemoryLimit { .. } => Code::PlannerMemoryLimit,
            Fault::TableLimit { .. } => Code::PlannerTableLimit,
            Fault::StackOverflow => Code::PlannerStackOverflow,
            Fault::OutputLimit(_) => Code::PlannerOutputLimit,
            Fault::Trapped(_) => Code::PlannerTrapped,
            Fault::ComponentInvalid(_) => Code::PlannerComponentInvalid,
            Fault::ImportsNotGranted(_) => Code::PlannerImportsNotGranted,
            Fault::StoryboardInvalid(_) => Code::PlannerStoryboardInvalid,
        }
    }
}

impl From<Fault> for PlanError {
    fn from(fault: Fault) -> Self {
        Self { fault, usage: None }
    }
}

impl From<PlanError> for JobError {
    fn from(error: PlanError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error.fault {
            Fault::Refused(refusal) => Self { remedy: refusal.remedy, ..Self::new(code, message).at(refusal.place) },
            _ => Self::new(code, message),
        }
    }
}
