//! QualityCheck steps: the monitor analyses a data set, and says how it differs from a baseline.
//!
//! The step always calculates a baseline. It is compared with the one that is supplied, else with that of the latest
//! approved model package of the group, unless `SkipCheck` says that it is not.

use pipeline_definition::Step;
use pipeline_definition::resolve::resolve;
use serde_json::{Value, json};

use super::{Began, Failure, Outcome, arguments, job};
use crate::ApiError;
use crate::engine::execution::StepRecord;
use crate::engine::role;
use crate::engine::scope::ExecutionScope;
use crate::jobs::{self, Job, Kind};
use crate::monitoring::baseline::Baseline;
use crate::store::Records;

/// What a step says beside the arguments of its job.
struct Settings {
    check_type: String,
    group: Option<String>,
    skips: bool,
    registers: bool,
    fails: bool,
    supplied: Baseline,
}

/// The members of a step that count when an earlier run is to stand in for it.
const SETTINGS: [&str; 6] = [
    "CheckType",
    "ModelPackageGroupName",
    "SkipCheck",
    "RegisterNewBaseline",
    "SuppliedBaselineStatistics",
    "SuppliedBaselineConstraints",
];

/// Makes the processing job, with the baseline to compare with among its inputs.
pub(super) fn start(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let mut input = arguments(scope, step, "CreateProcessingJob")?;
    let settings = Settings::read(scope, step)?;
    let mut compared = input.clone();
    for name in SETTINGS {
        compared[name] = member(scope, step, name)?;
    }
    if job::stands_in(scope, step, record, "QualityCheck", &compared)? {
        return Ok(Outcome::Succeeded);
    }
    let calculated = Baseline::in_folder(&output(&input)?);
    let previous = settings.previous(scope);
    if !settings.skips {
        compare_with(&previous, &mut input)?;
    }
    let used = if settings.registers { &calculated } else { &previous };
    let mut metadata = json!({
        "CheckType": settings.check_type,
        "CheckJobArn": job::create(scope, step, record, input)?,
        "SkipCheck": settings.skips,
        "RegisterNewBaseline": settings.registers,
    });
    let optional = [
        ("ModelPackageGroupName", &settings.group),
        ("CalculatedBaselineStatistics", &calculated.statistics),
        ("CalculatedBaselineConstraints", &calculated.constraints),
        ("BaselineUsedForDriftCheckStatistics", &used.statistics),
        ("BaselineUsedForDriftCheckConstraints", &used.constraints),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            metadata[name] = json!(value);
        }
    }
    record.metadata = json!({"QualityCheck": metadata});
    Ok(Outcome::Executing)
}

/// How far the job has come; when it is done, what it found.
pub(super) fn observe(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Result<Outcome, ApiError> {
    let outcome = job::observe(scope, step, record)?;
    if outcome != Outcome::Succeeded {
        return Ok(outcome);
    }
    let key = jobs::job::key(&scope.execution.region, Kind::ProcessingJob, &record.resource);
    let found = scope.fake.store.read(|view| view.get::<Job>(&key))?;
    let violated = |job: &Job| job.exit_message.as_deref().unwrap_or_default().starts_with("CompletedWithViolations");
    let Some(job) = found.filter(violated) else { return Ok(outcome) };
    let report = output(&job.request).map(|folder| format!("{folder}/constraint_violations.json"));
    let report = match report {
        Ok(report) => report,
        Err(failure) => return Ok(Outcome::Failed(failure)),
    };
    record.metadata["QualityCheck"]["ViolationReport"] = json!(report);
    match Settings::read(scope, step) {
        Ok(settings) if !settings.fails => Ok(outcome),
        Ok(_) => {
            Ok(Outcome::Failed(format!("ClientError: Quality check failed. See violation report {report}").into()))
        }
        Err(failure) => Ok(Outcome::Failed(failure)),
    }
}

/// A member of the step, resolved; null if it says nothing.
fn member(scope: &ExecutionScope<'_>, step: &Step, name: &str) -> Result<Value, Failure> {
    let value = step.other.get(name).cloned().unwrap_or_default();
    let resolved = resolve(&value, scope).map_err(|error| format!("ClientError: {error}"))?;
    Ok(if resolved == "" { Value::Null } else { resolved })
}

/// The S3 URI of the folder that the job writes to.
fn output(request: &Value) -> Result<String, Failure> {
    let uri = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].as_str();
    let uri = uri.ok_or_else(|| Failure::from("ClientError: the step has no output.".to_owned()))?;
    Ok(uri.trim_end_matches('/').to_owned())
}

impl Settings {
    fn read(scope: &ExecutionScope<'_>, step: &Step) -> Result<Self, Failure> {
        let text = |name: &str| Ok::<_, Failure>(member(scope, step, name)?.as_str().map(str::to_owned));
        let yes = |name: &str, default: bool| {
            Ok::<_, Failure>(match member(scope, step, name)? {
                Value::Bool(yes) => yes,
                Value::String(text) => text.eq_ignore_ascii_case("true"),
                _ => default,
            })
        };
        let check_type = text("CheckType")?.unwrap_or_default();
        if !matches!(check_type.as_str(), "DATA_QUALITY" | "MODEL_QUALITY") {
            return Err(format!("ClientError: '{check_type}' is no CheckType of a QualityCheck step.").into());
        }
        Ok(Self {
            check_type,
            group: text("ModelPackageGroupName")?,
            skips: yes("SkipCheck", false)?,
            registers: yes("RegisterNewBaseline", false)?,
            fails: yes("FailOnViolation", true)?,
            supplied: Baseline {
                statistics: text("SuppliedBaselineStatistics")?,
                constraints: text("SuppliedBaselineConstraints")?,
            },
        })
    }

    /// The baseline that there was before: the supplied one counts.
    fn previous(&self, scope: &ExecutionScope<'_>) -> Baseline {
        let registered = || self.registered(scope).unwrap_or_default();
        if self.supplied == Baseline::default() { registered() } else { self.supplied.clone() }
    }

    /// That of the latest approved package of the group.
    fn registered(&self, scope: &ExecutionScope<'_>) -> Option<Baseline> {
        let look_up = |operation: &str, input: Value| role::look_up(scope.fake, scope.execution, operation, input).ok();
        let latest = json!({
            "ModelPackageGroupName": self.group.as_ref()?,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": 1,
        });
        let packages = look_up("ListModelPackages", latest)?;
        let arn = packages["ModelPackageSummaryList"].get(0)?["ModelPackageArn"].clone();
        let package = look_up("DescribeModelPackage", json!({"ModelPackageName": arn}))?;
        let kind = if self.check_type == "DATA_QUALITY" { "ModelDataQuality" } else { "ModelQuality" };
        let files = &package["DriftCheckBaselines"][kind];
        let uri = |file: &str| files[file]["S3Uri"].as_str().map(str::to_owned);
        Some(Baseline { statistics: uri("Statistics"), constraints: uri("Constraints") })
    }
}

/// Gives a job the files that it compares with.
fn compare_with(previous: &Baseline, input: &mut Value) -> Result<(), Failure> {
    if previous.constraints.is_none() {
        // What SageMaker says of this is not known.
        return Err(
            "ClientError: There is no baseline to check against: supply one, register a model package that is \
                    approved with its DriftCheckBaselines, or set SkipCheck."
                .to_owned()
                .into(),
        );
    }
    for file in previous.given() {
        input["Environment"][file.variable] = json!(file.path);
        if let Some(inputs) = input["ProcessingInputs"].as_array_mut() {
            inputs.push(file.input);
        }
    }
    Ok(())
}
