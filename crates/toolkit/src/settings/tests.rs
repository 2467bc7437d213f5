use super::*;

/// Settings of these sources; `.env` is given as its content.
fn resolve(flags: &[(&str, &str)], environment: &[(&str, &str)], dotenv: &str) -> Result<Settings, Failure> {
    use clap::Parser;
    let mut line = vec!["stsmm".to_owned(), "config".to_owned()];
    line.extend(flags.iter().flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]));
    let flags = crate::cli::Cli::try_parse_from(line).unwrap().globals.settings;
    let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let dotenv = DotEnv::parse(".env".to_owned(), dotenv.as_bytes()).unwrap();
    Settings::resolve(&Sources { flags, environment, dotenv: Some(dotenv) })
}

fn found<'a>(settings: &'a Settings, variable: &str) -> (Option<&'a str>, String) {
    let found = settings.found.iter().find(|it| it.setting.variable() == variable).unwrap();
    (found.value.as_deref(), found.origin.to_string())
}

/// What one setting is when nobody, `.env`, the environment and a flag set it; and what is refused.
struct Row {
    variable: &'static str,
    default: Option<&'static str>,
    /// Three right values.
    right: [&'static str; 3],
    /// (wrong value, part of the reason).
    wrong: &'static [(&'static str, &'static str)],
}

const ROLE: &str = "arn:aws:iam::111122223333:role/sts-execution";

const ROWS: &[Row] = &[
    Row {
        variable: "AWS_ROLE",
        default: None,
        right: [
            ROLE,
            "arn:aws-us-gov:iam::111122223333:role/service-role/sts",
            "arn:aws-cn:iam::111122223333:role/a/b/c+=,.@-_",
        ],
        wrong: &[
            ("sts-execution", "write arn:aws:iam::ACCOUNT:role/sts-execution"),
            (
                "arn:aws:sts::111122223333:assumed-role/sts/me",
                "that is a session of the role, not the role: arn:aws:iam::111122223333:role/sts",
            ),
            ("arn:aws:iam::<account>:role/<name>", "the placeholder is still in it"),
            ("arn:aws:iam::111122223333:user/me", "that is no role"),
            ("arn:aws:iam::11112222333:role/sts", "that is not the ARN of a role"),
            ("arn:aws:iam::111122223333:role/", "that is not the ARN of a role"),
            ("arn:aws:iam::111122223333:role/a b", "that is not the ARN of a role"),
        ],
    },
    Row {
        variable: "AWS_DEFAULT_REGION",
        default: Some("eu-west-1"),
        right: ["us-gov-west-1", "eusc-de-east-1", "ap-southeast-2"],
        wrong: &[
            ("Ireland", "shape of a region"),
            ("eu-west", "shape of a region"),
            ("eu-west-1a", "shape of a region"),
        ],
    },
    Row { variable: "AWS_PROFILE", default: None, right: ["a", "my profile", "sso-admin"], wrong: &[] },
    Row {
        variable: "AWS_ENDPOINT_URL",
        default: None,
        right: ["http://127.0.0.1:4566", "https://vpce-1.sagemaker.eu-west-1.vpce.amazonaws.com", "http://[::1]:80/"],
        wrong: &[
            ("127.0.0.1:4566", "URL of a server"),
            ("ftp://host", "URL of a server"),
            ("/tmp/x", "URL of a server"),
        ],
    },
    Row {
        variable: "PIPELINE_NAME",
        default: Some("stsPipeline"),
        right: ["p", "a--b", "0-Pipeline"],
        wrong: &[
            ("sts pipeline", "` ` is not allowed"),
            ("-p", "begin or end with a hyphen"),
            ("p_1", "`_` is not allowed"),
            (LONG_257, "257 characters"),
        ],
    },
    Row {
        variable: "MODEL_PACKAGE_GROUP_NAME",
        default: Some("stsPackageGroup"),
        right: ["g", "a-b", "G1"],
        wrong: &[("gruppe/1", "`/` is not allowed"), ("g-", "begin or end with a hyphen"), (LONG_64, "at most 63")],
    },
    Row {
        variable: "BASE_JOB_PREFIX",
        default: Some("sts"),
        right: ["s", "sts-2", "STS"],
        wrong: &[("sts.2", "`.` is not allowed"), ("-", "begin or end with a hyphen"), (LONG_48, "at most 47")],
    },
    Row {
        variable: "STSMM_BUCKET",
        default: None,
        right: ["abc", "my.team-sts", "sagemaker-eu-west-1-111122223333"],
        wrong: &[
            ("ab", "3 to 63"),
            (LONG_64, "3 to 63"),
            ("My-bucket", "`M` is not allowed"),
            ("a..b", "no two dots"),
            ("-abc", "begin and end"),
            ("192.168.0.1", "IP address"),
            ("xn--abc", "reserved"),
            ("abc-s3alias", "reserved"),
            ("s3://abc", "`:` is not allowed"),
        ],
    },
    Row {
        variable: "STSMM_IMAGE",
        default: None,
        right: [
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:0a1b",
            "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/team/sts",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ],
        wrong: &[("sts-container:latest", "Amazon ECR only"), ("docker.io/library/python:3", "Amazon ECR only")],
    },
    Row {
        variable: "STSMM_TAGS",
        default: None,
        right: ["team=nlp", "team=nlp, cost-center=42,", "empty=,äöü=+-=._:/@"],
        wrong: &[
            ("team", "has no `=`"),
            ("=nlp", "1 to 128"),
            ("aws:team=nlp", "AWS's own"),
            ("AWS:team=nlp", "AWS's own"),
            ("team=a|b", "are allowed"),
            ("Project=x", "set by the toolkit"),
            ("ManagedBy=x", "set by the toolkit"),
            ("a=1,a=2", "there twice"),
        ],
    },
    Row {
        variable: "STSMM_KMS_KEY",
        default: None,
        right: [
            "alias/sts",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        ],
        wrong: &[("sts", "no key of AWS KMS"), ("arn:aws:iam::111122223333:key/x", "no key of AWS KMS")],
    },
    Row { variable: "STSMM_IMAGES", default: None, right: ["images.toml", "/tmp/x", "../a"], wrong: &[] },
    Row { variable: "STSMM_STATE_DIR", default: None, right: ["a", "/tmp/x", "../state"], wrong: &[] },
];

const LONG_257: &str = concat!(
    "a0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "00000000000000000000000000000000"
);
const LONG_64: &str = "a000000000000000000000000000000000000000000000000000000000000000";
const LONG_48: &str = "a00000000000000000000000000000000000000000000000";

#[test]
fn the_long_names_are_as_long_as_they_say() {
    assert_eq!([LONG_257.len(), LONG_64.len(), LONG_48.len()], [257, 64, 48]);
}

#[test]
fn every_setting_follows_the_order_of_precedence() {
    for row in ROWS {
        let (variable, [in_file, in_environment, in_flag]) = (row.variable, row.right);
        let setting = SETTINGS.iter().find(|it| it.variable() == variable).unwrap();
        let check = |settings: Result<Settings, Failure>, value: Option<&str>, origin: &str| {
            let settings = settings.unwrap_or_else(|failure| panic!("{variable}: {failure}"));
            assert_eq!(found(&settings, variable), (value, origin.to_owned()), "{variable}");
        };
        let file = format!("# a comment\n{variable}='{in_file}'\n");
        let blank = format!("{variable}=  \n");
        let environment = format!("environment: {variable}");
        check(resolve(&[], &[], ""), row.default, "default");
        check(resolve(&[], &[], &blank), row.default, "default");
        check(resolve(&[], &[(variable, " \t")], &blank), row.default, "default");
        check(resolve(&[], &[], &file), Some(in_file), ".env:2");
        check(resolve(&[], &[(variable, "")], &file), Some(in_file), ".env:2");
        check(resolve(&[], &[(variable, in_environment)], &file), Some(in_environment.trim()), &environment);
        if let Some(flag) = setting.flag {
            check(resolve(&[(flag.name, in_flag)], &[(variable, in_environment)], &file), Some(in_flag), flag.name);
            check(
                resolve(&[(flag.name, " ")], &[(variable, in_environment)], &file),
                Some(in_environment),
                &environment,
            );
        }
    }
}

#[test]
fn what_aws_would_refuse_is_refused_with_reason_and_origin() {
    for row in ROWS {
        for (wrong, reason) in row.wrong {
            let failure = resolve(&[], &[(row.variable, wrong)], "").unwrap_err();
            let text = failure.to_string();
            let origin = format!("{} is `{wrong}` (environment: {}): ", row.variable, row.variable);
            assert!(text.starts_with(&origin) && text.contains(reason), "{}={wrong}: {text}", row.variable);
            assert!(text.contains("; right is "), "{text}");
            assert_eq!(failure.exit_code(), 2);
            let failure = resolve(&[], &[], &format!("\n{}=\"{wrong}\"", row.variable)).unwrap_err();
            assert!(failure.to_string().contains("(.env:2): "), "{failure}");
        }
    }
}

#[test]
fn a_wrong_value_that_is_overridden_does_no_harm() {
    let settings = resolve(&[("--pipeline-name", "p")], &[("PIPELINE_NAME", "not a name")], "").unwrap();
    assert_eq!(settings.pipeline_name, "p");
}

#[test]
fn everything_wrong_is_reported_together() {
    let environment = [("PIPELINE_NAME", "a b"), ("AWS_ROLE", "sts"), ("STSMM_SUBNETS", "subnet-0123456789abcdef0")];
    let text = resolve(&[], &environment, "AWS_DEFAULT_REGION=Ireland").unwrap_err().to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], "4 settings are wrong");
    for variable in ["AWS_ROLE", "AWS_DEFAULT_REGION", "PIPELINE_NAME", "STSMM_SUBNETS"] {
        assert!(text.contains(&format!("\n  {variable} is ")), "{variable}: {text}");
    }
}

