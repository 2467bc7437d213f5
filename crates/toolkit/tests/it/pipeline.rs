//! `pipeline lint`, `diff` and `graph`.

use serde_json::Value;

use crate::user::User;

/// A mistake of every sort: an error and a warning.
const BROKEN: &str = r#"{
  "Version": "2020-12-01",
  "Parameters": [{"Name": "Unused", "Type": "String"}],
  "Steps": [
    {"Name": "Ask", "Type": "Lambda", "FunctionArn": "f", "Arguments": {}},
    {"Name": "Stop", "Type": "Fail", "DependsOn": ["Aks"], "Arguments": {"ErrorMessage": "no"}}
  ]
}
"#;

fn user_with(name: &str, text: &str) -> User {
    let user = User::new();
    std::fs::write(user.folder().join(name), text).unwrap();
    user
}

#[test]
fn findings_are_shown_in_the_source() {
    let user = user_with("broken.json", BROKEN);
    let (code, stdout, stderr) = user.run(&[], &["pipeline", "lint", "--file", "broken.json"]);
    let expected = r#"broken.json:3:18: warning[unused-parameter]: nothing refers to parameter 'Unused'
3 |   "Parameters": [{"Name": "Unused", "Type": "String"}],
  |                  ^
  = at /Parameters/0

broken.json:6:52: error[depends-on]: there is no step 'Aks'
6 |     {"Name": "Stop", "Type": "Fail", "DependsOn": ["Aks"], "Arguments": {"ErrorMessage": "no"}}
  |                                                    ^^^^^
  = at /Steps/1/DependsOn/0
  = did you mean 'Ask'?

broken.json: 1 error, 1 warning
"#;
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (1, expected, "error: broken.json has 1 error\n"));

    let (code, stdout, _) = user.run(&[], &["pipeline", "lint", "--file", "broken.json", "--output", "json"]);
    assert_eq!(code, 1);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&report["errors"], &report["warnings"]), (&1.into(), &1.into()));
    let finding = &report["findings"][1];
    let expected = serde_json::json!({
        "rule": "depends-on", "severity": "error", "pointer": "/Steps/1/DependsOn/0", "line": 6, "column": 52,
        "message": "there is no step 'Aks'", "suggestion": "did you mean 'Ask'?",
    });
    assert_eq!(finding, &expected);
}

