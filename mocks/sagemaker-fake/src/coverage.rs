//! What of AWS is served, how faithfully, and how much of it was asked for: `mocks/api/fidelity.toml`, joined with the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calls::Call;
use crate::protocol::Service;

/// How faithful each operation is: services, by the names that signatures carry, and their operations.
pub type Table = BTreeMap<String, BTreeMap<String, Fidelity>>;

/// How faithful an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Row")]
pub struct Fidelity {
    /// How it differs from AWS's, in a phrase; nothing if it does what AWS does.
    pub simulated: Option<String>,
    /// Members of its input that are checked and answered again, and have no effect. A dot leads into a member.
    pub ignored: Vec<String>,
    /// Members of its input that are refused, or some of whose values are.
    pub refused: Vec<String>,
}

impl Fidelity {
    /// `real`, `real in part` if there are members that are not served, or `simulated`.
    #[must_use]
    pub fn level(&self) -> &'static str {
        match self {
            Self { simulated: Some(_), .. } => "simulated",
            Self { ignored, refused, .. } if ignored.is_empty() && refused.is_empty() => "real",
            _ => "real in part",
        }
    }
}

/// As the table has it: `"real"` alone, or what differs.
#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Real(Real),
    Differs(Differs),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Real {
    Real,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Differs {
    simulated: Option<String>,
    #[serde(default)]
    ignored: Vec<String>,
    #[serde(default)]
    refused: Vec<String>,
}

impl From<Row> for Fidelity {
    fn from(row: Row) -> Self {
        match row {
            Row::Real(Real::Real) => Self::default(),
            Row::Differs(Differs { simulated, ignored, refused }) => Self { simulated, ignored, refused },
        }
    }
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("../../api/fidelity.toml")).expect("a test reads the table"));

/// The table.
#[must_use]
pub fn table() -> &'static Table {
    &TABLE
}

/// The operations that are served, as the services themselves know them, by the names that signatures carry.
#[must_use]
pub fn served() -> BTreeMap<&'static str, BTreeSet<String>> {
    let of = |service: Service| service.api().operations().map(str::to_owned).collect();
    let mut served: BTreeMap<_, BTreeSet<String>> = Service::ALL.map(|service| (service.name(), of(service))).into();
    // SageMaker's table has operations that are still to come.
    let sagemaker = crate::sagemaker::operations().chain([crate::protocol::runtime::OPERATION]);
    served.insert(Service::SageMaker.name(), sagemaker.map(str::to_owned).collect());
    let registry = crate::ecr::registry::OPERATIONS.map(str::to_owned);
    served.entry(Service::Ecr.name()).or_default().extend(registry);
    served.insert("s3", crate::s3::operations().collect());
    served
}

/// How often an operation was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// And answered.
    pub answered: u64,
    /// And refused, as AWS would refuse it.
    pub refused: u64,
    /// And failed: by a fault that was asked for, or by the fake itself.
    pub failed: u64,
}

/// The codes of failures that are the service's and not the caller's.
const FAILURES: [&str; 5] =
    ["InternalFailure", "InternalError", "InternalServerError", "ServiceUnavailable", "SlowDown"];

/// The most operations that are counted, so that nobody who makes up names makes it grow.
const MOST: usize = 2_000;

/// The calls of this process, counted by service and operation.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, BTreeMap<String, Counts>>>);

impl Tally {
    /// Counts one more.
    pub fn count(&self, call: &Call) {
        let mut services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = services.get(&call.service).is_some_and(|operations| operations.contains_key(&call.operation));
        if !known {
            if services.values().map(BTreeMap::len).sum::<usize>() >= MOST {
                return;
            }
            services.entry(call.service.clone()).or_default().insert(call.operation.clone(), Counts::default());
        }
        let counts = services.get_mut(&call.service).and_then(|operations| operations.get_mut(&call.operation));
        let Some(counts) = counts else { return };
        match call.error.as_deref() {
            None => counts.answered += 1,
            Some(code) if FAILURES.contains(&code) => counts.failed += 1,
            Some(_) => counts.refused += 1,
        }
    }

