//! ECR and its registry: images are pushed and pulled as `docker` and its like do.

use std::io::Seek as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sagemaker_fake::faults::{CallFault, Rule};
use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clients::{Answer, raw, signed_for};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

async fn call(aws: &FakeAws, operation: &str, input: &Value) -> (u16, Value) {
    let (signed, target) = (signed_for("ecr"), format!("AmazonEC2ContainerRegistry_V20150921.{operation}"));
    let headers = [("x-amz-target", target.as_str()), ("authorization", signed.as_str())];
    let answer = raw(&aws.endpoint_url(), "POST /", &headers, &input.to_string()).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

pub async fn done(aws: &FakeAws, operation: &str, input: Value) -> Value {
    let (status, answer) = call(aws, operation, &input).await;
    assert_eq!(status, 200, "{operation}: {answer}");
    answer
}

/// AWS's code and sentence of a refusal.
async fn refused(aws: &FakeAws, operation: &str, input: Value) -> (String, String) {
    let (status, answer) = call(aws, operation, &input).await;
    assert_eq!(status, 400, "{operation}: {answer}");
    let text = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
    (text("__type"), text("message"))
}

/// A client of the registry, signed in.
pub struct Registry<'a> {
    aws: &'a FakeAws,
    authorization: String,
}

impl<'a> Registry<'a> {
    pub async fn of(aws: &'a FakeAws) -> Self {
        let given = done(aws, "GetAuthorizationToken", json!({})).await;
        let token = given["authorizationData"][0]["authorizationToken"].as_str().unwrap();
        Self { aws, authorization: format!("Basic {token}") }
    }

    async fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let signed = [("authorization", self.authorization.as_str())];
        let headers: Vec<_> = signed.iter().chain(headers).copied().collect();
        raw(&self.aws.endpoint_url(), request, &headers, body).await
    }

    async fn push_blob(&self, repository: &str, content: &str) -> Value {
        let begun = self.ask(&format!("POST /v2/{repository}/blobs/uploads/"), &[], "").await;
        assert_eq!(begun.status, 202, "{begun:?}");
        let location = begun.header("location").unwrap();
        let (first, second) = content.split_at(content.len() / 2);
        let more = self.ask(&format!("PATCH {location}"), &[], first).await;
        assert_eq!((more.status, more.header("range")), (202, Some(format!("0-{}", first.len() - 1).as_str())));
        let gap = self.ask(&format!("PATCH {location}"), &[("content-range", "99-100")], second).await;
        assert_eq!(gap.status, 416, "{gap:?}");
        let digest = digest(content);
        let kept = self.ask(&format!("PUT {location}?digest={digest}"), &[], second).await;
        assert_eq!((kept.status, kept.header("docker-content-digest")), (201, Some(digest.as_str())), "{kept:?}");
        json!({"mediaType": "application/octet-stream", "size": content.len(), "digest": digest})
    }

    pub async fn push(&self, repository: &str, tag: &str, content: &str) -> (Answer, String) {
        self.push_as(MANIFEST, repository, tag, content).await
    }

    pub async fn push_as(&self, media_type: &str, repository: &str, tag: &str, content: &str) -> (Answer, String) {
        let layer = self.push_blob(repository, content).await;
        let config = self.push_blob(repository, "{\"config\":1}").await;
        let manifest =
            json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer]}).to_string();
        let headers = [("content-type", media_type)];
        let answer = self.ask(&format!("PUT /v2/{repository}/manifests/{tag}"), &headers, &manifest).await;
        (answer, manifest)
    }
}

pub fn digest(content: &str) -> String {
    format!("sha256:{:x}", Sha256::digest(content))
}

