//! One mutation of a good definition after the other: each is refused by the right rule at the right pointer.

use pipeline_definition::lint::{Finding, Rule, Severity, lint};
use serde_json::{Value, json};

const GOOD: &str = include_str!("fixtures/good.json");

const INPUTS: &str = "/Steps/0/Arguments/ProcessingInputs";
const OUTPUTS: &str = "/Steps/0/Arguments/ProcessingOutputConfig/Outputs";
const CHANNEL: &str = "/Steps/1/Arguments/InputDataConfig/0/DataSource/S3DataSource/S3Uri";
const CONDITIONS: &str = "/Steps/4/Arguments/Conditions";
const IF: &str = "/Steps/4/Arguments/IfSteps";

fn good() -> Value {
    serde_json::from_str(GOOD).unwrap()
}

/// Puts `value` where the pointer says, in place of what was there or as a new member.
fn put(definition: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    match definition.pointer_mut(parent).unwrap() {
        Value::Array(items) if member == "-" => items.push(value),
        Value::Array(items) => items[member.parse::<usize>().unwrap()] = value,
        parent => parent[member] = value,
    }
}

fn remove(definition: &mut Value, pointer: &str) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(member).unwrap();
}

/// The one finding in the definition with this value at this place.
#[track_caller]
fn check_at(at: &str, value: Value, rule: Rule, pointer: &str, suggestion: &str) {
    let mut definition = good();
    put(&mut definition, at, value);
    check_one(&definition, rule, pointer, suggestion);
}

/// As [`check_at`], for a finding at the place of the mutation itself.
#[track_caller]
fn check(at: &str, value: Value, rule: Rule, suggestion: &str) {
    check_at(at, value, rule, at, suggestion);
}

#[track_caller]
fn check_removed(at: &str, rule: Rule, pointer: &str) {
    let mut definition = good();
    remove(&mut definition, at);
    check_one(&definition, rule, pointer, "");
}

#[track_caller]
fn check_one(definition: &Value, rule: Rule, pointer: &str, suggestion: &str) {
    let text = format!("{definition:#}");
    let found = lint(&text);
    let [one] = found.as_slice() else { panic!("not one finding: {found:#?}") };
    assert_eq!((one.rule, one.pointer.as_str()), (rule, pointer), "{one:#?}");
    let said = one.suggestion.as_deref().unwrap_or_default();
    assert!(said.contains(suggestion) && (said.is_empty() || !suggestion.is_empty()), "{one:#?}");
    // The place is that of the pointer.
    let meant = &text[one.span.clone()];
    let of_name = matches!(rule, Rule::MisspeltMember | Rule::UnknownMember | Rule::RepeatedMember);
    match of_name {
        true => assert_eq!(serde_json::from_str::<String>(meant).unwrap(), pointer.rsplit('/').next().unwrap()),
        false => assert_eq!(&serde_json::from_str::<Value>(meant).unwrap(), definition.pointer(pointer).unwrap()),
    }
    let before = &text[..one.span.start];
    assert_eq!(one.line, before.matches('\n').count() + 1);
    assert_eq!(one.column, before.rsplit('\n').next().unwrap().chars().count() + 1);
}

fn get(path: &str) -> Value {
    json!({"Get": path})
}

fn rules(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (finding.rule.id(), finding.pointer.as_str())).collect()
}

#[test]
fn the_good_definition_is_good() {
    assert_eq!(lint(GOOD), []);
}

#[test]
fn the_document() {
    let mut definition = good();
    remove(&mut definition, "/Version");
    check_one(&definition, Rule::Version, "", "2020-12-01");
    check("/Version", json!("2021-12-01"), Rule::Version, "2020-12-01");
    check("/Paramters", json!([]), Rule::MisspeltMember, "Parameters");
    check("/Owner", json!("me"), Rule::UnknownMember, "");
    check("/Parameters/0/Defaultvalue", json!("x"), Rule::MisspeltMember, "DefaultValue");
    check("/Steps/2/DependOn", json!(["Train"]), Rule::MisspeltMember, "DependsOn");
}

