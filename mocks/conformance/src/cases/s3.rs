//! S3, as far as SageMaker's clients use it.

use anyhow::{Context, ensure};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration, Delete,
    ObjectIdentifier, ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration, Tag,
    Tagging,
};

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;
use crate::world::TAG;

cases! { "s3":
    objects_from_creation_to_deletion (Free) ["s3:PutObject", "s3:GetObject", "s3:HeadObject", "s3:DeleteObject", "s3:DeleteObjects",
        "s3:CopyObject"];
    listings_have_delimiters_and_pages (Free) ["s3:ListObjectsV2", "s3:ListObjects"];
    an_object_in_parts (Free) ["s3:CreateMultipartUpload", "s3:UploadPart", "s3:ListParts", "s3:ListMultipartUploads",
        "s3:CompleteMultipartUpload", "s3:AbortMultipartUpload"];
    buckets_from_creation_to_deletion (Free) ["s3:CreateBucket", "s3:HeadBucket", "s3:GetBucketLocation", "s3:DeleteBucket",
        "s3:ListBuckets"];
    the_owner_of_a_bucket_is_checked (Free) ["s3:HeadBucket", "s3:PutObject"];
    settings_of_buckets (Free) ["s3:PutPublicAccessBlock", "s3:GetPublicAccessBlock", "s3:PutBucketTagging", "s3:GetBucketTagging", "s3:DeleteBucketTagging",
        "s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:GetBucketEncryption", "s3:GetBucketVersioning"];
    objects_have_tags_and_an_acl (Free) ["s3:PutObjectTagging", "s3:GetObjectTagging", "s3:DeleteObjectTagging", "s3:GetObjectAcl"];
    objects_are_owned_by_the_bucket (Free) ["s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls",
        "s3:DeleteBucketOwnershipControls"];
    what_is_missing_is_named (Free) ["s3:GetObject", "s3:HeadObject", "s3:ListObjectsV2"];
}

async fn objects_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let (s3, bucket) = (&world.clients.s3, &world.account.bucket);
    let key = world.key("object");
    let put = s3.put_object().bucket(bucket).key(&key).content_type("text/plain").metadata("a", "1");
    let put = put.body(ByteStream::from_static(b"hello world")).send().await?;
    ensure!(put.e_tag() == Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\""), "{put:?}");
    let ranged = s3.get_object().bucket(bucket).key(&key).range("bytes=6-").send().await?;
    ensure!(
        ranged.content_range() == Some("bytes 6-10/11") && ranged.content_type() == Some("text/plain"),
        "{ranged:?}"
    );
    ensure!(ranged.body.collect().await?.to_vec() == b"world");
    let head = s3.head_object().bucket(bucket).key(&key).send().await?;
    ensure!(
        head.content_length() == Some(11) && head.metadata().is_some_and(|it| it.get("a").is_some_and(|a| a == "1"))
    );
    let taken = s3.put_object().bucket(bucket).key(&key).if_none_match("*").body(ByteStream::from_static(b"x"));
    refused(taken.send().await, "PreconditionFailed", "")?;
    let copy = world.key("copy");
    s3.copy_object().bucket(bucket).key(&copy).copy_source(format!("{bucket}/{key}")).send().await?;
    ensure!(s3.head_object().bucket(bucket).key(&copy).send().await?.content_length() == Some(11));
    let both = [&key, &copy].map(|key| ObjectIdentifier::builder().key(key).build());
    let [first, second] = both;
    let delete = Delete::builder().objects(first?).objects(second?).build()?;
    let deleted = s3.delete_objects().bucket(bucket).delete(delete).send().await?;
    ensure!(deleted.deleted().len() == 2, "{deleted:?}");
    // What is not there is deleted as well.
    s3.delete_object().bucket(bucket).key(&key).send().await?;
    Ok(())
}

async fn listings_have_delimiters_and_pages(world: &World) -> anyhow::Result<()> {
    let (s3, bucket) = (&world.clients.s3, &world.account.bucket);
    let mut keys = Vec::new();
    for name in ["list/a", "list/b/1", "list/b/2", "list/c"] {
        let key = world.key(name);
        s3.put_object().bucket(bucket).key(&key).body(ByteStream::from_static(b"x")).send().await?;
        keys.push(key);
    }
    let prefix = keys[0].strip_suffix('a').context("the first ends so")?;
    let list = || s3.list_objects_v2().bucket(bucket).prefix(prefix);
    let folders = list().delimiter("/").send().await?;
    let found: Vec<_> = folders.contents().iter().filter_map(|it| it.key()).collect();
    ensure!(found == [&keys[0], &keys[3]], "{folders:?}");
    let common: Vec<_> = folders.common_prefixes().iter().filter_map(|it| it.prefix()).collect();
    ensure!(common == [format!("{prefix}b/")], "{folders:?}");
    let page = list().max_keys(3).send().await?;
    ensure!(page.is_truncated() == Some(true) && page.contents().len() == 3, "{page:?}");
    let rest = list().continuation_token(page.next_continuation_token().context("there is a fourth")?).send().await?;
    ensure!(rest.contents().len() == 1 && rest.is_truncated() == Some(false), "{rest:?}");
    let old = s3.list_objects().bucket(bucket).prefix(prefix).marker(&keys[2]).send().await?;
    ensure!(old.contents().len() == 1, "{old:?}");
    Ok(())
}

