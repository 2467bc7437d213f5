//! The operators of conditions, as "IAM JSON policy elements: Condition operators", "Set operators for multi-valued context
//! keys" and "Variables and tags" in the IAM User Guide describe them.

use iam_policy::{Attached, Caller, Kind, Policies, Policy, Request, evaluate};

use crate::fixtures::{USER, identity};

/// Keys with their values, parted by blanks.
type Keys<'a> = &'a [(&'a str, &'a str)];

fn request(context: Keys<'_>) -> Request {
    let mut request = Request::new(Caller::user(USER), "s3:GetObject", "arn:aws:s3:::data/x");
    for (key, values) in context {
        request.context.set(key, values.split_whitespace());
    }
    request
}

#[track_caller]
fn check(condition: &str, context: Keys<'_>, expected: bool) {
    let policies =
        identity(&format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}}}"#));
    assert_eq!(evaluate(&request(context), &policies).is_allowed(), expected, "{condition} with {context:?}");
}

#[test]
fn strings() {
    let equals = r#"{"StringEquals": {"aws:SourceAccount": ["1", "Two"]}}"#;
    check(equals, &[("aws:SourceAccount", "Two")], true);
    check(equals, &[("AWS:sourceaccount", "1")], true);
    check(equals, &[("aws:SourceAccount", "two")], false);
    check(equals, &[], false);
    check(r#"{"StringEquals": {"a:b": "x*"}}"#, &[("a:b", "xy")], false);
    check(r#"{"StringEquals": {"a:b": 3600}}"#, &[("a:b", "3600")], true);
    check(r#"{"StringEqualsIgnoreCase": {"a:b": "Two"}}"#, &[("a:b", "tWO")], true);
    check(r#"{"StringLike": {"a:b": "x*z?"}}"#, &[("a:b", "x/y/z1")], true);
    check(r#"{"StringLike": {"a:b": "x*z?"}}"#, &[("a:b", "X/y/z1")], false);
    check(r#"{"StringLike": {"a:b": "x*z?"}}"#, &[("a:b", "x/y/z")], false);
    // Negated operators are NOR over the values, and true without the key.
    let differs = r#"{"StringNotEquals": {"a:b": ["x", "y"]}}"#;
    check(differs, &[("a:b", "x")], false);
    check(differs, &[("a:b", "z")], true);
    check(differs, &[], true);
    check(r#"{"StringNotEqualsIgnoreCase": {"a:b": "x"}}"#, &[("a:b", "X")], false);
    check(r#"{"StringNotLike": {"a:b": ["x*", "y*"]}}"#, &[("a:b", "y1")], false);
    check(r#"{"StringNotLike": {"a:b": ["x*", "y*"]}}"#, &[("a:b", "z1")], true);
}

#[test]
fn all_operators_and_keys_must_hold() {
    let both = r#"{"StringEquals": {"a:b": "x", "a:c": "y"}, "Bool": {"a:d": "true"}}"#;
    check(both, &[("a:b", "x"), ("a:c", "y"), ("a:d", "true")], true);
    check(both, &[("a:b", "x"), ("a:c", "y"), ("a:d", "false")], false);
    check(both, &[("a:b", "x"), ("a:c", "z"), ("a:d", "true")], false);
    check("{}", &[], true);
}

#[test]
fn numbers() {
    for (operator, at_9, at_10, at_11) in [
        ("NumericEquals", false, true, false),
        ("NumericNotEquals", true, false, true),
        ("NumericLessThan", true, false, false),
        ("NumericLessThanEquals", true, true, false),
        ("NumericGreaterThan", false, false, true),
        ("NumericGreaterThanEquals", false, true, true),
    ] {
        let condition = format!(r#"{{"{operator}": {{"s3:max-keys": "10"}}}}"#);
        check(&condition, &[("s3:max-keys", "9")], at_9);
        check(&condition, &[("s3:max-keys", "10.0")], at_10);
        check(&condition, &[("s3:max-keys", "11")], at_11);
        check(&condition, &[], operator == "NumericNotEquals");
        check(&condition, &[("s3:max-keys", "ten")], operator == "NumericNotEquals");
    }
}

#[test]
fn dates() {
    for (operator, before, at, after) in [
        ("DateEquals", false, true, false),
        ("DateNotEquals", true, false, true),
        ("DateLessThan", true, false, false),
        ("DateLessThanEquals", true, true, false),
        ("DateGreaterThan", false, false, true),
        ("DateGreaterThanEquals", false, true, true),
    ] {
        let condition = format!(r#"{{"{operator}": {{"aws:CurrentTime": "2020-04-01T00:00:00Z"}}}}"#);
        check(&condition, &[("aws:CurrentTime", "2020-03-31T23:59:59Z")], before);
        check(&condition, &[("aws:CurrentTime", "2020-04-01T02:00:00+02:00")], at);
        // `date -u -d 2020-04-01 +%s` of GNU coreutils.
        check(&condition, &[("aws:CurrentTime", "1585699200")], at);
        check(&condition, &[("aws:CurrentTime", "2020-04-01T00:00:00.001Z")], after);
    }
}

#[test]
fn booleans_binaries_and_addresses() {
    check(r#"{"Bool": {"aws:SecureTransport": true}}"#, &[("aws:SecureTransport", "true")], true);
    check(r#"{"Bool": {"aws:SecureTransport": "True"}}"#, &[("aws:SecureTransport", "true")], true);
    check(r#"{"Bool": {"aws:SecureTransport": "false"}}"#, &[("aws:SecureTransport", "true")], false);
    check(r#"{"Bool": {"aws:SecureTransport": "false"}}"#, &[], false);
    check(r#"{"BinaryEquals": {"a:b": "QmluYXJ5"}}"#, &[("a:b", "QmluYXJ5")], true);
    check(r#"{"BinaryEquals": {"a:b": "QmluYXJ5"}}"#, &[("a:b", "qmluyxj5")], false);
    let inside = r#"{"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}"#;
    check(inside, &[("aws:SourceIp", "203.0.113.255")], true);
    check(inside, &[("aws:SourceIp", "2001:db8:1234:5678:9::1")], true);
    check(inside, &[("aws:SourceIp", "203.0.114.1")], false);
    check(inside, &[("aws:SourceIp", "nowhere")], false);
    check(r#"{"IpAddress": {"aws:SourceIp": "203.0.113.7"}}"#, &[("aws:SourceIp", "203.0.113.7")], true);
    let outside = r#"{"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}}"#;
    check(outside, &[("aws:SourceIp", "203.0.113.1")], false);
    check(outside, &[("aws:SourceIp", "198.51.100.1")], true);
    check(outside, &[], true);
}

#[test]
fn arns_match_field_by_field() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:topic";
    for operator in ["ArnEquals", "ArnLike"] {
        let check = |pattern: &str, expected| {
            check(
                &format!(r#"{{"{operator}": {{"aws:SourceArn": "{pattern}"}}}}"#),
                &[("aws:SourceArn", topic)],
                expected,
            );
        };
        check("arn:aws:sns:eu-west-1:111122223333:topic", true);
        check("arn:aws:sns:*:111122223333:t*", true);
        check("arn:aws:sns:*:t*", false);
        check("arn:aws:sns:eu-west-1:111122223333:Topic", false);
    }
    check(r#"{"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:t*"}}"#, &[("aws:SourceArn", topic)], false);
    check(r#"{"ArnNotEquals": {"aws:SourceArn": "arn:aws:sns:*:*:x"}}"#, &[("aws:SourceArn", topic)], true);
    check(r#"{"ArnNotEquals": {"aws:SourceArn": "arn:aws:sns:*:*:x"}}"#, &[], true);
}

#[test]
fn null_asks_for_the_key_alone() {
    check(r#"{"Null": {"aws:TokenIssueTime": "true"}}"#, &[], true);
    check(r#"{"Null": {"aws:TokenIssueTime": "true"}}"#, &[("aws:TokenIssueTime", "2020")], false);
    check(r#"{"Null": {"aws:TokenIssueTime": false}}"#, &[("aws:TokenIssueTime", "2020")], true);
    check(r#"{"Null": {"aws:TokenIssueTime": false}}"#, &[], false);
}

#[test]
fn with_if_exists_a_missing_key_does_no_harm() {
    let condition = r#"{"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}}"#;
    check(condition, &[], true);
    check(condition, &[("ec2:InstanceType", "t2.micro")], true);
    check(condition, &[("ec2:InstanceType", "m5.large")], false);
    check(r#"{"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}}"#, &[], true);
}

#[test]
fn keys_with_several_values() {
    let all = r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]}}"#;
    check(all, &[("aws:TagKeys", "environment")], true);
    check(all, &[("aws:TagKeys", "environment cost-center")], true);
    check(all, &[("aws:TagKeys", "environment owner")], false);
    // AWS warns of this: true without the key.
    check(all, &[], true);
    check(all, &[("aws:TagKeys", "")], true);
    let any = r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["environment", "cost-center"]}}"#;
    check(any, &[("aws:TagKeys", "environment owner")], true);
    check(any, &[("aws:TagKeys", "owner")], false);
    check(any, &[], false);
    let none = r#"{"ForAllValues:StringNotLike": {"aws:TagKeys": ["secret*"]}}"#;
    check(none, &[("aws:TagKeys", "a b")], true);
    check(none, &[("aws:TagKeys", "a secret1")], false);
    let another = r#"{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}"#;
    check(another, &[("aws:TagKeys", "a")], false);
    check(another, &[("aws:TagKeys", "a b")], true);
    check(another, &[], false);
    // Without a prefix, which AWS calls a mistake: one that matches is enough, and the negated operator says the opposite.
    let plain = r#"{"StringEquals": {"aws:TagKeys": ["a"]}}"#;
    check(plain, &[("aws:TagKeys", "a b")], true);
    check(&plain.replace("StringEquals", "StringNotEquals"), &[("aws:TagKeys", "a b")], false);
}

#[test]
fn variables_stand_for_what_the_request_has() {
    let own = r#"{"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}"#;
    check(own, &[("s3:prefix", "home/ann/x")], true);
    check(own, &[("s3:prefix", "home/bob/x")], false);
    // What a variable stands for is no pattern.
    check(r#"{"StringLike": {"a:b": "${a:c}"}}"#, &[("a:b", "xyz"), ("a:c", "*")], false);
    check(r#"{"StringLike": {"a:b": "${a:c}"}}"#, &[("a:b", "*"), ("a:c", "*")], true);
    check(r#"{"StringLike": {"a:b": "${*}x"}}"#, &[("a:b", "*x")], true);
    check(r#"{"StringLike": {"a:b": "${*}x"}}"#, &[("a:b", "yx")], false);
    // Without a value: no match; with a negated operator, a match.
    check(r#"{"StringEquals": {"a:b": "${a:c}"}}"#, &[("a:b", "")], false);
    check(r#"{"StringNotEquals": {"a:b": "${a:c}"}}"#, &[("a:b", "x")], true);
    check(r#"{"StringEquals": {"a:b": "${a:c, 'company-wide'}"}}"#, &[("a:b", "company-wide")], true);
    check(r#"{"StringEquals": {"a:b": "${a:c, 'company-wide'}"}}"#, &[("a:b", "company-wide"), ("a:c", "x")], false);
    check(r#"{"ArnLike": {"aws:SourceArn": "${aws:PrincipalArn}"}}"#, &[("aws:SourceArn", USER)], true);
    // Not with numbers.
    check(r#"{"StringEquals": {"a:b": "${a:c}"}}"#, &[("a:b", "1"), ("a:c", "1")], true);
    check(r#"{"NumericEquals": {"a:b": "${a:c}"}}"#, &[("a:b", "1"), ("a:c", "1")], false);
}

#[test]
fn documents_of_2008_have_no_variables() {
    for (version, expected) in
        [(r#""Version": "2012-10-17","#, true), (r#""Version": "2008-10-17","#, false), ("", false)]
    {
        let text = format!(
            r#"{{{version} "Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": {{"StringEquals": {{"a:b": "${{aws:username}}"}}}}}}}}"#
        );
        let policy = Policy::parse(&text, Kind::Identity).unwrap();
        let policies = Policies { identity: vec![Attached::new("p", policy)], ..Policies::default() };
        assert_eq!(evaluate(&request(&[("a:b", "ann")]), &policies).is_allowed(), expected, "{version}");
        assert_eq!(evaluate(&request(&[("a:b", "${aws:username}")]), &policies).is_allowed(), !expected, "{version}");
    }
}

#[test]
fn keys_that_are_missing_are_named_once() {
    let policies = identity(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"},
           {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true},
               "StringEquals": {"s3:x": "1", "S3:X": "2"}}},
           {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"StringEquals": {"ec2:y": "1"}}}"#,
    );
    let decision = evaluate(&request(&[]), &policies);
    assert_eq!(decision.missing_context, ["aws:PrincipalTag/team", "aws:SecureTransport", "s3:x"].map(str::to_owned));
}