#[test]
fn what_is_no_definition_has_one_finding() {
    #[track_caller]
    fn check(at: &str, value: Value, pointer: &str) {
        let mut definition = good();
        put(&mut definition, at, value);
        assert_eq!(rules(&lint(&definition.to_string())), [("shape", pointer)]);
    }
    check("/Steps", json!({}), "/Steps");
    check("/Steps/0/Name", json!(3), "/Steps/0/Name");
    check("/Steps/0/DependsOn", json!("Train"), "/Steps/0/DependsOn");
    check("/Steps/0", json!({"Name": "x"}), "/Steps/0");
    assert_eq!(rules(&lint("[]")), [("shape", "")]);
}

#[test]
fn what_is_no_json_has_one_finding() {
    #[track_caller]
    fn check(text: &str, line: usize, column: usize, message: &str) {
        let found = lint(text);
        assert_eq!(rules(&found), [("syntax", "")]);
        assert_eq!((found[0].line, found[0].column, found[0].message.as_str()), (line, column, message), "{text}");
    }
    check("", 1, 1, "EOF while parsing a value");
    check("{\n  \"Steps\": [,]\n}", 2, 13, "expected value");
    check("{\"ä\": 1,}", 1, 9, "trailing comma");
    check("{\"a\": 1", 1, 7, "EOF while parsing an object");
    check(&"[".repeat(1000), 1, 128, "recursion limit exceeded");
    assert!(lint("\u{feff}{}")[0].suggestion.as_deref().unwrap().contains("byte-order mark"));
}

#[test]
fn members_that_stand_twice() {
    #[track_caller]
    fn check(from: &str, to: &str, pointer: &str) {
        let text = GOOD.replacen(from, to, 1);
        let found = lint(&text);
        assert_eq!(rules(&found), [("repeated-member", pointer)]);
        // It is the last that is shown: the one that counts.
        let last = to.rfind(&text[found[0].span.clone()]).unwrap();
        assert_eq!(found[0].span.start, text.find(to).unwrap() + last);
    }
    check("\"Metadata\": {}", "\"Metadata\": {}, \"Metadata\": {}", "/Metadata");
    let escaped = "\"DependsOn\": [\"Prepare\"], \"Depends\\u004fn\": [\"Train\"]";
    check("\"DependsOn\": [\"Train\"]", escaped, "/Steps/2/DependsOn");
    let twice = "\"Type\": \"LessThan\", \"Type\": \"LessThan\"";
    check("\"Type\": \"LessThan\"", twice, &format!("{CONDITIONS}/0/Type"));
}

#[test]
fn sizes() {
    let mut definition = good();
    put(&mut definition, "/Metadata", json!({"x": "y".repeat(1_048_576)}));
    assert_eq!(rules(&lint(&definition.to_string())), [("size", "")]);
    check("/Parameters/0/DefaultValue", json!("ml.m5.larg"), Rule::ParameterEnum, "ml.m5.large");
    let mut definition = good();
    let long = json!({"Name": "Long", "Type": "String", "DefaultValue": "x".repeat(1025)});
    put(&mut definition, "/Parameters/-", long);
    put(&mut definition, "/Steps/3/Arguments/long", get("Parameters.Long"));
    check_one(&definition, Rule::Size, "/Parameters/4/DefaultValue", "");
    let mut definition = good();
    for i in 0..45 {
        let step = json!({"Name": format!("L{i}"), "Type": "Lambda", "FunctionArn": "f", "Arguments": {}});
        put(&mut definition, "/Steps/-", step);
    }
    check_one(&definition, Rule::Count, "", "");
}

#[test]
fn names() {
    for wrong in ["", "with blank", "späť", "a.b", &"x".repeat(65)] {
        check("/Steps/4/Name", json!(wrong), Rule::Name, "");
    }
    for wrong in ["a b", &"x".repeat(257)] {
        let mut definition = good();
        put(&mut definition, "/Parameters/-", json!({"Name": wrong, "Type": "String", "DefaultValue": "x"}));
        put(&mut definition, "/Steps/3/Arguments/x", get(&format!("Parameters.{wrong}")));
        check_one(&definition, Rule::Name, "/Parameters/4/Name", "");
    }
    check(&format!("{IF}/0/Arguments/ModelPackageGroupName"), json!("sts_group"), Rule::Name, "");
}

