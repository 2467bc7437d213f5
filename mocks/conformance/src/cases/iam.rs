//! IAM, as far as roles that SageMaker works as need it.

use anyhow::ensure;

use super::cloudwatch::form;
use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "iam":
    roles_from_creation_to_deletion (Free) ["iam:CreateRole", "iam:GetRole", "iam:ListRoles", "iam:UpdateRole",
        "iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:ListInstanceProfilesForRole"];
    inline_policies_of_roles (Free) ["iam:PutRolePolicy", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:DeleteRolePolicy"];
    managed_policies_of_roles (Free) ["iam:AttachRolePolicy", "iam:ListAttachedRolePolicies", "iam:DetachRolePolicy",
        "iam:GetPolicy", "iam:GetPolicyVersion"];
    tags_of_roles (Free) ["iam:TagRole", "iam:ListRoleTags", "iam:UntagRole"];
    a_policy_is_simulated (Free) ["iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"];
    what_is_missing_is_named (Free) ["iam:GetRole", "iam:DeleteRole", "iam:GetRolePolicy"];
}

const API: &str = "2010-05-08";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}"#;

async fn ask(world: &World, operation: &str, members: &[(&str, &str)]) -> anyhow::Result<serde_json::Value> {
    Ok(world.clients.iam.ask(API, operation, &form(members)).await?)
}

async fn role(world: &World, what: &str) -> anyhow::Result<String> {
    let name = world.name(what);
    world.will_make(Made::Role(name.clone()));
    let tag = [("Tags.member.1.Key", crate::world::TAG), ("Tags.member.1.Value", what)];
    let mut members = vec![("RoleName", name.as_str()), ("AssumeRolePolicyDocument", TRUST)];
    members.extend(tag);
    let made = ask(world, "CreateRole", &members).await?;
    let arn = format!("arn:aws:iam::{}:role/{name}", world.account.id);
    ensure!(made["Role"]["Arn"] == arn.as_str(), "{made}");
    Ok(name)
}

async fn roles_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let name = role(world, "role").await?;
    let named = [("RoleName", name.as_str())];
    let again = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", TRUST)];
    let again = world.clients.iam.ask(API, "CreateRole", &form(&again)).await;
    refused(again, "EntityAlreadyExists", &format!("Role with name {name} already exists."))?;
    ask(world, "UpdateRole", &[named[0], ("Description", "d"), ("MaxSessionDuration", "7200")]).await?;
    let found = ask(world, "GetRole", &named).await?;
    ensure!(found["Role"]["Description"] == "d" && found["Role"]["MaxSessionDuration"] == "7200", "{found}");
    let malformed = [named[0], ("PolicyDocument", "{}")];
    let malformed = world.clients.iam.ask(API, "UpdateAssumeRolePolicy", &form(&malformed)).await;
    refused(malformed, "MalformedPolicyDocument", "")?;
    ask(world, "UpdateAssumeRolePolicy", &[named[0], ("PolicyDocument", TRUST)]).await?;
    let listed = ask(world, "ListRoles", &[("MaxItems", "1")]).await?;
    ensure!(listed["Roles"].as_array().is_some_and(|roles| roles.len() == 1), "{listed}");
    let profiles = ask(world, "ListInstanceProfilesForRole", &named).await?;
    ensure!(profiles["IsTruncated"] == "false", "{profiles}");
    ask(world, "DeleteRole", &named).await?;
    let gone = world.clients.iam.ask(API, "GetRole", &form(&named)).await;
    refused(gone, "NoSuchEntity", &format!("The role with name {name} cannot be found."))
}