async fn an_object_in_parts(world: &World) -> anyhow::Result<()> {
    let (s3, bucket) = (&world.clients.s3, &world.account.bucket);
    let key = world.key("parts");
    let create = async || -> anyhow::Result<String> {
        let made = s3.create_multipart_upload().bucket(bucket).key(&key).send().await?;
        Ok(made.upload_id().context("an upload has an id")?.to_owned())
    };
    let id = create().await?;
    let mut parts = CompletedMultipartUpload::builder();
    for (number, content) in [(1, vec![b'a'; 5 << 20]), (2, b"end".to_vec())] {
        let upload = s3.upload_part().bucket(bucket).key(&key).upload_id(&id).part_number(number);
        let part = upload.body(ByteStream::from(content)).send().await?;
        parts = parts
            .parts(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag().map(str::to_owned)).build());
    }
    let listed = s3.list_parts().bucket(bucket).key(&key).upload_id(&id).send().await?;
    ensure!(listed.parts().len() == 2, "{listed:?}");
    let uploads = s3.list_multipart_uploads().bucket(bucket).prefix(&key).send().await?;
    ensure!(uploads.uploads().len() == 1, "{uploads:?}");
    let complete = s3.complete_multipart_upload().bucket(bucket).key(&key).upload_id(&id);
    let whole = complete.multipart_upload(parts.build()).send().await?;
    ensure!(whole.e_tag().is_some_and(|tag| tag.ends_with("-2\"")), "{whole:?}");
    let head = s3.head_object().bucket(bucket).key(&key).send().await?;
    ensure!(head.content_length() == Some((5 << 20) + 3), "{head:?}");
    let id = create().await?;
    s3.abort_multipart_upload().bucket(bucket).key(&key).upload_id(&id).send().await?;
    refused(s3.list_parts().bucket(bucket).key(&key).upload_id(&id).send().await, "NoSuchUpload", "")
}

async fn bucket(world: &World, what: &str) -> anyhow::Result<String> {
    let name = format!("{}-{}", world.name(what).to_lowercase(), world.account.id);
    world.will_make(Made::Bucket(name.clone()));
    let mut create = world.clients.s3.create_bucket().bucket(&name);
    if world.account.region != "us-east-1" {
        let place = BucketLocationConstraint::from(world.account.region.as_str());
        create =
            create.create_bucket_configuration(CreateBucketConfiguration::builder().location_constraint(place).build());
    }
    create.send().await?;
    let tag = world.tag();
    let tag = Tag::builder().key(TAG).value(tag.value().unwrap_or_default()).build()?;
    put_tag(world, &name, tag).await?;
    Ok(name)
}

async fn put_tag(world: &World, bucket: &str, tag: Tag) -> anyhow::Result<()> {
    let tagging = Tagging::builder().tag_set(tag).build()?;
    world.clients.s3.put_bucket_tagging().bucket(bucket).tagging(tagging).send().await?;
    Ok(())
}

async fn buckets_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let s3 = &world.clients.s3;
    let name = bucket(world, "bucket").await?;
    let head = s3.head_bucket().bucket(&name).send().await?;
    ensure!(head.bucket_region() == Some(&world.account.region), "{head:?}");
    let place = s3.get_bucket_location().bucket(&name).send().await?;
    let place = place.location_constraint().map_or("us-east-1", |place| place.as_str());
    ensure!(place == world.account.region || (place.is_empty() && world.account.region == "us-east-1"), "{place}");
    let listed = s3.list_buckets().prefix(&name).send().await?;
    ensure!(listed.buckets().iter().any(|it| it.name() == Some(&name)), "{listed:?}");
    s3.put_object().bucket(&name).key("k").body(ByteStream::from_static(b"x")).send().await?;
    refused(s3.delete_bucket().bucket(&name).send().await, "BucketNotEmpty", "")?;
    s3.delete_object().bucket(&name).key("k").send().await?;
    s3.delete_bucket().bucket(&name).send().await?;
    Ok(())
}