#[test]
fn duplicates() {
    check("/Steps/4/Name", json!("Prepare"), Rule::DuplicateStep, "unique");
    // A name in one branch is taken in the other too; it is the later one that is refused.
    let other = "/Steps/4/Arguments/ElseSteps/0/Name";
    check(other, json!("Tell"), Rule::DuplicateStep, "branches included");
    let twin = json!({"Name": "Skip", "Type": "Boolean", "DefaultValue": false});
    check_at("/Parameters/-", twin, Rule::DuplicateParameter, "/Parameters/4/Name", "");
    check(&format!("{INPUTS}/1/InputName"), json!("pairs"), Rule::DuplicateName, "");
    let file = json!({"PropertyFileName": "report", "OutputName": "evaluation", "FilePath": "other.json"});
    let name = "/Steps/2/PropertyFiles/1/PropertyFileName";
    check_at("/Steps/2/PropertyFiles/-", file, Rule::DuplicateName, name, "");
    let mut definition = good();
    let twin = definition.pointer("/Steps/1/Arguments/InputDataConfig/0").unwrap().clone();
    put(&mut definition, "/Steps/1/Arguments/InputDataConfig/-", twin);
    check_one(&definition, Rule::DuplicateName, "/Steps/1/Arguments/InputDataConfig/1/ChannelName", "");
}

#[test]
fn parameters() {
    check("/Parameters/1/Type", json!("Int"), Rule::ParameterType, "");
    check("/Parameters/1/Type", json!("integer"), Rule::ParameterType, "Integer");
    check("/Parameters/1/DefaultValue", json!("1"), Rule::ParameterDefault, "did you mean '1'?");
    check("/Parameters/1/DefaultValue", json!(1.5), Rule::ParameterDefault, "");
    check("/Parameters/2/DefaultValue", json!("0.3"), Rule::ParameterDefault, "0.3");
    check("/Parameters/3/DefaultValue", json!("False"), Rule::ParameterDefault, "false");
    check("/Parameters/0/DefaultValue", json!("ml.m5.4xlarge"), Rule::ParameterEnum, "ml.m5.xlarge");
    check("/Parameters/0/EnumValues/1", json!(5), Rule::ParameterEnum, "'\"5\"'");
    let unused = json!({"Name": "Unused", "Type": "String"});
    check_at("/Parameters/-", unused, Rule::UnusedParameter, "/Parameters/4", "");
}

#[test]
fn what_is_waited_for() {
    check("/Steps/2/DependsOn/0", json!("Trian"), Rule::DependsOn, "Train");
    check("/Steps/2/DependsOn/0", json!("Nowhere"), Rule::DependsOn, "");
    check_at("/Steps/0/DependsOn", json!(["Evaluate"]), Rule::Cycle, "/Steps/0/DependsOn/0", "");
    check_at("/Steps/0/DependsOn", json!(["Prepare"]), Rule::Cycle, "/Steps/0/DependsOn/0", "");
    // By reference, from within the branch that the other decides about.
    let inner = get("Steps.Register.ModelPackageArn");
    check_at("/Steps/3/Arguments/x", inner, Rule::Cycle, "/Steps/3/Arguments/x", "");
    check_at(&format!("{IF}/1/DependsOn"), json!(["Stop"]), Rule::UnreachableStep, &format!("{IF}/1/DependsOn/0"), "");
}

#[test]
fn steps_that_no_execution_reaches() {
    let lambda = |name: &str, depends_on: Value| json!({"Name": name, "Type": "Lambda", "FunctionArn": "f", "DependsOn": depends_on, "Arguments": {}});
    let mut branches = good();
    put(&mut branches, "/Steps/4/Arguments/ElseSteps/-", lambda("Sorry", json!([])));
    let mut definition = branches.clone();
    put(&mut definition, &format!("{IF}/1/DependsOn"), json!(["Sorry"]));
    check_one(&definition, Rule::UnreachableStep, &format!("{IF}/1/DependsOn/0"), "");
    // Nobody is behind both branches, be it by way of others.
    let mut definition = branches.clone();
    put(&mut definition, "/Steps/-", lambda("After", json!(["Sorry"])));
    put(&mut definition, "/Steps/-", lambda("Both", json!(["Register", "After"])));
    check_one(&definition, Rule::UnreachableStep, "/Steps/6/DependsOn/1", "");
    // Behind one branch is fine.
    put(&mut definition, "/Steps/6/DependsOn", json!(["After"]));
    assert_eq!(lint(&definition.to_string()), []);
}

