//! Versions of pipelines: every definition that a pipeline has had, listed, described, named and run.

use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::engine::ExecutionStatus;
use sagemaker_fake::{ApiError, Fake};
use serde_json::{Value, json};

use crate::account::{Account, ROLE};

const ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p";
const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A pipeline that ends with these words.
fn saying(message: &str) -> Value {
    let end = json!({"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": message}});
    json!(json!({"Version": "2020-12-01", "Steps": [end]}).to_string())
}

/// An account with a pipeline of two versions.
fn account() -> Account {
    let account = Account::build(Fake::builder().clock(Clock::frozen(NOW)));
    let token = "create-pipeline-token-0000000000000";
    let create =
        json!({"PipelineName": "p", "PipelineDefinition": saying("one"), "RoleArn": ROLE, "ClientRequestToken": token});
    account.call("CreatePipeline", create).unwrap();
    assert_eq!(update(&account, json!({"PipelineDefinition": saying("two")})), 2);
    account
}

/// Updates the pipeline; the version that is the latest then.
fn update(account: &Account, mut members: Value) -> u64 {
    account.fake.clock.advance(std::time::Duration::from_secs(1));
    members["PipelineName"] = json!("p");
    let updated = account.call("UpdatePipeline", members).unwrap();
    assert_eq!(updated["PipelineArn"], ARN);
    updated["PipelineVersionId"].as_u64().unwrap()
}

fn list(account: &Account, mut input: Value) -> Result<Vec<Value>, ApiError> {
    input["PipelineName"] = json!("p");
    Ok(account.call("ListPipelineVersions", input)?["PipelineVersionSummaries"].as_array().unwrap().clone())
}

fn ids(versions: &[Value]) -> Vec<u64> {
    versions.iter().map(|version| version["PipelineVersionId"].as_u64().unwrap()).collect()
}

async fn run(account: &Account, version: Value) -> Value {
    let mut input = json!({"PipelineName": "p", "ClientRequestToken": account.fake.ids.uuid()});
    if !version.is_null() {
        input["PipelineVersionId"] = version;
    }
    let arn = account.call("StartPipelineExecution", input).unwrap()["PipelineExecutionArn"].clone();
    let execution = account.settled(arn.as_str().unwrap()).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    json!([arn, execution.steps[0].failure_reason])
}