#[test]
fn the_exit_code_says_how_bad_it_is() {
    for (text, code, said) in [
        (BROKEN.replace("Aks", "Ask").as_str(), 0, "broken.json: 0 errors, 1 warning\n"),
        (&BROKEN.replace("Aks", "Ask").replace(r#"{"Name": "Unused", "Type": "String"}"#, ""), 0, "nothing found\n"),
        (
            "{\n  \"Steps\": [,]\n}",
            1,
            "broken.json:2:13: error[syntax]: expected value\n2 |   \"Steps\": [,]\n  |             ^\n",
        ),
        ("[]", 1, "broken.json:1:1: error[shape]: here must stand an object, not a list\n"),
    ] {
        let (actual, stdout, stderr) =
            user_with("broken.json", text).run(&[], &["pipeline", "lint", "--file", "broken.json"]);
        assert_eq!(actual, code, "{stdout}{stderr}");
        assert!(stdout.contains(said), "{stdout}");
    }
    let user = User::new();
    std::fs::write(user.folder().join("latin.json"), b"{\"Metadata\": \"\xe9\"}").unwrap();
    for file in ["nowhere.json", "latin.json", "."] {
        let (code, stdout, stderr) = user.run(&[], &["pipeline", "lint", "--file", file]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.starts_with(&format!("error: cannot read {file}: ")), "{stderr}");
    }
}

#[test]
fn our_own_definition_is_clean_and_can_be_saved() {
    let user = User::new();
    let (code, stdout, stderr) = user.run(&[], &["pipeline", "lint"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "<pipeline show>: nothing found\n", ""));
    let (_, shown, _) = user.run(&[], &["pipeline", "show"]);
    std::fs::write(user.folder().join("own.json"), shown).unwrap();
    let (code, stdout, _) = user.run(&[], &["pipeline", "lint", "--file", "own.json"]);
    assert_eq!((code, stdout.as_str()), (0, "own.json: nothing found\n"));
    // A setting can make it worse; that is said where it is used too.
    let image = [("STSMM_IMAGE", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:latest")];
    let (code, stdout, _) = user.run(&image, &["pipeline", "lint"]);
    assert_eq!(code, 0);
    assert_eq!(
        stdout.matches("warning[image-tag]: the image has the tag 'latest', which moves").count(),
        5,
        "{stdout}"
    );
    let (_, _, stderr) = user.run(&image, &["run", "--offline", "--dry"]);
    assert!(stderr.contains("warning: the image has the tag 'latest', which moves (image-tag): /Steps/0"), "{stderr}");
}

#[test]
fn a_difference_is_said_and_is_no_error() {
    let user = User::new();
    let diff = |more: &[&str]| {
        let (code, stdout, stderr) = user.run(&[], &[&["pipeline", "diff", "--offline"], more].concat());
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    assert_eq!(diff(&[]), "pipeline stsPipeline does not exist yet: all of it would be new\n");
    assert!(!user.state().exists(), "comparing makes no state");

    let (code, _, stderr) = user.run(&[], &["run", "--offline", "--detach"]);
    assert_eq!(code, 0, "{stderr}");
    let same = "no difference: definition, role and tags of pipeline stsPipeline are the deployed ones\n";
    assert_eq!(diff(&[]), same);
    let report: Value = serde_json::from_str(&diff(&["--output", "json"])).unwrap();
    assert_eq!((&report["deployed"], &report["same"]), (&true.into(), &true.into()));

    let (_, shown, _) = user.run(&[], &["pipeline", "show", "--offline"]);
    let mut definition: Value = serde_json::from_str(&shown).unwrap();
    let file = user.folder().join("other.json");
    definition["Steps"].as_array_mut().unwrap().reverse();
    std::fs::write(&file, definition.to_string()).unwrap();
    assert_eq!(diff(&["--file", "other.json"]), same);
    definition["Parameters"][5]["DefaultValue"] = 0.25.into();
    definition["Steps"][3]["DisplayName"] = "First".into();
    std::fs::write(&file, definition.to_string()).unwrap();
    let expected = "~ parameter MseThreshold: /Parameters/5/DefaultValue: 0.3 -> 0.25\n\
                    + step PreprocessSTSData: /Steps/3/DisplayName: \"First\"\n";
    assert_eq!(diff(&["--file", "other.json"]), expected);
    let report: Value = serde_json::from_str(&diff(&["--file", "other.json", "--output", "json"])).unwrap();
    assert_eq!(report["same"], false);
    assert_eq!((&report["definition"][0]["old"], &report["definition"][0]["new"]), (&0.3.into(), &0.25.into()));

    std::fs::write(&file, "{").unwrap();
    let (code, _, stderr) = user.run(&[], &["pipeline", "diff", "--offline", "--file", "other.json"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("hint: see where: cargo xtask pipeline lint --file other.json"), "{stderr}");
}

#[test]
fn the_graph_is_drawn() {
    let user = User::new();
    let (code, text, stderr) = user.run(&[], &["pipeline", "graph"]);
    let expected = "\
PreprocessSTSData  Processing
TrainSTSModel  Training
    uses PreprocessSTSData
EvaluateSTSModel  Processing
    uses TrainSTSModel, PreprocessSTSData
CheckMSESTSEvaluation  Condition
│   uses EvaluateSTSModel
├─ if
│   SetupMonitoringData  Processing
│       uses TrainSTSModel, PreprocessSTSData
│   RegisterSTSModel  RegisterModel
│       uses EvaluateSTSModel, PreprocessSTSData, SetupMonitoringData,
│            TrainSTSModel
└─ else
    FailSTSModel  Fail
";
    assert_eq!((code, text.as_str(), stderr.as_str()), (0, expected, ""));
    let (_, mermaid, _) = user.run(&[], &["pipeline", "graph", "--format", "mermaid"]);
    assert!(mermaid.starts_with("flowchart TD\n") && mermaid.contains("    s3 -->|else| s6\n"), "{mermaid}");
    let (_, dot, _) = user.run(&[], &["pipeline", "graph", "--format", "dot"]);
    assert!(dot.starts_with("digraph pipeline {\n") && dot.contains("s3 -> s6 [label=\"else\"];"), "{dot}");
    let (_, json, _) = user.run(&[], &["pipeline", "graph", "--output", "json"]);
    let picture: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(picture["steps"][6]["branch"]["outcome"], false, "{json}");

    let user = user_with("broken.json", BROKEN);
    let (code, stdout, stderr) = user.run(&[], &["pipeline", "graph", "--file", "broken.json"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("depends on 'Aks', which is no step of this pipeline"), "{stderr}");
}