#[test]
fn expressions() {
    check(CHANNEL, get("Step.Train.A"), Rule::Expression, "Steps.Train.A");
    check(CHANNEL, get("Train"), Rule::Expression, "");
    check(CHANNEL, json!({"Get": 1}), Rule::Expression, "");
    check(CHANNEL, json!({"Std:join": {"On": "", "Values": []}}), Rule::Expression, "Std:Join");
    check(CHANNEL, json!({"Std:Join": {"On": ""}}), Rule::Expression, "");
    let values = format!("{CHANNEL}/Std:Join/Values");
    check_at(CHANNEL, json!({"Std:Join": {"On": "", "Values": "a"}}), Rule::Expression, &values, "");
    let of_training = "/Steps/1/Arguments/ResourceConfig/InstanceType";
    check(of_training, get("Parameters.Instanse"), Rule::UnknownParameter, "Instance");
    check(CHANNEL, get("Execution.PipelineExecutionID"), Rule::UnknownVariable, "PipelineExecutionId");
    check(CHANNEL, get("PipelineExperimentConfig.TrailName"), Rule::UnknownVariable, "TrialName");
    check(CHANNEL, get("Steps.Preparation.A"), Rule::UnknownStep, "");
    check(CHANNEL, get("Steps.prepare.A"), Rule::UnknownStep, "Prepare");
}

#[test]
fn properties() {
    let outputs = "Steps.Prepare.ProcessingOutputConfig.Outputs";
    let wrong = get("Steps.Prepare.ProcessingOutputConfig.Output['train'].S3Output.S3Uri");
    check(CHANNEL, wrong, Rule::UnknownProperty, &format!("{outputs}['train'].S3Output.S3Uri"));
    let wrong = get(&format!("{outputs}['train'].S3Output.S3Url"));
    check(CHANNEL, wrong, Rule::UnknownProperty, &format!("{outputs}['train'].S3Output.S3Uri"));
    check(CHANNEL, get(&format!("{outputs}.S3Output")), Rule::UnknownProperty, "");
    check(CHANNEL, get("Steps.Prepare.ProcessingOutputConfig[0]"), Rule::UnknownProperty, "");
    check(CHANNEL, get("Steps.Prepare.ExitMessage.Text"), Rule::UnknownProperty, "");
    let of_training = "/Steps/2/Arguments/ProcessingInputs/0/S3Input/S3Uri";
    let right = "Steps.Train.ModelArtifacts.S3ModelArtifacts";
    check(of_training, get("Steps.Train.ModelArtefacts.S3ModelArtifacts"), Rule::UnknownProperty, right);
    // What another type of step answers.
    check(of_training, get("Steps.Prepare.ModelArtifacts.S3ModelArtifacts"), Rule::UnknownProperty, "");
    check(CHANNEL, get(&format!("{outputs}['trian'].S3Output.S3Uri")), Rule::OutputName, "train");
    check(CHANNEL, get(&format!("{outputs}['x'].S3Output.S3Uri")), Rule::OutputName, "");
    check(CHANNEL, get(&format!("{outputs}[2].S3Output.S3Uri")), Rule::OutputName, "");
    let query = format!("{CONDITIONS}/1/QueryValue");
    check(&query, get("Steps.Ask.OutputParameters['verdikt']"), Rule::OutputName, "verdict");
    check(&query, get("Steps.Ask.Payload"), Rule::UnknownProperty, "");
}

