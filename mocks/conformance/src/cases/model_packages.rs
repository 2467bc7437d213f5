//! The model registry: groups, their policies, packages.

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{
    AdditionalInferenceSpecificationDefinition, InferenceSpecification, ModelApprovalStatus as Approval,
    ModelPackageContainerDefinition, ModelPackageGroupSortBy, ModelPackageStatus, ModelPackageSummary, SortOrder,
};

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "model_packages":
    groups_from_creation_to_deletion (Free) ["sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackageGroup",
        "sagemaker:DeleteModelPackageGroup"];
    groups_are_listed (Free) ["sagemaker:ListModelPackageGroups"];
    a_group_has_a_policy (Free) ["sagemaker:PutModelPackageGroupPolicy", "sagemaker:GetModelPackageGroupPolicy",
        "sagemaker:DeleteModelPackageGroupPolicy"];
    versions_from_creation_to_deletion (Free) ["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages", "sagemaker:DeleteModelPackage", "sagemaker:DeleteModelPackageGroup"];
    a_package_is_approved_and_annotated (Free) ["sagemaker:UpdateModelPackage"];
    a_token_makes_one_version (Free) ["sagemaker:CreateModelPackage"];
    a_package_may_be_on_its_own (Free) ["sagemaker:CreateModelPackage", "sagemaker:ListModelPackages"];
    packages_are_described_in_batches (Free) ["sagemaker:BatchDescribeModelPackage"];
    what_is_missing_is_named (Free) ["sagemaker:DescribeModelPackageGroup", "sagemaker:DeleteModelPackageGroup",
        "sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages",
        "sagemaker:UpdateModelPackage", "sagemaker:DeleteModelPackage"];
}

const VALIDATION: &str = "ValidationException";

/// Makes a group: its name.
pub(super) async fn group(world: &World, what: &str) -> anyhow::Result<String> {
    let name = world.name(what);
    world.will_make(Made::Group(name.clone()));
    let create = world.clients.sagemaker.create_model_package_group().model_package_group_name(&name);
    let made = create.model_package_group_description(what).tags(world.tag()).send().await?;
    ensure!(made.model_package_group_arn() == Some(&world.arn(&format!("model-package-group/{name}"))), "{made:?}");
    Ok(name)
}

async fn specification(world: &World) -> anyhow::Result<InferenceSpecification> {
    let data = world.put("model.tar.gz", crate::model::archive()).await?;
    let container = ModelPackageContainerDefinition::builder().image(&world.account.image).model_data_url(data).build();
    Ok(InferenceSpecification::builder()
        .containers(container)
        .supported_content_types("text/csv")
        .supported_response_mime_types("text/csv")
        .build())
}

/// Makes a version: its ARN.
async fn version(world: &World, group: &str) -> anyhow::Result<String> {
    let create = world.clients.sagemaker.create_model_package().model_package_group_name(group);
    let made = create.inference_specification(specification(world).await?).send().await?;
    Ok(made.model_package_arn().context("a package has an ARN")?.to_owned())
}

async fn groups_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = group(world, "Group").await?;
    let again = sagemaker.create_model_package_group().model_package_group_name(&name).send().await;
    refused(again, VALIDATION, "Model Package Group already exists: arn:")?;
    let found = sagemaker.describe_model_package_group().model_package_group_name(&name).send().await?;
    ensure!(found.model_package_group_name() == Some(&name), "a group keeps the case of its name: {found:?}");
    ensure!(found.model_package_group_status().is_some_and(|status| status.as_str() == "Completed"));
    ensure!(found.model_package_group_description() == Some("Group") && found.created_by().is_some());
    sagemaker.delete_model_package_group().model_package_group_name(&name).send().await?;
    let gone = sagemaker.describe_model_package_group().model_package_group_name(&name).send().await;
    refused(gone, VALIDATION, "does not exist.")
}