#[test]
fn a_version_is_made_by_a_new_definition_and_by_nothing_else() {
    let account = account();
    assert_eq!(update(&account, json!({"PipelineDefinition": saying("two")})), 2, "the same definition");
    let rest = json!({"PipelineDisplayName": "P", "PipelineDescription": "d", "RoleArn": ROLE, "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2}});
    assert_eq!(update(&account, rest), 2);
    // Going back to an earlier definition is going on.
    assert_eq!(update(&account, json!({"PipelineDefinition": saying("one")})), 3);
    let versions = list(&account, json!({})).unwrap();
    assert_eq!(ids(&versions), [3, 2, 1]);
    assert_eq!(
        versions[1],
        json!({"PipelineArn": ARN, "PipelineVersionId": 2, "CreationTime": (NOW.0 as f64 + 1000.0) / 1000.0})
    );
}

#[test]
fn versions_are_listed_in_pages_and_by_time() {
    let account = account();
    for number in 3..=12 {
        update(&account, json!({"PipelineDefinition": saying(&number.to_string())}));
    }
    assert_eq!(ids(&list(&account, json!({})).unwrap()), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    assert_eq!(ids(&list(&account, json!({"SortOrder": "Ascending", "MaxResults": 2})).unwrap()), [1, 2]);
    let page = account.call("ListPipelineVersions", json!({"PipelineName": ARN, "MaxResults": 11})).unwrap();
    let rest = list(&account, json!({"MaxResults": 11, "NextToken": page["NextToken"]}));
    assert_eq!(
        rest.unwrap_err().message,
        "Invalid NextToken: it was not given out by this list.",
        "the list of an ARN"
    );
    let next = json!({"PipelineName": ARN, "MaxResults": 11, "NextToken": page["NextToken"]});
    assert_eq!(
        account.call("ListPipelineVersions", next).unwrap()["PipelineVersionSummaries"][0]["PipelineVersionId"],
        1
    );
    let after = NOW.0 / 1000 + 10;
    assert_eq!(ids(&list(&account, json!({"CreatedAfter": after})).unwrap()), [12, 11]);
    assert_eq!(ids(&list(&account, json!({"CreatedBefore": NOW.0 / 1000 + 1})).unwrap()), [1]);
}

#[test]
fn a_version_is_described_and_named() {
    let account = account();
    let describe = |version: Value| account.call("DescribePipeline", version);
    assert_eq!(describe(json!({"PipelineName": "p"})).unwrap()["PipelineDefinition"], saying("two"));
    let first = json!({"PipelineName": "p", "PipelineVersionId": 1});
    let described = describe(first.clone()).unwrap();
    assert_eq!(described["PipelineDefinition"], saying("one"));
    assert_eq!(described.get("PipelineVersionDescription"), None);

    let change = |members: Value| {
        let mut input = json!({"PipelineArn": ARN, "PipelineVersionId": 1});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        assert_eq!(
            account.call("UpdatePipelineVersion", input).unwrap(),
            json!({"PipelineArn": ARN, "PipelineVersionId": 1})
        );
    };
    change(json!({"PipelineVersionDisplayName": "baseline", "PipelineVersionDescription": "before the new features"}));
    change(json!({"PipelineVersionDescription": "as published"}));
    let described = describe(first).unwrap();
    assert_eq!(
        (&described["PipelineVersionDisplayName"], &described["PipelineVersionDescription"]),
        (&json!("baseline"), &json!("as published"))
    );
    let listed = &list(&account, json!({"SortOrder": "Ascending"})).unwrap()[0];
    assert_eq!(
        (&listed["PipelineVersionDisplayName"], &listed["PipelineVersionDescription"]),
        (&json!("baseline"), &json!("as published"))
    );
    assert_eq!(describe(json!({"PipelineName": "p"})).unwrap().get("PipelineVersionDisplayName"), None);
}

#[tokio::test]
async fn an_execution_is_of_the_latest_version_unless_another_is_named() {
    let account = account();
    let latest = run(&account, Value::Null).await;
    let first = run(&account, json!(1)).await;
    assert_eq!((&latest[1], &first[1]), (&json!("two"), &json!("one")));
    for (execution, version) in [(&latest, 2), (&first, 1)] {
        let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": execution[0]}));
        assert_eq!(described.unwrap()["PipelineVersionId"], version);
        let kept =
            account.call("DescribePipelineDefinitionForExecution", json!({"PipelineExecutionArn": execution[0]}));
        assert_eq!(kept.unwrap()["PipelineDefinition"], saying(execution[1].as_str().unwrap()));
    }
    let versions = list(&account, json!({})).unwrap();
    let last: Vec<_> = versions.iter().map(|version| version["LastExecutionPipelineExecutionArn"].clone()).collect();
    assert_eq!(last, [latest[0].clone(), first[0].clone()]);
}

#[test]
fn versions_that_there_are_not_are_refused_and_go_with_their_pipeline() {
    let account = account();
    let no_third = ApiError::not_found(format!("Pipeline '{ARN}' has no version 3."));
    let start = json!({"PipelineName": "p", "PipelineVersionId": 3, "ClientRequestToken": account.fake.ids.uuid()});
    for (operation, input) in [
        ("DescribePipeline", json!({"PipelineName": "p", "PipelineVersionId": 3})),
        ("StartPipelineExecution", start),
        ("UpdatePipelineVersion", json!({"PipelineArn": ARN, "PipelineVersionId": 3})),
    ] {
        assert_eq!(account.call(operation, input).unwrap_err(), no_third, "{operation}");
    }
    let zero = account.call("DescribePipeline", json!({"PipelineName": "p", "PipelineVersionId": 0})).unwrap_err();
    assert_eq!(zero.code, "ValidationException");
    let delete = json!({"PipelineName": "p", "ClientRequestToken": "delete-pipeline-token-0000000000000"});
    account.call("DeletePipeline", delete).unwrap();
    assert_eq!(list(&account, json!({})).unwrap_err().code, "ResourceNotFound");
    account.pipeline("p", &crate::account::definition([]));
    assert_eq!(ids(&list(&account, json!({})).unwrap()), [1], "a new pipeline of the same name begins anew");
}
