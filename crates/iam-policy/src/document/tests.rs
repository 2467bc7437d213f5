use proptest::prelude::*;

use super::*;

/// What is wrong, as `line:column rule`.
#[track_caller]
fn check(kind: Kind, text: &str, expected: &[&str]) {
    let (policy, problems) = super::check(text, kind);
    let found: Vec<String> =
        problems.iter().map(|p| format!("{}:{} {}", p.position.line, p.position.column, p.rule.id())).collect();
    assert_eq!(found, expected, "{problems:#?}");
    assert_eq!(policy.is_some(), problems.iter().all(|p| p.severity == Severity::Warning));
}

/// The statement alone is given; the answer is that to the first problem.
#[track_caller]
fn answer(kind: Kind, statement: &str, aws: &str, suggestion: Option<&str>) {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
    let error = Policy::parse(&text, kind).unwrap_err();
    assert_eq!(error.aws().map(ToString::to_string).unwrap_or_default(), aws, "{error:?}");
    assert_eq!(error.problems[0].suggestion.as_deref(), suggestion, "{error:?}");
}

const ALLOW: &str = r#""Effect": "Allow", "Action": "s3:*", "Resource": "*""#;

#[test]
fn every_shape_that_aws_takes_is_read() {
    let identity = |text: &str| check(Kind::Identity, text, &[]);
    identity(&format!(r#"{{"Version": "2012-10-17", "Id": "x", "Statement": {{{ALLOW}}}}}"#));
    identity(&format!(r#"{{"Version": "2012-10-17", "Statement": [{{{ALLOW}, "Sid": "A1", "Condition": {{}}}}]}}"#));
    identity(
        r#"{"Statement": [{"NotAction": ["iam:*", "S3:get?bject"], "NotResource": ["arn:aws:s3:::a", "arn:*:s3:::${aws:username}/*"],
            "Effect": "Deny", "Condition": {
                "NumericLessThan": {"aws:MultiFactorAuthAge": 3600}, "Bool": {"aws:SecureTransport": [true, "false"]},
                "ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "b"]}, "Null": {"a:b": "true"},
                "DateGreaterThan": {"aws:CurrentTime": "2013-06-30T00:00:00Z"}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}],
            "Version": "2012-10-17"}"#,
    );
    let trust = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Principal": {
            "AWS": ["111122223333", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/a/b", "*",
                "arn:aws:sts::111122223333:assumed-role/r/s"],
            "Service": "sagemaker.amazonaws.com", "Federated": ["cognito-identity.amazonaws.com"], "CanonicalUser": "79a5"}}]}"#;
    check(Kind::Trust, trust, &[]);
    check(
        Kind::Resource,
        r#"{"Version": "2012-10-17", "Statement": {"Sid": "Only TLS", "Effect": "Deny", "NotPrincipal": "*", "Action": "*",
            "Resource": "arn:aws:s3:::b"}}"#,
        &[],
    );
}

#[test]
fn the_parts_are_where_they_belong() {
    let text =
        r#"{"Version": "2012-10-17", "Statement": {"Sid": "A", "Effect": "Deny", "NotAction": "s3:*", "Action ": 1,
        "Resource": "*", "Condition": {"StringNotLike": {"aws:username": [1, true, "x"]}}}}"#
            .replace(r#", "Action ": 1"#, "");
    let policy = Policy::parse(&text, Kind::Identity).unwrap();
    let statement = &policy.statements[0];
    assert_eq!((statement.sid.as_deref(), statement.effect, policy.variables), (Some("A"), Effect::Deny, true));
    assert_eq!(statement.actions, Patterns { negated: true, patterns: vec!["s3:*".into()] });
    let condition = &statement.conditions[0];
    assert_eq!(
        (condition.operator.to_string().as_str(), condition.values.as_slice()),
        ("StringNotLike", ["1".to_owned(), "true".to_owned(), "x".to_owned()].as_slice())
    );
}

