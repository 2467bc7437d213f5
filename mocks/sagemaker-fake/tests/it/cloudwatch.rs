//! CloudWatch: its operations, and its three protocols over the wire.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::protocol::signature::Request;
use sagemaker_fake::protocol::{self, Checked};
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{ApiError, Fake};
use serde_json::{Value, json};

use crate::account::Account;
use crate::clients::{raw, signed_for};

/// 2026-11-26T10:00:00Z.
const NOW: i64 = 1_795_687_200;

fn account() -> Account {
    Account::build(Fake::builder().clock(Clock::frozen(Timestamp(NOW * 1000))))
}

/// Values of the metric `m` of the namespace `n` at seconds before now.
fn put(account: &Account, values: &[(i64, f64)]) {
    let datum = |(ago, value): &(i64, f64)| json!({"MetricName": "m", "Timestamp": NOW - ago, "Value": value});
    let data: Vec<_> = values.iter().map(datum).collect();
    account.cloudwatch("PutMetricData", json!({"Namespace": "n", "MetricData": data})).unwrap();
}

fn query(id: &str, stat: &str, period: i64) -> Value {
    json!({"Id": id, "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": period, "Stat": stat}})
}

#[tokio::test]
async fn statistics_of_a_period_are_those_of_its_values() {
    let account = account();
    put(&account, &[(600, 1.0), (590, 2.0), (300, 6.0), (3600, 5.0)]);
    let statistics = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"];
    let input = json!({
        "Namespace": "n", "MetricName": "m", "StartTime": NOW - 3600, "EndTime": NOW, "Period": 3600, "Statistics": statistics});
    let answer = account.cloudwatch("GetMetricStatistics", input).unwrap();
    let expected = json!({"Label": "m", "Datapoints": [{
        "Timestamp": (NOW - 3600) as f64, "Unit": "None", "Average": 3.5, "Sum": 14.0, "Minimum": 1.0, "Maximum": 6.0, "SampleCount": 4.0}]});
    assert_eq!(answer, expected);

    let data = |queries: Vec<Value>| {
        account
            .cloudwatch("GetMetricData", json!({"MetricDataQueries": queries, "StartTime": NOW - 3600, "EndTime": NOW}))
    };
    for (stat, newest_first) in [
        ("Average", [6.0, 1.5, 5.0]),
        ("Sum", [6.0, 3.0, 5.0]),
        ("Minimum", [6.0, 1.0, 5.0]),
        ("Maximum", [6.0, 2.0, 5.0]),
        ("SampleCount", [1.0, 2.0, 1.0]),
    ] {
        let result = data(vec![query("q", stat, 60)]).unwrap()["MetricDataResults"][0].clone();
        assert_eq!((&result["Values"], &result["StatusCode"]), (&json!(newest_first), &json!("Complete")), "{stat}");
        assert_eq!(result["Timestamps"], json!([(NOW - 300) as f64, (NOW - 600) as f64, (NOW - 3600) as f64]));
    }
    let error = data(vec![json!({"Id": "e", "Expression": "SUM(METRICS())"})]).unwrap_err();
    assert!(error.code == "ValidationError" && error.message.contains("no metric math: the query e"), "{error}");
}

#[tokio::test]
async fn values_may_come_as_sets_and_with_counts() {
    let account = account();
    let set = json!({"SampleCount": 3.0, "Sum": 6.0, "Minimum": 1.0, "Maximum": 3.0});
    let data = json!([
        {"MetricName": "m", "StatisticValues": set, "Unit": "Count"},
        {"MetricName": "m", "Values": [10.0, 20.0], "Counts": [1.0, 2.0], "Unit": "Count"},
        {"MetricName": "m", "Value": 7.0, "Unit": "Seconds"},
    ]);
    account.cloudwatch("PutMetricData", json!({"Namespace": "n", "MetricData": data})).unwrap();
    let input = json!({
        "Namespace": "n", "MetricName": "m", "StartTime": NOW - 60, "EndTime": NOW + 60, "Period": 60, "Statistics": ["Sum", "SampleCount"]});
    let points = account.cloudwatch("GetMetricStatistics", input).unwrap()["Datapoints"].clone();
    let point = |unit: &str, sum: f64, count: f64| json!({"Timestamp": NOW as f64, "Unit": unit, "Sum": sum, "SampleCount": count});
    assert_eq!(points, json!([point("Count", 56.0, 6.0), point("Seconds", 7.0, 1.0)]));
}

