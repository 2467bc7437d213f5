//! CloudWatch: metrics and alarms.

use anyhow::ensure;

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::made::Made;
use crate::world::TAG;

cases! { "cloudwatch":
    metrics_are_put_and_read (Free) ["monitoring:PutMetricData", "monitoring:ListMetrics", "monitoring:GetMetricStatistics",
        "monitoring:GetMetricData"];
    alarms_from_creation_to_deletion (Free) ["monitoring:PutMetricAlarm", "monitoring:DescribeAlarms",
        "monitoring:ListTagsForResource", "monitoring:DeleteAlarms"];
}

const API: &str = "2010-08-01";

/// The form of a request.
pub(super) fn form(members: &[(&str, &str)]) -> Vec<(String, String)> {
    members.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn metrics_are_put_and_read(world: &World) -> anyhow::Result<()> {
    let (cloudwatch, namespace) = (&world.clients.cloudwatch, world.name("metrics"));
    let put = form(&[
        ("Namespace", &namespace),
        ("MetricData.member.1.MetricName", "Score"),
        ("MetricData.member.1.Value", "0.5"),
        ("MetricData.member.1.Dimensions.member.1.Name", "Model"),
        ("MetricData.member.1.Dimensions.member.1.Value", "a"),
    ]);
    cloudwatch.ask(API, "PutMetricData", &put).await?;
    world
        .until("a metric that is listed", async || {
            let listed = cloudwatch.ask(API, "ListMetrics", &form(&[("Namespace", &namespace)])).await?;
            Ok((listed["Metrics"][0]["MetricName"] == "Score").then_some(()))
        })
        .await?;
    let window = [("StartTime", "2020-01-01T00:00:00Z"), ("EndTime", "2099-01-01T00:00:00Z")];
    let mut statistics = form(&[
        ("Namespace", &namespace),
        ("MetricName", "Score"),
        ("Dimensions.member.1.Name", "Model"),
        ("Dimensions.member.1.Value", "a"),
        ("Period", "86400000"),
        ("Statistics.member.1", "Average"),
        ("Statistics.member.2", "SampleCount"),
    ]);
    statistics.extend(form(&window));
    let read = cloudwatch.ask(API, "GetMetricStatistics", &statistics).await?;
    let number = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    let point = &read["Datapoints"][0];
    ensure!(number(&point["Average"]) == Some(0.5) && number(&point["SampleCount"]) == Some(1.0), "{read}");
    let mut query = form(&[
        ("MetricDataQueries.member.1.Id", "m"),
        ("MetricDataQueries.member.1.MetricStat.Metric.Namespace", &namespace),
        ("MetricDataQueries.member.1.MetricStat.Metric.MetricName", "Score"),
        ("MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name", "Model"),
        ("MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Value", "a"),
        ("MetricDataQueries.member.1.MetricStat.Period", "86400000"),
        ("MetricDataQueries.member.1.MetricStat.Stat", "Maximum"),
    ]);
    query.extend(form(&window));
    let read = cloudwatch.ask(API, "GetMetricData", &query).await?;
    ensure!(number(&read["MetricDataResults"][0]["Values"][0]) == Some(0.5), "{read}");
    Ok(())
}

async fn alarms_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let (cloudwatch, name) = (&world.clients.cloudwatch, world.name("alarm"));
    world.will_make(Made::Alarm(name.clone()));
    let tag = world.tag();
    let put = form(&[
        ("AlarmName", &name),
        ("Namespace", "stsmodelmonitor-live-tests"),
        ("MetricName", "Never"),
        ("Statistic", "Average"),
        ("Period", "300"),
        ("EvaluationPeriods", "1"),
        ("Threshold", "1"),
        ("ComparisonOperator", "GreaterThanThreshold"),
        ("Tags.member.1.Key", TAG),
        ("Tags.member.1.Value", tag.value().unwrap_or_default()),
    ]);
    cloudwatch.ask(API, "PutMetricAlarm", &put).await?;
    let describe = async || cloudwatch.ask(API, "DescribeAlarms", &form(&[("AlarmNames.member.1", &name)])).await;
    let found = describe().await?;
    let alarm = &found["MetricAlarms"][0];
    ensure!(alarm["AlarmName"] == name.as_str() && alarm["StateValue"] == "INSUFFICIENT_DATA", "{found}");
    let arn = alarm["AlarmArn"].as_str().unwrap_or_default().to_owned();
    let tags = cloudwatch.ask(API, "ListTagsForResource", &form(&[("ResourceARN", &arn)])).await?;
    ensure!(tags["Tags"][0]["Key"] == TAG, "{tags}");
    cloudwatch.ask(API, "DeleteAlarms", &form(&[("AlarmNames.member.1", &name)])).await?;
    let gone = describe().await?;
    ensure!(gone["MetricAlarms"][0].is_null(), "{gone}");
    Ok(())
}
