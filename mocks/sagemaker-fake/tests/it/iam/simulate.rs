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

const ALL_OF_S3: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
const READ_ONLY: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

/// Each decision, and for each statement that decided the id of its policy.
async fn decisions(iam: &Iam, operation: &str, asked: &[&[(&str, &str)]]) -> Vec<String> {
    let body = iam.ask(operation, &asked.concat()).await;
    super::elements(&body, &["EvalDecision", "SourcePolicyId"]).into_iter().map(|(_, text)| text).collect()
}

#[tokio::test]
async fn policies_can_be_left_out() {
    let iam = Iam::start().await;
    let role = [("RoleName", "sts-execution")];
    iam.ask("AttachRolePolicy", &[role[0], ("PolicyArn", READ_ONLY)]).await;
    let made = [("PolicyName", "mine"), ("Path", "/team/"), ("PolicyDocument", ALL_OF_S3)];
    iam.ask("CreatePolicy", &made).await;
    iam.ask("AttachRolePolicy", &[role[0], ("PolicyArn", "arn:aws:iam::111122223333:policy/team/mine")]).await;
    let check = async |exclusions: &[(&str, &str)], expected: &[&str]| {
        let asked = [("PolicySourceArn", ROLE), ("ActionNames.member.1", "s3:ListBucket")];
        let on = [("ResourceArns.member.1", BUCKET)];
        let found = decisions(&iam, "SimulatePrincipalPolicy", &[&asked, &on, exclusions]).await;
        let mut ids = found[1..].to_vec();
        ids.sort();
        ids.dedup();
        assert_eq!(
            (found[0].as_str(), ids.as_slice()),
            (expected[0], &expected[1..].iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..]),
            "{exclusions:?}"
        );
    };
    let (one, two) = ("PolicyExclusionList.member.1", "PolicyExclusionList.member.2");
    let of_type = |at: &str| format!("{at}.PolicyType");
    let arn = |at: &str| format!("{at}.PolicyArn");
    check(&[], &["allowed", "AmazonS3ReadOnlyAccess", "mine", "sts-execution"]).await;
    check(&[(&of_type(one), "inline")], &["allowed", "AmazonS3ReadOnlyAccess", "mine"]).await;
    check(&[(&of_type(one), "aws-managed")], &["allowed", "mine", "sts-execution"]).await;
    check(&[(&of_type(one), "user-managed")], &["allowed", "AmazonS3ReadOnlyAccess", "sts-execution"]).await;
    check(
        &[(&of_type(one), "scp"), (&of_type(two), "rcp")],
        &["allowed", "AmazonS3ReadOnlyAccess", "mine", "sts-execution"],
    )
    .await;
    check(&[(&arn(one), "arn:aws:iam::aws:policy/AmazonS3*"), (&of_type(two), "inline")], &["allowed", "mine"]).await;
    let inline = |name: &'static str| {
        let below = |member: &str| format!("{one}.InlinePolicyIdentifier.{member}");
        [(below("PolicyName"), name), (below("AttachmentType"), "role"), (below("AttachmentName"), "sts-execution")]
    };
    let named = inline("sts-execution");
    let named: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    check(&named, &["allowed", "AmazonS3ReadOnlyAccess", "mine"]).await;
    let unknown = inline("other");
    let unknown: Vec<_> = unknown.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    check(&unknown, &["allowed", "AmazonS3ReadOnlyAccess", "mine", "sts-execution"]).await;
    let all = [
        (of_type(one), "inline"),
        (of_type(two), "aws-managed"),
        (arn("PolicyExclusionList.member.3"), "arn:aws:iam::111122223333:policy/team/m?ne"),
    ];
    let all: Vec<_> = all.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    check(&all, &["implicitDeny"]).await;

    let asked = [("PolicySourceArn", ROLE), ("ActionNames.member.1", "s3:ListBucket")];
    let wrong = "arn:aws:iam::*:policy/mine";
    let refusal = format!("400 InvalidInput: ARN {wrong} is not valid.");
    iam.refused("SimulatePrincipalPolicy", &[&asked[..], &[(&arn(one), wrong)]].concat(), &refusal).await;
}

#[tokio::test]
async fn every_level_of_an_organisation_must_allow() {
    let iam = Iam::start().await;
    let custom = [("PolicyInputList.member.1", ALL_OF_S3), ("ActionNames.member.1", "s3:GetObject")];
    let level =
        |at: usize| format!("OrderedOrganizationPolicyInputList.member.{at}.ServiceControlPolicyInputList.member.1");
    let (root, account) = (level(1), level(2));
    let check = async |of_account: &str, decision: &str, allowed: &str| {
        let levels = [(root.as_str(), ALL_OF_S3), (account.as_str(), of_account)];
        let body = iam.ask("SimulateCustomPolicy", &[&custom[..], &levels].concat()).await;
        let found = super::elements(&body, &["EvalDecision", "AllowedByOrganizations"]);
        let found: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(found, [decision, allowed], "{body}");
    };
    check(ALL_OF_S3, "allowed", "true").await;
    check(&ALL_OF_S3.replace("s3:*", "ec2:*"), "implicitDeny", "false").await;
    check(&ALL_OF_S3.replace("Allow", "Deny"), "explicitDeny", "false").await;
}

