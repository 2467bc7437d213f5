//! Roles, and their inline policies, attachments, boundaries and tags.

use crate::iam::{Iam, POLICY, TRUST, about, encoded, marker, padded};

const FULL_ACCESS: &str = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";

fn named(name: &str) -> (&str, &str) {
    ("RoleName", name)
}

async fn with_role(name: &str) -> Iam {
    let iam = Iam::start().await;
    iam.ask("CreateRole", &[named(name), ("AssumeRolePolicyDocument", TRUST)]).await;
    iam
}

#[tokio::test]
async fn a_role_is_what_it_was_made_to_be() {
    let iam = Iam::start().await;
    let made = [
        named("Trainer"),
        ("Path", "/ml/"),
        ("AssumeRolePolicyDocument", TRUST),
        ("Description", "trains & more"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundary", FULL_ACCESS),
        ("Tags.member.1.Key", "Project"),
        ("Tags.member.1.Value", "sts"),
    ];
    let trust = encoded(TRUST).replace("%2D", "-").replace("%2E", ".");
    let expected = [
        ("Path", "/ml/"),
        ("RoleName", "Trainer"),
        ("Arn", "arn:aws:iam::111122223333:role/ml/Trainer"),
        ("AssumeRolePolicyDocument", trust.as_str()),
        ("Description", "trains & more"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundaryType", "PermissionsBoundaryPolicy"),
        ("PermissionsBoundaryArn", FULL_ACCESS),
        ("Key", "Project"),
        ("Value", "sts"),
    ];
    iam.check("CreateRole", &made, &expected).await;
    iam.check("GetRole", &[named("Trainer")], &expected).await;
    let body = iam.ask("GetRole", &[named("Trainer")]).await;
    assert!(body.contains("<RoleId>AROA") && body.contains("<RoleLastUsed></RoleLastUsed>"), "{body}");
    // Lists leave out what only one role is asked for.
    let listed = iam.ask("ListRoles", &[("PathPrefix", "/ml/")]).await;
    assert!(listed.contains("<RoleName>Trainer</RoleName>") && !listed.contains("sts-execution"), "{listed}");
    assert!(!listed.contains("<Tags>") && !listed.contains("<PermissionsBoundary>"), "{listed}");

    iam.refused("CreateRole", &made, "409 EntityAlreadyExists: Role with name Trainer already exists.").await;
    let other_case = [named("TRAINER"), ("AssumeRolePolicyDocument", TRUST)];
    iam.refused("CreateRole", &other_case, "409 EntityAlreadyExists: Role with name TRAINER already exists.").await;
}

#[tokio::test]
async fn what_cannot_be_a_role_is_refused() {
    let iam = Iam::start().await;
    let check = async |more: &[(&str, &str)], expected: &str| {
        iam.refused("CreateRole", &[&[named("r")], more].concat(), expected).await;
    };
    let trust = ("AssumeRolePolicyDocument", TRUST);
    check(
        &[],
        "400 ValidationError: 1 validation error detected: Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: \
         Member must not be null",
    )
    .await;
    check(&[("AssumeRolePolicyDocument", "{,}")], "400 MalformedPolicyDocument: This policy contains invalid Json")
        .await;
    check(
        &[trust, ("MaxSessionDuration", "60")],
        "400 ValidationError: 1 validation error detected: Value '60' at 'maxSessionDuration' failed to satisfy constraint: \
         Member must have value greater than or equal to 3600",
    )
    .await;
    let unknown = "arn:aws:iam::111122223333:policy/nothing";
    check(
        &[trust, ("PermissionsBoundary", unknown)],
        &format!("404 NoSuchEntity: Scope ARN: {unknown} does not exist or is not attachable."),
    )
    .await;
    let twice = [
        trust,
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", ""),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", ""),
    ];
    check(&twice, "400 InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.").await;
    let long = padded(TRUST, 2048);
    check(&[("AssumeRolePolicyDocument", &long)], "409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048")
        .await;
    iam.refused("GetRole", &[named("r")], "404 NoSuchEntity: The role with name r cannot be found.").await;
}

#[tokio::test]
async fn a_role_can_be_changed() {
    let iam = with_role("r").await;
    iam.ask("UpdateRole", &[named("r"), ("Description", "new"), ("MaxSessionDuration", "36000")]).await;
    iam.check("GetRole", &[named("r")], &[("Description", "new"), ("MaxSessionDuration", "36000")]).await;
    iam.ask("UpdateRole", &[named("r"), ("Description", "newer")]).await;
    iam.check("GetRole", &[named("r")], &[("Description", "newer"), ("MaxSessionDuration", "36000")]).await;
    let newest = [("Description", "newest"), ("MaxSessionDuration", "36000")];
    iam.check("UpdateRoleDescription", &[named("r"), newest[0]], &newest).await;
    iam.check("GetRole", &[named("r")], &newest).await;

    let trust = TRUST.replace("sagemaker", "lambda");
    iam.ask("UpdateAssumeRolePolicy", &[named("r"), ("PolicyDocument", &trust)]).await;
    let trust = encoded(&trust).replace("%2D", "-").replace("%2E", ".");
    iam.check("GetRole", &[named("r")], &[("AssumeRolePolicyDocument", &trust)]).await;
    let nobody =
        TRUST.replace(r#""Service":"sagemaker.amazonaws.com""#, r#""AWS":"arn:aws:iam::111122223333:user/nobody""#);
    let invalid =
        r#"400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/nobody""#;
    iam.refused("UpdateAssumeRolePolicy", &[named("r"), ("PolicyDocument", &nobody)], invalid).await;
    let missing = "404 NoSuchEntity: The role with name q cannot be found.";
    iam.refused("UpdateRole", &[named("q")], missing).await;
    iam.refused("UpdateAssumeRolePolicy", &[named("q"), ("PolicyDocument", TRUST)], missing).await;
}

#[tokio::test]
async fn a_role_that_has_policies_stays() {
    let iam = with_role("r").await;
    let inline = [named("r"), ("PolicyName", "p")];
    iam.ask("PutRolePolicy", &[inline[0], inline[1], ("PolicyDocument", POLICY)]).await;
    iam.ask("AttachRolePolicy", &[named("r"), ("PolicyArn", FULL_ACCESS)]).await;
    iam.ask("PutRolePermissionsBoundary", &[named("r"), ("PermissionsBoundary", FULL_ACCESS)]).await;
    let conflict = "409 DeleteConflict: Cannot delete entity, must";
    iam.refused("DeleteRole", &[named("r")], &format!("{conflict} detach all policies first.")).await;
    iam.ask("DetachRolePolicy", &[named("r"), ("PolicyArn", FULL_ACCESS)]).await;
    iam.refused("DeleteRole", &[named("r")], &format!("{conflict} delete policies first.")).await;
    iam.ask("DeleteRolePolicy", &inline).await;
    iam.ask("ListInstanceProfilesForRole", &[named("r")]).await;
    // A boundary is no obstacle.
    iam.ask("DeleteRole", &[named("r")]).await;
    let missing = "404 NoSuchEntity: The role with name r cannot be found.";
    for action in ["GetRole", "DeleteRole", "ListRolePolicies", "ListRoleTags", "ListInstanceProfilesForRole"] {
        iam.refused(action, &[named("r")], missing).await;
    }
}

#[tokio::test]
async fn inline_policies_belong_to_their_role() {
    let iam = with_role("r").await;
    let put = async |name: &str, policy: &str| {
        iam.ask("PutRolePolicy", &[named("r"), ("PolicyName", name), ("PolicyDocument", policy)]).await
    };
    put("b", POLICY).await;
    put("a", &about("old")).await;
    put("a", &about("é+")).await;
    let document = encoded(&about("é+")).replace("%2D", "-");
    let expected = [("RoleName", "r"), ("PolicyName", "a"), ("PolicyDocument", document.as_str())];
    iam.check("GetRolePolicy", &[named("r"), ("PolicyName", "a")], &expected).await;
    let body = iam.ask("ListRolePolicies", &[named("r")]).await;
    assert!(body.contains("<PolicyNames><member>a</member><member>b</member></PolicyNames>"), "{body}");

    let missing = "404 NoSuchEntity: The role policy with name c cannot be found.";
    iam.refused("GetRolePolicy", &[named("r"), ("PolicyName", "c")], missing).await;
    iam.refused("DeleteRolePolicy", &[named("r"), ("PolicyName", "c")], missing).await;
    let bad = [named("r"), ("PolicyName", "c"), ("PolicyDocument", "{\"Version\":}")];
    iam.refused("PutRolePolicy", &bad, "400 MalformedPolicyDocument: This policy contains invalid Json").await;
    // White space does not count, and all of a role's inline policies count together.
    let half = padded(POLICY, 5200).replace(",", &format!("{},", " ".repeat(2000)));
    put("c", &half).await;
    let more = [named("r"), ("PolicyName", "d"), ("PolicyDocument", &half)];
    iam.refused("PutRolePolicy", &more, "409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r")
        .await;
}

#[tokio::test]
async fn managed_policies_are_attached_and_detached() {
    let iam = with_role("r").await;
    let arn = ("PolicyArn", FULL_ACCESS);
    iam.ask("AttachRolePolicy", &[named("r"), arn]).await;
    iam.ask("AttachRolePolicy", &[named("r"), arn]).await;
    let expected = [("PolicyName", "AmazonSageMakerFullAccess"), ("PolicyArn", FULL_ACCESS), ("IsTruncated", "false")];
    iam.check("ListAttachedRolePolicies", &[named("r")], &expected).await;
    iam.check("ListAttachedRolePolicies", &[named("r"), ("PathPrefix", "/x/")], &[("IsTruncated", "false")]).await;

    let attach = async |arn: &str, expected: &str| {
        iam.refused("AttachRolePolicy", &[named("r"), ("PolicyArn", arn)], expected).await;
    };
    let unknown = "arn:aws:iam::111122223333:policy/nothing";
    let sentence = format!("404 NoSuchEntity: Policy {unknown} does not exist or is not attachable.");
    attach(unknown, &sentence).await;
    let invalid = "arn:aws:iam::111122223333:role/sts-execution";
    attach(invalid, &format!("400 InvalidInput: ARN {invalid} is not valid.")).await;
    for number in 0..9 {
        let name = format!("p{number}");
        iam.ask("CreatePolicy", &[("PolicyName", &name), ("PolicyDocument", POLICY)]).await;
        let arn = format!("arn:aws:iam::111122223333:policy/{name}");
        iam.ask("AttachRolePolicy", &[named("r"), ("PolicyArn", &arn)]).await;
    }
    iam.ask("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", POLICY)]).await;
    attach("arn:aws:iam::111122223333:policy/p", "409 LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10")
        .await;

    iam.ask("DetachRolePolicy", &[named("r"), arn]).await;
    let gone = format!("404 NoSuchEntity: Policy {FULL_ACCESS} was not found.");
    iam.refused("DetachRolePolicy", &[named("r"), arn], &gone).await;
}

