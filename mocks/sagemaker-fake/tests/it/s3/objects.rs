//! Objects: what is put comes back, whole or in part, and only if the conditions hold.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, MetadataDirective, ObjectAttributes, ObjectCannedAcl, ObjectLockMode,
};
use sagemaker_fake::Fake;
use sagemaker_fake::testing::opened;

use super::{Account, BUCKET, client, refusal, sentence};
use crate::clients::raw;

/// `md5sum` of `hello`.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn everything_comes_back() {
    let account = Account::new().await;
    let put = account.s3.put_object().bucket(BUCKET).key("dir/k y+é").body(ByteStream::from_static(b"hello"));
    let put =
        put.content_type("text/csv").cache_control("no-store").content_encoding("identity").content_language("en");
    let put = put
        .content_disposition("inline")
        .expires(DateTime::from_secs(2_000_000_000))
        .metadata("who", "me")
        .tagging("a=1&b=x%20y");
    let put = put.send().await.unwrap();
    assert_eq!(put.e_tag(), Some(HELLO));

    let got = account.s3.get_object().bucket(BUCKET).key("dir/k y+é").send().await.unwrap();
    assert_eq!((got.content_length(), got.e_tag(), got.content_type()), (Some(5), Some(HELLO), Some("text/csv")));
    assert_eq!((got.cache_control(), got.content_encoding()), (Some("no-store"), Some("identity")));
    assert_eq!((got.content_disposition(), got.content_language()), (Some("inline"), Some("en")));
    assert_eq!(got.expires_string(), Some("Wed, 18 May 2033 03:33:20 GMT"));
    assert_eq!(got.metadata(), Some(&HashMap::from([("who".to_owned(), "me".to_owned())])));
    assert_eq!((got.tag_count(), got.accept_ranges()), (Some(2), Some("bytes")));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");

    let head = account.s3.head_object().bucket(BUCKET).key("dir/k y+é").send().await.unwrap();
    assert_eq!((head.content_length(), head.e_tag(), head.content_type()), (Some(5), Some(HELLO), Some("text/csv")));
    let tags = account.s3.get_object_tagging().bucket(BUCKET).key("dir/k y+é").send().await.unwrap();
    let tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("a", "1"), ("b", "x y")]);
    account.s3.delete_object_tagging().bucket(BUCKET).key("dir/k y+é").send().await.unwrap();
    assert!(account.s3.get_object_tagging().bucket(BUCKET).key("dir/k y+é").send().await.unwrap().tag_set().is_empty());

    account.s3.delete_object().bucket(BUCKET).key("dir/k y+é").send().await.unwrap();
    account.s3.delete_object().bucket(BUCKET).key("dir/k y+é").send().await.unwrap();
    let gone = account.s3.get_object().bucket(BUCKET).key("dir/k y+é").send().await;
    assert_eq!(sentence(gone), "NoSuchKey: The specified key does not exist.");
    assert_eq!(
        refusal(account.s3.head_object().bucket(BUCKET).key("dir/k y+é").send().await),
        (404, "NotFound".to_owned())
    );
}

#[tokio::test]
async fn an_object_without_a_type_is_just_bytes() {
    let account = Account::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"hello").unwrap();
    let object = sagemaker_fake::s3::put_file(&account.fake, BUCKET, "k", file.path()).unwrap();
    assert_eq!((format!("\"{}\"", object.etag).as_str(), object.size), (HELLO, 5));
    let head = account.s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!((head.content_type(), head.content_length()), (Some("binary/octet-stream"), Some(5)));
    let (_, mut content) = sagemaker_fake::s3::open(&account.fake, BUCKET, "k").unwrap();
    assert_eq!(std::io::read_to_string(&mut content).unwrap(), "hello");
}

