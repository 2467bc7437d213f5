//! The scenario: which one it is, another one, and the same again.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::account::Scenario;
use crate::{ApiError, Fake, replace};

pub(super) fn shown(fake: &Fake) -> Value {
    json!({
        "scenario": fake.scenario().name,
        "account": fake.account(),
        "enforces_iam": fake.enforces_iam(),
        "scenarios": Scenario::names().collect::<Vec<_>>(),
    })
}

pub(super) async fn reset(fake: &Fake) -> Result<Value, ApiError> {
    let scenario = fake.scenario();
    begin_as(fake, scenario).await
}

pub(super) async fn begin(fake: &Fake, name: &str) -> Result<Value, ApiError> {
    let scenario = Scenario::named(name).map_err(ApiError::validation)?;
    begin_as(fake, Arc::new(scenario)).await
}

/// To its end, though whoever asked for it may not wait.
async fn begin_as(fake: &Fake, scenario: Arc<Scenario>) -> Result<Value, ApiError> {
    let begun = fake.clone();
    let begun = tokio::spawn(async move { replace::begin(&begun, scenario).await });
    begun.await.map_err(ApiError::internal)??;
    Ok(shown(fake))
}