#[tokio::test]
async fn a_boundary_is_set_and_removed() {
    let iam = with_role("r").await;
    let put =
        async |arn: &str| iam.ask("PutRolePermissionsBoundary", &[named("r"), ("PermissionsBoundary", arn)]).await;
    put(FULL_ACCESS).await;
    let other = "arn:aws:iam::aws:policy/PowerUserAccess";
    put(other).await;
    iam.check("GetRole", &[named("r")], &[("PermissionsBoundaryArn", other)]).await;
    for _ in 0..2 {
        iam.ask("DeleteRolePermissionsBoundary", &[named("r")]).await;
    }
    iam.check("GetRole", &[named("r")], &[]).await;
    assert!(!iam.ask("GetRole", &[named("r")]).await.contains("PermissionsBoundary"));
}

#[tokio::test]
async fn tags_come_and_go_whatever_the_case_of_their_keys() {
    let iam = with_role("r").await;
    let tag = async |key: &str, value: &str| {
        iam.ask("TagRole", &[named("r"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)]).await
    };
    tag("project", "old").await;
    tag("Project", "sts").await;
    tag("Team", "ml").await;
    let expected = [("Key", "Project"), ("Value", "sts"), ("Key", "Team"), ("Value", "ml")];
    iam.check("ListRoleTags", &[named("r")], &expected).await;
    let first = iam.ask("ListRoleTags", &[named("r"), ("MaxItems", "1")]).await;
    assert!(first.contains("<IsTruncated>true</IsTruncated>"), "{first}");
    let rest = [named("r"), ("MaxItems", "1"), ("Marker", &marker(&first))];
    iam.check("ListRoleTags", &rest, &[("Key", "Team"), ("Value", "ml")]).await;
    iam.ask("UntagRole", &[named("r"), ("TagKeys.member.1", "PROJECT"), ("TagKeys.member.2", "none")]).await;
    iam.check("ListRoleTags", &[named("r")], &[("Key", "Team"), ("Value", "ml")]).await;

    let reserved = [named("r"), ("Tags.member.1.Key", "aws:x"), ("Tags.member.1.Value", "")];
    let sentence = "400 InvalidInput: aws: prefixed tag key names are not allowed for external use.";
    iam.refused("TagRole", &reserved, sentence).await;
    for number in 0..49 {
        tag(&format!("k{number}"), "").await;
    }
    let one_more = [named("r"), ("Tags.member.1.Key", "last"), ("Tags.member.1.Value", "")];
    iam.refused("TagRole", &one_more, "409 LimitExceeded: The number of tags has reached the maximum limit.").await;
}

