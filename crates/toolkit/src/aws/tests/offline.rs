//! The client for the fake follows the state from owner to owner.

use super::*;
use crate::aws::{Clients, Mode};
use crate::offline::{Offline, Strict};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_left_goes_on_with_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let clients = async |fake: &Offline| {
        let target = Target::Fake { url: &fake.url, keys: fake.keys.clone() };
        let config = impatient(load(&settings(&[]), target, fake.http.clone()).await);
        Clients::new(&config, Mode::Live)
    };
    let owner = Offline::open(&state, None, "ready", Strict::default(), Mode::Live).await.unwrap();
    let guest = Offline::open(&state, None, "ready", Strict::default(), Mode::Live).await.unwrap();
    assert_eq!(guest.url, owner.url);
    let (of_owner, of_guest) = (clients(&owner).await, clients(&guest).await);
    let group = |name: &str| of_owner.sagemaker.create_model_package_group().model_package_group_name(name).send();
    group("made-by-the-owner").await.unwrap();
    of_guest
        .sagemaker
        .describe_model_package_group()
        .model_package_group_name("made-by-the-owner")
        .send()
        .await
        .unwrap();

    drop((owner, of_owner));
    of_guest
        .sagemaker
        .describe_model_package_group()
        .model_package_group_name("made-by-the-owner")
        .send()
        .await
        .unwrap();
    let third = Offline::open(&state, None, "ready", Strict::default(), Mode::Live).await.unwrap();
    assert_ne!(third.url, guest.url, "the guest has opened a door of its own");
    clients(&third).await.sagemaker.list_model_package_groups().send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_without_state_is_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let _fake = Offline::open(&state, None, "ready", Strict::default(), Mode::Dry).await.unwrap();
    assert!(!state.exists());
}

#[tokio::test]
async fn an_unknown_scenario_lists_the_known_ones() {
    let failure = Offline::open(std::path::Path::new("/nonexistent"), None, "reddy", Strict::default(), Mode::Live)
        .await
        .err()
        .unwrap();
    assert_eq!((failure.exit_code(), failure.to_string().contains("there are: ready")), (2, true), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_of_images_is_that_of_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let map = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let one = map("one.toml", "[[image]]\nuri = '*/one:*'\nprogram = ['true']\n");
    let other = map("other.toml", "[[image]]\nuri = '*/other:*'\nprogram = ['true']\n");
    let wrong = map("wrong.toml", "[[image]]\nurl = '*'\n\n[[images]]\n");
    let open = async |state: &str, images: Option<&std::path::Path>| {
        Offline::open(&folder.path().join(state), images, "ready", Strict::default(), Mode::Live).await
    };
    let refused = async |state: &str, images: &std::path::Path| {
        let failure = open(state, Some(images)).await.err().unwrap();
        (failure.exit_code(), failure.to_string().replace(&folder.path().display().to_string(), ""))
    };
    let (code, text) = refused("a", &wrong).await;
    let expected = [
        "/wrong.toml:1: this [[image]] has no `uri`",
        "/wrong.toml:2: `url` is not known",
        "/wrong.toml:4: `images` is not known",
    ];
    assert_eq!(code, 2);
    for (line, expected) in text.lines().zip(expected) {
        assert!(line.starts_with(expected), "{text}");
    }
    assert_eq!(text.lines().count(), expected.len());

    let owner = open("a", Some(&one)).await.unwrap();
    assert_eq!(open("a", Some(&one)).await.unwrap().url, owner.url);
    assert_eq!(open("a", None).await.unwrap().url, owner.url);
    let (code, text) = refused("a", &other).await;
    assert_eq!(code, 2);
    assert_eq!(
        text,
        format!(
            "the state in /a is served at {} by a process that runs images by /one.toml, and not by /other.toml",
            owner.url
        )
    );
    let owner = open("b", None).await.unwrap();
    let (_, text) = refused("b", &one).await;
    assert_eq!(
        text,
        format!(
            "the state in /b is served at {} by a process that has no map of images, and not by /one.toml",
            owner.url
        )
    );
}