#[test]
fn property_files() {
    let left = format!("{CONDITIONS}/0/LeftValue");
    let json_get = |file: &str, path: Value| json!({"Std:JsonGet": {"PropertyFile": get(file), "Path": path}});
    check(&left, json_get("Steps.Evaluate.PropertyFiles.raport", json!("a")), Rule::PropertyFile, "report");
    check(&left, json_get("Steps.Evalute.PropertyFiles.report", json!("a")), Rule::UnknownStep, "Evaluate");
    check(&left, get("Steps.Evaluate.PropertyFiles.report"), Rule::PropertyFile, "Std:JsonGet");
    check("/Steps/2/PropertyFiles/0/OutputName", json!("evalution"), Rule::PropertyFile, "evaluation");
    for wrong in ["/evaluation.json", "s3://bucket/evaluation.json", "../evaluation.json", ""] {
        check("/Steps/2/PropertyFiles/0/FilePath", json!(wrong), Rule::PropertyFile, "relative");
    }
    let path = format!("{left}/Std:JsonGet/Path");
    for wrong in [json!("mse..value"), json!("mse[*]"), json!("mse['value"), json!(3)] {
        check(&path, wrong, Rule::JsonPath, "for example");
    }
    let missing = json!({"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.report")}});
    check(&left, missing, Rule::Expression, "");
}

#[test]
fn conditions() {
    let at = |member: &str| format!("{CONDITIONS}/0{member}");
    check(&at("/Type"), json!("LesserThan"), Rule::Condition, "LessThan");
    let untyped = json!({"LeftValue": get("Parameters.Threshold"), "RightValue": 2});
    check(&at(""), untyped, Rule::Condition, "one of");
    check_removed(&at("/LeftValue"), Rule::Condition, &at(""));
    check_at(&format!("{CONDITIONS}/-"), json!({"Type": "Not"}), Rule::Condition, &format!("{CONDITIONS}/3"), "");
    check(&format!("{CONDITIONS}/1/Values"), json!("good"), Rule::Condition, "");
    check_at(&at("/LeftValue"), json!("0.2"), Rule::ConditionOperands, &at(""), "never equal");
    check_at(&at("/LeftValue"), get("Execution.StartDateTime"), Rule::ConditionOperands, &at(""), "never equal");
    check(&at("/LeftValue"), json!([1]), Rule::ConditionOperands, "");
    check(&at("/LeftValue"), get("Parameters.Skip"), Rule::ConditionOperands, "");
    let inner = format!("{CONDITIONS}/2/Expression");
    check_at(&format!("{inner}/RightValue"), json!("true"), Rule::ConditionOperands, &inner, "never equal");
    check_at(&format!("{CONDITIONS}/1/Values"), json!([1, 2]), Rule::ConditionOperands, &format!("{CONDITIONS}/1"), "");
    let or = json!({"Type": "Or", "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": "1"}]});
    check_at(
        &format!("{CONDITIONS}/-"),
        or,
        Rule::ConditionOperands,
        &format!("{CONDITIONS}/3/Conditions/0"),
        "never equal",
    );
}

#[test]
fn types_and_arguments() {
    check("/Steps/3/Type", json!("Lamda"), Rule::StepType, "Lambda");
    let resources = "/Steps/0/Arguments/ProcessingResources";
    check(&format!("{resources}/ClusterConfig/InstanceTyp"), json!("x"), Rule::MisspeltMember, "InstanceType");
    check(&format!("{OUTPUTS}/0/S3Output/S3uri"), json!("x"), Rule::MisspeltMember, "S3Uri");
    check("/Steps/1/Arguments/StopingCondition", json!({}), Rule::MisspeltMember, "StoppingCondition");
    check("/Steps/1/Arguments/Whatever", json!({}), Rule::UnknownMember, "");
    check("/Steps/4/Arguments/ElsSteps", json!([]), Rule::MisspeltMember, "ElseSteps");
    check_removed("/Steps/0/Arguments/AppSpecification", Rule::MissingMember, "/Steps/0/Arguments");
    check_removed("/Steps/1/Arguments/RoleArn", Rule::MissingMember, "/Steps/1/Arguments");
    let fail = "/Steps/4/Arguments/ElseSteps/0";
    check_removed(&format!("{fail}/Arguments"), Rule::MissingMember, fail);
}

