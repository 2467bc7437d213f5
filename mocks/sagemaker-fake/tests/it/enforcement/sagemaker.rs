//! SageMaker, CloudWatch Logs, Service Quotas and IAM: allowed, or refused in AWS's own sentence.

use serde_json::json;

use super::{ann, policy, role, role_arn, start, trust, with_ann};
use crate::clients::{REGION, arn, sagemaker_as, said};
use aws_sdk_sagemaker::types::Tag;

const ANN: &str = "arn:aws:iam::111122223333:user/ann";

fn refused(action: &str, on: &str) -> String {
    format!(
        "User: {ANN} is not authorized to perform: {action} on resource: {on} because no identity-based policy allows the {action} \
         action"
    )
}

/// Whoever lacks an action is told so before anything is looked up; whoever has it is told what there is.
#[tokio::test]
async fn reading_needs_the_action_on_the_resource() {
    let check = async |documents: &[String], expected: (&str, &str)| {
        let aws = start(with_ann(documents)).await;
        let answer = sagemaker_as(&aws, ann(), REGION).describe_pipeline().pipeline_name("MyPipe").send().await;
        let (code, message) = said(answer);
        assert_eq!((code.as_str(), message.as_str()), expected);
    };
    let on = arn("pipeline/mypipe");
    let sentence = refused("sagemaker:DescribePipeline", &on);
    let denied = ("AccessDeniedException", sentence.as_str());
    let absent = format!("Pipeline '{}' does not exist.", arn("pipeline/MyPipe"));
    check(&[], denied).await;
    check(&[policy("Allow", &["sagemaker:ListPipelines"], "*")], denied).await;
    check(&[policy("Allow", &["sagemaker:Describe*"], &arn("model/*"))], denied).await;
    // SageMaker asks with names in lower case.
    check(&[policy("Allow", &["sagemaker:Describe*"], &arn("pipeline/MyPipe"))], denied).await;
    check(&[policy("Allow", &["sagemaker:Describe*"], &on)], ("ResourceNotFound", &absent)).await;
    let explicit = format!(
        "User: {ANN} is not authorized to perform: sagemaker:DescribePipeline on resource: {on} with an explicit deny in an \
         identity-based policy"
    );
    let both = [policy("Allow", &["*"], "*"), policy("Deny", &["sagemaker:*"], "*")];
    check(&both, ("AccessDeniedException", &explicit)).await;
}

#[tokio::test]
async fn lists_are_about_no_resource() {
    let aws = start(with_ann(&[])).await;
    let (code, message) = said(sagemaker_as(&aws, ann(), REGION).list_models().send().await);
    assert_eq!(code, "AccessDeniedException");
    let expected = format!(
        "User: {ANN} is not authorized to perform: sagemaker:ListModels because no identity-based policy allows the \
         sagemaker:ListModels action"
    );
    assert_eq!(message, expected);
}

#[tokio::test]
async fn what_is_wrong_in_shape_is_said_first() {
    let aws = start(with_ann(&[])).await;
    let (code, _) = said(sagemaker_as(&aws, ann(), REGION).describe_pipeline().pipeline_name("no/name!").send().await);
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn a_role_that_is_handed_on_must_be_passed() {
    let own = trust(r#"{"Service": "sagemaker.amazonaws.com"}"#);
    let create = policy("Allow", &["sagemaker:CreateModel"], "*");
    let check = async |documents: &[String], expected: Result<(), String>| {
        let mut scenario = with_ann(documents);
        scenario.roles.push(role("model", &own, &[policy("Allow", &["*"], "*")]));
        let aws = start(scenario).await;
        let container = aws_sdk_sagemaker::types::ContainerDefinition::builder()
            .image("111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:1")
            .build();
        let client = sagemaker_as(&aws, ann(), REGION);
        let create = client.create_model().model_name("m").execution_role_arn(role_arn("model"));
        let answer = create.primary_container(container).send().await;
        assert_eq!(answer.map(drop).map_err(|error| said::<(), _>(Err(error)).1), expected);
    };
    let pass = |service: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "{}",
                "Condition": {{"StringEquals": {{"iam:PassedToService": "{service}"}}}}}}}}"#,
            role_arn("model")
        )
    };
    let refused = Err(refused("iam:PassRole", &role_arn("model")));
    check(std::slice::from_ref(&create), refused.clone()).await;
    check(&[create.clone(), policy("Allow", &["iam:PassRole"], &role_arn("other"))], refused.clone()).await;
    check(&[create.clone(), pass("lambda.amazonaws.com")], refused).await;
    check(&[create, pass("sagemaker.amazonaws.com")], Ok(())).await;
}

