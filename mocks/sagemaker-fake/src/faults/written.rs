//! A rule as scenario files and the control API write it, and what can be wrong with it.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline_definition::nearest::nearest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::CallFault;
use super::job::JobFault;
use super::rule::{Fault, Rule, RuleError};
use crate::coverage;
use crate::jobs::Kind;
use crate::wildcard::fits;

/// The fields of a rule.
const FIELDS: [&str; 15] = [
    "fault",
    "service",
    "operation",
    "caller",
    "kind",
    "job",
    "step",
    "nth",
    "from",
    "to",
    "times",
    "probability",
    "seed",
    "milliseconds",
    "message",
];

/// A rule as it is written: flat, every field but the fault optional.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    fault: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Of a delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
    /// Of an algorithm's failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What no rule has. Gathered, to say what was probably meant.
    #[serde(flatten, skip_serializing)]
    unknown: BTreeMap<String, Value>,
}

impl TryFrom<Written> for Rule {
    type Error = RuleError;

    fn try_from(written: Written) -> Result<Self, RuleError> {
        if let Some(name) = written.unknown.keys().next() {
            return Err(no_such("field", name, &FIELDS));
        }
        let fault = fault(&written)?;
        if written.nth.is_some() && (written.from.is_some() || written.to.is_some()) {
            return Err(RuleError(
                "`nth` is one of them, `from` and `to` are several: leave out one or the other".into(),
            ));
        }
        let rule = Rule {
            fault,
            service: written.service,
            operation: written.operation,
            caller: written.caller,
            kind: written.kind,
            job: written.job,
            step: written.step,
            from: written.nth.or(written.from),
            to: written.nth.or(written.to),
            times: written.times,
            probability: written.probability,
            seed: written.seed,
        };
        rule.check()?;
        Ok(rule)
    }
}

fn fault(written: &Written) -> Result<Fault, RuleError> {
    let name = written.fault.as_str();
    let known = CallFault::NAMES.iter().map(|(name, _)| *name).chain(JobFault::NAMES).collect::<Vec<_>>();
    if name.is_empty() {
        return Err(RuleError(format!("a rule needs a `fault`: {}", known.join(", "))));
    }
    let fault = match (name, written.milliseconds, &written.message) {
        ("delay", None, _) => return Err(RuleError("`delay` needs `milliseconds`".into())),
        ("delay", Some(milliseconds), _) => CallFault::Delay(Duration::from_millis(milliseconds)).into(),
        ("AlgorithmError", _, message) => JobFault::AlgorithmError(message.clone().unwrap_or_default()).into(),
        ("CapacityError", ..) => JobFault::CapacityError.into(),
        ("InternalServerError", ..) => JobFault::InternalServerError.into(),
        (name, ..) => {
            let found = CallFault::NAMES.iter().find(|(known, _)| *known == name);
            found.map(|(_, fault)| Fault::Call(fault.clone())).ok_or_else(|| no_such("fault", name, &known))?
        }
    };
    match (&fault, written.milliseconds, &written.message) {
        (Fault::Call(CallFault::Delay(_)), Some(_), None) | (Fault::Job(JobFault::AlgorithmError(_)), None, _) => {}
        (_, Some(_), _) => return Err(RuleError(format!("`milliseconds` belongs to `delay`, and not to `{name}`"))),
        (_, _, Some(_)) => {
            return Err(RuleError(format!("`message` belongs to `AlgorithmError`, and not to `{name}`")));
        }
        (_, None, None) => {}
    }
    Ok(fault)
}

impl From<Rule> for Written {
    fn from(rule: Rule) -> Self {
        let nth = rule.from.filter(|_| rule.from == rule.to);
        let (fault, milliseconds, message) = match rule.fault {
            Fault::Call(CallFault::Delay(by)) => ("delay", u64::try_from(by.as_millis()).ok(), None),
            Fault::Call(fault) => (fault.name(), None, None),
            Fault::Job(JobFault::AlgorithmError(message)) => ("AlgorithmError", None, Some(message)),
            Fault::Job(fault) => (fault.name(), None, None),
        };
        Self {
            fault: fault.to_owned(),
            service: rule.service,
            operation: rule.operation,
            caller: rule.caller,
            kind: rule.kind,
            job: rule.job,
            step: rule.step,
            nth,
            from: rule.from.filter(|_| nth.is_none()),
            to: rule.to.filter(|_| nth.is_none()),
            times: rule.times,
            probability: rule.probability,
            seed: rule.seed,
            milliseconds,
            message: message.filter(|message| !message.is_empty()),
            unknown: BTreeMap::new(),
        }
    }
}

impl Rule {
    /// Whether it makes sense: it would else be in force and never act.
    pub(super) fn check(&self) -> Result<(), RuleError> {
        let refuse = |sentence: String| Err(RuleError(sentence));
        let of_calls = [("service", &self.service), ("operation", &self.operation), ("caller", &self.caller)];
        let of_jobs = [("kind", self.kind.is_some()), ("job", self.job.is_some()), ("step", self.step.is_some())];
        match &self.fault {
            Fault::Job(fault) => {
                if let Some((field, _)) = of_calls.iter().find(|(_, value)| value.is_some()) {
                    return refuse(format!("`{field}` is about calls, and `{}` happens to jobs", fault.name()));
                }
            }
            Fault::Call(fault) => {
                if let Some((field, _)) = of_jobs.iter().find(|(_, given)| *given) {
                    return refuse(format!("`{field}` is about jobs, and `{}` happens to calls", fault.name()));
                }
                self.check_operation()?;
            }
        }
        for (field, value) in [("from", self.from), ("to", self.to), ("times", self.times)] {
            if value == Some(0) {
                return refuse(format!("`{field}` is counted from 1"));
            }
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return refuse(format!("`from` {from} comes after `to` {to}"));
        }
        match self.probability {
            Some(probability) if !(probability > 0.0 && probability <= 1.0) => {
                refuse(format!("`probability` is above 0 and up to 1, and not {probability}"))
            }
            None if self.seed.is_some() => refuse("`seed` belongs to `probability`".to_owned()),
            _ => Ok(()),
        }
    }

