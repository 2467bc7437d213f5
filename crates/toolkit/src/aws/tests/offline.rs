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
    let owner = Offline::open(&state, "ready", Strict::default(), Mode::Live).await.unwrap();
    let guest = Offline::open(&state, "ready", Strict::default(), Mode::Live).await.unwrap();
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
    let third = Offline::open(&state, "ready", Strict::default(), Mode::Live).await.unwrap();
    assert_ne!(third.url, guest.url, "the guest has opened a door of its own");
    clients(&third).await.sagemaker.list_model_package_groups().send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_without_state_is_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let _fake = Offline::open(&state, "ready", Strict::default(), Mode::Dry).await.unwrap();
    assert!(!state.exists());
}

#[tokio::test]
async fn an_unknown_scenario_lists_the_known_ones() {
    let failure = Offline::open(std::path::Path::new("/nonexistent"), "reddy", Strict::default(), Mode::Live)
        .await
        .err()
        .unwrap();
    assert_eq!((failure.exit_code(), failure.to_string().contains("there are: ready")), (2, true), "{failure}");
}
