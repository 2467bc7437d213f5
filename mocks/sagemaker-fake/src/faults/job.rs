//! What goes wrong with jobs: before their programs start, as the instance that there is none of, or as if a program had
//! failed.

use crate::Fake;
use crate::engine::Execution;
use crate::jobs::{ALGORITHM_ERROR, Job, Kind};
use crate::store::Records as _;

/// How a job fails before its program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobFault {
    /// `InternalServerError`.
    InternalServerError,
    /// `CapacityError`: there are no such instances now.
    CapacityError,
    /// `AlgorithmError`: the program fails with exit code 1, and with this message for people.
    AlgorithmError(String),
}

impl JobFault {
    /// As AWS calls them.
    pub(super) const NAMES: [&'static str; 3] = ["InternalServerError", "CapacityError", "AlgorithmError"];

    /// As AWS calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::InternalServerError => "InternalServerError",
            Self::CapacityError => "CapacityError",
            Self::AlgorithmError(_) => "AlgorithmError",
        }
    }

    /// FailureReason of a job of this kind.
    pub(crate) fn reason(&self, kind: Kind) -> String {
        let sentence = match (self, kind) {
            (Self::InternalServerError, _) => "We encountered an internal error. Please try again.",
            (Self::CapacityError, _) => {
                "Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
            }
            (Self::AlgorithmError(message), Kind::TrainingJob) => {
                return format!("AlgorithmError: {message}, exit code: 1");
            }
            (Self::AlgorithmError(_), _) => return ALGORITHM_ERROR.to_owned(),
        };
        format!("{}: {sentence}", self.name())
    }

    /// ExitMessage of a job of this kind. Only a processing job has one.
    pub(crate) fn exit_message(&self, kind: Kind) -> Option<String> {
        match self {
            Self::AlgorithmError(message) if kind == Kind::ProcessingJob && !message.is_empty() => {
                Some(message.clone())
            }
            _ => None,
        }
    }
}

/// The name of the pipeline step that a job was made for, if it was.
pub(super) fn step_of(fake: &Fake, job: &Job) -> Option<String> {
    // A store that cannot be read has no execution; the reason has been logged.
    let executions = fake.store.read(|view| view.list::<Execution>("")).ok()?;
    let mut steps = executions.into_iter().filter(|it| it.region == job.region).flat_map(|it| it.steps);
    steps.find(|step| step.resource == job.name).map(|step| step.name)
}