    /// Whether there is such an operation of such a service.
    fn check_operation(&self) -> Result<(), RuleError> {
        let served = coverage::served();
        let services: Vec<_> = served.keys().copied().collect();
        if let Some(service) = self.service.as_ref().filter(|service| !services.contains(&service.as_str())) {
            return Err(no_such("service", service, &services));
        }
        let Some(pattern) = &self.operation else { return Ok(()) };
        let is_asked = |service: &str| self.service.as_ref().is_none_or(|asked| asked == service);
        let asked = served.iter().filter(|(service, _)| is_asked(service));
        let mut known: Vec<&str> = asked.flat_map(|(_, operations)| operations).map(String::as_str).collect();
        known.sort_unstable();
        if known.iter().any(|operation| fits(pattern, operation)) {
            return Ok(());
        }
        let of = self.service.as_ref().map_or_else(|| "any service".to_owned(), |service| format!("`{service}`"));
        Err(RuleError(match nearest(pattern, known.iter().copied()) {
            Some(meant) => format!("`{pattern}` is no operation of {of} here; did you mean `{meant}`?"),
            None => format!("`{pattern}` is no operation of {of} here"),
        }))
    }
}

/// A name that is none, and what was probably meant.
fn no_such(what: &str, name: &str, known: &[&str]) -> RuleError {
    RuleError(match nearest(name, known.iter().copied()) {
        Some(meant) => format!("there is no {what} `{name}`; did you mean `{meant}`?"),
        None => format!("there is no {what} `{name}`; there are: {}", known.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        let check = |text: &str, expected: Rule| {
            let read: Rule = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read, expected, "{text}");
            let again = serde_json::to_value(&read).unwrap();
            assert_eq!(serde_json::from_value::<Rule>(again).unwrap(), expected, "{text}");
        };
        check("fault = 'throttle'", Rule::new(CallFault::Throttle));
        check(
            "fault = 'unavailable'\nservice = 's3'\noperation = 'PutObject'\nnth = 2",
            Rule::new(CallFault::Unavailable).service("s3").operation("PutObject").nth(2),
        );
        check(
            "fault = 'delay'\nmilliseconds = 20\ncaller = 'arn:*:user/ann'\nfrom = 2\nto = 4",
            Rule::new(CallFault::Delay(Duration::from_millis(20))).caller("arn:*:user/ann").from(2).to(4),
        );
        check(
            "fault = 'reset'\noperation = 'List*'\nprobability = 0.5\nseed = 7\ntimes = 3",
            Rule::new(CallFault::Reset).operation("List*").probability(0.5, 7).times(3),
        );
        check(
            "fault = 'CapacityError'\nkind = 'training-job'\nnth = 3",
            Rule::new(JobFault::CapacityError).kind(Kind::TrainingJob).nth(3),
        );
        check(
            "fault = 'AlgorithmError'\nstep = 'Train*'\nmessage = 'no luck'",
            Rule::new(JobFault::AlgorithmError("no luck".into())).step("Train*"),
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        let check = |text: &str, expected: &str| {
            let said = toml::from_str::<Rule>(text).unwrap_err().to_string();
            assert!(said.contains(expected), "{text}: {said}");
        };
        check("nth = 1", "a rule needs a `fault`: throttle, ");
        check("fault = 'trottle'", "there is no fault `trottle`; did you mean `throttle`?");
        check("fault = 'earthquake'", "there is no fault `earthquake`; there are: throttle, internal-error, ");
        check("fault = 'throttle'\noperatoin = 'X'", "there is no field `operatoin`; did you mean `operation`?");
        check("fault = 'throttle'\nservice = 'sagemake'", "there is no service `sagemake`; did you mean `sagemaker`?");
        check(
            "fault = 'throttle'\noperation = 'ListModel'",
            "`ListModel` is no operation of any service here; did you mean `ListModels`?",
        );
        check("fault = 'throttle'\nservice = 's3'\noperation = 'ListModels'", "is no operation of `s3` here");
        check("fault = 'throttle'\noperation = 'Lsit*'", "`Lsit*` is no operation");
        check("fault = 'throttle'\nstep = 'A'", "`step` is about jobs, and `throttle` happens to calls");
        check(
            "fault = 'CapacityError'\nservice = 's3'",
            "`service` is about calls, and `CapacityError` happens to jobs",
        );
        check("fault = 'CapacityError'\nkind = 'train'", "unknown variant `train`");
        check("fault = 'delay'", "`delay` needs `milliseconds`");
        check("fault = 'cut'\nmilliseconds = 1", "`milliseconds` belongs to `delay`, and not to `cut`");
        check("fault = 'cut'\nmessage = 'x'", "`message` belongs to `AlgorithmError`, and not to `cut`");
        check("fault = 'cut'\nnth = 1\nto = 2", "`nth` is one of them");
        check("fault = 'cut'\nnth = 0", "`from` is counted from 1");
        check("fault = 'cut'\nfrom = 3\nto = 2", "`from` 3 comes after `to` 2");
        check("fault = 'cut'\nprobability = 1.5", "`probability` is above 0 and up to 1, and not 1.5");
        check("fault = 'cut'\nseed = 1", "`seed` belongs to `probability`");
    }
}