async fn groups_are_listed(world: &World) -> anyhow::Result<()> {
    let made = [group(world, "Listed-A").await?, group(world, "Listed-B").await?];
    let part = made[0].split("-0-").next().unwrap_or_default();
    let list = || world.clients.sagemaker.list_model_package_groups().name_contains(part);
    let names = |page: &[aws_sdk_sagemaker::types::ModelPackageGroupSummary]| -> Vec<String> {
        page.iter().filter_map(|it| it.model_package_group_name().map(str::to_owned)).collect()
    };
    let all = list().send().await?;
    ensure!(
        names(all.model_package_group_summary_list()) == made,
        "oldest first unless it is asked otherwise: {all:?}"
    );
    let newest = list().sort_by(ModelPackageGroupSortBy::Name).sort_order(SortOrder::Descending).max_results(1);
    let newest = newest.send().await?;
    ensure!(names(newest.model_package_group_summary_list()) == made[1..] && newest.next_token().is_some());
    Ok(())
}

async fn a_group_has_a_policy(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = group(world, "Policy").await?;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Read","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{}:root"}},"Action":["sagemaker:DescribeModelPackageGroup"],"Resource":"{}"}}]}}"#,
        world.account.id,
        world.arn(&format!("model-package-group/{name}"))
    );
    let get = || sagemaker.get_model_package_group_policy().model_package_group_name(&name).send();
    refused(get().await, VALIDATION, "Cannot find resource policy")?;
    let put = sagemaker.put_model_package_group_policy().model_package_group_name(&name);
    let put = put.resource_policy(&policy).send().await?;
    ensure!(put.model_package_group_arn() == Some(&world.arn(&format!("model-package-group/{name}"))), "{put:?}");
    let read = get().await?;
    let same = |text: &str| serde_json::from_str::<serde_json::Value>(text);
    ensure!(same(read.resource_policy().unwrap_or_default())? == same(&policy)?, "{read:?}");
    sagemaker.delete_model_package_group_policy().model_package_group_name(&name).send().await?;
    refused(get().await, VALIDATION, "Cannot find resource policy")?;
    let missing = sagemaker.get_model_package_group_policy().model_package_group_name(world.name("None"));
    refused(missing.send().await, VALIDATION, "Cannot find Model Package Group")
}

async fn versions_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = group(world, "Versions").await?;
    let (one, two) = (version(world, &name).await?, version(world, &name).await?);
    ensure!(one == world.arn(&format!("model-package/{name}/1")) && two.ends_with("/2"), "{one} {two}");
    let found = sagemaker.describe_model_package().model_package_name(&one).send().await?;
    ensure!(
        found.model_package_version() == Some(1)
            && found.model_package_status() == Some(&ModelPackageStatus::Completed)
    );
    ensure!(found.model_approval_status() == Some(&Approval::PendingManualApproval), "{found:?}");
    let full = sagemaker.delete_model_package_group().model_package_group_name(&name).send().await;
    ensure!(full.is_err(), "a group that has packages is not deleted");
    let list = sagemaker.list_model_packages().model_package_group_name(&name);
    let listed = list.sort_order(SortOrder::Descending).send().await?;
    let versions: Vec<_> =
        listed.model_package_summary_list().iter().filter_map(ModelPackageSummary::model_package_version).collect();
    ensure!(versions == [2, 1], "{listed:?}");
    sagemaker.delete_model_package().model_package_name(&two).send().await?;
    // A number is never given twice.
    ensure!(version(world, &name).await?.ends_with("/3"));
    Ok(())
}

async fn a_package_is_approved_and_annotated(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = group(world, "Approve").await?;
    let arn = version(world, &name).await?;
    let update = || sagemaker.update_model_package().model_package_arn(&arn);
    let approved = update().model_approval_status(Approval::Approved).approval_description("good enough");
    approved.customer_metadata_properties("a", "1").customer_metadata_properties("b", "2").send().await?;
    update().customer_metadata_properties_to_remove("a").send().await?;
    let additional = |name: &str| {
        let container = ModelPackageContainerDefinition::builder().image(&world.account.image).build();
        AdditionalInferenceSpecificationDefinition::builder().name(name).containers(container).build()
    };
    update().additional_inference_specifications_to_add(additional("gpu")).send().await?;
    let found = sagemaker.describe_model_package().model_package_name(&arn).send().await?;
    ensure!(found.model_approval_status() == Some(&Approval::Approved), "{found:?}");
    ensure!(found.approval_description() == Some("good enough") && found.last_modified_time().is_some());
    let metadata = found.customer_metadata_properties().context("it has metadata")?;
    ensure!(metadata.len() == 1 && metadata.get("b").is_some_and(|value| value == "2"), "{metadata:?}");
    ensure!(found.additional_inference_specifications().len() == 1);
    let listed = sagemaker.list_model_packages().model_package_group_name(&name);
    let listed = listed.model_approval_status(Approval::PendingManualApproval).send().await?;
    ensure!(listed.model_package_summary_list().is_empty(), "{listed:?}");
    Ok(())
}