#[tokio::test]
async fn lists_of_roles_come_in_pages() {
    let iam = with_role("b").await;
    for name in ["a", "C"] {
        iam.ask("CreateRole", &[named(name), ("AssumeRolePolicyDocument", TRUST)]).await;
    }
    let expected = |names: &[&'static str]| names.iter().map(|name| ("RoleName", *name)).collect::<Vec<_>>();
    let two = ("MaxItems", "2");
    iam.check("ListRoles", &[two], &expected(&["a", "b"])).await;
    let marker = marker(&iam.ask("ListRoles", &[two]).await);
    iam.ask("DeleteRole", &[named("b")]).await;
    iam.check("ListRoles", &[two, ("Marker", &marker)], &expected(&["C", "sts-execution"])).await;
    iam.refused("ListRoles", &[("Marker", "guess?")], "400 ValidationError: Invalid Marker.").await;
}

/// Sessions are kept nowhere, so it is the calls that say when a role was last used.
#[tokio::test]
async fn a_role_was_last_used_when_a_session_of_it_last_called() {
    use crate::clients::{ROLE, sagemaker_as, sts_as, user};
    let iam = Iam::start().await;
    let assumed = sts_as(&iam.0, user()).assume_role().role_arn(ROLE).role_session_name("me").send().await.unwrap();
    let got = assumed.credentials.unwrap();
    let session = aws_credential_types::Credentials::new(
        got.access_key_id,
        got.secret_access_key,
        Some(got.session_token),
        None,
        "test",
    );
    iam.check("GetRole", &[named("sts-execution")], &[]).await;
    sagemaker_as(&iam.0, session, "eu-west-3").list_models().send().await.unwrap();
    let body = iam.ask("GetRole", &[named("sts-execution")]).await;
    assert!(body.contains("<LastUsedDate>") && body.contains("<Region>eu-west-3</Region>"), "{body}");
}