/// The positions that IAM itself answers, in published answers of its simulator: of AdministratorAccess; of a policy in one
/// line, whose second statement begins where the first ends (41 to 198, 198 to 300); and of the example of
/// `aws iam simulate-custom-policy` in the AWS CLI's reference, whose only statement is no list.
#[test]
fn statements_stand_where_iam_says() {
    #[track_caller]
    fn check(text: &str, expected: &[[usize; 4]]) {
        let policy = Policy::parse(text, Kind::Identity).unwrap();
        let places = policy.statements.iter().map(|s| [s.start.line, s.start.column, s.end.line, s.end.column]);
        let found: Vec<_> = places.collect();
        assert_eq!(found, expected);
    }
    let administrator = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \
                         \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}\n";
    check(administrator, &[[3, 17, 8, 6]]);
    let line = format!(r#"{{"Version": "2012-10-17", "Statement": [{{{ALLOW}}}]}}"#);
    check(&line, &[[1, 41, 1, 41 + ALLOW.len() + 2]]);
    let two = format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{{{ALLOW}}},\n{{{ALLOW}}}]}}");
    let end = 41 + ALLOW.len() + 2;
    check(&two, &[[1, 41, 1, end], [1, end, 2, ALLOW.len() + 3]]);
    let example = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
    check(example, &[[1, 38, 1, 167]]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = r#"{
  "Version": "2012-10-18",
  "Statment": [],
  "Statement": [
    {"Sid": "a b", "Effect": "allow", "Action": "s3", "Resource": "bucket"},
    {"Effect": "Deny", "Effect": "Deny", "Actions": "s3:*", "Resource": "*", "Condition": {"StringEqual": {"a": null}},},
    7
  ]
}"#;
    check(
        Kind::Identity,
        text,
        &[
            "2:14 version",
            "3:3 unknown-member",
            "5:13 sid",
            "5:30 effect",
            "5:49 action",
            "5:67 resource",
            "6:5 missing-member",
            "6:24 duplicate-member",
            "6:42 unknown-member",
            "6:92 operator",
            "6:108 condition",
            "6:113 shape",
            "6:119 syntax",
            "7:5 shape",
        ],
    );
}

#[test]
fn what_aws_takes_with_another_meaning_is_a_warning() {
    check(Kind::Identity, &format!(r#"{{"Statement": {{{ALLOW}}}}}"#), &["1:1 version"]);
    check(Kind::Identity, &format!(r#"{{"Version": "2008-10-17", "Statement": {{{ALLOW}}}}}"#), &["1:13 version"]);
    let resource = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "NotPrincipal": {"AWS": "111122223333"}}}"#;
    check(Kind::Resource, resource, &["2:25 principal"]);
    check(
        Kind::Trust,
        &resource.replace(r#""s3:*", "Resource": "*""#, r#""sts:AssumeRole""#),
        &["2:25 prohibited-member"],
    );
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "AIDAEXAMPLEID12345678"}}}"#;
    check(Kind::Trust, trust, &["2:30 principal"]);
}

#[test]
fn what_iam_completes_is_a_warning() {
    let short =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs"}}"#;
    check(Kind::Identity, short, &["1:91 resource"]);
    assert!(super::check(short, Kind::Identity).0.is_some());
    assert!(super::check(short, Kind::Session).0.is_none());
}

