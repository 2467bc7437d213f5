//! CloudWatch Logs: what jobs printed, read through AWS's API.

use sagemaker_fake::ApiError;
use sagemaker_fake::account::Caller;
use sagemaker_fake::fake::Context;
use sagemaker_fake::protocol::Service;
use serde_json::{Value, json};

use crate::account::{Account, REGION, processing_job};

const GROUP: &str = "/aws/sagemaker/ProcessingJobs";

fn call(account: &Account, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let (arn, user_id) = ("arn:aws:iam::111122223333:user/sts-developer".to_owned(), "AIDAEXAMPLE".to_owned());
    let caller = Caller { arn, user_id, account: account.fake.account().to_owned(), session: None };
    let output = sagemaker_fake::logs::call(&Context::new(&account.fake, &caller, REGION), operation, input)?;
    assert_eq!(Service::Logs.api().faults_of_output(operation, &output), [""; 0], "{operation} answers {output}");
    Ok(output)
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

async fn printed() -> (Account, String) {
    let account = Account::new();
    account.process(processing_job("one", "for number in 1 2 3 4 5; do echo line $number; done")).await;
    let streams =
        call(&account, "DescribeLogStreams", &json!({"logGroupName": GROUP, "logStreamNamePrefix": "one/"})).unwrap();
    let stream = streams["logStreams"][0].clone();
    assert!(stream["firstEventTimestamp"].as_i64() <= stream["lastEventTimestamp"].as_i64());
    (account, stream["logStreamName"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn groups_and_streams_are_listed() {
    let (account, stream) = printed().await;
    let groups = call(&account, "DescribeLogGroups", &json!({"logGroupNamePrefix": "/aws/sagemaker/"})).unwrap();
    assert_eq!(groups["logGroups"][0]["logGroupName"], GROUP);
    assert_eq!(
        call(&account, "DescribeLogGroups", &json!({"logGroupNamePrefix": "/aws/lambda"})).unwrap(),
        json!({"logGroups": []})
    );
    assert!(stream.starts_with("one/algo-1-"), "{stream}");
}

#[tokio::test]
async fn events_are_read_from_either_end_and_go_on() {
    let (account, stream) = printed().await;
    let get = |more: Value| {
        let mut input = json!({"logGroupName": GROUP, "logStreamName": stream, "limit": 2});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(&account, "GetLogEvents", &input).unwrap()
    };
    let first = get(json!({"startFromHead": true}));
    assert_eq!(messages(&first), ["line 1", "line 2"]);
    let second = get(json!({"nextToken": first["nextForwardToken"]}));
    assert_eq!(messages(&second), ["line 3", "line 4"]);
    let third = get(json!({"nextToken": second["nextForwardToken"]}));
    assert_eq!(messages(&third), ["line 5"]);
    // The end is where the token stays the same.
    let end = get(json!({"nextToken": third["nextForwardToken"]}));
    assert_eq!((messages(&end).len(), &end["nextForwardToken"]), (0, &third["nextForwardToken"]));
    let last = get(json!({}));
    assert_eq!(messages(&last), ["line 4", "line 5"]);
    assert_eq!(messages(&get(json!({"nextToken": last["nextBackwardToken"]}))), ["line 2", "line 3"]);
    let wrong = json!({"logGroupName": GROUP, "logStreamName": stream, "nextToken": "guess"});
    assert_eq!(call(&account, "GetLogEvents", &wrong).unwrap_err().code, "InvalidParameterException");
}

#[tokio::test]
async fn events_are_found_by_words() {
    let (account, stream) = printed().await;
    let found =
        call(&account, "FilterLogEvents", &json!({"logGroupName": GROUP, "filterPattern": "\"line\" 3"})).unwrap();
    assert_eq!(messages(&found), ["line 3"]);
    assert_eq!(found["events"][0]["logStreamName"], stream);
    let mut input = json!({"logGroupName": GROUP, "limit": 3});
    let first = call(&account, "FilterLogEvents", &input).unwrap();
    input["nextToken"] = first["nextToken"].clone();
    let rest = call(&account, "FilterLogEvents", &input).unwrap();
    assert_eq!([messages(&first), messages(&rest)].concat(), ["line 1", "line 2", "line 3", "line 4", "line 5"]);
    assert!(rest.get("nextToken").is_none());
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let (account, _) = printed().await;
    let check = |operation: &str, input: Value, sentence: &str| {
        assert_eq!(
            call(&account, operation, &input).unwrap_err(),
            ApiError::new("ResourceNotFoundException", sentence)
        );
    };
    check("DescribeLogStreams", json!({"logGroupName": "/none"}), "The specified log group does not exist.");
    check(
        "GetLogEvents",
        json!({"logGroupName": GROUP, "logStreamName": "none"}),
        "The specified log stream does not exist.",
    );
}

#[tokio::test]
async fn a_group_is_made_set_up_and_deleted() {
    let (account, _) = printed().await;
    let of = |name: &str| {
        let groups = call(&account, "DescribeLogGroups", &json!({"logGroupNamePrefix": name})).unwrap();
        groups["logGroups"].as_array().unwrap().clone()
    };
    let named = json!({"logGroupName": "/sts/own"});
    call(&account, "CreateLogGroup", &json!({"logGroupName": "/sts/own", "tags": {"Project": "sts"}})).unwrap();
    let exists = ApiError::new("ResourceAlreadyExistsException", "The specified log group already exists");
    assert_eq!(call(&account, "CreateLogGroup", &named).unwrap_err(), exists);
    assert_eq!(call(&account, "CreateLogGroup", &json!({"logGroupName": GROUP})).unwrap_err(), exists);
    assert_eq!((of("/sts/own")[0]["logGroupClass"].as_str(), of("/sts/own").len()), (Some("STANDARD"), 1));

    let tagged = json!({"resourceArn": of("/sts/own")[0]["logGroupArn"]});
    let tags = || call(&account, "ListTagsForResource", &tagged).unwrap()["tags"].clone();
    let with = |member: &str, value: Value| {
        let mut input = tagged.clone();
        input[member] = value;
        input
    };
    call(&account, "TagResource", &with("tags", json!({"Owner": "ann"}))).unwrap();
    assert_eq!(tags(), json!({"Owner": "ann", "Project": "sts"}));
    call(&account, "UntagResource", &with("tagKeys", json!(["Project"]))).unwrap();
    assert_eq!(tags(), json!({"Owner": "ann"}));

    call(&account, "DeleteLogGroup", &named).unwrap();
    let missing = ApiError::new("ResourceNotFoundException", "The specified log group does not exist.");
    for (operation, input) in
        [("DeleteLogGroup", &named), ("DeleteRetentionPolicy", &named), ("ListTagsForResource", &tagged)]
    {
        assert_eq!(call(&account, operation, input).unwrap_err(), missing, "{operation}");
    }
}

#[tokio::test]
async fn events_are_shown_as_long_as_their_group_keeps_them() {
    let (account, stream) = printed().await;
    let shown = || {
        let of_stream =
            call(&account, "GetLogEvents", &json!({"logGroupName": GROUP, "logStreamName": stream})).unwrap();
        let of_group = call(&account, "FilterLogEvents", &json!({"logGroupName": GROUP})).unwrap();
        assert_eq!(messages(&of_stream), messages(&of_group));
        messages(&of_group).len()
    };
    let keep = |days: u64| json!({"logGroupName": GROUP, "retentionInDays": days});
    assert_eq!(call(&account, "PutRetentionPolicy", &keep(2)).unwrap_err().code, "InvalidParameterException");
    call(&account, "PutRetentionPolicy", &keep(3)).unwrap();
    let group = call(&account, "DescribeLogGroups", &json!({"logGroupNamePrefix": GROUP})).unwrap();
    assert_eq!(group["logGroups"][0]["retentionInDays"], 3);
    assert_eq!(shown(), 5);
    account.fake.advance(std::time::Duration::from_secs(3 * 86_400)).unwrap();
    assert_eq!(shown(), 0);
    call(&account, "DeleteRetentionPolicy", &json!({"logGroupName": GROUP})).unwrap();
    assert_eq!(shown(), 5, "the fake hides events, where AWS deletes them in the end");
    call(&account, "DeleteLogGroup", &json!({"logGroupName": GROUP})).unwrap();
    assert_eq!(
        call(&account, "FilterLogEvents", &json!({"logGroupName": GROUP})).unwrap_err().code,
        "ResourceNotFoundException"
    );
}
