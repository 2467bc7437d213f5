//! A package, served: model, endpoint configuration, endpoint.

use sha2::{Digest, Sha256};

use crate::names;
use crate::observe::Seen;
use crate::observe::serving::{Config, Package, Serving};
use crate::plan::{Action, Capture, NewEndpoint, NewEndpointConfig, NewModel, Operation, Tag, Verdict};
use crate::site::Site;

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Where, and what it is called.
    pub site: &'a Site,
    /// What shall be served.
    pub package: &'a Package,
    /// E.g. `ml.m5.xlarge`.
    pub instance_type: &'a str,
    /// Of the calls, how many are captured; 0 for none.
    pub capture_percent: u8,
}

/// What there is.
#[derive(Debug)]
pub struct There {
    /// The endpoint.
    pub endpoint: Seen<Serving>,
    /// Whether there is a model of the name that ours will have.
    pub model: bool,
    /// The same of the configuration.
    pub config: bool,
}

impl Wanted<'_> {
    /// The name of model and configuration: by it the same package, served in the same way, is found again.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { site, package, instance_type, capture_percent } = self;
        let network = site.network.as_ref().map(|it| [it.subnets.join(","), it.security_groups.join(",")].join(";"));
        let (network, key) = (network.unwrap_or_default(), site.kms_key.clone().unwrap_or_default());
        let percent = capture_percent.to_string();
        let content = [&package.arn, *instance_type, &percent, &site.bucket, &site.role, &key, &network].join("\n");
        let hash = format!("{:x}", Sha256::digest(content));
        format!("{}-{}-{}", site.prefix, package.version, &hash[..8])
    }

    fn capture(&self) -> Option<Capture> {
        let destination = names::capture_uri(&self.site.bucket, &self.site.prefix);
        (self.capture_percent > 0).then_some(Capture { percent: self.capture_percent, destination })
    }
}

/// What has to be done so that the endpoint serves the package: what has to go first, what is made, and what can go once it
/// serves.
#[must_use]
pub fn deploy(wanted: &Wanted<'_>, there: &There) -> Vec<Action> {
    let Wanted { site, package, .. } = wanted;
    let (name, endpoint) = (wanted.name(), names::endpoint(&site.prefix));
    let now = match &there.endpoint {
        Seen::Present(serving) => serving.config.as_ref(),
        Seen::Absent | Seen::Unknown(_) => None,
    };
    let version = format!("version {} of {}", package.version, site.package_group);
    let broken = matches!(&there.endpoint, Seen::Present(serving) if serving.status == "Failed");
    if let (Some(now), false) = (now, broken)
        && now.name == name
    {
        return vec![Action::keep("endpoint", endpoint, format!("it serves {version} already, in this way"))];
    }
    let mut actions = Vec::new();
    if let (true, Seen::Present(Serving { failure, .. })) = (broken, &there.endpoint) {
        let why = format!("it has failed ({}), and is made again", failure.as_deref().unwrap_or("no reason given"));
        let delete = vec![Operation::DeleteEndpoint { name: endpoint.clone() }];
        actions.push(Action::new(Verdict::Delete, "endpoint", &endpoint, why, delete));
    }
    actions.extend([model_action(wanted, there, &name, &version), config_action(wanted, there, &name, now)]);
    let serve = NewEndpoint { name: endpoint.clone(), config: name.clone(), tags: site.tags.clone() };
    match &there.endpoint {
        Seen::Unknown(why) => actions.push(Action::new(Verdict::Unknown, "endpoint", endpoint, why, Vec::new())),
        Seen::Present(_) if !broken => {
            let update = vec![Operation::UpdateEndpoint(NewEndpoint { tags: Vec::new(), ..serve })];
            let why = match now {
                Some(now) => {
                    format!("it will serve {version} in place of {}; until then it goes on as it is", now.name)
                }
                None => format!("it will serve {version}"),
            };
            actions.push(Action::new(Verdict::Update, "endpoint", endpoint, why, update));
        }
        Seen::Absent | Seen::Present(_) => {
            let create = vec![Operation::CreateEndpoint(serve)];
            actions.push(Action::new(
                Verdict::Create,
                "endpoint",
                endpoint,
                format!("it will serve {version}"),
                create,
            ));
        }
    }
    actions.extend(now.filter(|now| now.name != name).into_iter().flat_map(|now| replaced(now, &name)));
    actions
}

fn model_action(wanted: &Wanted<'_>, there: &There, name: &str, version: &str) -> Action {
    if there.model {
        return Action::keep("model", name, "it is there already");
    }
    let Wanted { site, package, .. } = wanted;
    let create = Operation::CreateModel(NewModel {
        name: name.to_owned(),
        package: package.arn.clone(),
        role: site.role.clone(),
        network: site.network.clone(),
        tags: site.tags.clone(),
    });
    Action::new(Verdict::Create, "model", name, format!("of {version}"), vec![create])
}

fn config_action(wanted: &Wanted<'_>, there: &There, name: &str, now: Option<&Config>) -> Action {
    if there.config {
        return Action::keep("endpoint config", name, "it is there already");
    }
    let Wanted { site, package, instance_type, .. } = wanted;
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    // A redeployment of the same package in another way does not forget the package before.
    let before = now.and_then(|now| match now.tags.get(names::PACKAGE) {
        Some(served) if *served == package.arn => now.tags.get(names::PREVIOUS_PACKAGE),
        served => served,
    });
    let mut tags = site.tags.clone();
    tags.push(tag(names::PACKAGE, &package.arn));
    tags.extend(before.map(|before| tag(names::PREVIOUS_PACKAGE, before)));
    let capture = wanted.capture();
    let because = match &capture {
        Some(Capture { percent, destination }) => format!("one {instance_type}; {percent} % captured to {destination}"),
        None => format!("one {instance_type}; nothing is captured"),
    };
    let create = Operation::CreateEndpointConfig(NewEndpointConfig {
        name: name.to_owned(),
        model: name.to_owned(),
        instance_type: (*instance_type).to_owned(),
        capture,
        kms_key: site.kms_key.clone(),
        tags,
    });
    Action::new(Verdict::Create, "endpoint config", name, because, vec![create])
}