#[tokio::test]
async fn what_is_pushed_is_pulled() {
    let aws = FakeAws::start().await;
    let made = done(&aws, "CreateRepository", json!({"repositoryName": "team/sts", "imageTagMutability": "IMMUTABLE"}));
    let uri = made.await["repository"]["repositoryUri"].as_str().unwrap().to_owned();
    assert_eq!(uri, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/sts");
    let registry = Registry::of(&aws).await;
    assert_eq!(registry.ask("GET /v2/", &[], "").await.status, 200);

    let (pushed, manifest) = registry.push("team/sts", "one", "a layer").await;
    let of_manifest = digest(&manifest);
    assert_eq!((pushed.status, pushed.header("docker-content-digest")), (201, Some(of_manifest.as_str())));
    for reference in ["one", &of_manifest] {
        let pulled = registry.ask(&format!("GET /v2/team/sts/manifests/{reference}"), &[], "").await;
        assert_eq!((pulled.status, pulled.header("content-type")), (200, Some(MANIFEST)));
        assert_eq!(pulled.body, manifest);
    }
    let layer = registry.ask(&format!("GET /v2/team/sts/blobs/{}", digest("a layer")), &[], "").await;
    assert_eq!((layer.status, layer.body.as_str()), (200, "a layer"));
    let head = registry.ask(&format!("HEAD /v2/team/sts/blobs/{}", digest("a layer")), &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, Some("7"), ""));
    let tags = registry.ask("GET /v2/team/sts/tags/list", &[], "").await;
    assert_eq!(serde_json::from_str::<Value>(&tags.body).unwrap(), json!({"name": "team/sts", "tags": ["one"]}));

    // ECR's own operations see the same.
    let id = json!({"imageTag": "one"});
    let got = done(&aws, "BatchGetImage", json!({"repositoryName": "team/sts", "imageIds": [id, {"imageTag": "two"}]}));
    let got = got.await;
    assert_eq!(got["images"][0]["imageManifest"], manifest.as_str());
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");
    let details = done(&aws, "DescribeImages", json!({"repositoryName": "team/sts"})).await;
    assert_eq!(details["imageDetails"][0]["imageDigest"], of_manifest.as_str());
    assert_eq!(details["imageDetails"][0]["imageSizeInBytes"], 7 + 12 + manifest.len());

    // A tag stays where it is; the same image may come again.
    assert_eq!(registry.push("team/sts", "one", "a layer").await.0.status, 201);
    let (moved, _) = registry.push("team/sts", "one", "another layer").await;
    assert_eq!(moved.status, 400);
    assert!(moved.body.contains("cannot be overwritten because the repository is immutable"), "{moved:?}");

    let (code, message) = refused(&aws, "DeleteRepository", json!({"repositoryName": "team/sts"})).await;
    assert_eq!(code, "RepositoryNotEmptyException");
    assert!(message.contains("still contains images"), "{message}");
    done(&aws, "DeleteRepository", json!({"repositoryName": "team/sts", "force": true})).await;
    let gone = registry.ask("GET /v2/team/sts/manifests/one", &[], "").await;
    assert_eq!(gone.status, 404);
    assert!(gone.body.contains("NAME_UNKNOWN") && gone.body.contains("does not exist in the registry"), "{gone:?}");
}

#[tokio::test]
async fn the_registry_is_the_host_that_was_asked() {
    let aws = FakeAws::start().await;
    let given = done(&aws, "GetAuthorizationToken", json!({})).await;
    assert_eq!(given["authorizationData"][0]["proxyEndpoint"], "http://localhost", "what the request said");
}

