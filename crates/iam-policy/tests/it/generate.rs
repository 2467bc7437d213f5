//! The documents for the toolkit's users: as the README prints them, and doing what they are for.

use iam_policy::{
    Attached, Caller, Kind, Policies, Policy, Request, assume_role,
    document::check,
    evaluate,
    generate::{Documents, Feature, Repository, Settings, Terraform, grants},
};
use serde_json::Value;

use crate::fixtures::{ACCOUNT, resource};

const CALLER: &str = "arn:aws:iam::111122223333:user/sts-developer";
const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/sts-execution/stsmm-run";

fn settings() -> Settings {
    Settings::new(ACCOUNT, "eu-west-1", CALLER, "sts-execution")
}

/// The JSON blocks of the README's section on permissions.
fn documented() -> Vec<Value> {
    let readme = include_str!("../../../../README.md");
    let section = readme.split("## Permissions").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let blocks = section.split("```json").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

#[test]
fn the_defaults_are_the_readmes_documents() {
    let Documents { identity, trust, role } = settings().documents(&Feature::ALL);
    let made = [identity, trust, role].map(|policy| serde_json::to_value(policy).unwrap());
    for (made, documented) in made.iter().zip(documented()) {
        assert_eq!(made, &documented, "{made:#}");
    }
    assert_eq!(documented().len(), 3);
}

#[test]
fn what_is_written_reads_back_without_a_complaint() {
    let settings = Settings { kms_key: Some("arn:aws:kms:eu-west-1:111122223333:key/a".to_owned()), ..settings() };
    let Documents { identity, trust, role } = settings.documents(&Feature::ALL);
    for policy in [identity, trust, role] {
        for text in [policy.to_text(), serde_json::to_string(&policy).unwrap()] {
            let (read, problems) = check(&text, policy.kind);
            assert!(problems.is_empty(), "{problems:#?}");
            assert_eq!(serde_json::to_value(read).unwrap(), serde_json::to_value(&policy).unwrap());
            assert!(text.lines().all(|line| line.chars().count() <= 120) || !text.contains("\n  "), "{text}");
        }
    }
}

fn attached(policy: Policy) -> Vec<Attached> {
    vec![Attached::new("generated", policy)]
}

fn caller_policies(documents: &Documents) -> Policies {
    let trust = Attached::new("trust", documents.trust.clone());
    Policies { identity: attached(documents.identity.clone()), resource: Some(trust), ..Policies::default() }
}

#[test]
fn the_caller_gets_in_with_tags_and_sagemaker_for_its_account_alone() {
    let documents = settings().documents(&Feature::ALL);
    let policies = caller_policies(&documents);
    let assume = |caller| Request::new(caller, "sts:AssumeRole", ROLE);
    let tagged = assume(Caller::user(CALLER)).with("aws:RequestTag/Project", "sts");
    assert!(assume_role(&tagged, &policies).1.is_allowed());
    let stranger = assume(Caller::user("arn:aws:iam::111122223333:user/other"));
    assert!(!evaluate(&stranger, &policies).is_allowed());
    for (account, expected) in [(ACCOUNT, true), ("444455556666", false)] {
        let request = assume(Caller::service("sagemaker.amazonaws.com")).with("aws:SourceAccount", account);
        assert_eq!(evaluate(&request, &policies).is_allowed(), expected, "{account}");
    }
}

#[test]
fn the_role_can_do_its_work_and_no_more() {
    let documents = settings().documents(&Feature::ALL);
    let policies = Policies { identity: attached(documents.role), ..Policies::default() };
    #[track_caller]
    fn check(policies: &Policies, action: &str, resource: &str, key: Option<(&str, &str)>, expected: bool) {
        let mut request = Request::new(Caller::session(SESSION, ROLE), action, resource);
        if let Some((key, value)) = key {
            request = request.with(key, value);
        }
        let decision = evaluate(&request, policies);
        assert_eq!(decision.is_allowed(), expected, "{action} on {resource}: {decision:?}");
    }
    let ours = Some(("aws:ResourceAccount", ACCOUNT));
    let theirs = Some(("aws:ResourceAccount", "444455556666"));
    let check = |action: &str, resource: &str, key: Option<(&str, &str)>, expected| {
        check(&policies, action, resource, key, expected);
    };
    let object = "arn:aws:s3:::sagemaker-eu-west-1-111122223333/sts/x";
    check("s3:PutObject", object, ours, true);
    check("s3:PutObject", object, theirs, false);
    check("s3:PutObject", object, None, false);
    check("s3:ListBucket", "arn:aws:s3:::sagemaker-eu-west-1-111122223333", ours, true);
    check("s3:GetObject", "arn:aws:s3:::other/x", ours, false);
    check("s3:DeleteBucket", "arn:aws:s3:::sagemaker-eu-west-1-111122223333", ours, false);
    let pipeline = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/";
    check("sagemaker:StartPipelineExecution", &format!("{pipeline}stspipeline"), None, true);
    check("sagemaker:DescribePipelineExecution", &format!("{pipeline}stsPipeline/execution/ab"), None, true);
    check("sagemaker:StartPipelineExecution", &format!("{pipeline}other"), None, false);
    check("iam:PassRole", ROLE, Some(("iam:PassedToService", "sagemaker.amazonaws.com")), true);
    check("iam:PassRole", ROLE, Some(("iam:PassedToService", "lambda.amazonaws.com")), false);
    check("iam:CreateUser", "arn:aws:iam::111122223333:user/x", None, false);
    check("ecr:GetAuthorizationToken", "*", None, true);
}

#[test]
fn the_analyzer_of_aws_is_pulled_where_its_own_repository_allows_it() {
    let role = attached(settings().documents(&Feature::ALL).role);
    let analyzer = "arn:aws:ecr:eu-west-1:468650794304:repository/sagemaker-model-monitor-analyzer";
    let everyone = r#"{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Resource": "*"}"#;
    let request = Request::new(Caller::session(SESSION, ROLE), "ecr:BatchGetImage", analyzer);
    for (repository, identity, expected) in [
        (resource(everyone), role.clone(), true),
        (resource(everyone), Vec::new(), false),
        (Policies::default(), role.clone(), false),
    ] {
        assert_eq!(evaluate(&request, &Policies { identity, ..repository }).is_allowed(), expected);
    }
}

#[test]
fn every_permission_has_its_feature_and_leaves_with_it() {
    for feature in Feature::ALL {
        let others: Vec<_> = Feature::ALL.into_iter().filter(|other| *other != feature).collect();
        let made = settings().documents(&others).role;
        let has = |sid: &str, action: &str| {
            let statement = made.statements.iter().find(|statement| statement.sid.as_deref() == Some(sid));
            statement.is_some_and(|statement| statement.actions.patterns.iter().any(|pattern| pattern == action))
        };
        for grant in grants().filter(|grant| grant.sid != "Key") {
            assert_eq!(has(grant.sid, grant.action), grant.feature != feature, "{grant:?} without {feature:?}");
        }
    }
    let run = settings().documents(&[Feature::Run]).role;
    assert!(run.statements.iter().all(|statement| statement.sid.as_deref() != Some("Monitoring")));
    assert!(settings().documents(&[]).role.statements.is_empty());
}

#[test]
fn other_partitions_paths_and_names_are_followed() {
    let chinese = Settings::new(ACCOUNT, "cn-north-1", CALLER, "/service-role/work");
    assert_eq!(chinese.role_arn(), "arn:aws-cn:iam::111122223333:role/service-role/work");
    let text = Settings { pipeline: "lower".to_owned(), ..chinese }.documents(&Feature::ALL).role.to_text();
    assert_eq!(text.matches("pipeline/lower\"").count(), 1);
    assert!(text.contains("arn:aws-cn:ecr:cn-north-1:453000072557:repository/sagemaker-model-monitor-analyzer"));
    assert!(!text.contains("arn:aws:"), "{text}");
    // No analyzer there: our own image alone.
    let text = Settings::new(ACCOUNT, "xx-nowhere-1", CALLER, "work").documents(&Feature::ALL).role.to_text();
    assert!(!text.contains("model-monitor"));
}

#[test]
fn the_repository_of_an_image_is_found() {
    #[track_caller]
    fn check(image: &str, expected: Option<[&str; 3]>) {
        let found = Repository::of_image(image);
        let found = found.as_ref().map(|r| [r.account.as_str(), r.region.as_str(), r.name.as_str()]);
        assert_eq!(found, expected, "{image}");
    }
    let ours = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/sts-container";
    let expected = Some([ACCOUNT, "eu-west-1", "team/sts-container"]);
    check(ours, expected);
    check(&format!("{ours}:1.0"), expected);
    check(&format!("{ours}@sha256:ab"), expected);
    check("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/x:y", Some([ACCOUNT, "cn-north-1", "x"]));
    check("docker.io/library/python:3", None);
    check("python", None);
}

#[test]
fn terraform_has_every_statement() {
    let settings = Settings { role: "service-role/work".to_owned(), ..settings() };
    let documents = settings.documents(&Feature::ALL);
    let text = Terraform(&settings, &documents).to_string();
    let trust = r#"data "aws_iam_policy_document" "trust" {
  statement {
    sid    = "UserMayAssume"
    effect = "Allow"
    actions = [
      "sts:AssumeRole",
      "sts:TagSession",
    ]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:user/sts-developer"]
    }
  }

  statement {
    sid     = "SageMakerMayAssume"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["111122223333"]
    }
  }
}
"#;
    assert!(text.starts_with(trust), "{text}");
    let statements = [&documents.identity, &documents.trust, &documents.role].map(|policy| policy.statements.len());
    assert_eq!(text.matches("  statement {").count(), statements.iter().sum::<usize>());
    assert!(text.contains("  name               = \"work\"\n  path               = \"/service-role/\"\n"), "{text}");
    assert!(text.ends_with(
        "resource \"aws_iam_user_policy\" \"caller\" {\n  name   = \"assume-work\"\n  user   = \"sts-developer\"\n  \
         policy = data.aws_iam_policy_document.caller.json\n}\n"
    ));
    assert_eq!(text.matches('{').count(), text.matches('}').count());
}

#[test]
fn policies_of_other_people_are_written_as_they_were_read() {
    #[track_caller]
    fn same(kind: Kind, text: &str) {
        let policy = Policy::parse(text, kind).unwrap();
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&policy).unwrap(), expected);
        let read: Value = serde_json::from_str(&policy.to_text()).unwrap();
        assert_eq!(read, expected);
    }
    same(
        Kind::Resource,
        r#"{"Version": "2012-10-17", "Id": "x", "Statement": [{"Effect": "Deny", "NotPrincipal": {"AWS": ["111122223333", "444455556666"],
            "Service": "s3.amazonaws.com"}, "NotAction": ["s3:*", "iam:*"], "NotResource": "arn:aws:s3:::b/${aws:username}",
            "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": ["a", "b"]}, "Null": {"aws:TokenIssueTime": "true"},
            "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/a"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/b"}}}]}"#,
    );
    same(
        Kind::Identity,
        r#"{"Version": "2008-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
    );
}