#[test]
fn what_is_no_policy_is_refused() {
    check(Kind::Identity, "", &["1:1 syntax"]);
    check(Kind::Identity, "[]", &["1:1 shape"]);
    check(Kind::Identity, r#"{"Version": "2012-10-17"}"#, &["1:1 missing-member"]);
    check(Kind::Identity, r#"{"Version": "2012-10-17", "Statement": []}"#, &["1:40 shape"]);
    check(Kind::Identity, r#"{"Version": "2012-10-17", "Statement": "x"}"#, &["1:40 shape"]);
    check(
        Kind::Identity,
        r#"{"Version": 1, "Id": [], "Statement": [{}]}"#,
        &["1:13 version", "1:22 shape", "1:40 missing-member", "1:40 missing-member", "1:40 missing-member"],
    );
}

#[test]
fn aws_says_it_like_this() {
    let syntax = "MalformedPolicyDocument: Syntax errors in policy.";
    let identity = |statement: &str, aws: &str, suggestion| answer(Kind::Identity, statement, aws, suggestion);
    identity(
        &format!("{{{ALLOW},}}"),
        "MalformedPolicyDocument: This policy contains invalid Json",
        Some("remove the comma"),
    );
    identity(
        &format!(r#"{{{ALLOW}, "Principal": "*"}}"#),
        "MalformedPolicyDocument: Policy document should not specify a principal.",
        Some("remove it, or attach the policy to a resource or as a role's trust policy"),
    );
    identity(
        r#"{"Effect": "Allow", "Action": "s3.GetObject", "Resource": "*"}"#,
        "MalformedPolicyDocument: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        Some("did you mean 's3:GetObject'?"),
    );
    identity(
        r#"{"Effect": "Allow", "Action": "s3:a:b", "Resource": "*"}"#,
        "MalformedPolicyDocument: Actions/Condition can contain only one colon.",
        None,
    );
    identity(
        r#"{"Effect": "Allow", "Action": "a a:B", "Resource": "*"}"#,
        "MalformedPolicyDocument: Vendor a a is not valid",
        None,
    );
    identity(
        r#"{"Effect": "Allow", "Action": "s3:*"}"#,
        "MalformedPolicyDocument: Policy statement must contain resources.",
        Some("add \"Resource\": \"*\", or better the ARNs that are meant"),
    );
    identity(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}"#,
        "MalformedPolicyDocument: Resource bucket must be in ARN format or \"*\".",
        Some("an ARN is arn:partition:service:region:account:resource"),
    );
    identity(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:awss:s3:::b"}"#,
        "MalformedPolicyDocument: Partition \"awss\" is not valid for resource \"arn:awss:s3:::b\".",
        Some("did you mean 'aws'?"),
    );
    identity(r#"{"Effect": "ALLOW", "Action": "s3:*", "Resource": "*"}"#, syntax, Some("did you mean 'Allow'?"));
    identity(r#"{"efect": "Allow", "Action": "s3:*", "Resource": "*"}"#, syntax, Some(EFFECT));
    identity(
        &format!(r#"{{{ALLOW}, "Condition": {{"StringEqual": {{"aws:username": "x"}}}}}}"#),
        syntax,
        Some("did you mean 'StringEquals'?"),
    );
    let trust = |statement: &str, aws: &str, suggestion| answer(Kind::Trust, statement, aws, suggestion);
    trust(
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}, "Resource": "*"}"#,
        "MalformedPolicyDocument: Has prohibited field Resource",
        Some("remove it"),
    );
    trust(
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}"#,
        "MalformedPolicyDocument: AssumeRolepolicy contained an invalid principal: \"STAR\":\"*\".",
        Some("write {\"AWS\": \"*\"}, if really everyone may assume the role"),
    );
    trust(
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "sagemaker.amazonaws.com"}}"#,
        "MalformedPolicyDocument: Invalid principal in policy: \"AWS\":\"sagemaker.amazonaws.com\"",
        Some("write {\"Service\": \"sagemaker.amazonaws.com\"}"),
    );
    let bucket = |statement: &str, aws: &str, suggestion| answer(Kind::Resource, statement, aws, suggestion);
    bucket(&format!("{{{ALLOW}}}"), "MalformedPolicy: Missing required field Principal", Some(PRINCIPAL));
    bucket(
        r#"{"Action": "s3:*", "Resource": "*", "Principal": "*"}"#,
        "MalformedPolicy: Missing required field Effect",
        Some(EFFECT),
    );
    bucket("[]", "MalformedPolicy: Could not parse the policy: Statement is empty!", None);
}

const EFFECT: &str = "add \"Effect\": \"Allow\" or \"Effect\": \"Deny\"";
const PRINCIPAL: &str = "say who is meant: \"Principal\": {\"AWS\": \"arn:aws:iam::111122223333:user/name\"}";

#[test]
fn every_kind_has_its_length() {
    #[track_caller]
    fn size(kind: Kind, length: usize, severity: Option<Severity>) {
        let start = r#"{"Version":"2012-10-17","Id":""#;
        let rest = match kind {
            Kind::Trust => r#"","Statement":{"Effect":"Allow","Action":"sts:*","Principal":{"AWS":"*"}}}"#,
            Kind::Resource => r#"","Statement":{"Effect":"Allow","Action":"*","Principal":"*","Resource":"*"}}"#,
            _ => r#"","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        };
        let text = format!("{start}{}{rest}\n\n  ", "x".repeat(length - start.len() - rest.len()));
        let found = super::check(&text, kind).1;
        assert_eq!(found.first().map(|problem| problem.severity), severity, "{found:?}");
    }
    size(Kind::Identity, 6_144, None);
    size(Kind::Identity, 6_145, Some(Severity::Warning));
    size(Kind::Identity, 10_241, Some(Severity::Error));
    size(Kind::Boundary, 6_144, None);
    size(Kind::Boundary, 6_145, Some(Severity::Error));
    size(Kind::Trust, 2_048, None);
    size(Kind::Trust, 2_049, Some(Severity::Warning));
    size(Kind::Trust, 4_097, Some(Severity::Error));
    size(Kind::Session, 2_049, Some(Severity::Error));
    size(Kind::Scp, 10_241, Some(Severity::Error));
    size(Kind::Resource, 20_480, None);
    size(Kind::Resource, 20_481, Some(Severity::Error));
}

/// Were the time the square of the length, each of these would take a quarter of a minute.
#[test]
fn long_texts_full_of_mistakes_are_read_in_no_time() {
    #[track_caller]
    fn check(text: &str, at_least: usize) {
        let start = std::time::Instant::now();
        let (_, problems) = super::check(text, Kind::Identity);
        assert!(problems.len() >= at_least, "{}", problems.len());
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
    let statement = r#"{"Sid": "a b", "Effect": "allow", "Action": ["s3", "s3"], "Resource": "x", "Z": 1}"#;
    check(&format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, vec![statement; 3_000].join(",")), 18_000);
    let members: Vec<_> = (0..20_000).map(|i| format!("\"k{i}\": {i}")).collect();
    check(&format!("{{{}}}", members.join(",")), 20_000);
    check(&"/**/".repeat(60_000), 60_000);
}

const KINDS: [Kind; 6] = [Kind::Identity, Kind::Resource, Kind::Trust, Kind::Boundary, Kind::Session, Kind::Scp];

/// JSON that is often almost a policy.
fn almost() -> impl Strategy<Value = serde_json::Value> {
    let words = prop::sample::select(vec![
        "Version",
        "2012-10-17",
        "Statement",
        "Effect",
        "Allow",
        "Deny",
        "Action",
        "NotAction",
        "s3:Get*",
        "Resource",
        "*",
        "arn:aws:s3:::b/*",
        "Principal",
        "AWS",
        "Service",
        "Condition",
        "StringLike",
        "aws:username",
        "Sid",
        "",
        "é${",
        "Bool",
        "true",
        "Null",
        "IpAddress",
        "x:y:z",
        "NumericEquals",
    ]);
    let word = words.prop_map(str::to_owned);
    let leaf = prop_oneof![
        word.clone().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(value in almost(), kind in prop::sample::select(KINDS.to_vec())) {
        let text = value.to_string();
        let (policy, problems) = super::check(&text, kind);
        prop_assert!(policy.is_some() || !problems.is_empty());
        for problem in problems {
            prop_assert!(text.get(problem.span.clone()).is_some());
            let excerpt = problem.excerpt(&text);
            prop_assert!(excerpt.contains('^'));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let (policy, problems) = super::check(&text, Kind::Trust);
        prop_assert!(policy.is_some() || !problems.is_empty());
        for problem in problems {
            prop_assert!(problem.excerpt(&text).contains('^'));
        }
    }
}