#[tokio::test]
async fn ranges() {
    let account = Account::new().await;
    account.put("k", b"0123456789").await;
    let check = async |range: &str, expected: Option<(&str, &str)>| {
        let got = account.s3.get_object().bucket(BUCKET).key("k").range(range).send().await;
        match expected {
            Some((content, content_range)) => {
                let got = got.unwrap();
                assert_eq!(got.content_range(), Some(content_range), "{range}");
                assert_eq!(got.body.collect().await.unwrap().to_vec(), content.as_bytes(), "{range}");
            }
            None => assert_eq!(sentence(got), "InvalidRange: The requested range is not satisfiable", "{range}"),
        }
    };
    check("bytes=0-3", Some(("0123", "bytes 0-3/10"))).await;
    check("bytes=7-", Some(("789", "bytes 7-9/10"))).await;
    check("bytes=-2", Some(("89", "bytes 8-9/10"))).await;
    check("bytes=5-99", Some(("56789", "bytes 5-9/10"))).await;
    check("bytes=10-", None).await;
    let head = account.s3.head_object().bucket(BUCKET).key("k").range("bytes=0-3").send().await.unwrap();
    assert_eq!(head.content_length(), Some(4));
}

#[tokio::test]
async fn readers_set_conditions() {
    let account = Account::new().await;
    account.put("k", b"hello").await;
    let past = DateTime::from(SystemTime::now() - Duration::from_secs(3600));
    let future = DateTime::from(SystemTime::now() + Duration::from_secs(3600));
    let get = || account.s3.get_object().bucket(BUCKET).key("k");
    let head = || account.s3.head_object().bucket(BUCKET).key("k");
    let failed = (412, "PreconditionFailed".to_owned());
    get().if_match(HELLO).send().await.unwrap();
    get().if_none_match("\"other\"").if_modified_since(past).send().await.unwrap();
    get().if_match(HELLO).if_unmodified_since(past).send().await.unwrap();
    assert_eq!(refusal(get().if_match("\"other\"").send().await), failed);
    assert_eq!(refusal(get().if_unmodified_since(past).send().await), failed);
    assert_eq!(refusal(get().if_none_match(HELLO).send().await).0, 304);
    assert_eq!(refusal(get().if_modified_since(future).send().await).0, 304);
    assert_eq!(refusal(head().if_none_match(HELLO).send().await).0, 304);
    assert_eq!(refusal(head().if_match("\"other\"").send().await).0, 412);
}

#[tokio::test]
async fn writers_set_conditions() {
    let account = Account::new().await;
    let put = |body: &'static [u8]| account.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(body));
    assert_eq!(refusal(put(b"x").if_match(HELLO).send().await), (404, "NoSuchKey".to_owned()));
    put(b"hello").if_none_match("*").send().await.unwrap();
    let failed = sentence(put(b"again").if_none_match("*").send().await);
    assert_eq!(failed, "PreconditionFailed: At least one of the pre-conditions you specified did not hold");
    assert_eq!(refusal(put(b"x").if_match("\"other\"").send().await), (412, "PreconditionFailed".to_owned()));
    assert_eq!(account.content("k").await, b"hello");
    put(b"next").if_match(HELLO).send().await.unwrap();
    assert_eq!(refusal(account.s3.delete_object().bucket(BUCKET).key("k").if_match(HELLO).send().await).0, 412);
    assert_eq!(account.content("k").await, b"next");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_to_be_first_one_is() {
    let account = Account::new().await;
    let puts = (0..16).map(|n: u8| {
        let put = account.s3.put_object().bucket(BUCKET).key("lock").if_none_match("*").body(ByteStream::from(vec![n]));
        tokio::spawn(put.send())
    });
    let results = futures::future::join_all(puts).await;
    let won = results.into_iter().filter(|result| result.as_ref().unwrap().is_ok()).count();
    assert_eq!(won, 1);
    assert_eq!(contents(&account.fake), 1, "what lost must not stay on disk");
}

/// Base64 of the checksums of `hello`: CRC32, SHA-1 and SHA-256 by Python's zlib and hashlib, the other two by their
/// definitions (reflected, polynomials 1EDC6F41 and AD93D23594C93659, all ones in and out).
#[tokio::test]
async fn checksums_are_computed_and_compared() {
    let account = Account::new().await;
    let check = async |algorithm: Option<ChecksumAlgorithm>, expected: &str| {
        let put = account.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"hello"));
        put.set_checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let head =
            account.s3.head_object().bucket(BUCKET).key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        let all = [
            head.checksum_crc32(),
            head.checksum_crc32_c(),
            head.checksum_crc64_nvme(),
            head.checksum_sha1(),
            head.checksum_sha256(),
        ];
        assert_eq!(all.into_iter().flatten().collect::<Vec<_>>(), [expected], "{algorithm:?}");
        assert_eq!(head.checksum_type().unwrap().as_str(), "FULL_OBJECT");
        // The SDK compares what it reads with the checksum.
        assert_eq!(account.content("k").await, b"hello");
    };
    check(None, "NhCmhg==").await;
    check(Some(ChecksumAlgorithm::Crc32), "NhCmhg==").await;
    check(Some(ChecksumAlgorithm::Crc32C), "mnG7TA==").await;
    check(Some(ChecksumAlgorithm::Crc64Nvme), "M3eFcAZSQlc=").await;
    check(Some(ChecksumAlgorithm::Sha1), "qvTGHdzF6KLavt4PO0gs2a6pQ00=").await;
    check(Some(ChecksumAlgorithm::Sha256), "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=").await;

    let put = || account.s3.put_object().bucket(BUCKET).key("bad").body(ByteStream::from_static(b"hello"));
    put().content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await.unwrap();
    account.s3.delete_object().bucket(BUCKET).key("bad").send().await.unwrap();
    assert_eq!(
        sentence(put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await),
        "BadDigest: The Content-MD5 you specified did not match what we received."
    );
    assert_eq!(refusal(put().content_md5("short").send().await), (400, "InvalidDigest".to_owned()));
    assert_eq!(
        sentence(put().checksum_crc32("AAAAAA==").send().await),
        "BadDigest: The CRC32 you specified did not match the calculated checksum."
    );
    assert_eq!(refusal(account.s3.head_object().bucket(BUCKET).key("bad").send().await).0, 404);
    assert_eq!(contents(&account.fake), 1, "what was refused must not stay on disk");
}

