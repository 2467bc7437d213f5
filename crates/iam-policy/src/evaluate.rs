//! Whether a request is allowed, by AWS's algorithm ("Policy evaluation logic" in the IAM User Guide).
//!
//! ```
//! use iam_policy::{Attached, Caller, Kind, Policies, Policy, Request, evaluate};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::data/*"}}"#;
//! let policies = Policies {
//!     identity: vec![Attached::new("reader", Policy::parse(text, Kind::Identity).unwrap())],
//!     ..Policies::default()
//! };
//! let caller = Caller::user("arn:aws:iam::111122223333:user/ann");
//! let request = Request::new(caller, "s3:PutObject", "arn:aws:s3:::data/x");
//! let decision = evaluate(&request, &policies);
//! assert_eq!(
//!     decision.message(&request).unwrap(),
//!     "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: s3:PutObject on resource: \
//!      arn:aws:s3:::data/x because no identity-based policy allows the s3:PutObject action"
//! );
//! ```

use crate::{
    arn,
    caller::{Caller, Naming},
    context::Context,
    decision::{Decision, Outcome},
    document::{Effect, Kind, Policy},
    layer::Layer,
};

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who.
    pub caller: Caller,
    /// What: `s3:GetObject`.
    pub action: String,
    /// To what: an ARN, or `*` for actions that are about no resource.
    pub resource: String,
    /// The account of the resource, where the ARN does not tell it (buckets). Without one the resource is the caller's.
    pub resource_account: Option<String>,
    /// The condition keys; those that follow from the caller are added by themselves.
    pub context: Context,
}

impl Request {
    /// A request without condition keys but those that follow from the caller.
    pub fn new(caller: Caller, action: impl Into<String>, resource: impl Into<String>) -> Self {
        let (action, resource) = (action.into(), resource.into());
        Self { caller, action, resource, resource_account: None, context: Context::new() }
    }

    /// The same request with one condition key more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.set(key, [value]);
        self
    }

    pub(crate) fn is_cross_account(&self) -> bool {
        let owner = self.resource_account.as_deref().or(arn::account(&self.resource));
        self.caller.account().zip(owner).is_some_and(|(caller, owner)| caller != owner)
    }

    /// Whether the resource's own policy must allow it, whatever the identity's policies say: IAM's trust policies and
    /// KMS's key policies.
    fn needs_resource_policy(&self) -> bool {
        let service = self.action.split(':').next().unwrap_or_default();
        let kind = arn::split(&self.resource).map(|fields| (fields[2], fields[5]));
        match kind {
            Some(("iam", resource)) => service.eq_ignore_ascii_case("sts") && resource.starts_with("role/"),
            Some(("kms", resource)) => service.eq_ignore_ascii_case("kms") && resource.starts_with("key/"),
            _ => false,
        }
    }

    /// What the resource's policy is called.
    fn resource_kind(&self) -> Kind {
        let is_role = arn::split(&self.resource).is_some_and(|f| f[2] == "iam" && f[5].starts_with("role/"));
        if is_role { Kind::Trust } else { Kind::Resource }
    }
}

/// A policy, and the name that it has in explanations.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    /// Its ARN, or the name of an inline policy.
    pub id: String,
    /// The document.
    pub policy: Policy,
}

impl Attached {
    /// A policy of this name.
    pub fn new(id: impl Into<String>, policy: Policy) -> Self {
        Self { id: id.into(), policy }
    }
}

/// All policies that have a say. What is empty or absent limits nothing, and allows nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    /// Those of the user, its groups, or the role.
    pub identity: Vec<Attached>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<Attached>,
    /// The session policies, if some were passed when the session was made.
    pub session: Vec<Attached>,
    /// The service control policies, level by level from the organisation's root to the account. None outside of an
    /// organisation, and none in its management account. A level without policies allows nothing.
    pub scps: Vec<Vec<Attached>>,
    /// The policy of the resource: the trust policy, if it is a role.
    pub resource: Option<Attached>,
}

/// Decides.
#[must_use]
pub fn evaluate(request: &Request, policies: &Policies) -> Decision {
    // AWS: no permission is needed, and an explicit deny changes nothing.
    if request.action.eq_ignore_ascii_case("sts:GetCallerIdentity") {
        return Decision::of(Outcome::Allowed, None);
    }
    // AWS: "You cannot call AssumeRole by using AWS account root user credentials".
    if request.caller.is_root() && request.action.eq_ignore_ascii_case("sts:AssumeRole") {
        return Decision::of(Outcome::ImplicitDeny, None);
    }
    Layers::look(request, policies, true).decision(request)
}

