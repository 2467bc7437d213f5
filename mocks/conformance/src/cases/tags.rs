//! Tags of SageMaker's resources.

use anyhow::ensure;

use super::{model_packages, pipelines};
use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::refusal::refused;
use crate::world::tag;

cases! { "tags":
    tags_are_added_listed_and_deleted (Free) ["sagemaker:AddTags", "sagemaker:ListTags", "sagemaker:DeleteTags"];
    tags_have_limits (Free) ["sagemaker:AddTags"];
    versions_of_a_model_package_have_no_tags (Free) ["sagemaker:CreateModelPackage"];
    a_resource_that_is_missing_has_no_tags (Free) ["sagemaker:AddTags", "sagemaker:ListTags", "sagemaker:DeleteTags"];
}

const VALIDATION: &str = "ValidationException";

async fn tags_are_added_listed_and_deleted(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let arn = world.arn(&format!("pipeline/{}", pipelines::create(world, "Tagged").await?));
    let added = sagemaker.add_tags().resource_arn(&arn).tags(tag("a", "1")).tags(tag("b", "")).send().await?;
    ensure!(added.tags().contains(&tag("a", "1")), "{added:?}");
    sagemaker.add_tags().resource_arn(&arn).tags(tag("a", "2")).send().await?;
    let listed = sagemaker.list_tags().resource_arn(&arn).send().await?;
    let has = |key: &str, value: &str| listed.tags().contains(&tag(key, value));
    ensure!(
        listed.tags().len() == 3 && has("a", "2") && has("b", "") && listed.tags().contains(&world.tag()),
        "{listed:?}"
    );
    sagemaker.delete_tags().resource_arn(&arn).tag_keys("a").tag_keys("nothing").send().await?;
    let listed = sagemaker.list_tags().resource_arn(&arn).send().await?;
    ensure!(listed.tags().len() == 2 && !listed.tags().iter().any(|tag| tag.key() == Some("a")), "{listed:?}");
    Ok(())
}

async fn tags_have_limits(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let arn = world.arn(&format!("pipeline/{}", pipelines::create(world, "Limits").await?));
    let add = |tags| sagemaker.add_tags().resource_arn(&arn).set_tags(Some(tags)).send();
    refused(add(vec![tag("aws:mine", "1")]).await, VALIDATION, "")?;
    // It has one already.
    let many = |count: usize| (0..count).map(|number| tag(&format!("k{number}"), "v")).collect::<Vec<_>>();
    refused(add(many(50)).await, VALIDATION, "")?;
    add(many(49)).await?;
    refused(add(many(51)).await, VALIDATION, "Member must have length less than or equal to 50")
}

async fn versions_of_a_model_package_have_no_tags(world: &World) -> anyhow::Result<()> {
    let group = model_packages::group(world, "Versions").await?;
    let create = world.clients.sagemaker.create_model_package().model_package_group_name(group);
    let tagged = create.model_package_description("d").tags(world.tag()).send().await;
    refused(tagged, VALIDATION, "Tags are not supported in Model Package versions.")
}

async fn a_resource_that_is_missing_has_no_tags(world: &World) -> anyhow::Result<()> {
    let (sagemaker, arn) = (&world.clients.sagemaker, world.arn(&format!("pipeline/{}", world.name("none"))));
    let part = "does not exist";
    refused(sagemaker.add_tags().resource_arn(&arn).tags(tag("a", "1")).send().await, VALIDATION, part)?;
    refused(sagemaker.list_tags().resource_arn(&arn).send().await, VALIDATION, part)?;
    refused(sagemaker.delete_tags().resource_arn(&arn).tag_keys("a").send().await, VALIDATION, part)
}
