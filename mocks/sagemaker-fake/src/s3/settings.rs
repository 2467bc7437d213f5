//! What a bucket is set up to do. What the fake does not do, such as replication, is answered as AWS answers for a
//! bucket where it is not set up; setting it up is refused by name.

use http::StatusCode;
use s3s::S3Request;
use s3s::dto::*;
use serde_json::Value;

use super::bucket::{self, Bucket, Encryption, PublicAccessBlock as Block, Settings};
use super::buckets::caller_and_region;
use super::{document, tags};
use crate::{ApiError, Fake};

pub fn public_access_block(
    fake: &Fake,
    request: S3Request<GetPublicAccessBlockInput>,
) -> Result<GetPublicAccessBlockOutput, ApiError> {
    let settings = read(fake, &request.input.bucket)?;
    let missing =
        || not_found("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found");
    let block = settings.public_access_block.ok_or_else(missing)?;
    Ok(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            ignore_public_acls: Some(block.ignore_public_acls),
            block_public_policy: Some(block.block_public_policy),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        }),
    })
}

pub fn put_public_access_block(
    fake: &Fake,
    request: S3Request<PutPublicAccessBlockInput>,
) -> Result<PutPublicAccessBlockOutput, ApiError> {
    let given = request.input.public_access_block_configuration;
    let block = Block {
        block_public_acls: given.block_public_acls.unwrap_or(false),
        ignore_public_acls: given.ignore_public_acls.unwrap_or(false),
        block_public_policy: given.block_public_policy.unwrap_or(false),
        restrict_public_buckets: given.restrict_public_buckets.unwrap_or(false),
    };
    set(fake, &request.input.bucket, |settings| settings.public_access_block = Some(block))?;
    Ok(PutPublicAccessBlockOutput {})
}

pub fn delete_public_access_block(
    fake: &Fake,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> Result<DeletePublicAccessBlockOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.public_access_block = None)?;
    Ok(DeletePublicAccessBlockOutput {})
}

pub fn encryption(
    fake: &Fake,
    request: S3Request<GetBucketEncryptionInput>,
) -> Result<GetBucketEncryptionOutput, ApiError> {
    let encryption = read(fake, &request.input.bucket)?.encryption;
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            sse_algorithm: ServerSideEncryption::from(encryption.algorithm),
            kms_master_key_id: encryption.kms_key_id,
        }),
        bucket_key_enabled: Some(encryption.bucket_key),
    };
    Ok(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration { rules: vec![rule] }),
    })
}

pub fn put_encryption(
    fake: &Fake,
    request: S3Request<PutBucketEncryptionInput>,
) -> Result<PutBucketEncryptionOutput, ApiError> {
    let mut rules = request.input.server_side_encryption_configuration.rules.into_iter();
    let (Some(rule), None) = (rules.next(), rules.next()) else { return Err(malformed_xml()) };
    let bucket_key = rule.bucket_key_enabled.unwrap_or(false);
    let given = rule.apply_server_side_encryption_by_default.ok_or_else(malformed_xml)?;
    let algorithm = given.sse_algorithm.as_str().to_owned();
    match (algorithm.as_str(), &given.kms_master_key_id) {
        ("AES256", Some(_)) => {
            let message =
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(ApiError::new("InvalidArgument", message));
        }
        ("AES256" | "aws:kms" | "aws:kms:dsse", _) => {}
        _ => return Err(malformed_xml()),
    }
    let encryption = Encryption { algorithm, kms_key_id: given.kms_master_key_id, bucket_key };
    set(fake, &request.input.bucket, |settings| settings.encryption = encryption)?;
    Ok(PutBucketEncryptionOutput {})
}

pub fn delete_encryption(
    fake: &Fake,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> Result<DeleteBucketEncryptionOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.encryption = Encryption::default())?;
    Ok(DeleteBucketEncryptionOutput {})
}

pub fn policy(fake: &Fake, request: S3Request<GetBucketPolicyInput>) -> Result<GetBucketPolicyOutput, ApiError> {
    let policy = read(fake, &request.input.bucket)?.policy.ok_or_else(no_such_policy)?;
    Ok(GetBucketPolicyOutput { policy: Some(policy) })
}

pub fn policy_status(
    fake: &Fake,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> Result<GetBucketPolicyStatusOutput, ApiError> {
    let policy = read(fake, &request.input.bucket)?.policy.ok_or_else(no_such_policy)?;
    let is_public = lets_everyone_in(&policy);
    Ok(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public: Some(is_public) }) })
}