async fn a_token_makes_one_version(world: &World) -> anyhow::Result<()> {
    let name = group(world, "Once").await?;
    let (specification, token) = (specification(world).await?, world.name("t"));
    let create = || {
        let create = world.clients.sagemaker.create_model_package().model_package_group_name(&name);
        create.inference_specification(specification.clone()).client_token(&token[..token.len().min(36)]).send()
    };
    let (first, again) = (create().await?, create().await?);
    ensure!(first.model_package_arn() == again.model_package_arn(), "{first:?} {again:?}");
    Ok(())
}

async fn a_package_may_be_on_its_own(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = world.name("Alone");
    world.will_make(Made::Package(name.clone()));
    let create = || sagemaker.create_model_package().model_package_name(&name);
    let made = create().inference_specification(specification(world).await?).tags(world.tag()).send().await?;
    ensure!(made.model_package_arn() == Some(&world.arn(&format!("model-package/{name}"))), "{made:?}");
    let listed = sagemaker.list_model_packages().name_contains(&name).send().await?;
    let [summary] = listed.model_package_summary_list() else { anyhow::bail!("{listed:?}") };
    ensure!(summary.model_package_version().is_none() && summary.model_approval_status().is_none(), "{summary:?}");
    let both = create().model_package_group_name("g").inference_specification(specification(world).await?).send().await;
    refused(both, VALIDATION, "Both ModelPackageName and ModelPackageGroupName are provided in the input.")
}

async fn packages_are_described_in_batches(world: &World) -> anyhow::Result<()> {
    let name = group(world, "Batch").await?;
    let arn = version(world, &name).await?;
    let missing = world.arn(&format!("model-package/{name}/9"));
    let batch = world.clients.sagemaker.batch_describe_model_package();
    let batch = batch.model_package_arn_list(&arn).model_package_arn_list(&missing).send().await?;
    let found = batch.model_package_summaries().and_then(|found| found.get(&arn)).context("the one that is there")?;
    ensure!(found.model_package_version() == Some(1) && found.inference_specification().is_some(), "{found:?}");
    let failed = batch.batch_describe_model_package_error_map().and_then(|failed| failed.get(&missing));
    ensure!(failed.is_some(), "the one that is not is named: {batch:?}");
    Ok(())
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name, part) = (&world.clients.sagemaker, world.name("Missing"), "does not exist.");
    let arn = world.arn(&format!("model-package/{name}/1"));
    let describe = sagemaker.describe_model_package_group().model_package_group_name(&name);
    refused(describe.send().await, VALIDATION, part)?;
    refused(sagemaker.delete_model_package_group().model_package_group_name(&name).send().await, VALIDATION, part)?;
    let create = sagemaker.create_model_package().model_package_group_name(&name);
    refused(create.inference_specification(specification(world).await?).send().await, VALIDATION, part)?;
    refused(sagemaker.list_model_packages().model_package_group_name(&name).send().await, VALIDATION, part)?;
    refused(sagemaker.describe_model_package().model_package_name(&arn).send().await, VALIDATION, part)?;
    refused(sagemaker.delete_model_package().model_package_name(&arn).send().await, VALIDATION, part)?;
    let update = sagemaker.update_model_package().model_package_arn(&arn);
    refused(update.model_approval_status(Approval::Approved).send().await, VALIDATION, part)
}
