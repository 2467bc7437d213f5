//! Managed policies, their versions, and who uses them.

use crate::iam::{Iam, POLICY, TRUST, about, encoded, padded};

const ARN: &str = "arn:aws:iam::111122223333:policy/ml/p";
const AWS: &str = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";

async fn with_policy() -> Iam {
    let iam = Iam::start().await;
    let made = [("PolicyName", "p"), ("Path", "/ml/"), ("PolicyDocument", POLICY), ("Description", "reads")];
    let expected = [
        ("PolicyName", "p"),
        ("Arn", ARN),
        ("DefaultVersionId", "v1"),
        ("AttachmentCount", "0"),
        ("PermissionsBoundaryUsageCount", "0"),
        ("IsAttachable", "true"),
        ("Description", "reads"),
    ];
    iam.check("CreatePolicy", &made, &expected).await;
    iam.check("GetPolicy", &[arn(ARN)], &expected).await;
    iam
}

fn arn(arn: &str) -> (&str, &str) {
    ("PolicyArn", arn)
}

#[tokio::test]
async fn names_and_documents_are_checked() {
    let iam = with_policy().await;
    let check = async |name: &str, policy: &str, expected: &str| {
        iam.refused("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", policy)], expected).await;
    };
    check("P", POLICY, "409 EntityAlreadyExists: A policy called P already exists. Duplicate names are not allowed.")
        .await;
    check("q", "{", "400 MalformedPolicyDocument: This policy contains invalid Json").await;
    check("q", "[]", "400 MalformedPolicyDocument: Syntax errors in policy.").await;
    let long = padded(POLICY, 6144);
    check("q", &long, "409 LimitExceeded: Cannot exceed quota for PolicySize: 6144").await;

    let unknown = "arn:aws:iam::111122223333:policy/q";
    let not_found = format!("404 NoSuchEntity: Policy {unknown} was not found.");
    iam.refused("GetPolicy", &[arn(unknown)], &not_found).await;
    // The path is part of the ARN.
    let pathless = "arn:aws:iam::111122223333:policy/p";
    let not_found = format!("404 NoSuchEntity: Policy {pathless} was not found.");
    iam.refused("GetPolicy", &[arn(pathless)], &not_found).await;
    let invalid = "arn:aws:s3:::sts-bucket-x";
    iam.refused("GetPolicy", &[arn(invalid)], &format!("400 InvalidInput: ARN {invalid} is not valid.")).await;
    let missing = format!("404 NoSuchEntity: Policy {unknown} does not exist or is not attachable.");
    for action in ["DeletePolicy", "ListPolicyVersions", "ListPolicyTags", "ListEntitiesForPolicy"] {
        iam.refused(action, &[arn(unknown)], &missing).await;
    }
}

#[tokio::test]
async fn a_policy_has_up_to_five_versions_and_one_in_force() {
    let iam = with_policy().await;
    let document = about("b");
    let add = [arn(ARN), ("PolicyDocument", document.as_str())];
    iam.check("CreatePolicyVersion", &add, &[("VersionId", "v2"), ("IsDefaultVersion", "false")]).await;
    let in_force = [add[0], add[1], ("SetAsDefault", "true")];
    iam.check("CreatePolicyVersion", &in_force, &[("VersionId", "v3"), ("IsDefaultVersion", "true")]).await;
    iam.check("GetPolicy", &[arn(ARN)], &[("DefaultVersionId", "v3")]).await;
    let document = encoded(&document).replace("%2D", "-");
    iam.check("GetPolicyVersion", &[arn(ARN), ("VersionId", "v3")], &[("Document", &document)]).await;
    iam.check(
        "ListPolicyVersions",
        &[arn(ARN)],
        &[
            ("VersionId", "v3"),
            ("IsDefaultVersion", "true"),
            ("VersionId", "v2"),
            ("IsDefaultVersion", "false"),
            ("VersionId", "v1"),
            ("IsDefaultVersion", "false"),
        ],
    )
    .await;
    for _ in 0..2 {
        iam.ask("CreatePolicyVersion", &add).await;
    }
    let full = "409 LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an \
                existing version.";
    iam.refused("CreatePolicyVersion", &add, full).await;

    let sentence = "409 DeleteConflict: Cannot delete the default version of a policy.";
    iam.refused("DeletePolicyVersion", &[arn(ARN), ("VersionId", "v3")], sentence).await;
    iam.ask("SetDefaultPolicyVersion", &[arn(ARN), ("VersionId", "v1")]).await;
    for id in ["v2", "v3", "v4", "v5"] {
        iam.ask("DeletePolicyVersion", &[arn(ARN), ("VersionId", id)]).await;
    }
    let missing = format!("404 NoSuchEntity: Policy {ARN} version v5 does not exist or is not attachable.");
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        iam.refused(action, &[arn(ARN), ("VersionId", "v5")], &missing).await;
    }
    // A number is never given twice.
    iam.check("CreatePolicyVersion", &add, &[("VersionId", "v6")]).await;
    let sentence = "409 DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's \
                    versions. The default version is deleted with the policy.";
    iam.refused("DeletePolicy", &[arn(ARN)], sentence).await;
    iam.ask("DeletePolicyVersion", &[arn(ARN), ("VersionId", "v6")]).await;
    iam.ask("DeletePolicy", &[arn(ARN)]).await;
    iam.refused("GetPolicy", &[arn(ARN)], &format!("404 NoSuchEntity: Policy {ARN} was not found.")).await;
}

