//! Simulations against published answers of IAM: the examples of `aws iam simulate-custom-policy` and
//! `get-context-keys-for-custom-policy` in the AWS CLI's reference, the shapes in the IAM API reference.

use iam_policy::{
    Attached, Caller, Context, Kind, Policies, Policy,
    simulate::{Simulation, SimulationError, context_keys, is_of_type, simulate},
};
use serde_json::{Value, json};

use crate::fixtures::*;

fn custom(texts: &[&str], actions: &[&str], resources: &[&str], context: Context) -> Simulation {
    let inputs = texts
        .iter()
        .enumerate()
        .map(|(at, text)| Attached::input(at + 1, Policy::parse(text, Kind::Identity).unwrap()));
    Simulation {
        caller: Caller::role(ROLE),
        policies: Policies { identity: inputs.collect(), ..Policies::default() },
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        resources: resources.iter().map(|resource| (*resource).to_owned()).collect(),
        resource_owner: None,
        context,
    }
}

#[track_caller]
fn answer(simulation: &Simulation) -> Value {
    json!(simulate(simulation).unwrap())
}

const DATABASE: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;

#[test]
fn the_examples_of_the_command_line() {
    let at = |time: &str| Context::new().with("aws:CurrentTime", time);
    let later = custom(&[DATABASE], &["dynamodb:CreateBackup"], &[], at("2019-04-25T11:00:00Z"));
    assert_eq!(
        answer(&later),
        json!([{
            "EvalActionName": "dynamodb:CreateBackup",
            "EvalResourceName": "*",
            "EvalDecision": "allowed",
            "MatchedStatements": [{
                "SourcePolicyId": "PolicyInputList.1",
                "SourcePolicyType": "IAM Policy",
                "StartPosition": {"Line": 1, "Column": 38},
                "EndPosition": {"Line": 1, "Column": 167},
            }],
            "MissingContextValues": [],
        }])
    );
    let earlier = custom(&[DATABASE], &["dynamodb:CreateBackup"], &[], at("2014-04-25T11:00:00Z"));
    assert_eq!(
        answer(&earlier),
        json!([{
            "EvalActionName": "dynamodb:CreateBackup",
            "EvalResourceName": "*",
            "EvalDecision": "implicitDeny",
            "MatchedStatements": [],
            "MissingContextValues": [],
        }])
    );
    let unknown = custom(&[DATABASE], &["dynamodb:CreateBackup"], &["*"], Context::new());
    assert_eq!(answer(&unknown)[0]["MissingContextValues"], json!(["aws:CurrentTime"]));
}