async fn the_owner_of_a_bucket_is_checked(world: &World) -> anyhow::Result<()> {
    let (s3, bucket) = (&world.clients.s3, &world.account.bucket);
    s3.head_bucket().bucket(bucket).expected_bucket_owner(&world.account.id).send().await?;
    let stranger = if world.account.id == "999999999999" { "888888888888" } else { "999999999999" };
    let head = s3.head_bucket().bucket(bucket).expected_bucket_owner(stranger).send().await.err();
    let status = head.as_ref().and_then(|error| error.raw_response()).map(|response| response.status().as_u16());
    ensure!(status == Some(403), "an answer to HEAD has no body, and this one is forbidden: {head:?}");
    let key = world.key("strange");
    let put = s3.put_object().bucket(bucket).key(key).expected_bucket_owner(stranger);
    refused(put.body(ByteStream::from_static(b"x")).send().await, "AccessDenied", "")
}

async fn settings_of_buckets(world: &World) -> anyhow::Result<()> {
    let s3 = &world.clients.s3;
    let name = bucket(world, "settings").await?;
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build();
    s3.put_public_access_block().bucket(&name).public_access_block_configuration(block.clone()).send().await?;
    let read = s3.get_public_access_block().bucket(&name).send().await?;
    ensure!(read.public_access_block_configuration() == Some(&block), "{read:?}");
    s3.delete_bucket_tagging().bucket(&name).send().await?;
    refused(s3.get_bucket_tagging().bucket(&name).send().await, "NoSuchTagSet", "")?;
    let tag = Tag::builder().key("a").value("1").build()?;
    put_tag(world, &name, tag.clone()).await?;
    ensure!(s3.get_bucket_tagging().bucket(&name).send().await?.tag_set() == [tag]);
    refused(s3.get_bucket_policy().bucket(&name).send().await, "NoSuchBucketPolicy", "")?;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::{name}/*",
        "Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
    );
    s3.put_bucket_policy().bucket(&name).policy(&policy).send().await?;
    let read = s3.get_bucket_policy().bucket(&name).send().await?;
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text);
    ensure!(parsed(read.policy().unwrap_or_default())?["Statement"][0]["Effect"] == "Deny", "{read:?}");
    let encryption = s3.get_bucket_encryption().bucket(&name).send().await?;
    ensure!(encryption.server_side_encryption_configuration().is_some(), "every bucket is encrypted: {encryption:?}");
    ensure!(s3.get_bucket_versioning().bucket(&name).send().await?.status().is_none(), "a new bucket has no versions");
    Ok(())
}

async fn objects_have_tags_and_an_acl(world: &World) -> anyhow::Result<()> {
    let (s3, bucket) = (&world.clients.s3, &world.account.bucket);
    let key = world.key("tagged");
    s3.put_object().bucket(bucket).key(&key).body(ByteStream::from_static(b"x")).send().await?;
    let tag = Tag::builder().key("a").value("1").build()?;
    let tags = Tagging::builder().tag_set(tag.clone()).build()?;
    s3.put_object_tagging().bucket(bucket).key(&key).tagging(tags).send().await?;
    ensure!(s3.get_object_tagging().bucket(bucket).key(&key).send().await?.tag_set() == [tag]);
    s3.delete_object_tagging().bucket(bucket).key(&key).send().await?;
    ensure!(s3.get_object_tagging().bucket(bucket).key(&key).send().await?.tag_set().is_empty());
    let acl = s3.get_object_acl().bucket(bucket).key(&key).send().await?;
    ensure!(acl.grants().len() == 1 && acl.owner().is_some(), "its owner alone: {acl:?}");
    Ok(())
}

async fn objects_are_owned_by_the_bucket(world: &World) -> anyhow::Result<()> {
    let s3 = &world.clients.s3;
    let name = bucket(world, "ownership").await?;
    let owned = async || -> anyhow::Result<Option<ObjectOwnership>> {
        let read = s3.get_bucket_ownership_controls().bucket(&name).send().await?;
        Ok(read.ownership_controls().and_then(|it| it.rules().first()).map(|rule| rule.object_ownership().clone()))
    };
    ensure!(owned().await? == Some(ObjectOwnership::BucketOwnerEnforced), "a new bucket has no access control lists");
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerPreferred).build()?;
    let controls = OwnershipControls::builder().rules(rule).build()?;
    s3.put_bucket_ownership_controls().bucket(&name).ownership_controls(controls).send().await?;
    ensure!(owned().await? == Some(ObjectOwnership::BucketOwnerPreferred));
    s3.delete_bucket_ownership_controls().bucket(&name).send().await?;
    let gone = s3.get_bucket_ownership_controls().bucket(&name).send().await;
    refused(gone, "OwnershipControlsNotFoundError", "")
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (s3, key) = (&world.clients.s3, world.key("missing"));
    refused(s3.get_object().bucket(&world.account.bucket).key(&key).send().await, "NoSuchKey", "")?;
    refused(s3.head_object().bucket(&world.account.bucket).key(&key).send().await, "NotFound", "")?;
    let nowhere = format!("{}-{}", world.name("nowhere"), world.account.id);
    refused(s3.list_objects_v2().bucket(nowhere).send().await, "NoSuchBucket", "")
}
