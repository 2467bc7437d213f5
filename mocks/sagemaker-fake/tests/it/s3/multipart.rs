//! Uploads in parts.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};

use super::objects::contents;
use super::{Account, BUCKET, refusal, sentence};

const MIB: usize = 1024 * 1024;

struct Upload<'a> {
    account: &'a Account,
    id: String,
}

impl Upload<'_> {
    async fn part(&self, number: i32, content: Vec<u8>) -> CompletedPart {
        let put = self.account.s3.upload_part().bucket(BUCKET).key("big").upload_id(&self.id).part_number(number);
        let put = put.body(ByteStream::from(content)).send().await.unwrap();
        CompletedPart::builder()
            .part_number(number)
            .e_tag(put.e_tag().unwrap())
            .set_checksum_crc32(put.checksum_crc32)
            .build()
    }

    fn complete(
        &self,
        parts: Vec<CompletedPart>,
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.account
            .s3
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("big")
            .upload_id(&self.id)
            .multipart_upload(parts)
    }
}

async fn begin(account: &Account, kind: Option<ChecksumType>) -> Upload<'_> {
    let made =
        account.s3.create_multipart_upload().bucket(BUCKET).key("big").content_type("text/plain").metadata("who", "me");
    let made = made.checksum_algorithm(ChecksumAlgorithm::Crc32).set_checksum_type(kind).send().await.unwrap();
    Upload { account, id: made.upload_id().unwrap().to_owned() }
}

