//! ListMetrics: the metrics that had data lately.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::invalid;
use super::metric::{Metric, keys_of_namespace};
use crate::ApiError;
use crate::fake::Context;
use crate::store::{Record, Records};

/// The number of metrics on a page.
const PAGE: usize = 500;
/// Metrics that have had no data for two weeks are not listed any more.
const TWO_WEEKS_MS: i64 = 14 * 86_400_000;
const THREE_HOURS_MS: i64 = 3 * 3_600_000;

/// In the order of their keys. A token is the key of the metric that its page begins with.
pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let recent = if input["RecentlyActive"] == "PT3H" { THREE_HOURS_MS } else { TWO_WEEKS_MS };
    let since = context.fake.clock.now().0 - recent;
    let prefix = keys_of_namespace(context.region, input["Namespace"].as_str().unwrap_or_default());
    let from = match input["NextToken"].as_str() {
        None => String::new(),
        Some(token) => {
            let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            key.filter(|key| key.starts_with(&prefix)).ok_or_else(|| invalid("Invalid NextToken."))?
        }
    };
    let metrics = context.fake.store.read(|view| view.page::<Metric>(&prefix, &from, usize::MAX))?;
    let mut wanted = metrics.into_iter().filter(|metric| metric.last.0 >= since && fits(metric, input));
    let page: Vec<_> = wanted.by_ref().take(PAGE).collect();
    let mut output = json!({"Metrics": page.iter().map(Metric::shape).collect::<Vec<_>>()});
    if let Some(next) = wanted.next() {
        output["NextToken"] = json!(URL_SAFE_NO_PAD.encode(next.key()));
    }
    Ok(output)
}

/// Whether it has the name that is asked for, and every dimension, with its value if one is given.
fn fits(metric: &Metric, input: &Value) -> bool {
    let asked = input["Dimensions"].as_array().into_iter().flatten();
    input["MetricName"].as_str().is_none_or(|name| metric.name == name)
        && asked.into_iter().all(|asked| {
            metric.dimensions.iter().any(|(name, value)| {
                asked["Name"] == name.as_str() && asked["Value"].as_str().is_none_or(|asked| value == asked)
            })
        })
}
