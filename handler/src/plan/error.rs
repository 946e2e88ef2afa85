//! The codes of planning errors.

use sandbox::{Fault, PlanError};

use crate::error::{Code, JobError};

/// The stable code: the refusal's own when it is a known one.
pub fn code_of(error: &PlanError) -> Code {
    match &error.fault {
        Fault::Refused(refusal) => {
            // A planner can only report errors of the document, not, for example, of the store.
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

impl From<PlanError> for JobError {
    fn from(error: PlanError) -> Self {
        let (code, message) = (code_of(&error), error.to_string());
        match error.fault {
            Fault::Refused(refusal) => Self { remedy: refusal.remedy, ..Self::new(code, message).at(refusal.place) },
            _ => Self::new(code, message),
        }
    }
}
