//! Roles that are assumed, by callers and by SageMaker.

use iam_policy::{Policies, Request};

use super::asker::{Asker, Refused};
use super::principal::trust_of;
use crate::fake::Context;
use crate::iam::Role;
use crate::{ApiError, Fake};

/// What somebody says who wants to assume a role.
pub struct Assumption<'a> {
    /// The role's ARN.
    pub role: &'a str,
    /// `RoleSessionName`.
    pub session_name: &'a str,
    /// The tags of the session.
    pub tags: &'a [(&'a str, &'a str)],
    /// The keys of those that are handed down.
    pub transitive_tag_keys: &'a [String],
    /// What a third party is told to say.
    pub external_id: Option<&'a str>,
    /// Who is behind all this.
    pub source_identity: Option<&'a str>,
}

/// Whether the caller may assume a role like this, if IAM is enforced. A role that does not exist trusts nobody, and AWS
/// does not say that this is the reason.
///
/// # Errors
/// AWS's sentence; an internal failure when the store cannot be read.
pub fn assume_role(
    context: &Context<'_>,
    role: Option<&Role>,
    wanted: &Assumption<'_>,
) -> Result<Result<(), Refused>, ApiError> {
    if !context.fake.enforces_iam() {
        return Ok(Ok(()));
    }
    let asker = Asker::of(context.fake, context.caller, context.region)?.before(role.and_then(trust_of));
    let mut request = asker.request("sts:AssumeRole", wanted.role).with("sts:RoleSessionName", wanted.session_name);
    for (key, value) in wanted.tags {
        request.context.set(&format!("aws:RequestTag/{key}"), [*value]);
    }
    request.context.set("aws:TagKeys", wanted.tags.iter().map(|(key, _)| *key));
    request.context.set("sts:TransitiveTagKeys", wanted.transitive_tag_keys);
    let texts = [("sts:ExternalId", wanted.external_id), ("sts:SourceIdentity", wanted.source_identity)];
    for (key, value) in texts {
        request.context.set(key, value);
    }
    let (asked, decision) = iam_policy::assume_role(&request, &asker.policies);
    let answer = decision.message(&asked).map_or(Ok(()), |sentence| Err(Refused(sentence)));
    // Those before the one that decided were allowed.
    for action in ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"] {
        let last = action == asked.action;
        let needed = match action {
            "sts:TagSession" => !wanted.tags.is_empty(),
            "sts:SetSourceIdentity" => wanted.source_identity.is_some(),
            _ => true,
        };
        if needed {
            let request = Request { action: action.to_owned(), ..asked.clone() };
            context.fake.enforcement.remember(request, !last || answer.is_ok());
        }
        if last {
            break;
        }
    }
    Ok(answer)
}

/// SageMaker's sentence for a role that does not exist or does not let it in.
#[must_use]
pub fn could_not_assume(role_arn: &str) -> ApiError {
    ApiError::validation(format!(
        "Could not assume role {role_arn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
    ))
}

/// Whether SageMaker may assume a role for a resource of this ARN: always, if IAM is not enforced.
#[must_use]
pub fn assumable_by_sagemaker(fake: &Fake, role: &Role, for_arn: &str) -> bool {
    if !fake.enforces_iam() {
        return true;
    }
    let service = iam_policy::Caller::service("sagemaker.amazonaws.com");
    let request = Request::new(service, "sts:AssumeRole", role.arn.as_str())
        .with("aws:SourceAccount", fake.account())
        .with("aws:SourceArn", for_arn);
    let policies = Policies { resource: trust_of(role), ..Policies::default() };
    let allowed = iam_policy::evaluate(&request, &policies).is_allowed();
    fake.enforcement.remember(request, allowed);
    allowed
}
