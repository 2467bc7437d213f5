//! Service Quotas.

use anyhow::{Context, ensure};
use serde_json::json;

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::refusal::refused;

cases! { "quotas":
    quotas_are_listed_and_got (Free) ["servicequotas:ListServiceQuotas", "servicequotas:GetServiceQuota",
        "servicequotas:ListAWSDefaultServiceQuotas", "servicequotas:GetAWSDefaultServiceQuota"];
    what_is_missing_is_named (Free) ["servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota"];
}

const API: &str = "ServiceQuotasV20190624";

async fn quotas_are_listed_and_got(world: &World) -> anyhow::Result<()> {
    let quotas = &world.clients.quotas;
    for (list, get) in
        [("ListServiceQuotas", "GetServiceQuota"), ("ListAWSDefaultServiceQuotas", "GetAWSDefaultServiceQuota")]
    {
        let page = quotas.call(API, list, &json!({"ServiceCode": "sagemaker", "MaxResults": 1})).await?;
        let listed = page["Quotas"].as_array().context("a list of quotas")?;
        ensure!(listed.len() == 1 && page["NextToken"].is_string(), "{page}");
        let code = &listed[0]["QuotaCode"];
        let got = quotas.call(API, get, &json!({"ServiceCode": "sagemaker", "QuotaCode": code})).await?;
        ensure!(got["Quota"]["QuotaName"] == listed[0]["QuotaName"] && got["Quota"]["Value"].is_number(), "{got}");
    }
    Ok(())
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (quotas, code) = (&world.clients.quotas, "NoSuchResourceException");
    for get in ["GetServiceQuota", "GetAWSDefaultServiceQuota"] {
        let quota = json!({"ServiceCode": "sagemaker", "QuotaCode": "L-00000000"});
        refused(quotas.call(API, get, &quota).await, code, "")?;
        let service = json!({"ServiceCode": "nothing", "QuotaCode": "L-00000000"});
        refused(quotas.call(API, get, &service).await, code, "")?;
    }
    Ok(())
}
