//! The definitions that the SageMaker Python SDK has made: see `definitions/make.py`.

use pipeline_definition::lint::{Severity, lint};

#[test]
fn what_the_sdk_makes_is_in_order() {
    let made = [
        ("score", include_str!("definitions/score.json")),
        ("tuning", include_str!("definitions/tuning.json")),
        ("checks", include_str!("definitions/checks.json")),
    ];
    for (name, text) in made {
        let errors: Vec<_> = lint(text).into_iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert_eq!(errors, [], "{name}");
    }
}