async fn inline_policies_of_roles(world: &World) -> anyhow::Result<()> {
    let name = role(world, "inline").await?;
    let policy = [("RoleName", name.as_str()), ("PolicyName", "p")];
    ask(world, "PutRolePolicy", &[policy[0], policy[1], ("PolicyDocument", POLICY)]).await?;
    let listed = ask(world, "ListRolePolicies", &policy[..1]).await?;
    ensure!(listed["PolicyNames"] == serde_json::json!(["p"]), "{listed}");
    let found = ask(world, "GetRolePolicy", &policy).await?;
    ensure!(found["PolicyDocument"].as_str().is_some_and(|document| document.starts_with("%7B")), "{found}");
    let busy = world.clients.iam.ask(API, "DeleteRole", &form(&policy[..1])).await;
    refused(busy, "DeleteConflict", "Cannot delete entity, must delete policies first.")?;
    ask(world, "DeleteRolePolicy", &policy).await?;
    Ok(())
}

async fn managed_policies_of_roles(world: &World) -> anyhow::Result<()> {
    let name = role(world, "managed").await?;
    let arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
    let policy = [("RoleName", name.as_str()), ("PolicyArn", arn)];
    let found = ask(world, "GetPolicy", &policy[1..]).await?;
    let version = found["Policy"]["DefaultVersionId"].as_str().unwrap_or_default().to_owned();
    let document = ask(world, "GetPolicyVersion", &[policy[1], ("VersionId", &version)]).await?;
    ensure!(document["PolicyVersion"]["IsDefaultVersion"] == "true", "{document}");
    ask(world, "AttachRolePolicy", &policy).await?;
    let listed = ask(world, "ListAttachedRolePolicies", &policy[..1]).await?;
    ensure!(listed["AttachedPolicies"][0]["PolicyArn"] == arn, "{listed}");
    let busy = world.clients.iam.ask(API, "DeleteRole", &form(&policy[..1])).await;
    refused(busy, "DeleteConflict", "Cannot delete entity, must detach all policies first.")?;
    ask(world, "DetachRolePolicy", &policy).await?;
    Ok(())
}

async fn tags_of_roles(world: &World) -> anyhow::Result<()> {
    let name = role(world, "tags").await?;
    let named = ("RoleName", name.as_str());
    ask(world, "TagRole", &[named, ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")]).await?;
    let listed = ask(world, "ListRoleTags", &[named]).await?;
    let count = |listed: &serde_json::Value| listed["Tags"].as_array().map_or(0, Vec::len);
    ensure!(count(&listed) == 2, "{listed}");
    ask(world, "UntagRole", &[named, ("TagKeys.member.1", "a")]).await?;
    let listed = ask(world, "ListRoleTags", &[named]).await?;
    ensure!(count(&listed) == 1, "{listed}");
    Ok(())
}

async fn a_policy_is_simulated(world: &World) -> anyhow::Result<()> {
    let custom = [
        ("PolicyInputList.member.1", POLICY),
        ("ActionNames.member.1", "s3:ListAllMyBuckets"),
        ("ActionNames.member.2", "s3:CreateBucket"),
    ];
    let simulated = ask(world, "SimulateCustomPolicy", &custom).await?;
    let decisions: Vec<_> = simulated["EvaluationResults"].as_array().into_iter().flatten().collect();
    ensure!(decisions.len() == 2 && decisions[0]["EvalDecision"] == "allowed", "{simulated}");
    ensure!(decisions[1]["EvalDecision"] == "implicitDeny", "{simulated}");
    let name = role(world, "simulated").await?;
    let arn = format!("arn:aws:iam::{}:role/{name}", world.account.id);
    let principal = [("PolicySourceArn", arn.as_str()), custom[1]];
    let simulated = ask(world, "SimulatePrincipalPolicy", &principal).await?;
    ensure!(simulated["EvaluationResults"][0]["EvalDecision"] == "implicitDeny", "{simulated}");
    Ok(())
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let name = world.name("nobody");
    let named = form(&[("RoleName", &name)]);
    let sentence = format!("The role with name {name} cannot be found.");
    refused(world.clients.iam.ask(API, "GetRole", &named).await, "NoSuchEntity", &sentence)?;
    refused(world.clients.iam.ask(API, "DeleteRole", &named).await, "NoSuchEntity", &sentence)?;
    let policy = form(&[("RoleName", &name), ("PolicyName", "p")]);
    refused(world.clients.iam.ask(API, "GetRolePolicy", &policy).await, "NoSuchEntity", "")
}
