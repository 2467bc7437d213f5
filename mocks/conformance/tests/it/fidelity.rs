//! FIDELITY.md: made from the table of what is served and from the cases and tests that prove it, and kept up to date.
//!
//! `FIDELITY=overwrite cargo test -p conformance fidelity` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use conformance::cases;
use sagemaker_fake::coverage::{self, Fidelity};

/// The services in the order of the page, and what people call them.
const SERVICES: [(&str, &str); 8] = [
    ("sagemaker", "SageMaker, and its runtime"),
    ("ecr", "ECR"),
    ("s3", "S3"),
    ("sts", "AWS STS"),
    ("iam", "IAM"),
    ("logs", "CloudWatch Logs"),
    ("monitoring", "CloudWatch"),
    ("servicequotas", "Service Quotas"),
];

const HEAD: &str = "\
# Fidelity

What of AWS the fake serves, and how faithfully. Made from `mocks/api/fidelity.toml` and from the tests, which hold both
together: an operation without a row, a row without an operation, and a row without a proof fail the build.

* **real**: it does what AWS does, as far as AWS documents it and its clients tell.
* **real in part**: so it does, but for members of its request that are ignored or refused here.
* **simulated**: what differs is said.
* *Ignored* members of a request are checked and answered again, and have no effect here. *Refused* members, or some of their
  values, are refused by name: nothing is dropped in silence.

Proofs like `pipelines::lifecycle` are cases of the conformance suite, `mocks/conformance/src/cases`: AWS's own SDK drives them,
here against the fake. `cargo xtask live-tests` runs the same against a real account, **which nobody has done yet**. The others
are tests of the fake, under `mocks/sagemaker-fake/tests/it`.

Every other operation of these services, and every other service, is refused by name, with AWS's code for an operation that
does not exist.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The cases that prove each operation.
fn of_cases() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut proofs: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for case in cases() {
        for operation in case.operations {
            proofs.entry((*operation).to_owned()).or_default().insert(case.name);
        }
    }
    proofs
}

/// The tests of the fake, by their names below `tests/it`.
fn tests() -> BTreeMap<String, String> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name().into_string().unwrap());
            if path.is_dir() {
                walk(&path, &format!("{prefix}{name}/"), found);
            } else if name.ends_with(".rs") {
                found.insert(format!("{prefix}{name}"), fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&root().join("mocks/sagemaker-fake/tests/it"), "", &mut found);
    found
}

/// The first test that calls an operation: by its name, in a form, or by the SDK's method.
fn of_tests<'a>(tests: &'a BTreeMap<String, String>, service: &str, operation: &str) -> Option<&'a str> {
    let method = operation.chars().fold(String::new(), |mut snake, letter| {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        snake
    });
    let calls = [format!("\"{operation}\""), format!("Action={operation}&"), format!(".{method}()")];
    // Names are unique among services but for a few: those of S3 and ECR are looked for in their own tests, and no others.
    let owned = ["s3", "ecr"];
    let is_of = |name: &str| match owned.into_iter().find(|owner| name.starts_with(owner)) {
        Some(owner) => owner == service,
        None => !owned.contains(&service),
    };
    let mut found = tests.iter().filter(|(name, _)| is_of(name));
    found.find(|(_, text)| calls.iter().any(|call| text.contains(call))).map(|(name, _)| name.as_str())
}

fn differs(fidelity: &Fidelity) -> String {
    let members = |what: &str, members: &[String]| match members {
        [] => String::new(),
        members => format!("{what}: {}", members.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")),
    };
    let parts = [
        fidelity.simulated.clone().unwrap_or_default(),
        members("*ignored*", &fidelity.ignored),
        members("*refused*", &fidelity.refused),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The page, or the operations that nothing proves.
fn page() -> Result<String, Vec<String>> {
    let (cases, tests) = (of_cases(), tests());
    let (mut page, mut unproven) = (HEAD.to_owned(), Vec::new());
    for (service, title) in SERVICES {
        let operations = &coverage::table()[service];
        let count = |level: &str| operations.values().filter(|fidelity| fidelity.level() == level).count();
        let (real, part, simulated) = (count("real"), count("real in part"), count("simulated"));
        let total = operations.len();
        write!(
            page,
            "\n## {title}\n\n{total} operations: {real} real, {part} real in part, {simulated} simulated.\n\n"
        )
        .unwrap();
        page.push_str("| operation | | what differs | proven by |\n|---|---|---|---|\n");
        for (operation, fidelity) in operations {
            let proof = match cases.get(&format!("{service}:{operation}")) {
                Some(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                None => match of_tests(&tests, service, operation) {
                    Some(file) => format!("[{file}](mocks/sagemaker-fake/tests/it/{file})"),
                    None => {
                        unproven.push(format!("{service}:{operation}"));
                        continue;
                    }
                },
            };
            writeln!(page, "| {operation} | {} | {} | {proof} |", fidelity.level(), differs(fidelity)).unwrap();
        }
    }
    if unproven.is_empty() { Ok(page) } else { Err(unproven) }
}

#[test]
fn fidelity_is_proven_and_up_to_date() {
    let page = page().unwrap_or_else(|unproven| panic!("no case and no test calls {}", unproven.join(", ")));
    let file = root().join("FIDELITY.md");
    if std::env::var_os("FIDELITY").is_some_and(|how| how == "overwrite") {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "FIDELITY.md is out of date: FIDELITY=overwrite cargo test -p conformance fidelity");
}

#[test]
fn what_cases_prove_is_served() {
    let served = |operation: &str| {
        let (service, name) = operation.split_once(':').unwrap();
        coverage::table().get(service).is_some_and(|operations| operations.contains_key(name))
    };
    let unknown: Vec<_> = of_cases().into_keys().filter(|operation| !served(operation)).collect();
    assert!(unknown.is_empty(), "cases prove what is not in the table: {unknown:?}");
}