#[tokio::test]
async fn a_resource_policy_needs_somebody_who_calls() {
    let iam = Iam::start().await;
    const USER: &str = "arn:aws:iam::111122223333:user/sts-developer";
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{USER}"}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}}}"#
    );
    let asked = [
        ("ActionNames.member.1", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::b/k"),
        ("ResourcePolicy", &policy),
    ];
    let nobody = "400 InvalidInput: Invalid caller - Caller cannot be null or empty.";
    let as_user = [("CallerArn", USER)];
    let (of_user, of_role) = ([("PolicySourceArn", USER)], [("PolicySourceArn", ROLE)]);
    let custom = [("PolicyInputList.member.1", ALL_OF_S3)];
    let found = decisions(&iam, "SimulatePrincipalPolicy", &[&of_user, &asked]).await;
    // The statement is told of the action, and of the resource.
    assert_eq!(found, ["allowed", "ResourcePolicy", "ResourcePolicy"]);
    iam.refused("SimulatePrincipalPolicy", &[&of_role[..], &asked].concat(), nobody).await;
    iam.refused("SimulateCustomPolicy", &[&custom[..], &asked].concat(), nobody).await;
    assert_eq!(decisions(&iam, "SimulatePrincipalPolicy", &[&of_role, &asked, &as_user]).await[0], "allowed");

    // Of another account, both sides must allow it.
    let foreign = [("ResourceOwner", "arn:aws:iam::444455556666:root")];
    let found = decisions(&iam, "SimulatePrincipalPolicy", &[&of_user, &asked, &foreign]).await;
    assert_eq!(found[0], "implicitDeny");
    let body = iam.ask("SimulateCustomPolicy", &[&custom[..], &asked, &as_user, &foreign].concat()).await;
    let details = super::elements(&body, &["EvalDecision", "key", "value"]);
    let details: Vec<_> = details.iter().map(|(_, text)| text.as_str()).collect();
    let sides = ["IAM Policy", "allowed", "Resource Policy", "allowed"];
    assert_eq!(details, [&["allowed"], &sides[..], &sides[..]].concat(), "{body}");

    let refused = async |with: &[(&str, &str)], expected: &str| {
        iam.refused("SimulatePrincipalPolicy", &[&of_user[..], &asked[..2], with].concat(), expected).await;
    };
    refused(
        &[("ResourceOwner", "444455556666")],
        "400 InvalidInput: '444455556666' is not a valid as a Resource Owner.",
    )
    .await;
    let kind = "400 InvalidInput: Invalid caller - Caller must be an IAM user, role or group in this context.";
    refused(&[("CallerArn", "arn:aws:sts::111122223333:assumed-role/r/s")], kind).await;
    let boundaries = [
        ("PermissionsBoundaryPolicyInputList.member.1", ALL_OF_S3),
        ("PermissionsBoundaryPolicyInputList.member.2", ALL_OF_S3),
    ];
    refused(&boundaries, "400 InvalidInput: PermissionsBoundaryPolicyInputList has more than one policy.").await;
    let broken =
        "400 InvalidInput: Invalid policy document in PolicyInputList.1: line 1, column 1: the policy has no Statement";
    refused(&[("PolicyInputList.member.1", "{}")], broken).await;
}

#[tokio::test]
async fn of_policies_that_are_nobodys_nothing_is_known_about_the_caller() {
    let iam = Iam::start().await;
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}","Condition":{"ArnLike":{"aws:PrincipalArn":"*"}}}}"#;
    let asked = [
        ("PolicyInputList.member.1", own),
        ("ActionNames.member.1", "s3:ListBucket"),
        ("ResourceArns.member.1", "arn:aws:s3:::ann"),
    ];
    let missing = async |with: &[(&str, &str)]| {
        let body = iam.ask("SimulateCustomPolicy", &[&asked[..], with].concat()).await;
        super::elements(&body, &["EvalDecision", "member"]).into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(missing(&[]).await, ["implicitDeny", "aws:username"]);
    assert_eq!(missing(&[("CallerArn", "arn:aws:iam::111122223333:user/ann")]).await, ["allowed"]);
    let name = [
        ("ContextEntries.member.1.ContextKeyName", "aws:username"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "ann"),
    ];
    assert_eq!(missing(&name).await, ["implicitDeny", "aws:PrincipalArn"]);
}

#[tokio::test]
async fn the_context_is_of_the_types_that_are_said() {
    let iam = Iam::start().await;
    let check = async |of: &str, values: &[&str], expected: Result<(), &str>| {
        let mut asked = vec![
            ("PolicySourceArn".to_owned(), ROLE.to_owned()),
            ("ActionNames.member.1".to_owned(), "s3:ListBucket".to_owned()),
            ("ContextEntries.member.1.ContextKeyName".to_owned(), "aws:Some".to_owned()),
            ("ContextEntries.member.1.ContextKeyType".to_owned(), of.to_owned()),
        ];
        let member = |at: usize| format!("ContextEntries.member.1.ContextKeyValues.member.{}", at + 1);
        asked.extend(values.iter().enumerate().map(|(at, value)| (member(at), (*value).to_owned())));
        let asked: Vec<_> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match expected {
            Ok(()) => drop(iam.ask("SimulatePrincipalPolicy", &asked).await),
            Err(said) => iam.refused("SimulatePrincipalPolicy", &asked, &format!("400 InvalidInput: {said}")).await,
        }
    };
    check("string", &["anything"], Ok(())).await;
    check("numericList", &["1", "2.5"], Ok(())).await;
    check("boolean", &["true"], Ok(())).await;
    check("date", &["2026-11-26T00:00:00Z"], Ok(())).await;
    check("ip", &["192.0.2.7"], Ok(())).await;
    check("numeric", &["much"], Err("Invalid value for context key aws:Some: much is not of type numeric.")).await;
    check(
        "booleanList",
        &["true", "maybe"],
        Err("Invalid value for context key aws:Some: maybe is not of type booleanList."),
    )
    .await;
    check("date", &["today"], Err("Invalid value for context key aws:Some: today is not of type date.")).await;
    check("ip", &["here"], Err("Invalid value for context key aws:Some: here is not of type ip.")).await;
    check("string", &["a", "b"], Err("Context key aws:Some of type string has more than one value.")).await;
}