#[test]
fn paths_in_the_container() {
    let input = format!("{INPUTS}/0/S3Input/LocalPath");
    for wrong in ["/opt/ml/input", "opt/ml/processing/pairs", "/opt/ml/processing/../x", "/opt/ml/processingx"] {
        check(&input, json!(wrong), Rule::LocalPath, "/opt/ml/processing/");
    }
    check(&format!("{OUTPUTS}/1/S3Output/LocalPath"), json!("/tmp/test"), Rule::LocalPath, "/opt/ml/processing/test");
    let other = format!("{INPUTS}/1/S3Input/LocalPath");
    check(&other, json!("/opt/ml/processing/pairs/"), Rule::LocalPath, "");
    let mut definition = good();
    remove(&mut definition, &input);
    check_one(&definition, Rule::LocalPath, &format!("{INPUTS}/0/S3Input"), "AppManaged");
    put(&mut definition, &format!("{INPUTS}/0/AppManaged"), json!(true));
    assert_eq!(lint(&definition.to_string()), []);
}

#[test]
fn images() {
    const REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sts";
    for place in [
        "/Steps/0/Arguments/AppSpecification/ImageUri",
        "/Steps/1/Arguments/AlgorithmSpecification/TrainingImage",
        &format!("{IF}/0/Arguments/InferenceSpecification/Containers/0/Image"),
    ] {
        check(place, json!(format!("{REPOSITORY}:latest")), Rule::ImageTag, "sha256");
        check(place, json!(REPOSITORY), Rule::ImageTag, "sha256");
    }
    let text = GOOD.replacen("sts:1.2", &format!("sts@sha256:{}", "0".repeat(64)), 1);
    assert_eq!(lint(&text), []);
}

#[test]
fn retries_and_caches() {
    let policy = "/Steps/1/RetryPolicies/0";
    check_at(&format!("{policy}/ExpireAfterMin"), json!(5), Rule::RetryPolicy, policy, "keep one");
    for (member, wrong) in [
        ("MaxAttempts", json!(0)),
        ("MaxAttempts", json!(21)),
        ("MaxAttempts", json!(1.5)),
        ("IntervalSeconds", json!(43_201)),
        ("IntervalSeconds", json!(-1)),
        ("BackoffRate", json!(-0.5)),
    ] {
        check(&format!("{policy}/{member}"), wrong, Rule::RetryPolicy, "");
    }
    check("/Steps/1/RetryPolicies/1/ExpireAfterMin", json!(14_401), Rule::RetryPolicy, "");
    check(&format!("{policy}/ExceptionType/0"), json!("Step.THROTTLED"), Rule::RetryPolicy, "Step.THROTTLING");
    check("/Steps/1/RetryPolicies/1/ExceptionType", json!("Step.Throttling"), Rule::RetryPolicy, "Step.THROTTLING");
    check_at(&format!("{policy}/ExceptionType"), json!([]), Rule::RetryPolicy, policy, "Emr.RESOURCE_LIMIT");
    check("/Steps/0/CacheConfig/ExpireAfter", json!("a month"), Rule::CacheConfig, "P30D");
}

#[test]
fn many_mistakes_are_all_found_in_the_order_of_the_text() {
    let mut definition = good();
    put(&mut definition, "/Version", json!("1"));
    put(&mut definition, "/Steps/0/CacheConfig/ExpireAfter", json!("x"));
    put(&mut definition, "/Steps/1/RetryPolicies/0/MaxAttempts", json!(99));
    put(&mut definition, "/Steps/2/DependsOn/0", json!("Nobody"));
    put(&mut definition, "/Steps/0/Arguments/AppSpecification/ImageUri", json!("image"));
    let found = lint(&definition.to_string());
    let ids: Vec<_> = found.iter().map(|finding| finding.rule.id()).collect();
    assert_eq!(ids, ["version", "image-tag", "cache-config", "retry-policy", "depends-on"]);
    assert_eq!(found[1].severity, Severity::Warning);
    let json = serde_json::to_value(&found[4]).unwrap();
    assert_eq!((&json["rule"], &json["severity"]), (&json!("depends-on"), &json!("error")));
    assert_eq!((&json["pointer"], &json["line"]), (&json!("/Steps/2/DependsOn/0"), &json!(1)));
}
