//! The simulator, asked as its clients ask it.

use super::Iam;

const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";
const BUCKET: &str = "arn:aws:s3:::sagemaker-eu-west-1-111122223333";

#[tokio::test]
async fn there_is_one_result_for_each_action_and_in_it_one_for_each_resource() {
    let iam = Iam::start().await;
    let asked = [
        ("PolicySourceArn", ROLE),
        ("ActionNames.member.1", "s3:ListBucket"),
        ("ActionNames.member.2", "s3:DeleteBucket"),
        ("ResourceArns.member.1", BUCKET),
        ("ResourceArns.member.2", "arn:aws:s3:::another"),
    ];
    let expected = [
        ("EvalActionName", "s3:ListBucket"),
        ("EvalResourceName", "arn:${Partition}:s3:::${BucketName}"),
        ("EvalDecision", "implicitDeny"),
        ("SourcePolicyId", "sts-execution"),
        ("SourcePolicyType", "IAM Policy"),
        ("EvalResourceName", BUCKET),
        ("EvalResourceDecision", "allowed"),
        ("SourcePolicyId", "sts-execution"),
        ("SourcePolicyType", "IAM Policy"),
        ("EvalResourceName", "arn:aws:s3:::another"),
        ("EvalResourceDecision", "implicitDeny"),
        ("EvalActionName", "s3:DeleteBucket"),
        ("EvalResourceName", "arn:${Partition}:s3:::${BucketName}"),
        ("EvalDecision", "implicitDeny"),
        ("EvalResourceName", BUCKET),
        ("EvalResourceDecision", "implicitDeny"),
        ("EvalResourceName", "arn:aws:s3:::another"),
        ("EvalResourceDecision", "implicitDeny"),
        ("IsTruncated", "false"),
    ];
    iam.check("SimulatePrincipalPolicy", &asked, &expected).await;
}

#[tokio::test]
async fn a_key_that_was_not_given_is_named() {
    let iam = Iam::start().await;
    let object = format!("{BUCKET}/sts/x");
    let asked =
        [("PolicySourceArn", ROLE), ("ActionNames.member.1", "s3:GetObject"), ("ResourceArns.member.1", &object)];
    let expected = [("EvalResourceDecision", "implicitDeny"), ("member", "aws:ResourceAccount")];
    let body = iam.ask("SimulatePrincipalPolicy", &asked).await;
    let found = super::elements(&body, &["EvalResourceDecision", "member"]);
    assert_eq!(found.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>(), expected, "{body}");
    let given = [
        ("ContextEntries.member.1.ContextKeyName", "aws:ResourceAccount"),
        ("ContextEntries.member.1.ContextKeyType", "string"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "111122223333"),
    ];
    let body = iam.ask("SimulatePrincipalPolicy", &[&asked[..], &given].concat()).await;
    assert_eq!(super::elements(&body, &["EvalResourceDecision"])[0].1, "allowed");
}

#[tokio::test]
async fn documents_that_come_with_the_call_take_part() {
    let iam = Iam::start().await;
    let allow = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let narrow = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#;
    let conditional = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}"#;
    let actions = [("ActionNames.member.1", "s3:PutObject"), ("ActionNames.member.2", "s3:GetObject")];
    let custom = [&[("PolicyInputList.member.1", allow)][..], &actions].concat();
    let decisions = async |action: &str, asked: &[(&str, &str)]| {
        let body = iam.ask(action, asked).await;
        super::elements(&body, &["EvalDecision", "AllowedByPermissionsBoundary"])
            .into_iter()
            .map(|(_, it)| it)
            .collect::<Vec<_>>()
    };
    assert_eq!(decisions("SimulateCustomPolicy", &custom).await, ["allowed", "allowed"]);
    let bounded = [&custom[..], &[("PermissionsBoundaryPolicyInputList.member.1", narrow)]].concat();
    assert_eq!(decisions("SimulateCustomPolicy", &bounded).await, ["implicitDeny", "false", "allowed", "true"]);
    let principal = [&[("PolicySourceArn", ROLE), ("PolicyInputList.member.1", allow)][..], &actions].concat();
    assert_eq!(decisions("SimulatePrincipalPolicy", &principal).await, ["allowed", "allowed"]);
    let keys = [("member", "aws:username"), ("member", "aws:SecureTransport")];
    iam.check("GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", conditional)], &keys).await;
    let of_role = iam.ask("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", ROLE)]).await;
    assert!(of_role.contains("<member>iam:PassedToService</member>"), "{of_role}");
}

#[tokio::test]
async fn results_come_in_pages() {
    let iam = Iam::start().await;
    let asked = [
        ("PolicySourceArn", ROLE),
        ("ActionNames.member.1", "s3:A"),
        ("ActionNames.member.2", "s3:B"),
        ("MaxItems", "1"),
    ];
    let first = iam.ask("SimulatePrincipalPolicy", &asked).await;
    assert_eq!(super::elements(&first, &["EvalActionName", "IsTruncated"])[1].1, "true");
    let marker = super::marker(&first);
    let second = [("EvalActionName", "s3:B"), ("IsTruncated", "false")];
    let body = iam.ask("SimulatePrincipalPolicy", &[&asked[..], &[("Marker", &marker)]].concat()).await;
    let found = super::elements(&body, &["EvalActionName", "IsTruncated"]);
    assert_eq!(found.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>(), second);
}

#[tokio::test]
async fn what_cannot_be_simulated_is_refused() {
    let iam = Iam::start().await;
    let refused = async |source: &str, action: &str, resource: &str, expected: &str| {
        let asked =
            [("PolicySourceArn", source), ("ActionNames.member.1", action), ("ResourceArns.member.1", resource)];
        iam.refused("SimulatePrincipalPolicy", &asked, expected).await;
    };
    let session = "arn:aws:sts::111122223333:assumed-role/sts-execution/s";
    let unclear =
        format!("400 InvalidInput: Invalid Entity Arn: {session} does not clearly define entity type and name.");
    refused(session, "s3:GetObject", "*", &unclear).await;
    let absent = "404 NoSuchEntity: The role with name nobody cannot be found.";
    refused("arn:aws:iam::111122223333:role/nobody", "s3:GetObject", "*", absent).await;
    refused(ROLE, "s3:GetObject", "b", "400 InvalidInput: ResourceNames are not in a valid ARN format: b.").await;
    refused(ROLE, "s3:Get*", "*", "400 InvalidInput: Invalid Action: s3:Get*").await;
}