/// ETag and checksums of `a` x 5 MiB, `b` x 5 MiB, `tail`, by Python's hashlib and zlib.
#[tokio::test(flavor = "multi_thread")]
async fn parts_become_an_object() {
    let account = Account::new().await;
    for (kind, checksum) in [(None, "2AQfWw==-3"), (Some(ChecksumType::FullObject), "kvhbgw==")] {
        let upload = begin(&account, kind).await;
        // In any order, and one of them twice.
        let second = upload.part(2, vec![b'b'; 5 * MIB]).await;
        upload.part(1, b"not this".to_vec()).await;
        let first = upload.part(1, vec![b'a'; 5 * MIB]).await;
        let last = upload.part(7, b"tail".to_vec()).await;
        upload.part(9, b"not listed".to_vec()).await;

        let page =
            account.s3.list_parts().bucket(BUCKET).key("big").upload_id(&upload.id).max_parts(2).send().await.unwrap();
        let listed: Vec<_> =
            page.parts().iter().map(|part| (part.part_number().unwrap(), part.size().unwrap())).collect();
        assert_eq!(listed, [(1, 5 * MIB as i64), (2, 5 * MIB as i64)]);
        assert_eq!((page.is_truncated(), page.next_part_number_marker()), (Some(true), Some("2")));
        let uploads = account.s3.list_multipart_uploads().bucket(BUCKET).prefix("bi").send().await.unwrap();
        assert_eq!(uploads.uploads()[0].upload_id(), Some(upload.id.as_str()));
        assert_eq!(refusal(account.s3.delete_bucket().bucket(BUCKET).send().await).1, "BucketNotEmpty");

        let completed = upload.complete(vec![first, second, last]).send().await.unwrap();
        assert_eq!(completed.e_tag(), Some("\"1af560d38fa58b7629ca9d6c912c720b-3\""));
        assert_eq!(completed.checksum_crc32(), Some(checksum));
        let head = account
            .s3
            .head_object()
            .bucket(BUCKET)
            .key("big")
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .unwrap();
        assert_eq!((head.content_length(), head.content_type()), (Some(10 * MIB as i64 + 4), Some("text/plain")));
        assert_eq!((head.checksum_crc32(), head.metadata().unwrap()["who"].as_str()), (Some(checksum), "me"));
        let content = account.content("big").await;
        assert!(content[..5 * MIB].iter().all(|byte| *byte == b'a') && content.ends_with(b"btail"));
        let part = account.s3.get_object().bucket(BUCKET).key("big").part_number(3).send().await.unwrap();
        assert_eq!(part.parts_count(), Some(3));
        assert_eq!(part.body.collect().await.unwrap().to_vec(), b"tail");
        assert_eq!(contents(&account.fake), 1, "parts must not stay on disk");
        assert_eq!(refusal(upload.complete(Vec::new()).send().await).0, 404);
        account.s3.delete_object().bucket(BUCKET).key("big").send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_list_makes_nothing() {
    let account = Account::new().await;
    let upload = begin(&account, None).await;
    let big = upload.part(1, vec![b'a'; 5 * MIB]).await;
    let small = upload.part(2, b"small".to_vec()).await;
    let last = upload.part(3, b"last".to_vec()).await;
    let wrong = CompletedPart::builder().part_number(1).e_tag("\"0\"").build();
    let missing = CompletedPart::builder().part_number(4).e_tag(last.e_tag().unwrap()).build();
    let corrupt =
        CompletedPart::builder().part_number(1).e_tag(big.e_tag().unwrap()).checksum_crc32("AAAAAA==").build();
    let check = async |parts: &[&CompletedPart], expected: &str| {
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        assert_eq!(refusal(upload.complete(parts).send().await), (400, expected.to_owned()));
    };
    check(&[], "MalformedXML").await;
    check(&[&last, &big], "InvalidPartOrder").await;
    check(&[&big, &big], "InvalidPartOrder").await;
    check(&[&wrong], "InvalidPart").await;
    check(&[&corrupt], "InvalidPart").await;
    check(&[&big, &missing], "InvalidPart").await;
    check(&[&big, &small, &last], "EntityTooSmall").await;
    assert_eq!(refusal(account.s3.head_object().bucket(BUCKET).key("big").send().await).0, 404);
    assert_eq!(contents(&account.fake), 3, "a refused list leaves the parts alone, and nothing else");

    account.put("big", b"there").await;
    assert_eq!(refusal(upload.complete(vec![big.clone()]).if_none_match("*").send().await).0, 412);
    upload.complete(vec![big, last]).send().await.unwrap();
    assert_eq!(contents(&account.fake), 1);
}

#[tokio::test]
async fn an_upload_can_be_given_up() {
    let account = Account::new().await;
    let upload = begin(&account, None).await;
    upload.part(1, b"x".to_vec()).await;
    let put = |number| account.s3.upload_part().bucket(BUCKET).key("big").upload_id(&upload.id).part_number(number);
    assert_eq!(
        sentence(put(0).send().await),
        "InvalidArgument: Part number must be an integer between 1 and 10000, inclusive"
    );
    assert_eq!(
        sentence(put(2).checksum_algorithm(ChecksumAlgorithm::Sha1).send().await),
        "InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: sha1"
    );
    account.s3.abort_multipart_upload().bucket(BUCKET).key("big").upload_id(&upload.id).send().await.unwrap();
    assert_eq!(refusal(put(1).send().await), (404, "NoSuchUpload".to_owned()));
    assert_eq!(
        refusal(account.s3.abort_multipart_upload().bucket(BUCKET).key("big").upload_id(&upload.id).send().await),
        (404, "NoSuchUpload".to_owned())
    );
    assert!(account.s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap().uploads().is_empty());
    assert_eq!(contents(&account.fake), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_can_be_copied() {
    let account = Account::new().await;
    account.put("source", &[vec![b'a'; 5 * MIB], b"0123456789".to_vec()].concat()).await;
    let made = account.s3.create_multipart_upload().bucket(BUCKET).key("big").send().await.unwrap();
    let upload = Upload { account: &account, id: made.upload_id().unwrap().to_owned() };
    let copy = |number, range: &str| {
        let copy = account.s3.upload_part_copy().bucket(BUCKET).key("big").upload_id(&upload.id).part_number(number);
        copy.copy_source(format!("{BUCKET}/source")).copy_source_range(range)
    };
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=0-5242879"), (2, "bytes=5242882-5242884")] {
        let copied = copy(number, range).send().await.unwrap();
        let etag = copied.copy_part_result().unwrap().e_tag().unwrap().to_owned();
        parts.push(CompletedPart::builder().part_number(number).e_tag(etag).build());
    }
    assert_eq!(refusal(copy(3, "bytes=5-4").send().await), (400, "InvalidArgument".to_owned()));
    assert_eq!(refusal(copy(3, "bytes=0-99999999").send().await), (400, "InvalidArgument".to_owned()));
    upload.complete(parts).send().await.unwrap();
    assert!(account.content("big").await.ends_with(b"aaa234"));
}