    /// The table, with what was counted beside each operation; what was asked for and is not served, after it.
    #[must_use]
    pub fn report(&self) -> Value {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = |service: &str, operation: &str| {
            counted.get(service).and_then(|operations| operations.get(operation)).copied().unwrap_or_default()
        };
        let served: Vec<_> = table()
            .iter()
            .flat_map(|(service, operations)| operations.iter().map(move |(operation, fidelity)| (service, operation, fidelity)))
            .map(|(service, operation, fidelity)| {
                json!({
                    "service": service, "operation": operation, "fidelity": fidelity.level(), "differs": fidelity.simulated,
                    "ignored": fidelity.ignored, "refused": fidelity.refused, "calls": counts(service, operation),
                })
            })
            .collect();
        let is_served = |service: &str, operation: &str| {
            table().get(service).is_some_and(|operations| operations.contains_key(operation))
        };
        let unserved: Vec<_> = counted
            .iter()
            .flat_map(|(service, operations)| {
                operations.iter().map(move |(operation, counts)| (service, operation, counts))
            })
            .filter(|(service, operation, _)| !is_served(service, operation))
            .map(|(service, operation, counts)| json!({"service": service, "operation": operation, "calls": counts}))
            .collect();
        json!({"served": served, "unserved": unserved})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn every_operation_has_its_row_and_every_row_its_operation() {
        let rows: BTreeMap<_, BTreeSet<String>> = table()
            .iter()
            .map(|(service, operations)| (service.as_str(), operations.keys().cloned().collect()))
            .collect();
        for (service, operations) in served() {
            let rows = rows.get(service).cloned().unwrap_or_default();
            let missing: Vec<_> = operations.difference(&rows).collect();
            let idle: Vec<_> = rows.difference(&operations).collect();
            assert!(
                missing.is_empty() && idle.is_empty(),
                "{service}: mocks/api/fidelity.toml has no row for {missing:?}, and rows that nothing serves for {idle:?}"
            );
        }
        assert_eq!(rows.len(), served().len());
    }

    #[test]
    fn members_that_are_named_exist() {
        for service in Service::ALL {
            let api = service.api();
            for (operation, fidelity) in &table()[service.name()] {
                let Some(input) = api.operation(operation).and_then(|operation| operation.input.as_deref()) else {
                    continue;
                };
                for path in fidelity.ignored.iter().chain(&fidelity.refused) {
                    let mut shape = api.shape(input);
                    for member in path.split('.') {
                        while shape.kind == crate::validation::Kind::List {
                            shape = api.shape(shape.member());
                        }
                        let inner = shape.members().find(|(name, _)| *name == member).map(|(_, inner)| inner);
                        let inner = inner.unwrap_or_else(|| panic!("{operation} has no member {path}"));
                        shape = api.shape(inner);
                    }
                }
            }
        }
    }

    #[test]
    fn calls_are_counted_by_how_they_end() {
        let tally = Tally::default();
        let call = |operation: &str, error: Option<&str>| Call {
            time: Timestamp(0),
            service: "sagemaker".into(),
            operation: operation.into(),
            region: String::new(),
            caller: String::new(),
            session_tags: Vec::new(),
            user_agent: String::new(),
            error: error.map(str::to_owned),
            fault: None,
        };
        for error in [None, Some("ValidationException"), Some("InternalFailure"), None] {
            tally.count(&call("ListPipelines", error));
        }
        tally.count(&call("CreateDomain", Some("UnknownOperationException")));
        let report = tally.report();
        let row = report["served"].as_array().unwrap().iter().find(|row| row["operation"] == "ListPipelines").unwrap();
        assert_eq!(row["calls"], json!({"answered": 2, "refused": 1, "failed": 1}));
        assert_eq!(row["fidelity"], "real");
        let unserved = json!([{"service": "sagemaker", "operation": "CreateDomain", "calls": {"answered": 0, "refused": 1, "failed": 0}}]);
        assert_eq!(report["unserved"], unserved);
        // Names that somebody makes up do not fill the memory.
        (0..3 * MOST).for_each(|number| tally.count(&call(&format!("Made{number}"), None)));
        assert!(tally.report()["unserved"].as_array().unwrap().len() <= MOST);
    }
}
