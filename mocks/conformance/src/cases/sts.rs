//! AWS STS.

use anyhow::{Context, ensure};

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::refusal::refused;

cases! { "sts":
    the_caller_is_named (Free) ["sts:GetCallerIdentity"];
    a_role_that_is_missing_is_not_assumed (Free) ["sts:AssumeRole"];
    a_role_is_assumed (Free) ["sts:AssumeRole"];
    a_key_names_its_account (Free) ["sts:GetAccessKeyInfo"];
}

async fn the_caller_is_named(world: &World) -> anyhow::Result<()> {
    let caller = world.clients.sts.get_caller_identity().send().await?;
    ensure!(caller.account() == Some(&world.account.id) && caller.user_id().is_some(), "{caller:?}");
    ensure!(caller.arn().is_some_and(|arn| arn.starts_with("arn:aws")), "{caller:?}");
    Ok(())
}

async fn a_role_that_is_missing_is_not_assumed(world: &World) -> anyhow::Result<()> {
    let nobody = format!("arn:aws:iam::{}:role/{}", world.account.id, world.name("nobody"));
    let assume = world.clients.sts.assume_role().role_arn(&nobody).role_session_name("conformance").send().await;
    // AWS does not tell whether there is such a role.
    refused(assume, "AccessDenied", &format!("is not authorized to perform: sts:AssumeRole on resource: {nobody}"))?;
    let short = world.clients.sts.assume_role().role_arn("x").role_session_name("c").send().await;
    refused(short, "ValidationError", "2 validation errors detected")
}

async fn a_role_is_assumed(world: &World) -> anyhow::Result<()> {
    let assume = world.clients.sts.assume_role().role_arn(&world.account.role).role_session_name("conformance");
    let assumed = assume.duration_seconds(900).send().await?;
    let credentials = assumed.credentials().context("a session has credentials")?;
    ensure!(credentials.access_key_id().starts_with("ASIA"), "the key of a session begins with ASIA");
    let user = assumed.assumed_role_user().context("a session is of a role")?;
    ensure!(user.arn().ends_with("/conformance") && user.arn().contains(":assumed-role/"), "{user:?}");
    Ok(())
}

async fn a_key_names_its_account(world: &World) -> anyhow::Result<()> {
    let assume = world.clients.sts.assume_role().role_arn(&world.account.role).role_session_name("conformance");
    let assumed = assume.duration_seconds(900).send().await?;
    let key = assumed.credentials().context("a session has credentials")?.access_key_id().to_owned();
    let info = world.clients.sts.get_access_key_info().access_key_id(key).send().await?;
    ensure!(info.account() == Some(&world.account.id), "{info:?}");
    Ok(())
}
