//! Models.

use anyhow::ensure;
use aws_sdk_sagemaker::types::{ContainerDefinition, ModelSortKey, OrderKey};

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "models":
    lifecycle (Free) ["sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:DeleteModel"];
    models_are_made_of_what_exists (Free) ["sagemaker:CreateModel"];
    models_are_listed (Free) ["sagemaker:ListModels"];
}

const VALIDATION: &str = "ValidationException";

/// Makes a model that can be served: its name.
pub(super) async fn create(world: &World, what: &str) -> anyhow::Result<String> {
    let name = world.name(what);
    let data = world.put(&format!("{name}/model.tar.gz"), crate::model::archive()).await?;
    world.will_make(Made::Model(name.clone()));
    let container = ContainerDefinition::builder().image(&world.account.image).model_data_url(data).build();
    let create = world.clients.sagemaker.create_model().model_name(&name).execution_role_arn(&world.account.role);
    let made = create.primary_container(container).tags(world.tag()).send().await?;
    let arn = world.arn(&format!("model/{}", name.to_lowercase()));
    ensure!(made.model_arn() == Some(&arn), "its name is in lower case in its ARN: {made:?}");
    Ok(name)
}

async fn lifecycle(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = create(world, "Model").await?;
    let found = sagemaker.describe_model().model_name(&name).send().await?;
    ensure!(found.model_name() == Some(&name) && found.execution_role_arn() == Some(&world.account.role));
    let container = found.primary_container();
    ensure!(container.and_then(|it| it.image()) == Some(&world.account.image), "{container:?}");
    ensure!(container.and_then(|it| it.mode()).is_some_and(|mode| mode.as_str() == "SingleModel"), "{container:?}");
    let create = sagemaker.create_model().model_name(&name).execution_role_arn(&world.account.role);
    let again = ContainerDefinition::builder().image(&world.account.image).build();
    let again = create.primary_container(again).send().await;
    refused(again, VALIDATION, "Cannot create already existing model \"arn:")?;
    sagemaker.delete_model().model_name(&name).send().await?;
    let gone = format!("Could not find model \"{}\".", world.arn(&format!("model/{}", name.to_lowercase())));
    refused(sagemaker.describe_model().model_name(&name).send().await, VALIDATION, &gone)?;
    refused(sagemaker.delete_model().model_name(&name).send().await, VALIDATION, &gone)
}

async fn models_are_made_of_what_exists(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let create = |container| {
        let create = sagemaker.create_model().model_name(world.name("Never")).execution_role_arn(&world.account.role);
        create.primary_container(container).send()
    };
    let empty = sagemaker.create_model().model_name(world.name("Never")).execution_role_arn(&world.account.role);
    refused(empty.send().await, VALIDATION, "")?;
    let missing = world.uri("stsmm-live-tests/nothing-there.tar.gz");
    let data = ContainerDefinition::builder().image(&world.account.image).model_data_url(&missing).build();
    refused(create(data).await, VALIDATION, &format!("Could not find model data at {missing}."))?;
    let foreign = ContainerDefinition::builder().image("docker.io/library/nginx:1").build();
    let sentence =
        "Using non-ECR image \"docker.io/library/nginx:1\" without Vpc repository access mode is not supported.";
    refused(create(foreign).await, VALIDATION, sentence)?;
    let package = world.arn(&format!("model-package/{}/1", world.name("none")));
    let package = ContainerDefinition::builder().model_package_name(package).build();
    refused(create(package).await, VALIDATION, "")?;
    let nobody = format!("arn:aws:iam::{}:role/{}", world.account.id, world.name("nobody"));
    let image = ContainerDefinition::builder().image(&world.account.image).build();
    let roleless = sagemaker.create_model().model_name(world.name("Never")).execution_role_arn(nobody);
    refused(
        roleless.primary_container(image).send().await,
        VALIDATION,
        "is invalid. Please ensure that the role exists",
    )
}

async fn models_are_listed(world: &World) -> anyhow::Result<()> {
    let made = [create(world, "Listed-A").await?, create(world, "Listed-B").await?];
    let part = made[0].split("-0-").next().unwrap_or_default();
    let list = || world.clients.sagemaker.list_models().name_contains(part);
    let names = |page: &[aws_sdk_sagemaker::types::ModelSummary]| -> Vec<String> {
        page.iter().filter_map(|it| it.model_name().map(str::to_owned)).collect()
    };
    let all = list().send().await?;
    ensure!(names(all.models()) == [made[1].clone(), made[0].clone()], "newest first: {all:?}");
    let by_name = list().sort_by(ModelSortKey::Name).sort_order(OrderKey::Ascending).max_results(1).send().await?;
    ensure!(names(by_name.models()) == made[..1] && by_name.next_token().is_some(), "{by_name:?}");
    Ok(())
}