#[tokio::test]
async fn metrics_are_listed_by_what_they_have_for_two_weeks() {
    let account = account();
    let datum = |name: &str, dimensions: &[(&str, &str)]| {
        let dimensions: Vec<_> = dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
        json!({"MetricName": name, "Value": 1.0, "Dimensions": dimensions})
    };
    let data = [datum("a", &[]), datum("a", &[("E", "x"), ("V", "1")]), datum("b", &[("V", "1"), ("E", "y")])];
    account.cloudwatch("PutMetricData", json!({"Namespace": "n", "MetricData": data})).unwrap();
    account.cloudwatch("PutMetricData", json!({"Namespace": "n/deeper", "MetricData": [datum("c", &[])]})).unwrap();
    let names = |input: Value| {
        let metrics = account.cloudwatch("ListMetrics", input).unwrap()["Metrics"].as_array().unwrap().clone();
        metrics.iter().map(|metric| metric["MetricName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})).len(), 4);
    assert_eq!(names(json!({"Namespace": "n"})), ["a", "a", "b"]);
    assert_eq!(names(json!({"MetricName": "c"})), ["c"]);
    assert_eq!(names(json!({"Dimensions": [{"Name": "E"}]})), ["a", "b"]);
    assert_eq!(names(json!({"Dimensions": [{"Name": "E", "Value": "y"}, {"Name": "V"}]})), ["b"]);
    account.fake.advance(Duration::from_secs(4 * 3600)).unwrap();
    assert_eq!(names(json!({"RecentlyActive": "PT3H"})), [""; 0]);
    assert_eq!(names(json!({})).len(), 4);
    account.fake.advance(Duration::from_secs(14 * 86_400)).unwrap();
    assert_eq!(names(json!({})), [""; 0]);
}

#[tokio::test]
async fn long_answers_come_in_pages() {
    let account = account();
    let values: Vec<_> = (0..5).map(|minute| (minute * 60, minute as f64)).collect();
    put(&account, &values);
    let queries = [query("one", "Sum", 60), query("two", "Maximum", 60)];
    let mut input =
        json!({"MetricDataQueries": queries, "StartTime": NOW - 3600, "EndTime": NOW + 60, "MaxDatapoints": 4});
    let mut pages = Vec::new();
    loop {
        let answer = account.cloudwatch("GetMetricData", input.clone()).unwrap();
        let counts = |result: &Value| result["Values"].as_array().unwrap().len();
        pages.push(answer["MetricDataResults"].as_array().unwrap().iter().map(counts).collect::<Vec<_>>());
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(pages, [[4, 0], [1, 3], [0, 2]]);

    let many: Vec<_> = (0..501).map(|number| json!({"MetricName": format!("m{number:03}"), "Value": 1.0})).collect();
    account.cloudwatch("PutMetricData", json!({"Namespace": "many", "MetricData": many})).unwrap();
    let first = account.cloudwatch("ListMetrics", json!({"Namespace": "many"})).unwrap();
    assert_eq!(first["Metrics"].as_array().unwrap().len(), 500);
    let next =
        account.cloudwatch("ListMetrics", json!({"Namespace": "many", "NextToken": first["NextToken"]})).unwrap();
    assert_eq!(next["Metrics"][0]["MetricName"], "m500");
}

#[tokio::test]
async fn what_cloudwatch_does_not_take_is_refused() {
    let account = account();
    #[track_caller]
    fn check(answer: Result<Value, ApiError>, code: &str, expected: &str) {
        let error = answer.unwrap_err();
        assert!(error.code == code && error.message.contains(expected), "{error}");
    }
    let (invalid, combination, missing) =
        ("InvalidParameterValueException", "InvalidParameterCombinationException", "MissingRequiredParameterException");
    let put = |datum: Value| account.cloudwatch("PutMetricData", json!({"Namespace": "n", "MetricData": [datum]}));
    check(
        account.cloudwatch("PutMetricData", json!({"MetricData": []})),
        "ValidationError",
        "Value null at 'namespace'",
    );
    check(account.cloudwatch("PutMetricData", json!({"Namespace": "n"})), missing, "MetricData is required");
    check(
        account.cloudwatch("PutMetricData", json!({"Namespace": "AWS/SageMaker"})),
        invalid,
        "The value AWS/SageMaker for",
    );
    check(put(json!({"MetricName": "m"})), missing, "MetricData.member.1.Value");
    check(put(json!({"MetricName": "m", "Value": 1.0, "Values": [1.0]})), combination, "mutually exclusive");
    check(put(json!({"MetricName": "m", "Values": [1.0], "Counts": [1.0, 2.0]})), combination, "of the same size");
    check(put(json!({"MetricName": "m", "Values": []})), missing, "is empty");
    check(put(json!({"MetricName": "m", "Value": 1e200})), invalid, "1e+200 for parameter MetricData.member.1.Value");
    check(put(json!({"MetricName": "m", "Value": 1.0, "Unit": "Furlongs"})), "ValidationError", "enum value set");
    check(put(json!({"MetricName": "m", "Value": 1.0, "StorageResolution": 7})), invalid, "The value 7 for");
    check(
        put(json!({"MetricName": "m", "Value": 1.0, "Timestamp": NOW - 15 * 86_400})),
        invalid,
        "within the past two weeks",
    );
    check(
        put(json!({"MetricName": "m", "Value": 1.0, "Timestamp": NOW + 7300})),
        invalid,
        "no more than two hours in the future",
    );
    let twice = json!([{"Name": "d", "Value": "1"}, {"Name": "d", "Value": "2"}]);
    check(put(json!({"MetricName": "m", "Value": 1.0, "Dimensions": twice})), invalid, "d is specified more than once");

    let statistics = |members: Value| {
        let mut input = json!({"Namespace": "n", "MetricName": "m", "StartTime": NOW - 60, "EndTime": NOW, "Period": 60, "Statistics": ["Sum"]});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        account.cloudwatch("GetMetricStatistics", input)
    };
    check(statistics(json!({"EndTime": NOW - 60})), invalid, "StartTime must be less than the parameter EndTime");
    check(statistics(json!({"Period": 61})), invalid, "a multiple of 60; it is 61");
    check(statistics(json!({"Statistics": null})), missing, "At least one of the parameters Statistics");
    check(statistics(json!({"ExtendedStatistics": ["p99"]})), invalid, "cannot be computed");
    check(statistics(json!({"StartTime": NOW - 86_460})), combination, "You have requested up to 1441 datapoints");

    let data = |queries: Vec<Value>| {
        account
            .cloudwatch("GetMetricData", json!({"MetricDataQueries": queries, "StartTime": NOW - 60, "EndTime": NOW}))
    };
    check(data(vec![]), invalid, "from 1 to 500");
    check(data(vec![query("Q", "Sum", 60)]), "ValidationError", "'Q' for parameter id");
    check(data(vec![query("q", "Sum", 60), query("q", "Sum", 60)]), "ValidationError", "are not unique: 'q'");
    check(data(vec![query("q", "p90", 60)]), "ValidationError", "Stat 'p90'");
    check(data(vec![json!({"Id": "q"})]), "ValidationError", "either MetricStat or Expression");
    check(account.cloudwatch("DescribeAnomalyDetectors", json!({})), "UnknownOperationException", "is not served");
}

#[tokio::test]
async fn json_and_query_carry_the_same() {
    let aws = FakeAws::start_with(Fake::builder().clock(Clock::frozen(Timestamp(NOW * 1000)))).await;
    let signed = signed_for("monitoring");
    let json = async |operation: &str, input: Value| {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let headers = [
            ("x-amz-target", target.as_str()),
            ("authorization", &signed),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        raw(&aws.endpoint_url(), "POST /", &headers, &input.to_string()).await
    };
    let form = async |body: &str| {
        let headers = [("authorization", signed.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        raw(&aws.endpoint_url(), "POST /", &headers, body).await
    };
    let answer =
        json("PutMetricData", json!({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 0.5}]})).await;
    assert_eq!(
        (answer.status, answer.body.as_str(), answer.header("content-type")),
        (200, "", Some("application/x-amz-json-1.0"))
    );
    let put = "Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.5\
        &MetricData.member.1.Timestamp=2026-11-26T09%3A59%3A00Z&MetricData.member.1.Dimensions.member.1.Name=d\
        &MetricData.member.1.Dimensions.member.1.Value=v";
    let answer = form(put).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.body.starts_with("<PutMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"),
        "{answer:?}"
    );

    let get = "Action=GetMetricStatistics&Version=2010-08-01&Namespace=n&MetricName=m&StartTime=2026-11-26T09%3A00%3A00Z\
        &EndTime=2026-11-26T11%3A00%3A00Z&Period=60&Statistics.member.1=Average&Dimensions.member.1.Name=d&Dimensions.member.1.Value=v";
    let answer = form(get).await;
    let point = "<Datapoints><member><Timestamp>2026-11-26T09:59:00Z</Timestamp><Unit>None</Unit><Average>1.5</Average></member></Datapoints>";
    assert!(answer.body.contains(point), "{answer:?}");
    let answer = json("ListMetrics", json!({"Namespace": "n"})).await;
    let listed: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 2);

    // Each protocol has its own name for an error, and the newer ones tell that of the oldest too.
    let answer = json("PutMetricData", json!({"Namespace": "AWS/S3", "MetricData": []})).await;
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &said["__type"]), (400, &json!("InvalidParameterValueException")));
    assert_eq!(answer.header("x-amzn-query-error"), Some("InvalidParameterValue;Sender"));
    let answer = form("Action=PutMetricData&Version=2010-08-01&Namespace=AWS%2FS3").await;
    assert!(answer.status == 400 && answer.body.contains("<Code>InvalidParameterValue</Code>"), "{answer:?}");
}

#[tokio::test]
async fn cbor_and_compressed_bodies_are_understood() {
    use std::io::Write;
    let account = account();
    let send = |operation: &str, input: &Value| {
        let mut body = Vec::new();
        ciborium::into_writer(input, &mut body).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&body).unwrap();
        let headers = HeaderMap::from_iter([
            (http::header::AUTHORIZATION, HeaderValue::from_str(&signed_for("monitoring")).unwrap()),
            (http::header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
            (http::HeaderName::from_static("smithy-protocol"), HeaderValue::from_static("rpc-v2-cbor")),
        ]);
        let (path, body) =
            (format!("/service/GraniteServiceVersion20100801/operation/{operation}"), gzip.finish().unwrap());
        let route = protocol::route(&Method::POST, &path, "", &headers, &body);
        let request = Request { method: &Method::POST, path: &path, query: "", headers: &headers, body: Some(&body) };
        let answer = protocol::answer(&account.fake, &route, &request, Checked::Yes);
        assert_eq!(answer.headers()["smithy-protocol"], "rpc-v2-cbor");
        let value: ciborium::Value = ciborium::from_reader(&answer.body()[..]).unwrap();
        (answer, value)
    };
    let data = json!([{"MetricName": "m", "Value": 0.25, "Timestamp": NOW}]);
    let (answer, value) = send("PutMetricData", &json!({"Namespace": "n", "MetricData": data}));
    assert_eq!((answer.status(), value), (http::StatusCode::OK, ciborium::Value::Map(vec![])));
    let input = json!({"MetricDataQueries": [query("q", "Sum", 60)], "StartTime": NOW - 60, "EndTime": NOW + 60});
    let (_, value) = send("GetMetricData", &input);
    let text = format!("{value:?}");
    assert!(text.contains("Tag(1, Float(1795687200.0))") && text.contains("Float(0.25)"), "{text}");
    let (answer, value) = send("PutMetricData", &json!({"Namespace": "n"}));
    assert_eq!(answer.headers()["x-amzn-query-error"], "MissingParameter;Sender");
    assert!(format!("{value:?}").contains("MissingRequiredParameterException"), "{value:?}");
}

/// An alarm of the metric `m` below 0.7 in two of three minutes, or otherwise.
fn alarm(members: Value) -> Value {
    let mut alarm = json!({
        "AlarmName": "low", "Namespace": "n", "MetricName": "m", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2, "Threshold": 0.7, "ComparisonOperator": "LessThanThreshold"});
    alarm.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    alarm
}

#[tokio::test]
async fn alarms_say_what_the_periods_that_are_over_say() {
    let check = |values: &[(i64, f64)], members: Value, expected: &str, reason: &str| {
        let account = account();
        if !values.is_empty() {
            put(&account, values);
        }
        account.cloudwatch("PutMetricAlarm", alarm(members.clone())).unwrap();
        let described = account.cloudwatch("DescribeAlarms", json!({"AlarmNames": ["low"]})).unwrap();
        let shape = &described["MetricAlarms"][0];
        assert_eq!(shape["StateValue"], expected, "{values:?} {members}");
        assert!(shape["StateReason"].as_str().unwrap().contains(reason), "{shape}");
    };
    let none = json!({});
    check(
        &[(60, 0.5), (120, 0.9), (180, 0.6)],
        none.clone(),
        "ALARM",
        "2 out of the last 3 datapoints [0.5, 0.9, 0.6] were less than",
    );
    check(&[(60, 0.5), (120, 0.9), (180, 0.7)], none.clone(), "OK", "only 1 out of the last 3");
    check(&[(60, 0.5), (60, 0.9)], json!({"DatapointsToAlarm": 1}), "OK", "datapoints [0.7]");
    check(&[(0, 0.1), (240, 0.1)], none.clone(), "INSUFFICIENT_DATA", "no datapoints");
    check(&[], json!({"TreatMissingData": "breaching"}), "ALARM", "3 out of the last 3");
    check(&[], json!({"TreatMissingData": "notBreaching"}), "OK", "only 0 out of");
    check(&[(60, 0.9)], json!({"TreatMissingData": "breaching"}), "ALARM", "2 out of the last 3 datapoints [0.9]");
    check(
        &[(60, 2.0)],
        json!({"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 2.0, "DatapointsToAlarm": 1}),
        "ALARM",
        "equal to the threshold (2)",
    );
}

#[tokio::test]
async fn alarms_are_kept_found_and_deleted() {
    let account = account();
    let topic = "arn:aws:sns:eu-west-1:111122223333:team";
    account
        .cloudwatch(
            "PutMetricAlarm",
            alarm(json!({"AlarmActions": [topic], "Tags": [{"Key": "Project", "Value": "sts"}]})),
        )
        .unwrap();
    account
        .cloudwatch("PutMetricAlarm", alarm(json!({"AlarmName": "Low2", "TreatMissingData": "notBreaching"})))
        .unwrap();
    let names = |input: Value| {
        let alarms = account.cloudwatch("DescribeAlarms", input).unwrap()["MetricAlarms"].as_array().unwrap().clone();
        alarms.iter().map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})), ["Low2", "low"]);
    assert_eq!(names(json!({"AlarmNamePrefix": "Lo"})), ["Low2"]);
    assert_eq!(names(json!({"StateValue": "OK"})), ["Low2"]);
    assert_eq!(names(json!({"ActionPrefix": "arn:aws:sns"})), ["low"]);
    assert_eq!(names(json!({"AlarmTypes": ["CompositeAlarm"]})), [""; 0]);
    let page = account.cloudwatch("DescribeAlarms", json!({"MaxRecords": 1})).unwrap();
    assert_eq!(names(json!({"MaxRecords": 1, "NextToken": page["NextToken"]})), ["low"]);
    let arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:low";
    let tags = account.cloudwatch("ListTagsForResource", json!({"ResourceARN": arn})).unwrap();
    assert_eq!(tags["Tags"], json!([{"Key": "Project", "Value": "sts"}]));
    let error = account.cloudwatch("DeleteAlarms", json!({"AlarmNames": ["low", "nothing"]})).unwrap_err();
    assert_eq!((error.code.as_str(), names(json!({})).len()), ("ResourceNotFound", 2), "all of them or none");
    account.cloudwatch("DeleteAlarms", json!({"AlarmNames": ["low"]})).unwrap();
    assert_eq!(names(json!({})), ["Low2"]);
    let error = account.cloudwatch("ListTagsForResource", json!({"ResourceARN": arn})).unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
    for (members, expected) in [
        (json!({"Statistic": null}), "The parameter Statistic is required"),
        (json!({"Metrics": []}), "Metrics is not served"),
        (json!({"ComparisonOperator": "GreaterThanUpperThreshold"}), "detects no anomalies"),
        (json!({"DatapointsToAlarm": 4}), "must not be greater than EvaluationPeriods"),
        (json!({"TreatMissingData": "guess"}), "TreatMissingData is not supported"),
        (json!({"Period": 7}), "it is 7"),
    ] {
        let error = account.cloudwatch("PutMetricAlarm", alarm(members)).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
    }
}
