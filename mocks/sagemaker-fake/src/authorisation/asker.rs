//! Asks IAM on somebody's behalf.

use http::StatusCode;
use iam_policy::{Attached, Policies, Request, evaluate};

use super::{keys, principal, s3, work};
use crate::account::Caller;
use crate::iam::Role;
use crate::{ApiError, Fake};

/// Somebody who wants to do things, with every policy that has a say.
#[derive(Clone)]
pub struct Asker {
    fake: Fake,
    pub(super) caller: iam_policy::Caller,
    pub(super) policies: Policies,
    /// The condition keys that do not depend on what is asked for.
    keys: iam_policy::Context,
}

/// A refusal: AWS's sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

impl Refused {
    /// AWS's sentence where no policy of the caller's allows an action, on this resource or on any.
    pub(super) fn unallowed(caller: &Caller, action: &str, resource: Option<&str>) -> Self {
        let on = resource.map_or(String::new(), |resource| format!(" on resource: {resource}"));
        Self(format!(
            "User: {} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} action",
            caller.arn
        ))
    }

    /// In the words of the JSON protocol.
    pub fn in_json(self) -> ApiError {
        ApiError::new("AccessDeniedException", self.0)
    }

    /// In the words of the query protocol, and of S3.
    pub fn in_xml(self) -> ApiError {
        ApiError::new("AccessDenied", self.0).with_status(StatusCode::FORBIDDEN)
    }
}

impl Asker {
    /// Whoever made a request for this region.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub fn of(fake: &Fake, caller: &Caller, region: &str) -> Result<Self, ApiError> {
        let keys = keys::of_caller(fake, caller, region)?;
        let (caller, policies) = fake.store.read(|view| principal::of_caller(fake, view, caller))?;
        Ok(Self { fake: fake.clone(), caller, policies, keys })
    }

    /// SageMaker in a session of this role.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub fn of_role(fake: &Fake, role: &Role, region: &str) -> Result<Self, ApiError> {
        Self::of(fake, &crate::engine::session_of(fake, role), region)
    }

    /// What there is to ask: an action on a resource, with the keys that follow from who asks.
    pub fn request(&self, action: impl Into<String>, resource: impl Into<String>) -> Request {
        let resource = resource.into();
        let mut request = Request::new(self.caller.clone(), action, &*resource);
        request.context = self.keys.clone();
        keys::of_resource(&self.fake, &mut request);
        request
    }

    /// Asks.
    ///
    /// # Errors
    /// AWS's sentence.
    pub fn ask(&self, request: Request) -> Result<(), Refused> {
        let decision = evaluate(&request, &self.policies);
        let answer = decision.message(&request).map_or(Ok(()), |sentence| Err(Refused(sentence)));
        self.fake.enforcement.remember(request, answer.is_ok());
        answer
    }

    /// Whether it may do this to a resource whose own policy has its say too: what a request would be told that brings
    /// these condition keys.
    ///
    /// # Errors
    /// AWS's sentence.
    pub fn may(&self, action: &str, resource: &str, keys: &[(&str, String)]) -> Result<(), Refused> {
        if let Some((name, action)) = resource.strip_prefix("arn:aws:s3:::").zip(action.strip_prefix("s3:")) {
            let (bucket, key) = name.split_once('/').map_or((name, None), |(bucket, key)| (bucket, Some(key)));
            return s3::ask(&self.fake, self, action, bucket, key);
        }
        let mut request = self.request(action, resource);
        for (key, value) in keys {
            request.context.set(key, [value]);
        }
        self.before(work::open_repository(&self.fake, resource)).ask(request)
    }

    /// The same caller before a resource with this policy of its own.
    pub fn before(&self, resource_policy: Option<Attached>) -> Self {
        let mut asker = self.clone();
        asker.policies.resource = resource_policy;
        asker
    }
}
