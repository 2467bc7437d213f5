//! The way of the image: pushed, found again, run by its digest; and what is in its way.

use assert_cmd::cargo::cargo_bin;
use sagemaker_fake::Fake;
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};
use sts_container::TAG;
use toolkit::aws::{Mode, Place, Session};
use toolkit::settings::{Settings, Sources};

use crate::user::{Done, User};

const REPOSITORY: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container";

/// An account, and the user who works in it offline.
struct World {
    aws: FakeAws,
    user: User,
    _owner: Owner,
}

impl World {
    async fn new() -> Self {
        let user = User::new();
        let programs = Programs::built_in().own_binary(cargo_bin("stsmm"));
        let aws = FakeAws::start_with(Fake::builder().state(user.state()).programs(programs)).await;
        let owner = Owner::claim(&user.state(), &aws.endpoint_url()).unwrap();
        Self { aws, user, _owner: owner }
    }

    fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Done {
        tokio::task::block_in_place(|| self.user.run(environment, arguments))
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(&[], &[arguments, &["--offline"]].concat())
    }

    /// What a verb answers as JSON.
    fn answer(&self, arguments: &[&str]) -> Value {
        let (code, stdout, stderr) = self.run(&[arguments, &["--output", "json"]].concat());
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    async fn session(&self) -> Session {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        let (state, scenario) = (self.user.state(), "ready".to_owned());
        let place = Place::Offline { state, images: None, scenario, enforce_iam: false, strict_images: false };
        Session::open(&settings, &place, "test", false, Mode::Live).await.unwrap()
    }

    /// The calls since the last time that are about images.
    fn calls_of_registry(&self, after: usize) -> Vec<String> {
        let calls = self.aws.calls();
        let of_registry = calls.iter().skip(after).filter(|call| call.service == "ecr");
        of_registry.map(|call| call.operation.clone()).collect()
    }
}

/// What became of the plan's things, by their kinds.
fn verdicts(report: &Value) -> Vec<(&str, &str)> {
    let actions = report["actions"].as_array().unwrap().iter();
    actions.map(|action| (action["kind"].as_str().unwrap(), action["verdict"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_run_by_its_digest() {
    let world = World::new().await;
    let (code, stdout, stderr) = world.run(&["run", "--strict-images"]);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    let missing = format!(
        "error: image {REPOSITORY}:{TAG}: it is not in the registry\n\nhint: `cargo xtask image push --offline`"
    );
    assert!(stderr.contains(&missing), "{stderr}");
    let changed = world.aws.calls().into_iter().find(|call| call.operation.starts_with("Create"));
    assert!(changed.is_none(), "{changed:?}");
    let (code, stdout, _) = world.run(&["run", "--strict-images", "--dry"]);
    assert_eq!(code, 1);
    assert!(stdout.starts_with("missing image"), "{stdout}");

    let archive = world.user.archive(TAG, "one");
    let push = ["image", "push", "--archive", archive.as_str()];
    let planned = world.answer(&[&push[..], &["--dry"]].concat());
    let created = ["repository", "layer", "config", "image"].map(|kind| (kind, "create"));
    assert_eq!(verdicts(&planned), created);
    let pushed = world.answer(&push);
    assert_eq!(pushed["actions"], planned["actions"], "what is done is what was planned");
    assert_eq!(pushed["image"], format!("{REPOSITORY}:{TAG}"));
    let pinned = pushed["pinned"].as_str().unwrap();

    let before = world.aws.calls().len();
    let again = world.answer(&push);
    assert_eq!(verdicts(&again), [("repository", "keep"), ("image", "keep")]);
    let calls = world.calls_of_registry(before);
    assert_eq!(calls, ["DescribeRepositories", "ListTagsForResource", "GetAuthorizationToken", "BatchGetImage"]);

    let planned = world.answer(&["run", "--strict-images", "--dry"]);
    assert_eq!(verdicts(&planned)[0], ("image", "keep"));
    let report = world.answer(&["run", "--strict-images"]);
    assert_eq!(report["status"], "Succeeded", "{report:#}");
    let session = world.session().await;
    let sagemaker = &session.clients.sagemaker;
    let pipeline = sagemaker.describe_pipeline().pipeline_name("stsPipeline").send().await.unwrap();
    let definition = pipeline.pipeline_definition.unwrap();
    // Three processing steps, the training step, the package, and its property.
    assert_eq!(definition.matches(pinned).count(), 6, "{definition}");
    assert!(!definition.contains(&format!(":{TAG}")), "{definition}");
    let jobs = sagemaker.list_processing_jobs().send().await.unwrap().processing_job_summaries.unwrap();
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    for job in jobs {
        let job =
            sagemaker.describe_processing_job().processing_job_name(job.processing_job_name.unwrap()).send().await;
        assert_eq!(job.unwrap().app_specification.unwrap().image_uri.unwrap(), pinned);
    }
    // The same image is the same definition: what it has done is taken over.
    let report = world.answer(&["run", "--strict-images"]);
    let cached = |step: &&Value| step["cached_from"].is_string();
    assert_eq!(report["steps"].as_array().unwrap().iter().filter(cached).count(), 4, "{report:#}");
    let (_, same, _) = world.run(&["pipeline", "diff"]);
    assert!(same.starts_with("no difference"), "{same}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_there_fails_in_sagemakers_words() {
    let world = World::new().await;
    let archive = world.user.archive(TAG, "one");
    world.answer(&["image", "push", "--archive", &archive]);
    let unknown = format!("{REPOSITORY}@sha256:{}", "0".repeat(64));
    let all_the_same = ["run", "--offline", "--strict-images", "--no-preflight"];
    let (code, stdout, stderr) = world.run_with(&[("STSMM_IMAGE", &unknown)], &all_the_same);
    assert_eq!(code, 1, "{stdout}{stderr}");
    let said = format!("ClientError: API error (404): manifest for {unknown} not found");
    assert!(stdout.contains(&said), "{stdout}");
    let (code, _, stderr) = world.run_with(&[("STSMM_IMAGE", &unknown)], &["run", "--offline", "--strict-images"]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("image {unknown}: it is not in the registry")), "{stderr}");
    assert!(stderr.contains("to try all the same: --no-preflight"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_stays_with_its_image() {
    let world = World::new().await;
    let (one, two) = (world.user.archive(TAG, "one"), world.user.archive(TAG, "two"));
    let pushed = world.answer(&["image", "push", "--archive", &one]);
    let (code, _, stderr) = world.run(&["image", "push", "--archive", &two]);
    assert_eq!(code, 1);
    let digest = pushed["pinned"].as_str().unwrap().split_once('@').unwrap().1;
    assert!(stderr.contains(&format!("{REPOSITORY}:{TAG} is another image already: {digest}")), "{stderr}");
    assert!(stderr.contains("\nhint: "), "{stderr}");
    // One that was made of a later commit, and runs the same, need not be pushed.
    let later = world.user.labelled_archive(TAG, "one", "later");
    let again = world.answer(&["image", "push", "--archive", &later]);
    assert_eq!((verdicts(&again)[1], &again["pinned"]), (("image", "keep"), &pushed["pinned"]));
    // Of an image by another tag, `run` would not hear.
    let other = world.user.archive("other", "two");
    let (code, _, stderr) = world.run(&["image", "push", "--archive", &other]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("this image has the tag other, and `run` looks for {TAG}")), "{stderr}");
}

/// The fake's registry stands for any other: whoever signs in is in Docker's configuration.
#[tokio::test(flavor = "multi_thread")]
async fn another_registry_is_signed_in_at_as_docker_does() {
    let world = World::new().await;
    let session = world.session().await;
    session.clients.ecr.create_repository("team/sts-container", &[]).await.unwrap();
    let host = world.aws.endpoint_url().replace("http://", "");
    let archive = world.user.archive(TAG, "one");
    let place = format!("{host}/team");
    let push = ["image", "push", "--archive", &archive, "--registry", &place];
    let (code, _, stderr) = world.run_with(&[], &push);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("at {host} was refused")), "{stderr}");
    assert!(stderr.contains(&format!("hint: sign in first: docker login {host}")), "{stderr}");

    let signed = session.clients.ecr.sign_in().await.unwrap();
    let config = json!({"auths": {&host: {"username": signed.user, "password": signed.password}}});
    std::fs::create_dir(world.user.folder().join(".docker")).unwrap();
    std::fs::write(world.user.folder().join(".docker/config.json"), config.to_string()).unwrap();
    let (code, stdout, stderr) = world.run_with(&[], &push);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with(&format!("image   {host}/team/sts-container:{TAG}\n")), "{stdout}");
    assert!(!format!("{stdout}{stderr}").contains(&signed.password), "a password is printed");
    let before = world.aws.calls().len();
    let (code, stdout, _) = world.run_with(&[], &push);
    assert_eq!(code, 0);
    assert!(stdout.ends_with("pushed  nothing: it was there already\n"), "{stdout}");
    assert!(!world.calls_of_registry(before).iter().any(|call| call.contains("Upload") || call.starts_with("Put")));
}

/// At an endpoint, as on AWS, the image has to be there.
#[tokio::test(flavor = "multi_thread")]
async fn without_offline_the_image_is_needed() {
    let world = World::new().await;
    let mut environment = world.aws.environment();
    environment.push(("AWS_ROLE", "arn:aws:iam::111122223333:role/sts-execution".to_owned()));
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (code, stdout, stderr) = world.run_with(&environment, &["run", "--dry"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.starts_with("missing image"), "{stdout}");
    assert!(stderr.contains("hint: `cargo xtask image push` builds it"), "{stderr}");
    let (code, stdout, _) = world.run_with(&environment, &["doctor", "--only", "image"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("it is not in the registry") && stdout.contains("cargo xtask image push"), "{stdout}");

    let archive = world.user.archive(TAG, "one");
    let (code, _, stderr) = world.run_with(&environment, &["image", "push", "--archive", &archive]);
    assert_eq!(code, 0, "{stderr}");
    let (code, stdout, stderr) = world.run_with(&environment, &["run", "--dry"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("keep    image"), "{stdout}");
    let (code, stdout, _) = world.run_with(&environment, &["doctor", "--only", "image"]);
    assert_eq!(code, 0, "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repository_goes_with_everything_if_it_is_ours() {
    for ours in [true, false] {
        let world = World::new().await;
        if !ours {
            world.session().await.clients.ecr.create_repository("sts-container", &[]).await.unwrap();
        }
        let archive = world.user.archive(TAG, "one");
        let pushed = world.answer(&["image", "push", "--archive", &archive]);
        let because = pushed["actions"][0]["because"].as_str().unwrap();
        assert!(ours || because.starts_with("it is there"), "{because}");
        let (_, stdout, _) = world.run(&["cleanup", "--yes"]);
        assert!(stdout.contains("the image repository sts-container"), "{stdout}");
        let (code, stdout, stderr) = world.run(&["cleanup", "--yes", "--everything"]);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(stdout.contains("the image repository sts-container, which others made"), !ours, "{stdout}");
        let left = world.aws.export()["repository"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(left, usize::from(!ours));
    }
}