/// What the update replaces, if we made it.
fn replaced<'a>(now: &'a Config, name: &'a str) -> impl Iterator<Item = Action> + 'a {
    let (key, value) = names::MANAGED_BY;
    let ours = now.tags.get(key).is_some_and(|maker| maker == value);
    const BECAUSE: &str = "it is no longer served, once the new one is";
    let config = ours.then(|| {
        let delete = Operation::DeleteEndpointConfig { name: now.name.clone() };
        Action::new(Verdict::Delete, "endpoint config", &now.name, BECAUSE, vec![delete])
    });
    let models = now.models.iter().filter(move |model| ours && *model != name).map(|model| {
        let delete = Operation::DeleteModel { name: model.clone() };
        Action::new(Verdict::Delete, "model", model, BECAUSE, vec![delete])
    });
    config.into_iter().chain(models)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::settings::{Settings, Sources};

    fn site() -> Site {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        Site::new(&settings, "111122223333", Some("arn:aws:iam::111122223333:role/sts-execution"))
    }

    fn package(version: i32) -> Package {
        let arn = format!("arn:aws:sagemaker:eu-west-1:111122223333:model-package/stspackagegroup/{version}");
        Package { arn, version, approval: "Approved".into(), metadata: HashMap::new() }
    }

    fn serving(status: &str, name: &str, tags: &[(&str, &str)]) -> Seen<Serving> {
        let tags: BTreeMap<_, _> = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (models, instance_types) = (vec![name.to_owned()], vec!["ml.m5.xlarge".to_owned()]);
        let config = Some(Config { name: name.into(), models, instance_types, capture: None, tags });
        Seen::Present(Serving { arn: "arn".into(), status: status.into(), failure: None, config })
    }

    fn plan(version: i32, endpoint: Seen<Serving>, there: bool) -> Vec<Action> {
        let (site, package) = (site(), package(version));
        let wanted = Wanted { site: &site, package: &package, instance_type: "ml.m5.xlarge", capture_percent: 100 };
        deploy(&wanted, &There { endpoint, model: there, config: there })
    }

    #[track_caller]
    fn check(version: i32, endpoint: Seen<Serving>, there: bool, expected: &[(&str, &str)]) {
        let plan = plan(version, endpoint, there);
        let found: Vec<_> = plan.iter().map(|action| (action.verdict.word(), action.kind)).collect();
        assert_eq!(found, expected, "{plan:#?}");
    }

    const OURS: &[(&str, &str)] = &[names::MANAGED_BY];

    #[test]
    fn what_is_there_stays_and_what_is_replaced_goes() {
        let name = |version| {
            let (site, package) = (site(), package(version));
            Wanted { site: &site, package: &package, instance_type: "ml.m5.xlarge", capture_percent: 100 }.name()
        };
        let (model, config) = (("create", "model"), ("create", "endpoint config"));
        check(2, Seen::Absent, false, &[model, config, ("create", "endpoint")]);
        check(2, Seen::Absent, true, &[("keep", "model"), ("keep", "endpoint config"), ("create", "endpoint")]);
        check(2, serving("InService", &name(2), OURS), true, &[("keep", "endpoint")]);
        let gone = [("delete", "endpoint config"), ("delete", "model")];
        let update = [model, config, ("update", "endpoint")];
        check(2, serving("InService", &name(1), OURS), false, &[&update[..], &gone].concat());
        check(2, serving("InService", "somebody-elses", &[]), false, &update);
        let again = [("delete", "endpoint"), ("keep", "model"), ("keep", "endpoint config"), ("create", "endpoint")];
        check(2, serving("Failed", &name(2), OURS), true, &again);
    }

    #[test]
    fn the_package_before_is_remembered_for_a_rollback() {
        let before = |served: i32, previous: i32, deployed: i32| {
            let (served, previous) = (package(served).arn, package(previous).arn);
            let tags = [names::MANAGED_BY, (names::PACKAGE, &served), (names::PREVIOUS_PACKAGE, &previous)];
            let plan = plan(deployed, serving("InService", "old", &tags), false);
            let Operation::CreateEndpointConfig(config) = &plan[1].operations[0] else { panic!("{plan:?}") };
            config.tags.iter().find(|tag| tag.key == names::PREVIOUS_PACKAGE).map(|tag| tag.value.clone())
        };
        assert_eq!(before(2, 1, 3), Some(package(2).arn));
        assert_eq!(before(2, 1, 2), Some(package(1).arn), "served in another way, it is the same package");
    }

    #[test]
    fn the_name_tells_package_and_way() {
        let (site, one, two) = (site(), package(1), package(2));
        let name = |package, instance_type, capture_percent| {
            Wanted { site: &site, package, instance_type, capture_percent }.name()
        };
        let first = name(&one, "ml.m5.xlarge", 100);
        assert!(first.starts_with("sts-1-") && first.len() == "sts-1-".len() + 8, "{first}");
        assert_eq!(first, name(&one, "ml.m5.xlarge", 100));
        for other in [name(&two, "ml.m5.xlarge", 100), name(&one, "ml.m5.large", 100), name(&one, "ml.m5.xlarge", 50)] {
            assert_ne!(first, other);
        }
    }
}
