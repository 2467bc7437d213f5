//! The catalogue of refusals: AWS's codes and sentences as they were seen in the wild, and what we say to each.

use super::*;
use crate::aws::errors::describe;
use crate::aws::{Clients, Mode};
use crate::error::Failure;

/// The services write their errors in three ways.
#[derive(Clone, Copy, PartialEq)]
enum Service {
    Sts,
    SageMaker,
    S3,
}

async fn failure(service: Service, status: u16, code: &str, message: &str) -> Failure {
    let (_, sts) = sts_refuses(status, code, message);
    let body = match service {
        Service::Sts => sts,
        Service::SageMaker => serde_json::json!({"__type": code, "message": message}).to_string(),
        Service::S3 => format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
    };
    // A server that keeps failing is asked five times.
    let http = replay(std::iter::repeat_n((status, body), 5));
    let clients = Clients::new(&config(SharedHttpClient::new(http)).await, Mode::Live);
    match service {
        Service::Sts => describe("GetCallerIdentity", clients.sts.get_caller_identity().send().await.unwrap_err()),
        Service::SageMaker => describe("CreatePipeline", clients.sagemaker.create_pipeline().send().await.unwrap_err()),
        Service::S3 => describe("GetObject", clients.s3.get_object().bucket("b").key("k").send().await.unwrap_err()),
    }
}

use Service::{S3, SageMaker, Sts};

const EXPIRED: &str = "The security token included in the request is expired";
const INVALID: &str = "The security token included in the request is invalid.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                        Access Key and signing method. Consult the service documentation for details.";
const SLOW: &str =
    "Signature expired: 20160609T184512Z is now earlier than 20160610T013008Z (20160610T014508Z - 15 min.)";
const FAST: &str =
    "Signature not yet current: 20160610T020008Z is still later than 20160610T015508Z (20160610T014508Z + 5 min.)";