#[test]
fn a_network_is_both_or_nothing() {
    let (subnets, groups) = ("subnet-0123456789abcdef0, subnet-01234567", "sg-0123456789abcdef0");
    let network =
        resolve(&[], &[("STSMM_SUBNETS", subnets), ("STSMM_SECURITY_GROUPS", groups)], "").unwrap().network.unwrap();
    assert_eq!(network.subnets, ["subnet-0123456789abcdef0", "subnet-01234567"]);
    assert_eq!(network.security_groups, [groups]);
    for (variable, value, reason) in [
        ("STSMM_SUBNETS", subnets, "without STSMM_SECURITY_GROUPS"),
        ("STSMM_SECURITY_GROUPS", groups, "without STSMM_SUBNETS"),
        ("STSMM_SUBNETS", "subnet-xyz", "`subnet-xyz` has not the right shape"),
        ("STSMM_SECURITY_GROUPS", "sg-01234567,".repeat(6).as_str(), "6 are too many, at most 5"),
        ("STSMM_SUBNETS", ",", "it names none"),
    ] {
        let text = resolve(&[], &[(variable, value)], "").unwrap_err().to_string();
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn the_region_has_two_variables_and_one_value() {
    /// (environment, `.env`, region, origin, part of a warning)
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&[("AWS_REGION", "eu-west-2")], "", "eu-west-2", "environment: AWS_REGION", ""),
        (
            &[("AWS_REGION", "eu-west-2"), ("AWS_DEFAULT_REGION", "eu-west-2")],
            "",
            "eu-west-2",
            "environment: AWS_REGION",
            "",
        ),
        (
            &[("AWS_REGION", "eu-west-2"), ("AWS_DEFAULT_REGION", "us-east-1")],
            "",
            "eu-west-2",
            "environment: AWS_REGION",
            "AWS_REGION is eu-west-2 (environment) and AWS_DEFAULT_REGION is us-east-1 (environment): eu-west-2 is used",
        ),
        (
            &[("AWS_DEFAULT_REGION", "us-east-1")],
            "AWS_REGION=eu-west-2",
            "us-east-1",
            "environment: AWS_DEFAULT_REGION",
            "AWS_REGION is eu-west-2 (.env:1) and AWS_DEFAULT_REGION is us-east-1 (environment): us-east-1 is used",
        ),
        (
            &[("AWS_REGION", "zz-moon-1")],
            "",
            "zz-moon-1",
            "environment: AWS_REGION",
            "no region that the toolkit knows",
        ),
    ];
    for (environment, dotenv, region, origin, warning) in cases {
        let settings = resolve(&[], environment, dotenv).unwrap();
        assert_eq!(settings.region, *region);
        assert_eq!(found(&settings, "AWS_DEFAULT_REGION").1, *origin);
        match warning.is_empty() {
            true => assert!(settings.region_warnings.is_empty(), "{:?}", settings.region_warnings),
            false => assert!(
                settings.region_warnings.iter().any(|it| it.contains(warning)),
                "{:?}",
                settings.region_warnings
            ),
        }
    }
    let both = [("AWS_REGION", "eu-west-2"), ("AWS_DEFAULT_REGION", "us-east-1")];
    assert!(
        resolve(&[("--region", "eu-west-3")], &both, "").unwrap().region_warnings.is_empty(),
        "a flag leaves no doubt"
    );
}

