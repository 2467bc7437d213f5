//! Service Quotas: how much of SageMaker an account may use.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::errors::describe;
use super::signed;
use crate::error::Failure;

const API: &str = "ServiceQuotasV20190624";

/// Service Quotas.
#[derive(Debug, Clone)]
pub struct Client(signed::Client);

impl Client {
    pub(super) fn new(client: signed::Client) -> Self {
        Self(client)
    }

    /// The value of a quota of SageMaker's, by its code; one that was never changed has AWS's default. The name must agree:
    /// codes are facts that AWS does not promise. Nothing, if there is no such quota, or it has another name.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn of_sagemaker(&self, code: &str, name: &str) -> Result<Option<f64>, Failure> {
        let quota = match self.quota("GetServiceQuota", code).await? {
            Some(quota) => Some(quota),
            None => self.quota("GetAWSDefaultServiceQuota", code).await?,
        };
        Ok(quota.filter(|quota| quota["QuotaName"] == name).and_then(|quota| quota["Value"].as_f64()))
    }

    async fn quota(&self, call: &'static str, code: &str) -> Result<Option<Value>, Failure> {
        let input = json!({"ServiceCode": "sagemaker", "QuotaCode": code});
        match self.0.call(API, call, &input).await {
            Ok(mut answer) => Ok(Some(answer["Quota"].take())),
            Err(error) if error.as_service_error().and_then(|it| it.code()) == Some("NoSuchResourceException") => {
                Ok(None)
            }
            Err(error) => Err(describe(call, error)),
        }
    }
}
