//! Users, their access keys and policies.

use crate::clients::{said, sts_as};
use crate::iam::{Iam, POLICY, elements, padded};

fn named(name: &str) -> (&str, &str) {
    ("UserName", name)
}

#[tokio::test]
async fn without_a_name_the_user_is_the_caller() {
    let iam = Iam::start().await;
    let expected = [("UserName", "sts-developer"), ("Arn", "arn:aws:iam::111122223333:user/sts-developer")];
    iam.check("GetUser", &[], &expected).await;
    iam.check("GetUser", &[named("sts-developer")], &expected).await;
    iam.refused("GetUser", &[named("x")], "404 NoSuchEntity: The user with name x cannot be found.").await;
    iam.check(
        "ListAccessKeys",
        &[],
        &[("UserName", "sts-developer"), ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"), ("Status", "Active")],
    )
    .await;
    let answer = iam.ask("ListGroupsForUser", &[named("sts-developer")]).await;
    assert!(answer.contains("<Groups></Groups><IsTruncated>false</IsTruncated>"), "{answer}");
}

#[tokio::test]
async fn a_user_with_a_key_calls_as_itself() {
    let iam = Iam::start().await;
    let made = [named("ann"), ("Path", "/team/"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let expected = [("UserName", "ann"), ("Arn", "arn:aws:iam::111122223333:user/team/ann"), ("Key", "k")];
    iam.check("CreateUser", &made, &expected).await;
    iam.check("GetUser", &[named("ann")], &expected).await;
    iam.refused("CreateUser", &made, "409 EntityAlreadyExists: User with name ann already exists.").await;
    iam.check("ListUsers", &[], &[("UserName", "ann"), ("UserName", "sts-developer")]).await;
    iam.check("ListUsers", &[("PathPrefix", "/team/")], &[("UserName", "ann")]).await;

    let body = iam.ask("CreateAccessKey", &[named("ann")]).await;
    let key = elements(&body, &["AccessKeyId", "SecretAccessKey"]);
    let (id, secret) = (key[0].1.clone(), key[1].1.clone());
    assert!(id.starts_with("AKIA") && id.len() == 20 && secret.len() == 40, "{body}");
    assert!(!iam.ask("ListAccessKeys", &[named("ann")]).await.contains(&secret));
    let credentials = aws_credential_types::Credentials::new(&id, &secret, None, None, "test");
    let who = sts_as(&iam.0, credentials.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(who.arn(), Some("arn:aws:iam::111122223333:user/team/ann"));

    let switch = |status| [named("ann"), ("AccessKeyId", &*id), ("Status", status)];
    iam.ask("UpdateAccessKey", &switch("Inactive")).await;
    iam.check("ListAccessKeys", &[named("ann")], &[("AccessKeyId", &id), ("Status", "Inactive")]).await;
    let refused = sts_as(&iam.0, credentials.clone()).get_caller_identity().send().await;
    assert_eq!(said(refused).0, "InvalidClientTokenId");
    iam.ask("UpdateAccessKey", &switch("Active")).await;
    sts_as(&iam.0, credentials.clone()).get_caller_identity().send().await.unwrap();

    iam.ask("CreateAccessKey", &[named("ann")]).await;
    let sentence = "409 LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2";
    iam.refused("CreateAccessKey", &[named("ann")], sentence).await;
    let keys_first = "409 DeleteConflict: Cannot delete entity, must delete access keys first.";
    iam.refused("DeleteUser", &[named("ann")], keys_first).await;
    let listed = elements(&iam.ask("ListAccessKeys", &[named("ann")]).await, &["AccessKeyId"]);
    for (_, id) in &listed {
        iam.ask("DeleteAccessKey", &[named("ann"), ("AccessKeyId", id)]).await;
    }
    let gone = format!("404 NoSuchEntity: The Access Key with id {id} cannot be found.");
    iam.refused("DeleteAccessKey", &[named("ann"), ("AccessKeyId", &id)], &gone).await;
    // The key of another user is not there either.
    let other = "AKIAIOSFODNN7EXAMPLE";
    let gone = format!("404 NoSuchEntity: The Access Key with id {other} cannot be found.");
    iam.refused("DeleteAccessKey", &[named("ann"), ("AccessKeyId", other)], &gone).await;
    iam.ask("DeleteUser", &[named("ann")]).await;
    iam.refused("GetUser", &[named("ann")], "404 NoSuchEntity: The user with name ann cannot be found.").await;
}

#[tokio::test]
async fn users_have_policies_boundaries_and_tags_as_roles_have() {
    let iam = Iam::start().await;
    iam.ask("CreateUser", &[named("ann")]).await;
    let arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let (ann, inline, managed) = (named("ann"), ("PolicyName", "p"), ("PolicyArn", arn));
    iam.ask("PutUserPolicy", &[ann, inline, ("PolicyDocument", POLICY)]).await;
    iam.check("GetUserPolicy", &[ann, inline], &[("UserName", "ann"), ("PolicyName", "p")]).await;
    assert!(iam.ask("ListUserPolicies", &[ann]).await.contains("<PolicyNames><member>p</member></PolicyNames>"));
    let long = padded(POLICY, 2048);
    let sentence = "409 LimitExceeded: Maximum policy size of 2048 bytes exceeded for user ann";
    iam.refused("PutUserPolicy", &[ann, inline, ("PolicyDocument", &long)], sentence).await;
    iam.ask("AttachUserPolicy", &[ann, managed]).await;
    iam.check("ListAttachedUserPolicies", &[ann], &[("PolicyArn", arn)]).await;
    iam.ask("PutUserPermissionsBoundary", &[ann, ("PermissionsBoundary", arn)]).await;
    iam.ask("TagUser", &[ann, ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]).await;
    iam.check("GetUser", &[ann], &[("PermissionsBoundaryArn", arn), ("Key", "k"), ("Value", "v")]).await;
    iam.ask("DeleteUserPermissionsBoundary", &[ann]).await;
    iam.ask("UntagUser", &[ann, ("TagKeys.member.1", "k")]).await;
    iam.check("ListUserTags", &[ann], &[("IsTruncated", "false")]).await;
    iam.refused("DeleteUser", &[ann], "409 DeleteConflict: Cannot delete entity, must detach all policies first.")
        .await;
    iam.ask("DetachUserPolicy", &[ann, managed]).await;
    iam.refused("DeleteUser", &[ann], "409 DeleteConflict: Cannot delete entity, must delete policies first.").await;
    iam.ask("DeleteUserPolicy", &[ann, inline]).await;
    let missing = "404 NoSuchEntity: The user policy with name p cannot be found.";
    iam.refused("DeleteUserPolicy", &[ann, inline], missing).await;
    iam.ask("DeleteUser", &[ann]).await;
}