#[test]
fn an_unknown_setting_of_ours_is_pointed_out() {
    let settings = resolve(&[], &[("STSMM_BUKET", "x")], "STSMM_TAG=a=b").unwrap();
    assert_eq!(
        settings.warnings,
        [
            "STSMM_BUKET (environment) is no setting and does nothing",
            "STSMM_TAG (.env:1) is no setting and does nothing"
        ]
    );
}

#[test]
fn the_sdk_sees_the_environment_with_dotenv_beneath() {
    let environment = [("HOME", "/x"), ("AWS_CONFIG_FILE", "/c"), ("AWS_PROFILE", ""), ("AWS_CA_BUNDLE", " ")];
    let dotenv = "AWS_CONFIG_FILE=/other\nAWS_SHARED_CREDENTIALS_FILE=/s\nAWS_ENDPOINT_URL_S3=http://127.0.0.1:1\nAWS_REGION=eu-west-2";
    let aws = resolve(&[], &environment, dotenv).unwrap().aws;
    let mut variables: Vec<_> = aws.variables.iter().map(|(key, value)| format!("{key}={value}")).collect();
    variables.sort();
    assert_eq!(
        variables,
        ["AWS_CONFIG_FILE=/c", "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1", "AWS_SHARED_CREDENTIALS_FILE=/s", "HOME=/x"]
    );
    assert_eq!(aws.endpoints, [("AWS_ENDPOINT_URL_S3".to_owned(), "http://127.0.0.1:1".to_owned())]);
}

