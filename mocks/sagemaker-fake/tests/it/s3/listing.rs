//! Listings.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};

use super::{Account, BUCKET, refusal};

const KEYS: [&str; 9] = ["a", "a/1", "a/2", "a/b/3", "b", "b/1", "sp ace+%&<x>", "z//double", "ünïcode/日本"];

async fn filled() -> Account {
    let account = Account::new().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    for key in KEYS {
        sagemaker_fake::s3::put_file(&account.fake, BUCKET, key, file.path()).unwrap();
    }
    account
}

/// Every page of a listing, as `key` and `(prefix)`.
async fn walk(account: &Account, prefix: &str, delimiter: &str, page: i32, start_after: Option<&str>) -> Vec<String> {
    let mut items = Vec::new();
    let mut token = None;
    loop {
        let request = account.s3.list_objects_v2().bucket(BUCKET).prefix(prefix).delimiter(delimiter).max_keys(page);
        let listed =
            request.set_start_after(start_after.map(str::to_owned)).set_continuation_token(token).send().await.unwrap();
        let mut found: Vec<_> = listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect();
        found.extend(listed.common_prefixes().iter().map(|prefix| format!("({})", prefix.prefix().unwrap())));
        assert_eq!(usize::try_from(listed.key_count().unwrap()).unwrap(), found.len());
        assert!(found.len() <= usize::try_from(page).unwrap());
        items.extend(found);
        token = listed.next_continuation_token().map(str::to_owned);
        assert_eq!(listed.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return items;
        }
    }
}

#[tokio::test]
async fn prefix_delimiter_and_pages() {
    let account = filled().await;
    let check = async |prefix: &str, delimiter: &str, start_after: Option<&str>, expected: &[&str]| {
        for page in [1, 2, 3, 1000] {
            let mut found = walk(&account, prefix, delimiter, page, start_after).await;
            // A page has its keys before its common prefixes, so only the set is the same for every size of page.
            found.sort();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(found, expected, "{prefix} {delimiter} {start_after:?}, pages of {page}");
        }
    };
    check("", "", None, &KEYS).await;
    check("", "/", None, &["a", "(a/)", "b", "(b/)", "sp ace+%&<x>", "(ünïcode/)", "(z/)"]).await;
    check("a/", "/", None, &["a/1", "a/2", "(a/b/)"]).await;
    check("a", "", None, &["a", "a/1", "a/2", "a/b/3"]).await;
    check("a", "b", None, &["a", "a/1", "a/2", "(a/b)"]).await;
    check("", "", Some("b"), &["b/1", "sp ace+%&<x>", "z//double", "ünïcode/日本"]).await;
    check("", "/", Some("a/1"), &["(a/)", "b", "(b/)", "sp ace+%&<x>", "(ünïcode/)", "(z/)"]).await;
    check("z/", "/", None, &["(z//)"]).await;
    check("none", "", None, &[]).await;
}

#[tokio::test]
async fn the_older_listing_goes_on_from_a_marker() {
    let account = filled().await;
    let mut items = Vec::new();
    let mut marker = None;
    loop {
        let request = account.s3.list_objects().bucket(BUCKET).delimiter("/").max_keys(2);
        let listed = request.set_marker(marker).send().await.unwrap();
        items.extend(listed.contents().iter().map(|object| object.key().unwrap().to_owned()));
        items.extend(listed.common_prefixes().iter().map(|prefix| format!("({})", prefix.prefix().unwrap())));
        marker = listed.next_marker().map(str::to_owned);
        if listed.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(items, ["a", "(a/)", "b", "(b/)", "sp ace+%&<x>", "(z/)", "(ünïcode/)"]);
}

#[tokio::test]
async fn keys_can_be_url_encoded() {
    let account = filled().await;
    let listed = account
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .encoding_type(EncodingType::Url)
        .start_after("b/1")
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = listed.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["sp%20ace%2B%25%26%3Cx%3E", "z//double", "%C3%BCn%C3%AFcode/%E6%97%A5%E6%9C%AC"]);
}

#[tokio::test]
async fn an_entry_says_what_an_object_is() {
    let account = Account::new().await;
    account.put("k", b"hello").await;
    let listed = account.s3.list_objects_v2().bucket(BUCKET).fetch_owner(true).send().await.unwrap();
    let entry = &listed.contents()[0];
    assert_eq!(
        (entry.key(), entry.size(), entry.e_tag()),
        (Some("k"), Some(5), Some("\"5d41402abc4b2a76b9719d911017c592\""))
    );
    assert_eq!(entry.storage_class().unwrap().as_str(), "STANDARD");
    assert!(entry.last_modified().is_some() && entry.owner().unwrap().id().is_some());
    let versions = account.s3.list_object_versions().bucket(BUCKET).send().await.unwrap();
    assert_eq!((versions.versions()[0].version_id(), versions.versions()[0].is_latest()), (Some("null"), Some(true)));
    assert_eq!(
        refusal(account.s3.list_objects_v2().bucket(BUCKET).continuation_token("!").send().await),
        (400, "InvalidArgument".to_owned())
    );
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let account = filled().await;
    let delete = |keys: &[&str], quiet: bool| {
        let keys = keys.iter().map(|key| ObjectIdentifier::builder().key(*key).build().unwrap()).collect();
        let delete = Delete::builder().set_objects(Some(keys)).quiet(quiet).build().unwrap();
        account.s3.delete_objects().bucket(BUCKET).delete(delete).send()
    };
    let deleted = delete(&["a", "sp ace+%&<x>", "never was"], false).await.unwrap();
    let names: Vec<_> = deleted.deleted().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(names, ["a", "sp ace+%&<x>", "never was"]);
    let quiet = delete(&["b", "b/1"], true).await.unwrap();
    assert!(quiet.deleted().is_empty() && quiet.errors().is_empty());
    assert_eq!(walk(&account, "", "", 1000, None).await.len(), KEYS.len() - 4);
    let too_many: Vec<_> = std::iter::repeat_n("a", 1001).collect();
    assert_eq!(refusal(delete(&too_many, true).await), (400, "MalformedXML".to_owned()));
}