#[tokio::test]
async fn settings_of_a_repository() {
    let aws = FakeAws::start().await;
    let named = json!({"repositoryName": "sts"});
    let with = |more: Value| {
        let mut input = named.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let tag = |key: &str| json!({"Key": key, "Value": "1"});
    let made = done(&aws, "CreateRepository", with(json!({"tags": [tag("a")]}))).await;
    assert_eq!(made["repository"]["imageTagMutability"], "MUTABLE");
    done(&aws, "PutImageTagMutability", with(json!({"imageTagMutability": "IMMUTABLE"}))).await;
    let except =
        |names: &[&str]| names.iter().map(|name| json!({"filterType": "WILDCARD", "filter": name})).collect::<Value>();
    let filters = json!({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": except(&["dev-*"])});
    assert_eq!(
        done(&aws, "PutImageTagMutability", with(filters.clone())).await["imageTagMutabilityExclusionFilters"],
        filters["imageTagMutabilityExclusionFilters"]
    );
    let registry = Registry::of(&aws).await;
    for (tag, second) in [("dev-1", 201), ("1", 400)] {
        assert_eq!(registry.push("sts", tag, "one").await.0.status, 201);
        assert_eq!(registry.push("sts", tag, "two").await.0.status, second, "{tag}");
    }
    let lacking = with(json!({"imageTagMutability": "MUTABLE_WITH_EXCLUSION"}));
    assert_eq!(refused(&aws, "PutImageTagMutability", lacking).await.0, "InvalidParameterException");
    done(&aws, "PutImageTagMutability", with(json!({"imageTagMutability": "IMMUTABLE"}))).await;
    let scanning = json!({"imageScanningConfiguration": {"scanOnPush": true}});
    done(&aws, "PutImageScanningConfiguration", with(scanning.clone())).await;
    let described = done(&aws, "DescribeRepositories", json!({"repositoryNames": ["sts"]})).await;
    let described = &described["repositories"][0];
    assert_eq!(described["imageTagMutability"], "IMMUTABLE");
    assert_eq!(described["imageScanningConfiguration"], scanning["imageScanningConfiguration"]);

    let arn = described["repositoryArn"].clone();
    done(&aws, "TagResource", json!({"resourceArn": arn, "tags": [tag("b")]})).await;
    done(&aws, "UntagResource", json!({"resourceArn": arn, "tagKeys": ["a"]})).await;
    let tags = done(&aws, "ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(tags["tags"], json!([tag("b")]));

    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    done(&aws, "SetRepositoryPolicy", with(json!({"policyText": policy}))).await;
    assert_eq!(done(&aws, "GetRepositoryPolicy", named.clone()).await["policyText"], policy);
    done(&aws, "DeleteRepositoryPolicy", named.clone()).await;
    assert_eq!(refused(&aws, "GetRepositoryPolicy", named.clone()).await.0, "RepositoryPolicyNotFoundException");
    let rules = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}"#;
    done(&aws, "PutLifecyclePolicy", with(json!({"lifecyclePolicyText": rules}))).await;
    assert_eq!(done(&aws, "GetLifecyclePolicy", named.clone()).await["lifecyclePolicyText"], rules);
    done(&aws, "DeleteLifecyclePolicy", named.clone()).await;
    assert_eq!(refused(&aws, "GetLifecyclePolicy", named.clone()).await.0, "LifecyclePolicyNotFoundException");
}

#[tokio::test]
async fn images_come_and_go() {
    let aws = FakeAws::start().await;
    let named = json!({"repositoryName": "sts"});
    done(&aws, "CreateRepository", named.clone()).await;
    let registry = Registry::of(&aws).await;
    let (_, manifest) = registry.push("sts", "one", "a layer").await;
    registry.push("sts", "two", "a layer").await;
    let listed = async || done(&aws, "ListImages", named.clone()).await["imageIds"].as_array().unwrap().len();
    assert_eq!(listed().await, 2, "two tags of one image");
    let layers = async |content: &str| {
        let input = json!({"repositoryName": "sts", "layerDigests": [digest(content)]});
        done(&aws, "BatchCheckLayerAvailability", input).await["layers"][0]["layerAvailability"].clone()
    };
    assert_eq!((layers("a layer").await, layers("another").await), (json!("AVAILABLE"), json!("UNAVAILABLE")));

    // A manifest may get a further tag, without a push.
    let put = |tag: &str, manifest: &str| json!({"repositoryName": "sts", "imageTag": tag, "imageManifest": manifest});
    let again = done(&aws, "PutImage", put("three", &manifest)).await;
    assert_eq!(again["image"]["imageId"], json!({"imageDigest": digest(&manifest), "imageTag": "three"}));
    let (code, message) = refused(&aws, "PutImage", put("three", &manifest)).await;
    assert_eq!(code, "ImageAlreadyExistsException", "{message}");
    let lacking =
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": digest("nowhere")}, "layers": []});
    assert_eq!(refused(&aws, "PutImage", put("x", &lacking.to_string())).await.0, "LayersNotFoundException");
    assert_eq!(refused(&aws, "PutImage", put("x", "no manifest")).await.0, "InvalidParameterException");
    let mut promised = put("x", &manifest);
    promised["imageDigest"] = json!(digest("another"));
    assert_eq!(refused(&aws, "PutImage", promised).await.0, "ImageDigestDoesNotMatchException");
    done(&aws, "BatchDeleteImage", json!({"repositoryName": "sts", "imageIds": [{"imageTag": "three"}]})).await;

    let delete = async |id: Value| {
        let gone = done(&aws, "BatchDeleteImage", json!({"repositoryName": "sts", "imageIds": [id]})).await;
        (gone["imageIds"].as_array().unwrap().len(), gone["failures"].as_array().unwrap().len())
    };
    assert_eq!(delete(json!({"imageTag": "one"})).await, (1, 0));
    assert_eq!(delete(json!({"imageTag": "one"})).await, (0, 1));
    assert_eq!(layers("a layer").await, "AVAILABLE", "the image has another tag");
    assert_eq!(delete(json!({"imageDigest": digest(&manifest)})).await, (1, 0));
    assert_eq!((listed().await, layers("a layer").await), (0, json!("UNAVAILABLE")));
}

/// The registry is struck by the rules that are about the operations of ECR's which it stands for.
#[tokio::test]
async fn what_goes_wrong_on_request() {
    let aws = FakeAws::start().await;
    done(&aws, "CreateRepository", json!({"repositoryName": "sts"})).await;
    let registry = Registry::of(&aws).await;
    let id = "00000000-0000-0000-0000-000000000000";
    for (operation, request) in [
        ("InitiateLayerUpload", "POST /v2/sts/blobs/uploads/".to_owned()),
        ("UploadLayerPart", format!("PATCH /v2/sts/blobs/uploads/{id}")),
        ("CompleteLayerUpload", format!("PUT /v2/sts/blobs/uploads/{id}?digest={}", digest("x"))),
        ("GetDownloadUrlForLayer", format!("GET /v2/sts/blobs/{}", digest("x"))),
        ("PutImage", "PUT /v2/sts/manifests/one".to_owned()),
    ] {
        aws.add_rule(Rule::new(CallFault::Unavailable).service("ecr").operation(operation).times(1));
        let struck = registry.ask(&request, &[], "").await;
        assert_eq!(struck.status, 503, "{operation}: {struck:?}");
        assert_ne!(registry.ask(&request, &[], "").await.status, 503, "{operation}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let aws = FakeAws::start().await;
    let repository = json!({"repositoryName": "sts"});
    let stranger = raw(&aws.endpoint_url(), "GET /v2/", &[], "").await;
    assert_eq!(stranger.status, 401);
    assert!(stranger.header("www-authenticate").unwrap().starts_with("Basic "), "{stranger:?}");
    let forged = format!("Basic {}", STANDARD.encode("AWS:guess"));
    let forged = raw(&aws.endpoint_url(), "GET /v2/", &[("authorization", &forged)], "").await;
    assert_eq!(forged.status, 400);

    let (code, message) = refused(&aws, "DescribeImages", repository.clone()).await;
    assert_eq!(code, "RepositoryNotFoundException");
    assert_eq!(message, "The repository with name 'sts' does not exist in the registry with id '111122223333'");
    done(&aws, "CreateRepository", repository.clone()).await;
    assert_eq!(refused(&aws, "CreateRepository", repository.clone()).await.0, "RepositoryAlreadyExistsException");
    assert_eq!(refused(&aws, "GetRepositoryPolicy", repository.clone()).await.0, "RepositoryPolicyNotFoundException");
    assert_eq!(refused(&aws, "GetLifecyclePolicy", repository.clone()).await.0, "LifecyclePolicyNotFoundException");
    assert_eq!(refused(&aws, "CreateRepository", json!({"repositoryName": "No"})).await.0, "InvalidParameterException");
    assert_eq!(refused(&aws, "StartImageScan", repository).await.0, "UnknownOperationException");

    let registry = Registry::of(&aws).await;
    let begun = registry.ask("POST /v2/sts/blobs/uploads/", &[], "").await;
    let other = digest("something else");
    let altered = registry.ask(&format!("PUT {}?digest={other}", begun.header("location").unwrap()), &[], "x").await;
    assert_eq!(altered.status, 400);
    assert!(altered.body.contains("DIGEST_INVALID"), "{altered:?}");
    let headers = [("content-type", MANIFEST)];
    for (manifest, code) in [
        ("no manifest".to_owned(), "MANIFEST_INVALID"),
        (json!({"mediaType": "text/plain"}).to_string(), "MANIFEST_INVALID"),
        (json!({"mediaType": MANIFEST, "layers": [{"digest": other}]}).to_string(), "MANIFEST_BLOB_UNKNOWN"),
    ] {
        let answer = registry.ask("PUT /v2/sts/manifests/1", &headers, &manifest).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(code), "{answer:?}");
    }
    for path in ["/v2/sts/blobs/uploads/..%2F..%2Fstate.redb", "/v2/sts/manifests/none", "/v2/sts/blobs/sha256:00"] {
        assert_eq!(registry.ask(&format!("GET {path}"), &[], "").await.status, 404, "{path}");
    }
}

/// An account is taken along with its images.
#[tokio::test]
async fn images_are_exported_and_imported() {
    let aws = FakeAws::start().await;
    done(&aws, "CreateRepository", json!({"repositoryName": "sts"})).await;
    done(&aws, "CreateRepository", json!({"repositoryName": "other"})).await;
    let registry = Registry::of(&aws).await;
    registry.push("sts", "one", "a layer").await;
    registry.push("other", "one", "a layer").await;
    let mut archive = tempfile::tempfile().unwrap();
    sagemaker_fake::archive::write(aws.fake(), &archive).unwrap();
    archive.rewind().unwrap();

    let moved = FakeAws::start().await;
    sagemaker_fake::import::archive(moved.fake(), archive).await.unwrap();
    let registry = Registry::of(&moved).await;
    for repository in ["sts", "other"] {
        let layer = registry.ask(&format!("GET /v2/{repository}/blobs/{}", digest("a layer")), &[], "").await;
        assert_eq!((layer.status, layer.body.as_str()), (200, "a layer"));
    }
    let alone = sagemaker_fake::export::state(&aws.fake().store).unwrap();
    let refused = sagemaker_fake::import::state(moved.fake(), alone).await.unwrap_err();
    assert!(refused.message.contains("the content of layer eu-west-1/other@sha256:"), "{refused}");
}