#[test]
fn keys_are_taken_from_one_source() {
    const FILE: &str = "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=file\nAWS_SESSION_TOKEN=file\n";
    const KEYS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "env")];
    const PROFILE: &[(&str, &str)] = &[("AWS_PROFILE", "p")];
    let of = |origin: &str, session| Credentials::Keys { origin: origin.to_owned(), session };
    let check = |flags: &[(&str, &str)],
                 environment: &[&[(&str, &str)]],
                 dotenv: &str,
                 credentials: Credentials,
                 key: Option<&str>,
                 warning: &str| {
        let aws = resolve(flags, &environment.concat(), dotenv).unwrap().aws;
        assert_eq!(aws.credentials, credentials);
        assert_eq!(aws.variables.get("AWS_ACCESS_KEY_ID").map(String::as_str), key);
        assert_eq!(
            aws.variables.contains_key("AWS_SESSION_TOKEN"),
            matches!(credentials, Credentials::Keys { session: true, .. })
        );
        match warning.is_empty() {
            true => assert!(aws.warnings.is_empty(), "{:?}", aws.warnings),
            false => assert!(aws.warnings.iter().any(|it| it.contains(warning)), "{:?}", aws.warnings),
        }
    };
    check(&[], &[], "", Credentials::Chain, None, "");
    check(&[], &[], FILE, of(".env:1", true), Some("AKIAFILE"), "");
    // The token of the file is not the token of the environment's key.
    check(&[], &[KEYS], FILE, of("environment", false), Some("AKIAENV"), "");
    // A profile from a stronger source is what is meant.
    check(&[], &[PROFILE], FILE, Credentials::Chain, None, "");
    check(&[("--profile", "p")], &[KEYS], "", Credentials::Chain, None, "");
    check(&[], &[KEYS, PROFILE], "", of("environment", false), Some("AKIAENV"), "the key is used, not the profile");
    check(&[], &[KEYS], "AWS_PROFILE=p", of("environment", false), Some("AKIAENV"), "the key is used, not the profile");
    check(&[], &[&[("AWS_SESSION_TOKEN", "t")]], "", Credentials::Chain, None, "without AWS_ACCESS_KEY_ID");
    check(
        &[],
        &[&[("AWS_ACCESS_KEY_ID", "AKIAENV")]],
        "",
        of("environment", false),
        Some("AKIAENV"),
        "without AWS_SECRET_ACCESS_KEY",
    );
    let temporary = [("AWS_ACCESS_KEY_ID", "ASIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    check(&[], &[&temporary], "", of("environment", false), Some("ASIAENV"), "AWS_SESSION_TOKEN is not set beside it");
}

#[test]
fn what_is_typed_is_typed() {
    let environment = [("AWS_ROLE", "arn:aws:iam::111122223333:role/path/sts"), ("STSMM_TAGS", "team=nlp")];
    let settings = resolve(&[], &environment, "").unwrap();
    let role = settings.role.clone().unwrap();
    assert_eq!((role.account.as_str(), role.name.as_str()), ("111122223333", "sts"));
    assert_eq!(settings.bucket("999988887777"), "sagemaker-eu-west-1-999988887777");
    assert_eq!(settings.tags().last().unwrap(), &("team".to_owned(), "nlp".to_owned()));
    let settings = resolve(&[("--bucket", "mine"), ("--endpoint-url", "http://127.0.0.1:1")], &[], "").unwrap();
    assert_eq!(settings.bucket("999988887777"), "mine");
    assert_eq!(settings.endpoint_url.as_deref(), Some("http://127.0.0.1:1"));
    let settings = resolve(&[], &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")], "").unwrap();
    assert_eq!(settings.endpoint_url, None, "left to the SDK, so that endpoints of single services stay stronger");
}

#[test]
fn no_secret_is_shown_by_debug() {
    let settings = resolve(&[], &[("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "hush")], "").unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
}