#[tokio::test]
async fn every_known_refusal_has_its_next_step() {
    let cases: &[(Service, u16, &str, &str, &str)] = &[
        (Sts, 403, "ExpiredToken", EXPIRED, "have expired: log in again"),
        (SageMaker, 400, "ExpiredTokenException", EXPIRED, "have expired: log in again"),
        (S3, 400, "ExpiredToken", "The provided token has expired.", "have expired: log in again"),
        (Sts, 403, "InvalidClientTokenId", INVALID, "AWS does not know the access key"),
        (SageMaker, 400, "UnrecognizedClientException", INVALID, "AWS does not know the access key"),
        (
            S3,
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            "AWS does not know the access key",
        ),
        (Sts, 403, "SignatureDoesNotMatch", MISMATCH, "AWS_SECRET_ACCESS_KEY does not belong"),
        (SageMaker, 400, "InvalidSignatureException", MISMATCH, "AWS_SECRET_ACCESS_KEY does not belong"),
        // The same code as a wrong secret: only the sentence tells them apart.
        (
            Sts,
            403,
            "SignatureDoesNotMatch",
            SLOW,
            "the clock of this machine is wrong: let it be set from the network; it is 419 minutes slow",
        ),
        (SageMaker, 400, "InvalidSignatureException", SLOW, "it is 419 minutes slow"),
        (SageMaker, 400, "InvalidSignatureException", FAST, "it is 15 minutes fast"),
        (
            S3,
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "the clock of this machine",
        ),
        (
            SageMaker,
            400,
            "AccessDeniedException",
            "User: arn:aws:sts::111122223333:assumed-role/R/S is not authorized to perform: iam:PassRole on resource: \
             arn:aws:iam::111122223333:role/R because no identity-based policy allows the iam:PassRole action",
            "allow arn:aws:iam::111122223333:role/R iam:PassRole on arn:aws:iam::111122223333:role/R, with iam:PassedToService sagemaker.amazonaws.com",
        ),
        (
            SageMaker,
            400,
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/me is not authorized to perform: sagemaker:AddTags on resource: \
             arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p because no identity-based policy allows the sagemaker:AddTags action",
            "allow arn:aws:iam::111122223333:user/me sagemaker:AddTags on arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p",
        ),
        (
            SageMaker,
            400,
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/me is not authorized to perform: sagemaker:CreatePipeline on resource: \
             arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p with an explicit deny in a service control policy: \
             arn:aws:organizations::444455556666:policy/o-abc/service_control_policy/p-def",
            "a service control policy (arn:aws:organizations::444455556666:policy/o-abc/service_control_policy/p-def) forbids sagemaker:CreatePipeline",
        ),
        (
            SageMaker,
            400,
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/me is not authorized to perform: sagemaker:CreatePipeline on resource: \
             arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p because no permissions boundary allows the sagemaker:CreatePipeline action",
            "the permissions boundary of arn:aws:iam::111122223333:user/me must allow sagemaker:CreatePipeline",
        ),
        (
            S3,
            403,
            "AccessDenied",
            "User: arn:aws:sts::111122223333:assumed-role/R/S is not authorized to perform: s3:GetObject on resource: \
             \"arn:aws:s3:::b/k\" because no resource-based policy allows the s3:GetObject action",
            "the resource-based policy must allow s3:GetObject on arn:aws:s3:::b/k",
        ),
        (S3, 403, "AccessDenied", "Access Denied", "a permission is missing"),
        (
            SageMaker,
            400,
            "ValidationException",
            "Could not assume role arn:aws:iam::111122223333:role/R. Please ensure that the role exists and allows principal \
             'sagemaker.amazonaws.com' to assume the role.",
            "its trust policy must let the service sagemaker.amazonaws.com call sts:AssumeRole",
        ),
        (
            SageMaker,
            400,
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.m5.xlarge for training job usage' is 0 Instances, with current utilization of 0 \
             Instances and a request delta of 1 Instances. Please contact AWS support to request an increase for this limit.",
            "a quota is used up",
        ),
        (SageMaker, 400, "ThrottlingException", "Rate exceeded", "try again in a minute"),
        (S3, 503, "SlowDown", "Please reduce your request rate.", "try again in a minute"),
        (S3, 404, "NoSuchBucket", "The specified bucket does not exist", "cargo xtask bootstrap"),
    ];
    for (service, status, code, message, hint) in cases {
        let failure = failure(*service, *status, code, message).await;
        assert!(failure.to_string().ends_with(&format!(" was refused: {code}: {message}")), "{failure}");
        assert!(
            failure.next().unwrap_or_default().contains(hint),
            "{code}: {message}\nexpected: {hint}\nsaid: {:?}",
            failure.next()
        );
        assert_eq!(failure.aws_code(), Some(*code));
        assert_eq!(failure.is_transient(), matches!(*code, "ThrottlingException" | "SlowDown"), "{code}");
        assert_eq!(failure.exit_code(), 1);
        assert!(failure.report(true).contains("request id: request-1") || *service == S3, "{}", failure.report(true));
    }
}

#[tokio::test]
async fn an_unknown_refusal_is_told_as_it_is() {
    let failure = failure(SageMaker, 400, "ValidationException", "Something new").await;
    assert_eq!(failure.report(false), "error: CreatePipeline was refused: ValidationException: Something new");
}

#[tokio::test]
async fn a_failing_server_may_recover() {
    assert!(failure(SageMaker, 500, "InternalFailure", "oops").await.is_transient());
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_told_as_such() {
    // A port that was just free: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = config(crate::aws::config::http()).await.into_builder().endpoint_url(format!("http://{free}")).build();
    let clients = Clients::new(&config, Mode::Live);
    let failure = describe("ListPipelines", clients.sagemaker.list_pipelines().send().await.unwrap_err());
    assert!(failure.to_string().starts_with("ListPipelines did not reach AWS: "), "{failure}");
    assert!(failure.is_transient());
    assert!(failure.next().unwrap().contains("check the network"));
}
