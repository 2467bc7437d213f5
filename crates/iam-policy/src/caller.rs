//! Who makes a request, and whether a principal of a policy means them.

use crate::{
    arn,
    context::Context,
    document::{PrincipalPattern, Principals},
};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    kind: CallerKind,
    name: String,
    /// Of a session: the ARN of its role, or of the user who federated.
    behind: Option<String>,
    id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallerKind {
    Anonymous,
    Root,
    User,
    Role,
    RoleSession,
    FederatedSession,
    Service,
    Federated,
    Unnamed,
}

/// How directly a policy names the caller. It decides whether others may still limit what the policy grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// By the account: the account's own policies decide.
    Account,
    /// By the role, or by the user who federated: boundary and session policies still limit it.
    Behind,
    /// The user, the session, the service, or everyone.
    Direct,
}

impl Caller {
    fn of(kind: CallerKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), behind: None, id: None }
    }

    /// Somebody without credentials.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::of(CallerKind::Anonymous, "anonymous")
    }

    /// The account itself: `arn:aws:iam::111122223333:root`.
    pub fn root(arn: impl Into<String>) -> Self {
        Self::of(CallerKind::Root, arn)
    }

    /// A user, by its ARN.
    pub fn user(arn: impl Into<String>) -> Self {
        Self::of(CallerKind::User, arn)
    }

    /// A role itself, by its ARN: whom a simulation is about. Requests come from its sessions.
    pub fn role(arn: impl Into<String>) -> Self {
        Self::of(CallerKind::Role, arn)
    }

    /// A session of a role, by the ARN of the session (`arn:aws:sts::111122223333:assumed-role/role/session`) and that of
    /// the role, which has a path where the session's has none.
    pub fn session(arn: impl Into<String>, role: impl Into<String>) -> Self {
        Self { behind: Some(role.into()), ..Self::of(CallerKind::RoleSession, arn) }
    }

    /// A session of GetFederationToken, by its ARN and that of the user who asked for it.
    pub fn federated_session(arn: impl Into<String>, user: impl Into<String>) -> Self {
        Self { behind: Some(user.into()), ..Self::of(CallerKind::FederatedSession, arn) }
    }

    /// A service: `sagemaker.amazonaws.com`.
    pub fn service(name: impl Into<String>) -> Self {
        Self::of(CallerKind::Service, name)
    }

    /// Somebody known to an identity provider, who comes with its token to assume a role.
    pub fn federated(provider: impl Into<String>) -> Self {
        Self::of(CallerKind::Federated, provider)
    }

    /// Somebody of an account, of whom nothing else is known: about whom policies are simulated that belong to nobody yet.
    pub fn unnamed(account: &str) -> Self {
        Self::of(CallerKind::Unnamed, format!("arn:aws:iam::{account}:user/"))
    }

    /// The same with its unique id: `AIDA...` of a user, `AROA...:session` of a session.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    /// The ARN; of services and providers the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account that it belongs to, if it does to one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self.kind {
            CallerKind::Anonymous | CallerKind::Service | CallerKind::Federated => None,
            _ => arn::account(&self.name),
        }
    }

    /// The principal with which a policy means the caller: of a session its role, since sessions come and go.
    pub(crate) fn as_principal(&self) -> PrincipalPattern {
        match self.kind {
            CallerKind::Anonymous => PrincipalPattern::Everyone,
            CallerKind::Service => PrincipalPattern::Service(self.name.clone()),
            CallerKind::Federated => PrincipalPattern::Federated(self.name.clone()),
            _ => PrincipalPattern::Aws(self.principal_arn().to_owned()),
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.kind == CallerKind::Root
    }

    /// The ARN of whom policies are attached to: the role of a session, else the caller's own.
    #[must_use]
    pub fn principal_arn(&self) -> &str {
        match self.kind {
            CallerKind::RoleSession => self.behind.as_deref().unwrap_or(&self.name),
            _ => &self.name,
        }
    }

    /// Roles that services keep for themselves are beyond an organisation's policies.
    pub(crate) fn is_service_linked(&self) -> bool {
        self.principal_arn().contains(":role/aws-service-role/")
    }

    /// How the principals mean the caller, if they do.
    pub(crate) fn named_by(&self, principals: &Principals) -> Option<Naming> {
        let namings = principals.members.iter().filter_map(|principal| self.named_as(principal));
        let naming = namings.max();
        match principals.negated {
            false => naming,
            // AWS's examples list the account beside the user: being of the account alone exempts nobody.
            true => naming.is_none_or(|naming| naming == Naming::Account).then_some(Naming::Direct),
        }
    }

    fn named_as(&self, principal: &PrincipalPattern) -> Option<Naming> {
        let behind = self.behind.as_deref();
        match principal {
            PrincipalPattern::Everyone => Some(Naming::Direct),
            PrincipalPattern::Account(account) if self.account() == Some(account) => {
                Some(if self.is_root() { Naming::Direct } else { Naming::Account })
            }
            PrincipalPattern::Aws(arn) if *arn == self.name => {
                Some(if self.kind == CallerKind::Role { Naming::Behind } else { Naming::Direct })
            }
            PrincipalPattern::Aws(arn) if Some(arn.as_str()) == behind => Some(Naming::Behind),
            PrincipalPattern::Aws(id) => self.id.as_deref().and_then(|own| match own.split_once(':') {
                Some((role, _)) if role == id => Some(Naming::Behind),
                None if own == id && self.kind == CallerKind::Role => Some(Naming::Behind),
                None if own == id => Some(Naming::Direct),
                _ => None,
            }),
            PrincipalPattern::Service(service) => self.is(CallerKind::Service, service),
            PrincipalPattern::Federated(provider) => self.is(CallerKind::Federated, provider),
            PrincipalPattern::Account(_) | PrincipalPattern::CanonicalUser(_) => None,
        }
    }

    fn is(&self, kind: CallerKind, name: &str) -> Option<Naming> {
        (self.kind == kind && self.name == name).then_some(Naming::Direct)
    }

    /// The context with the keys that follow from who calls, where it does not have them already.
    pub(crate) fn complete(&self, context: &Context) -> Context {
        let mut whole = context.clone();
        let mut add = |key: &str, value: &str| {
            if whole.get(key).is_none() {
                whole.set(key, [value]);
            }
        };
        let kind = match self.kind {
            CallerKind::Anonymous => Some("Anonymous"),
            CallerKind::Root => Some("Account"),
            CallerKind::User => Some("User"),
            CallerKind::Role | CallerKind::RoleSession => Some("AssumedRole"),
            CallerKind::FederatedSession => Some("FederatedUser"),
            CallerKind::Service | CallerKind::Federated | CallerKind::Unnamed => None,
        };
        if let Some(kind) = kind {
            add("aws:PrincipalType", kind);
        }
        let is_service = self.kind == CallerKind::Service;
        add("aws:PrincipalIsAWSService", if is_service { "true" } else { "false" });
        if is_service {
            add("aws:PrincipalServiceName", &self.name);
        }
        if let Some(account) = self.account() {
            if self.kind != CallerKind::Unnamed {
                add("aws:PrincipalArn", self.principal_arn());
            }
            add("aws:PrincipalAccount", account);
            if self.is_root() {
                add("aws:userid", account);
            }
        }
        if let (CallerKind::User, Some((_, name))) = (self.kind, self.name.rsplit_once('/')) {
            add("aws:username", name);
        }
        if let Some(id) = &self.id {
            add("aws:userid", id);
        }
        whole
    }
}