/// Decides whether a role may be assumed with what the context says: session tags (`aws:RequestTag/...`) need
/// `sts:TagSession` too, and a source identity (`sts:SourceIdentity`) needs `sts:SetSourceIdentity`. The first refusal comes
/// back, with the request that was refused.
#[must_use]
pub fn assume_role(request: &Request, policies: &Policies) -> (Request, Decision) {
    let is_tagged = request.context.iter().any(|(key, _)| key.starts_with("aws:requesttag/") || key == "aws:tagkeys");
    let has_source = request.context.get("sts:SourceIdentity").is_some();
    let also = [(is_tagged, "sts:TagSession"), (has_source, "sts:SetSourceIdentity")];
    let mut last = (request.clone(), evaluate(request, policies));
    for (_, action) in also.into_iter().filter(|(needed, _)| *needed) {
        if !last.1.is_allowed() {
            break;
        }
        let request = Request { action: action.to_owned(), ..request.clone() };
        let decision = evaluate(&request, policies);
        last = (request, decision);
    }
    last
}

/// The first level of the organisation, from the root, at which nothing allows the request.
pub(crate) fn silent_level(request: &Request, policies: &Policies) -> Option<usize> {
    Layers::look(request, policies, true).scps.iter().position(|level| !level.allows())
}

/// What each kind of policy says to one request.
pub(crate) struct Layers<'p> {
    pub(crate) identity: Layer<'p>,
    pub(crate) boundary: Option<Layer<'p>>,
    session: Option<Layer<'p>>,
    pub(crate) scps: Vec<Layer<'p>>,
    pub(crate) resource: Layer<'p>,
    /// Whether the resource's side is looked at, even if there is no policy.
    both_sides: bool,
}

impl<'p> Layers<'p> {
    pub(crate) fn look(request: &Request, policies: &'p Policies, both_sides: bool) -> Self {
        let context = request.caller.complete(&request.context);
        let look = |kind, attached: &mut dyn Iterator<Item = &'p Attached>| {
            Layer::look(kind, attached, request, &context, policies.boundary.is_some())
        };
        // They limit the account's own identities: not services, and not the roles that services keep there.
        let limited = request.caller.account().is_some() && !request.caller.is_service_linked();
        let levels = policies.scps.iter().filter(|_| limited);
        Self {
            identity: look(Kind::Identity, &mut policies.identity.iter()),
            boundary: policies.boundary.as_ref().map(|boundary| look(Kind::Boundary, &mut std::iter::once(boundary))),
            session: (!policies.session.is_empty()).then(|| look(Kind::Session, &mut policies.session.iter())),
            scps: levels.map(|level| look(Kind::Scp, &mut level.iter())).collect(),
            resource: look(request.resource_kind(), &mut policies.resource.iter()),
            both_sides,
        }
    }

    /// In the order in which AWS tells the reason.
    fn all(&self) -> impl Iterator<Item = &Layer<'p>> {
        let others = [&self.resource, &self.identity].into_iter().chain(&self.boundary).chain(&self.session);
        self.scps.iter().chain(others)
    }

    fn decide(&self, request: &Request) -> Result<(), (Outcome, Kind)> {
        if let Some(layer) = self.all().find(|layer| layer.denies()) {
            return Err((Outcome::ExplicitDeny, layer.kind));
        }
        let silent = |kind| Err((Outcome::ImplicitDeny, kind));
        if self.scps.iter().any(|level| !level.allows()) {
            return silent(Kind::Scp);
        }
        let caller = &request.caller;
        let granted = self.resource.naming();
        if caller.account().is_none() {
            // A service, an identity provider's user, or somebody without credentials: nobody's identity policies.
            return if granted.is_some() { Ok(()) } else { silent(self.resource.kind) };
        }
        let cross_account = request.is_cross_account();
        if granted.is_none() && self.both_sides && (cross_account || request.needs_resource_policy()) {
            return silent(self.resource.kind);
        }
        if granted == Some(Naming::Direct) && !cross_account {
            return Ok(());
        }
        let by_resource = granted == Some(Naming::Behind) && !cross_account;
        if !by_resource && !self.identity.allows() && !caller.is_root() {
            return silent(Kind::Identity);
        }
        match [&self.boundary, &self.session].into_iter().flatten().find(|layer| !layer.allows()) {
            Some(layer) => silent(layer.kind),
            None => Ok(()),
        }
    }

    pub(crate) fn decision(&self, request: &Request) -> Decision {
        let (outcome, kind) = match self.decide(request) {
            Ok(()) => (Outcome::Allowed, None),
            Err((outcome, kind)) => (outcome, Some(kind)),
        };
        let mut decision = Decision::of(outcome, kind);
        decision.statements = match outcome {
            Outcome::ExplicitDeny => self.all().flat_map(|layer| layer.matched(Effect::Deny)).collect(),
            // What a limit allows is told only where the request got through all of them.
            Outcome::Allowed => self.all().flat_map(|layer| layer.matched(Effect::Allow)).collect(),
            Outcome::ImplicitDeny => Vec::new(),
        };
        decision.missing_context = self.missing_context(|_| true);
        decision
    }

    /// The keys that were looked for in vain by policies of these kinds, each once.
    pub(crate) fn missing_context(&self, of: impl Fn(Kind) -> bool) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in self.all().filter(|layer| of(layer.kind)).flat_map(|layer| &layer.missing) {
            if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
                keys.push(key.clone());
            }
        }
        keys
    }
}