#[tokio::test]
async fn what_is_made_with_tags_is_tagged() {
    let create = policy("Allow", &["sagemaker:CreateModelPackageGroup"], "*");
    let only_project = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sagemaker:AddTags", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestTag/Project": "sts"}, "ForAllValues:StringEquals": {"aws:TagKeys": "Project"}}}}"#;
    let check = async |documents: &[String], tags: &[(&str, &str)], is_allowed: bool| {
        let aws = start(with_ann(documents)).await;
        let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
        let tags = (!tags.is_empty()).then(|| tags.iter().map(tag).collect());
        let client = sagemaker_as(&aws, ann(), REGION);
        let answer = client.create_model_package_group().model_package_group_name("g").set_tags(tags).send().await;
        match is_allowed {
            true => drop(answer.unwrap()),
            false => assert_eq!(said(answer).1, refused("sagemaker:AddTags", &arn("model-package-group/g"))),
        }
    };
    check(std::slice::from_ref(&create), &[], true).await;
    check(std::slice::from_ref(&create), &[("Project", "sts")], false).await;
    let conditional = [create, only_project.to_owned()];
    check(&conditional, &[("Project", "sts")], true).await;
    check(&conditional, &[("Project", "other")], false).await;
    check(&conditional, &[("Project", "sts"), ("Owner", "me")], false).await;
}

/// Condition keys from the request, and from the tags of the resource.
#[tokio::test]
async fn conditions_look_at_the_request_and_at_the_resource() {
    let condition = |action: &str, operator: &str, key: &str, value: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*",
                "Condition": {{"{operator}": {{"{key}": "{value}"}}}}}}}}"#
        )
    };
    let check = async |document: String, is_allowed: bool| {
        let aws = start(with_ann(std::slice::from_ref(&document))).await;
        let tags = Tag::builder().key("Project").value("sts").build();
        let session = super::session(&aws).await;
        let group = sagemaker_as(&aws, session, REGION).create_model_package_group().model_package_group_name("G");
        group.tags(tags).send().await.unwrap();
        let client = sagemaker_as(&aws, ann(), REGION);
        let answer = client.describe_model_package_group().model_package_group_name("G").send().await;
        assert_eq!(answer.is_ok(), is_allowed, "{document}");
    };
    let describe = "sagemaker:DescribeModelPackageGroup";
    check(condition(describe, "StringEquals", "aws:ResourceTag/Project", "sts"), true).await;
    check(condition(describe, "StringEquals", "sagemaker:ResourceTag/Project", "sts"), true).await;
    check(condition(describe, "StringEquals", "aws:ResourceTag/Project", "other"), false).await;
    check(condition(describe, "StringEquals", "aws:RequestedRegion", REGION), true).await;
    check(condition(describe, "StringEquals", "aws:RequestedRegion", "us-east-1"), false).await;
    check(condition(describe, "IpAddress", "aws:SourceIp", "127.0.0.0/8"), true).await;
    check(condition(describe, "Bool", "aws:SecureTransport", "true"), true).await;
    check(condition(describe, "StringEquals", "aws:ResourceAccount", "111122223333"), true).await;
    check(condition(describe, "DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"), false).await;
    check(condition(describe, "StringEquals", "aws:username", "ann"), true).await;
}

/// The steps of a pipeline run as its role, and say so when they may not.
#[tokio::test]
async fn a_step_is_authorised_as_the_role_of_the_pipeline() {
    use crate::account::{Account, processing_job};
    use sagemaker_fake::engine::ExecutionStatus;

    let mut scenario = super::without(&["sagemaker:CreateProcessingJob"]);
    scenario.users[0].policies.inline = [("all".to_owned(), policy("Allow", &["*"], "*"))].into();
    let account = Account::build(sagemaker_fake::Fake::builder().scenario(scenario).enforce_iam(true));
    let mut arguments = processing_job("x", "true");
    arguments.as_object_mut().unwrap().remove("ProcessingJobName");
    let definition =
        json!({"Version": "2020-12-01", "Steps": [{"Name": "Step", "Type": "Processing", "Arguments": arguments}]});
    let input = json!({"PipelineName": "p", "PipelineDefinition": definition.to_string(), "RoleArn": crate::clients::ROLE,
        "ClientRequestToken": "create-pipeline-token-000000000000000"});
    account.call("CreatePipeline", input).unwrap();
    let execution = account.settled(&account.start("p", &[]).unwrap()).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let reason = execution.step("Step").unwrap().failure_reason.clone().unwrap();
    let begins = "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: User: \
                  arn:aws:sts::111122223333:assumed-role/sts-execution/SageMaker is not authorized to perform: \
                  sagemaker:CreateProcessingJob on resource: arn:aws:sagemaker:eu-west-1:111122223333:processing-job/";
    assert!(reason.starts_with(begins), "{reason}");
}