pub fn put_policy(fake: &Fake, request: S3Request<PutBucketPolicyInput>) -> Result<PutBucketPolicyOutput, ApiError> {
    let (caller, _) = caller_and_region(&request)?;
    let (name, text) = (request.input.bucket, request.input.policy);
    let policy: Value = serde_json::from_str(&text).ok().filter(Value::is_object).ok_or_else(|| {
        ApiError::new("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    })?;
    if statements(&policy).next().is_none() {
        return Err(ApiError::new("MalformedPolicy", "Missing required field Statement"));
    }
    let own = format!("arn:aws:s3:::{name}");
    if !statements(&policy)
        .flat_map(|it| strings(&it["Resource"]))
        .all(|arn| arn.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    {
        return Err(ApiError::new("MalformedPolicy", "Policy has invalid resource"));
    }
    change(fake, &name, |settings| {
        if is_public(&policy) && settings.public_access_block.is_some_and(|block| block.block_public_policy) {
            let message = format!(
                "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{own}\" because public policies are blocked \
                 by the BlockPublicPolicy block public access setting.",
                caller.arn
            );
            return Err(ApiError::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN));
        }
        settings.policy = Some(text);
        Ok(())
    })?;
    Ok(PutBucketPolicyOutput {})
}

pub fn delete_policy(
    fake: &Fake,
    request: S3Request<DeleteBucketPolicyInput>,
) -> Result<DeleteBucketPolicyOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.policy = None)?;
    Ok(DeleteBucketPolicyOutput {})
}

pub fn tagging(fake: &Fake, request: S3Request<GetBucketTaggingInput>) -> Result<GetBucketTaggingOutput, ApiError> {
    let tags = read(fake, &request.input.bucket)?.tags;
    if tags.is_empty() {
        return Err(not_found("NoSuchTagSet", "The TagSet does not exist"));
    }
    Ok(GetBucketTaggingOutput { tag_set: tags::show(&tags) })
}

pub fn put_tagging(fake: &Fake, request: S3Request<PutBucketTaggingInput>) -> Result<PutBucketTaggingOutput, ApiError> {
    let given = tags::read(request.input.tagging, tags::MOST_OF_A_BUCKET)?;
    set(fake, &request.input.bucket, |settings| settings.tags = given)?;
    Ok(PutBucketTaggingOutput {})
}

pub fn delete_tagging(
    fake: &Fake,
    request: S3Request<DeleteBucketTaggingInput>,
) -> Result<DeleteBucketTaggingOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.tags.clear())?;
    Ok(DeleteBucketTaggingOutput {})
}

pub fn versioning(
    fake: &Fake,
    request: S3Request<GetBucketVersioningInput>,
) -> Result<GetBucketVersioningOutput, ApiError> {
    let status = read(fake, &request.input.bucket)?.versioning.map(BucketVersioningStatus::from);
    Ok(GetBucketVersioningOutput { status, mfa_delete: None })
}

pub fn put_versioning(
    fake: &Fake,
    request: S3Request<PutBucketVersioningInput>,
) -> Result<PutBucketVersioningOutput, ApiError> {
    let status = request.input.versioning_configuration.status.map(|status| status.as_str().to_owned());
    if !matches!(status.as_deref(), Some("Enabled" | "Suspended")) {
        let message = "The Versioning element must be specified";
        return Err(ApiError::new("IllegalVersioningConfigurationException", message));
    }
    set(fake, &request.input.bucket, |settings| settings.versioning = status)?;
    Ok(PutBucketVersioningOutput {})
}

pub fn ownership(
    fake: &Fake,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> Result<GetBucketOwnershipControlsOutput, ApiError> {
    let ownership = read(fake, &request.input.bucket)?.ownership;
    let missing = || not_found("OwnershipControlsNotFoundError", "The bucket ownership controls were not found");
    let rule = OwnershipControlsRule { object_ownership: ObjectOwnership::from(ownership.ok_or_else(missing)?) };
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![rule] }) })
}

pub fn put_ownership(
    fake: &Fake,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> Result<PutBucketOwnershipControlsOutput, ApiError> {
    let rule = request.input.ownership_controls.rules.into_iter().next().ok_or_else(malformed_xml)?;
    let ownership = rule.object_ownership.as_str().to_owned();
    if !matches!(ownership.as_str(), "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter") {
        return Err(malformed_xml());
    }
    set(fake, &request.input.bucket, |settings| settings.ownership = Some(ownership))?;
    Ok(PutBucketOwnershipControlsOutput {})
}

pub fn delete_ownership(
    fake: &Fake,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> Result<DeleteBucketOwnershipControlsOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.ownership = None)?;
    Ok(DeleteBucketOwnershipControlsOutput {})
}

pub fn cors(fake: &Fake, request: S3Request<GetBucketCorsInput>) -> Result<GetBucketCorsOutput, ApiError> {
    let missing = || not_found("NoSuchCORSConfiguration", "The CORS configuration does not exist");
    let cors = read(fake, &request.input.bucket)?.cors.ok_or_else(missing)?;
    Ok(GetBucketCorsOutput { cors_rules: Some(document::read::<CORSConfiguration>(&cors)?.cors_rules) })
}