#[tokio::test]
async fn a_policy_in_use_stays_and_knows_by_whom() {
    let iam = with_policy().await;
    iam.ask("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)]).await;
    iam.ask("AttachRolePolicy", &[("RoleName", "r"), arn(ARN)]).await;
    iam.ask("AttachUserPolicy", &[("UserName", "sts-developer"), arn(ARN)]).await;
    iam.ask("PutRolePermissionsBoundary", &[("RoleName", "sts-execution"), ("PermissionsBoundary", ARN)]).await;
    let counts = [("AttachmentCount", "2"), ("PermissionsBoundaryUsageCount", "1")];
    iam.check("GetPolicy", &[arn(ARN)], &counts).await;

    let check = async |more: &[(&str, &str)], expected: &[(&str, &str)]| {
        let parameters = [&[arn(ARN)], more].concat();
        let body = iam.ask("ListEntitiesForPolicy", &parameters).await;
        let found = crate::iam::elements(&body, &["UserName", "RoleName"]);
        assert_eq!(found.iter().map(|(kind, name)| (*kind, name.as_str())).collect::<Vec<_>>(), expected, "{body}");
    };
    let (user, role, bounded) = (("UserName", "sts-developer"), ("RoleName", "r"), ("RoleName", "sts-execution"));
    check(&[], &[user, role, bounded]).await;
    check(&[("EntityFilter", "User")], &[user]).await;
    check(&[("EntityFilter", "Group")], &[]).await;
    check(&[("PolicyUsageFilter", "PermissionsBoundary")], &[bounded]).await;
    check(&[("PolicyUsageFilter", "PermissionsPolicy")], &[user, role]).await;
    check(&[("PathPrefix", "/x/")], &[]).await;
    let first = iam.ask("ListEntitiesForPolicy", &[arn(ARN), ("MaxItems", "2")]).await;
    check(&[("Marker", &crate::iam::marker(&first))], &[user]).await;

    let conflict = "409 DeleteConflict: Cannot delete a policy attached to entities.";
    iam.refused("DeletePolicy", &[arn(ARN)], conflict).await;
    iam.ask("DetachRolePolicy", &[("RoleName", "r"), arn(ARN)]).await;
    iam.ask("DetachUserPolicy", &[("UserName", "sts-developer"), arn(ARN)]).await;
    iam.refused("DeletePolicy", &[arn(ARN)], conflict).await;
    iam.ask("DeleteRolePermissionsBoundary", &[("RoleName", "sts-execution")]).await;
    iam.ask("DeletePolicy", &[arn(ARN)]).await;
}

#[tokio::test]
async fn lists_of_policies_are_by_scope_use_and_path() {
    let iam = with_policy().await;
    let check = async |parameters: &[(&str, &str)], expected: &[&str]| {
        let body = iam.ask("ListPolicies", parameters).await;
        let found: Vec<_> = crate::iam::elements(&body, &["PolicyName"]).into_iter().map(|(_, name)| name).collect();
        assert_eq!(found, expected, "{parameters:?}");
    };
    check(&[("Scope", "Local")], &["p"]).await;
    check(&[("PathPrefix", "/ml/")], &["p"]).await;
    check(&[("OnlyAttached", "true")], &[]).await;
    check(&[("Scope", "AWS"), ("MaxItems", "1")], &["AdministratorAccess"]).await;
    iam.ask("AttachRolePolicy", &[("RoleName", "sts-execution"), arn(AWS)]).await;
    iam.ask("PutUserPermissionsBoundary", &[("UserName", "sts-developer"), ("PermissionsBoundary", ARN)]).await;
    check(&[("OnlyAttached", "true")], &["AmazonSageMakerFullAccess", "p"]).await;
    check(&[("PolicyUsageFilter", "PermissionsBoundary")], &["p"]).await;
    check(&[("PolicyUsageFilter", "PermissionsPolicy")], &["AmazonSageMakerFullAccess"]).await;
}

#[tokio::test]
async fn policies_of_aws_are_there_and_stay_as_they_are() {
    let iam = Iam::start().await;
    // As AWS published it when the data were made, version 29.
    iam.check("GetPolicy", &[arn(AWS)], &[("Arn", AWS), ("Path", "/"), ("DefaultVersionId", "v29")]).await;
    let body = iam.ask("GetPolicyVersion", &[arn(AWS), ("VersionId", "v29")]).await;
    assert!(body.contains("sagemaker%3A%2A"), "{body}");
    let check = async |action: &str, more: &[(&str, &str)]| {
        let denied = format!(
            "403 AccessDenied: User: arn:aws:iam::111122223333:user/sts-developer is not authorized to perform: iam:{action} on \
             resource: policy {AWS}"
        );
        iam.refused(action, &[&[arn(AWS)], more].concat(), &denied).await;
    };
    check("DeletePolicy", &[]).await;
    check("CreatePolicyVersion", &[("PolicyDocument", POLICY)]).await;
    check("SetDefaultPolicyVersion", &[("VersionId", "v29")]).await;
    check("DeletePolicyVersion", &[("VersionId", "v29")]).await;
    check("TagPolicy", &[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]).await;
    check("UntagPolicy", &[("TagKeys.member.1", "k")]).await;
}

#[tokio::test]
async fn policies_have_tags() {
    let iam = with_policy().await;
    iam.ask("TagPolicy", &[arn(ARN), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]).await;
    iam.check("GetPolicy", &[arn(ARN)], &[("Key", "k"), ("Value", "v")]).await;
    iam.check("ListPolicyTags", &[arn(ARN)], &[("Key", "k"), ("Value", "v")]).await;
    iam.ask("UntagPolicy", &[arn(ARN), ("TagKeys.member.1", "k")]).await;
    iam.check("ListPolicyTags", &[arn(ARN)], &[("IsTruncated", "false")]).await;
}