#[test]
fn one_result_per_action_and_one_below_it_per_resource() {
    let text = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::good/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::bad/*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bad/*"}]}"#;
    let resources = ["arn:aws:s3:::good/x", "arn:aws:s3:::other/x", "arn:aws:s3:::bad/x"];
    let results = answer(&custom(&[text], &["s3:GetObject", "s3:PutObject"], &resources, Context::new()));
    let decisions = |result: &Value| -> Vec<Value> {
        let specific = result["ResourceSpecificResults"].as_array().unwrap();
        specific.iter().map(|one| one["EvalResourceDecision"].clone()).collect()
    };
    assert_eq!(results.as_array().unwrap().len(), 2);
    let get = &results[0];
    assert_eq!(decisions(get), ["allowed", "implicitDeny", "explicitDeny"]);
    assert_eq!(get["EvalDecision"], "explicitDeny");
    assert_eq!(get["EvalResourceName"], "arn:${Partition}:s3:::${BucketName}/${KeyName}");
    assert_eq!(get["EvalDecisionDetails"], json!({}));
    // Of the denied one the deny alone.
    let lines = |result: &Value| -> Vec<u64> {
        let matched = result["MatchedStatements"].as_array().unwrap();
        matched.iter().map(|one| one["StartPosition"]["Line"].as_u64().unwrap()).collect()
    };
    assert_eq!(lines(&get["ResourceSpecificResults"][2]), [2]);
    assert_eq!(lines(get), [1, 2]);
    assert_eq!(decisions(&results[1]), ["implicitDeny", "implicitDeny", "explicitDeny"]);
    let two = custom(&[text], &["s3:GetObject"], &resources[..2], Context::new());
    assert_eq!(answer(&two)[0]["EvalDecision"], "implicitDeny");
}

#[test]
fn limits_have_details_of_their_own() {
    let mut simulation = custom(&[DATABASE], &["dynamodb:CreateBackup"], &[], Context::new());
    simulation.policies = Policies {
        boundary: Some(policy(Kind::Boundary, ALLOW_ALL)),
        scps: vec![vec![policy(Kind::Scp, r#"{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}"#)]],
        ..identity(ALLOW_ALL)
    };
    let result = &answer(&simulation)[0];
    assert_eq!(result["EvalDecision"], "implicitDeny");
    assert_eq!(result["OrganizationsDecisionDetail"], json!({"AllowedByOrganizations": false}));
    assert_eq!(result["PermissionsBoundaryDecisionDetail"], json!({"AllowedByPermissionsBoundary": true}));
    simulation.policies.scps = vec![vec![policy(Kind::Scp, ALLOW_ALL)]];
    simulation.policies.boundary =
        Some(policy(Kind::Boundary, r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#));
    let result = &answer(&simulation)[0];
    assert_eq!(result["EvalDecision"], "implicitDeny");
    assert_eq!(result["OrganizationsDecisionDetail"], json!({"AllowedByOrganizations": true}));
    assert_eq!(result["PermissionsBoundaryDecisionDetail"], json!({"AllowedByPermissionsBoundary": false}));
    // What only the organisation asks for is not told.
    let asking = r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"a:b": "c"}}}"#;
    simulation.policies = Policies { scps: vec![vec![policy(Kind::Scp, asking)]], ..identity(ALLOW_ALL) };
    assert_eq!(answer(&simulation)[0]["MissingContextValues"], json!([]));
}

#[test]
fn across_accounts_each_side_is_told() {
    let object = "arn:aws:s3:::data/x";
    let mut simulation = custom(&[], &["s3:GetObject"], &[object], Context::new());
    simulation.caller = user();
    simulation.resource_owner = Some("444455556666".to_owned());
    simulation.policies = resource(&format!(
        r#"{{"Effect": "Allow", "Principal": {{"AWS": "{USER}"}}, "Action": "s3:*", "Resource": "*"}}"#
    ));
    let specific = &answer(&simulation)[0]["ResourceSpecificResults"][0];
    assert_eq!(specific["EvalResourceDecision"], "implicitDeny");
    assert_eq!(specific["EvalDecisionDetails"], json!({"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}));
    // Without the resource's policy, the caller's side alone counts.
    simulation.policies = identity(ALLOW_ALL);
    assert_eq!(answer(&simulation)[0]["EvalDecision"], "allowed");
    // So it does for assuming a role.
    let mut assume = custom(&[], &["sts:AssumeRole"], &[ROLE], Context::new());
    assume.policies = identity(ALLOW_ALL);
    assert_eq!(answer(&assume)[0]["EvalDecision"], "allowed");
}

#[test]
fn what_is_no_arn_is_refused_in_iams_words() {
    let wrong = custom(&[DATABASE], &["dynamodb:CreateBackup"], &["table"], Context::new());
    assert_eq!(simulate(&wrong).unwrap_err().to_string(), "ResourceNames are not in a valid ARN format: table.");
    let wrong = custom(&[DATABASE], &["dynamodb:*"], &[], Context::new());
    assert_eq!(simulate(&wrong), Err(SimulationError::Action("dynamodb:*".to_owned())));
}

#[test]
fn context_keys_are_those_of_conditions_and_variables() {
    // The example of get-context-keys-for-custom-policy.
    let example = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}"#;
    let policy = Policy::parse(example, Kind::Identity).unwrap();
    assert_eq!(context_keys([&policy]), ["aws:username", "aws:CurrentTime"]);
    let more = identity(
        r#"{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::b/${*}/${aws:PrincipalTag/team, 'none'}/${AWS:UserName}",
            "Condition": {"StringEquals": {"a:b": ["${aws:userid}", "x"]}}}"#,
    );
    let policies = [&policy, &more.identity[0].policy];
    let expected = ["aws:username", "aws:CurrentTime", "aws:PrincipalTag/team", "a:b", "aws:userid"];
    assert_eq!(context_keys(policies), expected);
}

#[test]
fn an_action_is_about_resources_of_its_own_service() {
    let resources = ["arn:aws:s3:::b/k", ROLE];
    let names = |action: &str| {
        let simulation = custom(&[DATABASE], &[action], &resources, Context::new());
        simulate(&simulation).unwrap().remove(0).eval_resource_name
    };
    assert_eq!(names("iam:PassRole"), "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}");
    assert_eq!(names("s3:GetObject"), "arn:${Partition}:s3:::${BucketName}/${KeyName}");
    assert_eq!(names("sts:AssumeRole"), "arn:${Partition}:s3:::${BucketName}/${KeyName}");
}

#[test]
fn nothing_is_known_of_a_caller_without_a_name() {
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{
        "aws:PrincipalAccount":"111122223333","aws:PrincipalArn":"x","aws:username":"x","aws:PrincipalType":"User"}}}}"#;
    let simulation = custom(&[own], &["s3:GetObject"], &[], Context::new());
    let simulation = Simulation { caller: Caller::unnamed(ACCOUNT), ..simulation };
    let missing = simulate(&simulation).unwrap().remove(0).missing_context_values;
    assert_eq!(missing, ["aws:PrincipalArn", "aws:username", "aws:PrincipalType"]);
}

#[test]
fn values_are_of_the_types_of_context_keys() {
    #[track_caller]
    fn check(name: &str, fits: &[&str], others: &[&str]) {
        for (values, expected) in [(fits, true), (others, false)] {
            for value in values {
                assert_eq!(is_of_type(value, name), expected, "{value} {name}");
            }
        }
    }
    check("string", &["", "anything"], &[]);
    check("numeric", &["1", "-2.5"], &["", "one"]);
    check("numericList", &["1"], &["one"]);
    check("boolean", &["true", "False"], &["1", "yes"]);
    check("dateList", &["2026-11-26T12:00:00Z", "1790000000"], &["tomorrow"]);
    check("ip", &["192.0.2.1", "2001:db8::/32"], &["192.0.2", "host"]);
    check("binary", &["QmluYXJ5"], &[]);
}