#[tokio::test]
async fn attributes() {
    let account = Account::new().await;
    account.put("k", b"hello").await;
    let asked = account.s3.get_object_attributes().bucket(BUCKET).key("k");
    let asked = asked.object_attributes(ObjectAttributes::Etag).object_attributes(ObjectAttributes::ObjectSize);
    let found = asked.object_attributes(ObjectAttributes::Checksum).send().await.unwrap();
    assert_eq!((found.e_tag(), found.object_size()), (Some(HELLO), Some(5)));
    assert_eq!(found.checksum().unwrap().checksum_crc32(), Some("NhCmhg=="));
    assert!(found.storage_class().is_none());
}

#[tokio::test]
async fn copies() {
    let account = Account::new().await;
    let put = account.s3.put_object().bucket(BUCKET).key("k y").body(ByteStream::from_static(b"hello"));
    put.content_type("text/csv").metadata("who", "me").tagging("a=1").send().await.unwrap();
    let copy =
        |from: &str, to: &str| account.s3.copy_object().bucket(BUCKET).key(to).copy_source(format!("{BUCKET}/{from}"));
    let copied = copy("k%20y", "copy").send().await.unwrap();
    assert_eq!(copied.copy_object_result().unwrap().e_tag(), Some(HELLO));
    let head = account.s3.head_object().bucket(BUCKET).key("copy").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap()["who"].as_str()), (Some("text/csv"), "me"));
    let replaced = copy("k%20y", "copy")
        .metadata_directive(MetadataDirective::Replace)
        .content_type("text/plain")
        .metadata("who", "you");
    replaced.send().await.unwrap();
    let head = account.s3.head_object().bucket(BUCKET).key("copy").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap()["who"].as_str()), (Some("text/plain"), "you"));
    let tags = account.s3.get_object_tagging().bucket(BUCKET).key("copy").send().await.unwrap();
    assert_eq!(tags.tag_set().len(), 1);
    // The copy has a content of its own.
    account.s3.delete_object().bucket(BUCKET).key("k y").send().await.unwrap();
    assert_eq!(account.content("copy").await, b"hello");

    assert_eq!(refusal(copy("copy", "copy").send().await), (400, "InvalidRequest".to_owned()));
    copy("copy", "copy").metadata_directive(MetadataDirective::Replace).send().await.unwrap();
    assert_eq!(account.content("copy").await, b"hello");
    assert_eq!(refusal(copy("gone", "copy").send().await), (404, "NoSuchKey".to_owned()));
    assert_eq!(refusal(copy("copy", "x").copy_source_if_match("\"other\"").send().await).0, 412);
    assert_eq!(contents(&account.fake), 1);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let account = Account::new().await;
    let put = || account.s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"hello"));
    put().acl(ObjectCannedAcl::BucketOwnerFullControl).website_redirect_location("/there").send().await.unwrap();
    let head = account.s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.website_redirect_location(), Some("/there"));
    let refused = |code: &str| (400, code.to_owned());
    assert_eq!(refusal(put().acl(ObjectCannedAcl::PublicRead).send().await), refused("AccessControlListNotSupported"));
    let locked = put()
        .object_lock_mode(ObjectLockMode::Governance)
        .object_lock_retain_until_date(DateTime::from_secs(4_000_000_000));
    assert_eq!(refusal(locked.send().await), refused("InvalidRequest"));
    let own_key = put().sse_customer_algorithm("AES256").sse_customer_key("key").sse_customer_key_md5("md5");
    assert_eq!(refusal(own_key.send().await), (501, "NotImplemented".to_owned()));
    assert_eq!(refusal(put().tagging("a=1&a=2").send().await), refused("InvalidTag"));
    let part = account.s3.get_object().bucket(BUCKET).key("k").part_number(i32::MIN).send().await;
    assert_eq!(refusal(part), (416, "InvalidPartNumber".to_owned()));
    assert_eq!(contents(&account.fake), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn overwriting_does_not_disturb_a_reader() {
    let account = Account::new().await;
    let old: Vec<u8> = (0..8_000_000_u32).map(|n| (n % 251) as u8).collect();
    account.put("k", &old).await;
    let mut reader = account.s3.get_object().bucket(BUCKET).key("k").send().await.unwrap().body;
    let mut read = reader.next().await.unwrap().unwrap().to_vec();
    assert!(read.len() < old.len());
    account.put("k", b"new").await;
    while let Some(bytes) = reader.next().await {
        read.extend_from_slice(&bytes.unwrap());
    }
    assert!(read == old);
    assert_eq!(account.content("k").await, b"new");
    assert_eq!(contents(&account.fake), 1);
}

#[tokio::test]
async fn objects_survive_the_fake() {
    let state = tempfile::tempdir().unwrap();
    let account = Account::of(Fake::builder().state(state.path()).build().unwrap()).await;
    account.put("k", b"hello").await;
    let Account { fake, server, s3 } = account;
    server.stop().await;
    drop((fake, s3));
    let account = Account::of(opened(Fake::builder().state(state.path())).await).await;
    assert_eq!(account.content("k").await, b"hello");
}

#[tokio::test]
async fn presigned_urls_work_until_they_end() {
    let account = Account::new().await;
    // A key that the fake has never heard of.
    let s3 = client(account.server.url(), "test", "eu-west-1");
    let week = PresigningConfig::expires_in(Duration::from_secs(600)).unwrap();
    let put = s3.put_object().bucket(BUCKET).key("a b").presigned(week.clone()).await.unwrap();
    let path = |uri: &str| uri.strip_prefix(account.server.url()).unwrap().to_owned();
    let answer = raw(account.server.url(), &format!("PUT {}", path(put.uri())), &[], "hello").await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some(HELLO)));
    let get =
        s3.get_object().bucket(BUCKET).key("a b").response_content_type("text/plain").presigned(week).await.unwrap();
    let answer = raw(account.server.url(), &format!("GET {}", path(get.uri())), &[], "").await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.body.as_str()),
        (200, Some("text/plain"), "hello")
    );

    let began = SystemTime::now() - Duration::from_secs(3600);
    let ended = PresigningConfig::builder().start_time(began).expires_in(Duration::from_secs(60)).build().unwrap();
    let get = s3.get_object().bucket(BUCKET).key("a b").presigned(ended).await.unwrap();
    let answer = raw(account.server.url(), &format!("GET {}", path(get.uri())), &[], "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<Code>AccessDenied</Code><Message>Request has expired</Message>"), "{}", answer.body);
}

/// How many content files there are.
pub fn contents(fake: &Fake) -> usize {
    std::fs::read_dir(fake.folder().join("objects")).unwrap().count()
}
