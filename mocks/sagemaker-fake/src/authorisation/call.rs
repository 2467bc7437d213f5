//! The operations of every service but S3.

use serde_json::Value;

use super::asker::{Asker, Refused};
use super::{assumable_by_sagemaker, could_not_assume, keys, table};
use crate::fake::Context;
use crate::protocol::Service;
use crate::{ApiError, iam};

/// Refuses a call that its caller may not make, if IAM is enforced.
///
/// # Errors
/// `AccessDeniedException`, or `AccessDenied` of AWS STS and IAM.
pub fn check(context: &Context<'_>, service: Service, operation: &str, input: &Value) -> Result<(), ApiError> {
    if !context.fake.enforces_iam() {
        return Ok(());
    }
    let actions = table::actions(service.name());
    let resources = actions.and_then(|actions| Some((actions, actions.resources(context, operation, input)?)));
    let Some((actions, resources)) = resources else {
        // What is not served is refused as such.
        let served = service.api().operation(operation).is_some();
        let lacks = || ApiError::internal(format!("the table of actions lacks {} {operation}", service.name()));
        return if served { Err(lacks()) } else { Ok(()) };
    };
    let resources = resources.into_iter().map(|resource| real(context, resource)).collect::<Result<Vec<_>, _>>()?;
    let asker = Asker::of(context.fake, context.caller, context.region)?;
    let asked = Question { context, asker, actions, operation, input }.ask(&resources);
    asked.map_err(|refused| in_words_of(service, refused))?;
    // A model says itself what is wrong with its role.
    let roles = if operation == "CreateModel" { Vec::new() } else { actions.passed_roles(input) };
    roles.into_iter().try_for_each(|role| check_trust(context, role, &resources))
}

/// The refusal of a call that no policy allows, whatever the policies say.
pub fn unallowed(context: &Context<'_>, service: Service, operation: &str, input: &Value) -> ApiError {
    let actions = table::actions(service.name());
    let prefix = actions.map_or(service.name(), |actions| &actions.prefix);
    let resource = actions.and_then(|actions| actions.resources(context, operation, input)?.into_iter().next());
    let refused = Refused::unallowed(context.caller, &format!("{prefix}:{operation}"), resource.as_deref());
    in_words_of(service, refused)
}

fn in_words_of(service: Service, refused: Refused) -> ApiError {
    match service {
        Service::Sts | Service::Iam => refused.in_xml(),
        Service::SageMaker | Service::Logs | Service::ServiceQuotas | Service::CloudWatch | Service::Ecr => {
            refused.in_json()
        }
    }
}

/// Refuses what is to be done as a role that does not let SageMaker in. That it exists is looked at by whoever makes the
/// resource.
fn check_trust(context: &Context<'_>, role_arn: &str, resources: &[String]) -> Result<(), ApiError> {
    let role = context.fake.store.read(|view| iam::role_by_arn(view, role_arn))?;
    let resource = resources.first().map_or("*", String::as_str);
    match role {
        Some(role) if !assumable_by_sagemaker(context.fake, &role, resource) => Err(could_not_assume(role_arn)),
        _ => Ok(()),
    }
}

/// A call that somebody wants to make.
struct Question<'a> {
    context: &'a Context<'a>,
    asker: Asker,
    actions: &'static table::Actions,
    operation: &'a str,
    input: &'a Value,
}

impl Question<'_> {
    fn ask(&self, resources: &[String]) -> Result<(), Refused> {
        let prefix = &self.actions.prefix;
        resources.iter().try_for_each(|resource| self.one(&format!("{prefix}:{}", self.operation), resource))?;
        let Some(resource) = resources.first() else { return Ok(()) };
        for role in self.actions.passed_roles(self.input) {
            self.pass_role(role, resource)?;
        }
        // What is made with tags is tagged.
        let tags = self.input["Tags"].as_array().is_some_and(|tags| !tags.is_empty());
        if prefix == "sagemaker" && self.operation.starts_with("Create") && tags {
            self.one("sagemaker:AddTags", resource)?;
        }
        Ok(())
    }

    fn one(&self, action: &str, resource: &str) -> Result<(), Refused> {
        let mut request = self.asker.request(action, resource);
        for (key, values) in self.actions.keys(self.input) {
            request.context.set(key, values);
        }
        if action == "sagemaker:AddTags" && self.operation != "AddTags" {
            request.context.set("sagemaker:TaggingAction", [self.operation]);
        }
        keys::of_tags(self.input, &mut request.context);
        self.asker.ask(request)
    }

    /// Whether the caller may hand this role to SageMaker, for this resource.
    fn pass_role(&self, role: &str, resource: &str) -> Result<(), Refused> {
        if role.split(':').nth(4) != Some(self.context.fake.account()) {
            return Err(Refused("Cross-account pass role is not allowed.".to_owned()));
        }
        let request = self.asker.request("iam:PassRole", role);
        let request = request.with("iam:PassedToService", "sagemaker.amazonaws.com");
        self.asker.ask(request.with("iam:AssociatedResourceArn", resource))
    }
}

/// The ARN of a user or role with the path that it really has.
fn real(context: &Context<'_>, resource: String) -> Result<String, ApiError> {
    Ok(keys::entity(context.fake, &resource)?.map_or(resource, |entity| entity.arn))
}
