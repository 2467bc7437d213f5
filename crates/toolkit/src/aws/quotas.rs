//! Service Quotas: how much of SageMaker an account may use.

use std::collections::BTreeMap;

use serde_json::json;

use super::errors::describe;
use super::signed;
use crate::error::Failure;

const API: &str = "ServiceQuotasV20190624";

/// Service Quotas.
#[derive(Debug, Clone)]
pub struct Client(signed::Client);

/// A quota that applies to the account in its region.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// The code that names it in requests: `L-1194F27D`. The same in every region.
    pub code: String,
    /// How many.
    pub value: f64,
}

impl Client {
    pub(super) fn new(client: signed::Client) -> Self {
        Self(client)
    }

    /// SageMaker's quotas by their names, as `wanted` picks them from the more than a thousand that there are.
    ///
    /// # Errors
    /// When the call is refused.
    pub async fn of_sagemaker(&self, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Quota>, Failure> {
        let mut quotas = BTreeMap::new();
        let mut token = None::<String>;
        loop {
            let mut input = json!({"ServiceCode": "sagemaker", "MaxResults": 100});
            if let Some(token) = &token {
                input["NextToken"] = json!(token);
            }
            let page = self.0.call(API, "ListServiceQuotas", &input).await;
            let page = page.map_err(|error| describe("ListServiceQuotas", error))?;
            for quota in page["Quotas"].as_array().into_iter().flatten() {
                let (name, code) = (quota["QuotaName"].as_str(), quota["QuotaCode"].as_str());
                if let (Some(name), Some(code), Some(value)) = (name, code, quota["Value"].as_f64())
                    && wanted(name)
                {
                    quotas.insert(name.to_owned(), Quota { code: code.to_owned(), value });
                }
            }
            token = page["NextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return Ok(quotas);
            }
        }
    }
}
