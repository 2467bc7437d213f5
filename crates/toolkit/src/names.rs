//! Every name, key and tag that the verbs make. Later verbs find things by these, never by a local file.

use iam_policy::generate::Repository;

/// The tag that says who made a thing: what does not carry it is not ours to harden, empty or delete.
pub const MANAGED_BY: (&str, &str) = ("ManagedBy", "stsmodelmonitor");

/// The key of the tag that carries the job prefix.
pub const PROJECT: &str = "Project";

/// The longest that follows the prefix in a name that AWS limits to 63 characters: `-` and a package version of six
/// digits, `-` and a short id of eight.
pub const LONGEST_SUFFIX: usize = 16;

/// `sagemaker-REGION-ACCOUNT`: the bucket that SageMaker's own SDKs use too.
#[must_use]
pub fn default_bucket(region: &str, account: &str) -> String {
    format!("sagemaker-{region}-{account}")
}

/// The tags on everything that is created: ours, then those of `STSMM_TAGS`.
#[must_use]
pub fn tags(prefix: &str, further: &[(String, String)]) -> Vec<(String, String)> {
    let (key, value) = MANAGED_BY;
    let ours = [(PROJECT.to_owned(), prefix.to_owned()), (key.to_owned(), value.to_owned())];
    ours.into_iter().chain(further.iter().cloned()).collect()
}

/// The key of an input, made of its content, so that the same input is uploaded once and cached steps are found again.
#[must_use]
pub fn input_key(prefix: &str, sha256: &str) -> String {
    format!("{prefix}/input/{sha256}/pairs.tsv")
}

/// The variant that gets all the traffic, by the name that SageMaker's own SDKs give it.
pub const VARIANT: &str = "AllTraffic";

/// The tag of an endpoint configuration that names the package that it serves.
pub const PACKAGE: &str = "ModelPackage";

/// The tag of an endpoint configuration that names the package served before: what a rollback goes back to.
pub const PREVIOUS_PACKAGE: &str = "PreviousModelPackage";

/// The name of the endpoint.
#[must_use]
pub fn endpoint(prefix: &str) -> String {
    format!("{prefix}-endpoint")
}

/// Where the endpoint's traffic is captured to. SageMaker appends the endpoint's name itself.
#[must_use]
pub fn capture_uri(bucket: &str, prefix: &str) -> String {
    format!("s3://{bucket}/{prefix}/{}/datacapture", endpoint(prefix))
}

/// What the keys of captured traffic begin with; the hour follows.
#[must_use]
pub fn captured(prefix: &str) -> String {
    let endpoint = endpoint(prefix);
    format!("{prefix}/{endpoint}/datacapture/{endpoint}/{VARIANT}/")
}

/// What the keys of labels begin with; the hour follows.
#[must_use]
pub fn ground_truth(prefix: &str) -> String {
    format!("{prefix}/{}/ground-truth/", endpoint(prefix))
}

/// What the keys of the monitor begin with.
#[must_use]
pub fn monitoring(prefix: &str) -> String {
    format!("{prefix}/{}/monitoring/", endpoint(prefix))
}

/// The name of the monitor's schedule.
#[must_use]
pub fn schedule(prefix: &str) -> String {
    format!("{prefix}-model-quality")
}

/// The name of a schedule for one look.
#[must_use]
pub fn one_look(prefix: &str) -> String {
    format!("{prefix}-quality-now")
}

/// The name of a job that learns what is normal; `hash` is of what it learns from.
#[must_use]
pub fn baseline_job(prefix: &str, hash: &str) -> String {
    format!("{prefix}-base-{hash}")
}

/// The name of a job definition; `hash` is of what it goes by.
#[must_use]
pub fn quality_definition(prefix: &str, hash: &str) -> String {
    format!("{prefix}-mq-{hash}")
}

/// The key of the object that the doctor writes and removes.
#[must_use]
pub fn probe_key(prefix: &str) -> String {
    format!("{prefix}/doctor/probe")
}

/// Our image when `STSMM_IMAGE` names no other. `tag` is a hash of the image's content.
#[must_use]
pub fn image(account: &str, region: &str, tag: &str) -> String {
    let (account, region, name) = (account.to_owned(), region.to_owned(), "sts-container".to_owned());
    format!("{}:{tag}", Repository { account, region, name }.uri())
}

/// The name of the session of a verb: it shows in CloudTrail.
#[must_use]
pub fn session(verb: &str) -> String {
    format!("stsmm-{verb}")
}

/// The tags of every session: `Project` and `Tool`.
#[must_use]
pub fn session_tags(prefix: &str) -> [(&'static str, String); 2] {
    [(PROJECT, prefix.to_owned()), ("Tool", MANAGED_BY.1.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_documentation() {
        for (made, documented) in [
            (default_bucket("eu-west-1", "111122223333"), "sagemaker-eu-west-1-111122223333"),
            (input_key("sts", "ab12"), "sts/input/ab12/pairs.tsv"),
            (image("111122223333", "eu-west-1", "t"), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:t"),
            (
                image("111122223333", "cn-north-1", "t"),
                "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/sts-container:t",
            ),
            (session("run"), "stsmm-run"),
        ] {
            assert_eq!(made, documented);
        }
    }

    #[test]
    fn our_tags_come_first() {
        let tags = tags("sts", &[("Team".to_owned(), "nlp".to_owned())]);
        let tags: Vec<_> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(tags, ["Project=sts", "ManagedBy=stsmodelmonitor", "Team=nlp"]);
    }
}
