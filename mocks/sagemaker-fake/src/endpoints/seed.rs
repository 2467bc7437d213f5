//! The endpoints that a scenario begins with. They really serve: a model that is fitted to a sample when the account is
//! made. The S3 object that it was deployed from has been deleted since, as happens to what nobody looks after.

use std::path::Path;

use serde_json::{Map, Value, json};
use sts_model::artifact;
use sts_model::sample;

use super::model;
use super::record::{Container, Deployment, Endpoint, Status, Variant};
use crate::ApiError;
use crate::account::{Scenario, ScenarioEndpoint};
use crate::clock::Timestamp;
use crate::sagemaker::endpoint_config::EndpointConfig;
use crate::sagemaker::model::Model;
use crate::sagemaker::tags;
use crate::store::Change;

/// How many pairs the model is fitted to.
const PAIRS: usize = 200;

const DAY_MS: i64 = 86_400_000;

/// Makes the endpoints of a scenario, whose files will be in `state`.
///
/// # Errors
/// An internal failure when the store or a file cannot be written.
pub(crate) fn seed(change: &mut Change<'_>, scenario: &Scenario, now: Timestamp, state: &Path) -> Result<(), ApiError> {
    for wanted in &scenario.endpoints {
        let created = Timestamp(now.0 - i64::from(wanted.age_days) * DAY_MS);
        put(change, scenario, wanted, created, state)?;
    }
    Ok(())
}

fn put(
    change: &mut Change<'_>,
    scenario: &Scenario,
    wanted: &ScenarioEndpoint,
    created: Timestamp,
    state: &Path,
) -> Result<(), ApiError> {
    let ScenarioEndpoint { name, region, instance_type, .. } = wanted;
    let arn = |kind: &str| format!("arn:aws:sagemaker:{region}:{}:{kind}/{}", scenario.account, name.to_lowercase());
    let image = format!("{}.dkr.ecr.{region}.amazonaws.com/sts-container:{}", scenario.account, sts_container::TAG);
    let url = format!("s3://sagemaker-{region}-{}/{name}/model.tar.gz", scenario.account);
    let container = json!({"Image": image, "ModelDataUrl": url, "Mode": "SingleModel", "Environment": {}});
    let mut of_model = object(json!({"PrimaryContainer": container}));
    if let Some(role) = scenario.role_arns().next() {
        of_model.insert("ExecutionRoleArn".to_owned(), json!(role));
    }
    let variant = json!({
        "VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": instance_type,
        "InitialVariantWeight": 1.0,
    });
    let variants = vec![Variant {
        name: "AllTraffic".to_owned(),
        weight: 1.0,
        desired_weight: 1.0,
        instances: Some(1),
        desired_instances: Some(1),
        instance_id: "i-00000000000000000".to_owned(),
        details: object(variant.clone()),
        container: Container {
            image,
            model_data_url: Some(url),
            environment: Default::default(),
            role: scenario.role_arns().next(),
        },
    }];
    let id = format!("seeded-{name}");
    let deployment = Deployment { id, config: name.clone(), details: Map::new(), variants, started: created };
    let endpoint = Endpoint {
        region: region.clone(),
        name: name.clone(),
        arn: arn("endpoint"),
        status: Status::InService,
        failure_reason: None,
        created,
        modified: created,
        serving: None,
        pending: None,
        deployment_config: None,
    };
    // Before the records: what serves has its files.
    for variant in &deployment.variants {
        let tree = model::tree(state, &endpoint, &deployment, variant).map_err(ApiError::internal)?;
        let folder = tree.make("model").map_err(ApiError::internal)?;
        std::fs::write(folder.join(artifact::FILE_NAME), sample::model(PAIRS).to_json()).map_err(ApiError::internal)?;
    }
    let (region, name) = (region.clone(), name.clone());
    change.put(&Model { region: region.clone(), name: name.clone(), arn: arn("model"), details: of_model, created })?;
    let details = object(json!({"ProductionVariants": [variant]}));
    change.put(&EndpointConfig { region, name, arn: arn("endpoint-config"), details, created })?;
    change.put(&Endpoint { serving: Some(deployment), ..endpoint })?;
    let given = wanted.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    let given = json!({"Tags": given.collect::<Vec<_>>()});
    ["model", "endpoint-config", "endpoint"].iter().try_for_each(|kind| tags::create(change, &arn(kind), &given))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
