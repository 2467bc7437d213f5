//! `run --only`: some steps run, with what an earlier execution left of the others.

use serde_json::{Value, json};

use crate::user::User;

struct Offline(User);

impl Offline {
    #[track_caller]
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let (actual, stdout, stderr) = self.0.run(&[], &[arguments, &["--offline", "--output", "json"]].concat());
        assert_eq!(actual, code, "{arguments:?}\n{stdout}\n{stderr}");
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stdout}"))
    }

    /// What is said when nothing is done.
    #[track_caller]
    fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let (actual, stdout, stderr) = self.0.run(&[], &[arguments, &["--offline"]].concat());
        assert_eq!((actual, stdout.as_str()), (code, ""), "{arguments:?}\n{stderr}");
        stderr
    }
}

/// The steps of a report: name, and the execution that it was taken from, by its ARN.
fn steps(report: &Value) -> Vec<(&str, Option<&str>)> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["name"].as_str().unwrap(), step["taken_from"].as_str())).collect()
}

fn id(report: &Value) -> &str {
    report["arn"].as_str().unwrap().rsplit('/').next().unwrap()
}

#[test]
fn the_selected_steps_run_and_the_others_come_from_the_newest_execution() {
    let user = Offline(User::new());
    let first = user.json(0, &["run", "--param", "MseThreshold=0.25"]);
    let arn = first["arn"].as_str();
    let only = ["run", "--only", "TrainSTSModel,EvaluateSTSModel", "--param", "L2=10.0"];

    let plan = user.json(0, &[&only[..], &["--dry"]].concat());
    let start = plan["actions"].as_array().unwrap().last().unwrap();
    assert_eq!(
        start["because"],
        format!(
            "only TrainSTSModel, EvaluateSTSModel; with what PreprocessSTSData left in execution {}; parameters as there, but L2",
            id(&first)
        )
    );
    assert_eq!(
        start["operations"][0]["selective"],
        json!({"steps": ["TrainSTSModel", "EvaluateSTSModel"], "source": arn})
    );
    assert_eq!(plan["actions"].as_array().unwrap().len(), 4, "no input is uploaded: {plan}");
    assert_eq!(plan["steps"].as_array().unwrap().len(), 2);
    assert_eq!(plan["cost"]["jobs"].as_array().unwrap().len(), 2);
    let parameter = |name: &str| {
        let parameters = plan["parameters"].as_array().unwrap();
        parameters.iter().find(|it| it["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((parameter("L2"), parameter("MseThreshold")), (json!("10.0"), json!("0.25")));
    assert_eq!(parameter("InputDataUrl"), first["input"]);

    let second = user.json(0, &only);
    assert_eq!(steps(&second), [("PreprocessSTSData", arn), ("TrainSTSModel", None), ("EvaluateSTSModel", None)]);
    assert_ne!(second["metrics"]["mse"], first["metrics"]["mse"]);
    assert!(second["model_package"].is_null());

    // The gate of the second, by a threshold that it does not meet, and then registration from the first.
    let third = user.json(1, &["run", "--only", "CheckMSESTSEvaluation,FailSTSModel", "--param", "MseThreshold=0.01"]);
    assert_eq!(steps(&third)[0], ("EvaluateSTSModel", second["arn"].as_str()));
    let fourth = user.json(0, &["run", "--only", "RegisterSTSModel", "--from", id(&first)]);
    assert!(fourth["model_package"]["arn"].as_str().unwrap().ends_with("/2"), "{fourth:#}");
    assert_eq!(steps(&fourth).iter().filter(|(_, source)| *source == arn).count(), 5);
}

#[test]
fn what_was_taken_over_is_no_run_that_a_later_one_could_reuse() {
    let user = Offline(User::new());
    user.json(0, &["run"]);
    // The model is still that of the first execution, whatever the parameter says.
    user.json(0, &["run", "--only", "EvaluateSTSModel", "--param", "L2=10.0"]);
    let plan = user.json(0, &["run", "--dry", "--explain-cache", "--param", "L2=10.0"]);
    let hits: Vec<_> = plan["cache"].as_array().unwrap().iter().map(|it| it["hit"].as_bool().unwrap()).collect();
    assert_eq!(hits, [true, false, false, false], "{plan:#}");
    let report = user.json(0, &["run", "--param", "L2=10.0"]);
    let cached = report["steps"].as_array().unwrap().iter().filter(|step| step["cached_from"].is_string());
    assert_eq!(cached.map(|step| &step["name"]).collect::<Vec<_>>(), ["PreprocessSTSData"]);
}

#[test]
fn what_cannot_run_alone_is_said_before_anything_is_done() {
    let user = Offline(User::new());
    let unknown = user.refused(2, &["run", "--only", "TrainSTSModle"]);
    assert_eq!(unknown, "error: there is no step 'TrainSTSModle'\n\nhint: did you mean `TrainSTSModel`?\n");
    let between = user.refused(2, &["run", "--only", "TrainSTSModel", "--only", "CheckMSESTSEvaluation"]);
    assert!(
        between.contains("hint: add them: --only TrainSTSModel,EvaluateSTSModel,CheckMSESTSEvaluation"),
        "{between}"
    );
    let none = user.refused(1, &["run", "--only", "TrainSTSModel"]);
    assert!(none.contains("what PreprocessSTSData leaves must come from an execution"), "{none}");
    user.refused(2, &["run", "--from", "abcdefghijkl"]);
    user.refused(2, &["run", "--only", "TrainSTSModel", "--explain-cache"]);

    let refused = user.json(1, &["run", "--param", "MseThreshold=0.01"]);
    let branch = user.refused(1, &["run", "--only", "RegisterSTSModel", "--from", id(&refused)]);
    let why = "cannot be the source: RegisterSTSModel cannot go on from it: CheckMSESTSEvaluation, SetupMonitoringData did not";
    assert!(branch.contains(why), "{branch}");
    let newest = user.refused(1, &["run", "--only", "RegisterSTSModel"]);
    assert!(newest.contains(&format!("can be the source; the newest is {}: ", id(&refused))), "{newest}");
    let absent = user.refused(1, &["run", "--only", "TrainSTSModel", "--from", "abcdefghijkl"]);
    assert!(absent.contains("ResourceNotFound"), "{absent}");

    let foreign = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/other/execution/abcdefghijkl";
    let foreign = user.refused(2, &["run", "--only", "TrainSTSModel", "--from", foreign]);
    assert!(foreign.contains("is no execution of pipeline stsPipeline"), "{foreign}");

    // Nobody can be asked for an execution; the first step needs none.
    let (code, stdout, stderr) = user.0.run(&[], &["run", "--only", "TrainSTSModel", "--dry"]);
    assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
    assert!(stderr.starts_with("error: what TrainSTSModel would go on from could not be looked at"), "{stderr}");
    let (code, stdout, _) = user.0.run(&[], &["run", "--only", "PreprocessSTSData", "--dry"]);
    assert_eq!(code, 3);
    assert!(stdout.contains("only PreprocessSTSData; given InputDataUrl, the rest by default"), "{stdout}");
}

#[test]
fn versions_are_listed_shown_compared_and_named() {
    let user = Offline(User::new());
    let none = user.refused(1, &["pipeline", "versions"]);
    assert!(none.contains("pipeline stsPipeline does not exist yet"), "{none}");
    let first = user.json(0, &["run"]);
    let again = user.json(0, &["run", "--only", "CheckMSESTSEvaluation"]);
    assert_eq!((&first["version"], &again["version"]), (&json!(1), &json!(1)), "the same definition");
    let image = [("STSMM_IMAGE", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:other")];
    let (code, _, stderr) = user.0.run(&image, &["run", "--offline", "--only", "CheckMSESTSEvaluation"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("version 2 of the pipeline\n"), "{stderr}");

    let versions = user.json(0, &["pipeline", "versions"]);
    let versions = versions["versions"].as_array().unwrap();
    let numbers: Vec<_> = versions.iter().map(|version| version["version"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!((&versions[1]["last_execution"], &versions[1]["last_status"]), (&again["arn"], &json!("Succeeded")));
    let (_, table, _) = user.0.run(&[], &["pipeline", "versions", "--offline"]);
    assert_eq!(table.lines().count(), 3, "{table}");

    let of = |arguments: &[&str]| user.0.run(&[], &[&["pipeline"], arguments, &["--offline"]].concat());
    let (_, own, _) = of(&["show"]);
    assert_eq!(of(&["show", "--version", "1"]).1, own);
    assert!(of(&["show", "--version", "2"]).1.contains("sts-container:other"));
    let same = "no difference: the definition is that of version 1 of pipeline stsPipeline\n";
    assert_eq!(of(&["diff", "--version", "1"]).1, same);
    let (code, difference, _) = of(&["diff", "--version", "2"]);
    assert_eq!((code, difference.matches("sts-container:other\" -> ").count()), (0, 6), "{difference}");
    for verb in ["show", "diff"] {
        let absent = user.refused(1, &["pipeline", verb, "--version", "3"]);
        let said = "error: pipeline stsPipeline has no version 3\n\nhint: see which there are: cargo xtask pipeline versions --offline\n";
        assert_eq!(absent, said);
    }
}