pub fn put_cors(fake: &Fake, request: S3Request<PutBucketCorsInput>) -> Result<PutBucketCorsOutput, ApiError> {
    let rules = &request.input.cors_configuration.cors_rules;
    if rules.is_empty() || rules.len() > 100 {
        return Err(malformed_xml());
    }
    for method in rules.iter().flat_map(|rule| &rule.allowed_methods) {
        if !matches!(method.as_str(), "GET" | "PUT" | "POST" | "DELETE" | "HEAD") {
            let message = format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
            return Err(ApiError::new("InvalidRequest", message));
        }
    }
    let cors = document::write(&request.input.cors_configuration)?;
    set(fake, &request.input.bucket, |settings| settings.cors = Some(cors))?;
    Ok(PutBucketCorsOutput {})
}

pub fn delete_cors(fake: &Fake, request: S3Request<DeleteBucketCorsInput>) -> Result<DeleteBucketCorsOutput, ApiError> {
    set(fake, &request.input.bucket, |settings| settings.cors = None)?;
    Ok(DeleteBucketCorsOutput {})
}

/// Settings that no bucket here has: what AWS answers then, an empty document or an error.
macro_rules! never_set_up {
    ($($name:ident($input:ident) -> $output:ident = $answer:expr;)*) => {
        $(pub fn $name(fake: &Fake, request: S3Request<$input>) -> Result<$output, ApiError> {
            read(fake, &request.input.bucket)?;
            $answer
        })*
    };
}

never_set_up! {
    acceleration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput = Ok(Default::default());
    logging(GetBucketLoggingInput) -> GetBucketLoggingOutput = Ok(Default::default());
    notification(GetBucketNotificationConfigurationInput) -> GetBucketNotificationConfigurationOutput = Ok(Default::default());
    replication(GetBucketReplicationInput) -> GetBucketReplicationOutput =
        Err(not_found("ReplicationConfigurationNotFoundError", "The replication configuration was not found"));
    request_payment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput =
        Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) });
    website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput =
        Err(not_found("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"));
    delete_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput = Ok(Default::default());
    delete_website(DeleteBucketWebsiteInput) -> DeleteBucketWebsiteOutput = Ok(Default::default());
    legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = Err(no_lock());
    put_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = Err(no_lock());
    retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = Err(no_lock());
    put_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = Err(no_lock());
    object_lock(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput =
        Err(not_found("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"));
}

pub(super) fn read(fake: &Fake, bucket: &str) -> Result<Settings, ApiError> {
    Ok(fake.store.read(|view| bucket::existing(view, bucket))?.settings)
}

pub(super) fn change(
    fake: &Fake,
    bucket: &str,
    f: impl FnOnce(&mut Settings) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    fake.store.write(|change| {
        let mut bucket: Bucket = bucket::existing(change, bucket)?;
        f(&mut bucket.settings)?;
        change.put(&bucket)
    })
}

pub(super) fn set(fake: &Fake, bucket: &str, f: impl FnOnce(&mut Settings)) -> Result<(), ApiError> {
    change(fake, bucket, |settings| {
        f(settings);
        Ok(())
    })
}

/// Whether the text of a policy lets anybody in.
pub fn lets_everyone_in(policy: &str) -> bool {
    serde_json::from_str(policy).is_ok_and(|policy| is_public(&policy))
}

/// Whether a policy lets anybody in: allows something to everyone, under no condition.
fn is_public(policy: &Value) -> bool {
    statements(policy).any(|statement| {
        let principal = &statement["Principal"];
        let everyone = principal == "*" || strings(&principal["AWS"]).any(|who| who == "*");
        statement["Effect"] == "Allow" && everyone && statement.get("Condition").is_none()
    })
}

/// The statements of a policy: a list, or one alone.
fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    let list = match &policy["Statement"] {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    list.iter()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    let list = if let Value::Array(list) = value { list.as_slice() } else { std::slice::from_ref(value) };
    list.iter().filter_map(Value::as_str)
}

/// The refusal of what only a bucket with Object Lock knows.
pub(super) fn no_lock() -> ApiError {
    ApiError::new("InvalidRequest", "Bucket is missing Object Lock Configuration")
}

fn no_such_policy() -> ApiError {
    not_found("NoSuchBucketPolicy", "The bucket policy does not exist")
}

pub(super) fn malformed_xml() -> ApiError {
    ApiError::new(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(super) fn not_found(code: &str, message: &str) -> ApiError {
    ApiError::new(code, message).with_status(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_public_if_it_allows_everyone() {
        let check = |statement: Value, expected: bool| {
            assert_eq!(is_public(&serde_json::json!({"Statement": statement})), expected, "{statement}");
        };
        check(serde_json::json!([{"Effect": "Allow", "Principal": "*"}]), true);
        check(serde_json::json!({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}), true);
        check(
            serde_json::json!([{"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]),
            false,
        );
        check(serde_json::json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}}]), false);
        check(
            serde_json::json!([{"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}]),
            false,
        );
    }
}
