//! A bucket, folder by folder, and an object with the beginning of its content.

use std::collections::BTreeMap;
use std::io::Read as _;

use maud::{Markup, html};

use super::layout::{Page, facts, section, table, text};
use super::words::{json, moment, size};
use super::{Look, link, nothing, path};
use crate::ApiError;
use crate::protocol::encode;
use crate::s3::{self, Bucket, Object};
use crate::store::{Record, Records};

/// How many entries are listed.
const ENTRIES: usize = 500;

/// How much of a content is shown, in bytes.
const SHOWN: u64 = 16 << 10;

pub(super) fn page(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    let bucket: Bucket = look.fake.store.read(|view| view.get(key))?.ok_or_else(|| nothing("such bucket"))?;
    let prefix = look.asked("prefix");
    let objects = s3::list(look.fake, &bucket.name, prefix)?;
    let (mut folders, mut files): (BTreeMap<&str, (usize, u64)>, Vec<&Object>) = (BTreeMap::new(), Vec::new());
    for object in &objects {
        // A prefix may end in the middle of a name.
        match object.key[prefix.len()..].find('/') {
            Some(end) => {
                let (count, bytes) = folders.entry(&object.key[..=prefix.len() + end]).or_default();
                (*count, *bytes) = (*count + 1, *bytes + object.size);
            }
            None => files.push(object),
        }
    }
    let of_folder = |(folder, (count, bytes)): (&&str, &(usize, u64))| {
        vec![of_prefix(&bucket, folder), html! { (size(*bytes)) }, html! { (count) " objects" }]
    };
    let of_file = |object: &&Object| {
        vec![link("object", &object.key(), &object.key), html! { (size(object.size)) }, moment(object.last_modified)]
    };
    let rows: Vec<_> = folders.iter().map(of_folder).chain(files.iter().map(of_file)).take(ENTRIES).collect();
    let up = prefix.trim_end_matches('/').rfind('/').map_or("", |end| &prefix[..=end]);
    let body = html! {
        (facts([
            ("Region", text(Some(&bucket.region))),
            ("Owner", text(Some(&bucket.owner))),
            ("Created", Some(moment(bucket.created))),
            ("Objects", Some(html! { (objects.len()) ", " (size(objects.iter().map(|object| object.size).sum())) })),
        ]))
        @if !prefix.is_empty() {
            p { "↑ " @if up.is_empty() { (link("bucket", &bucket.name, &bucket.name)) } @else { (of_prefix(&bucket, up)) } }
        }
        (section(if prefix.is_empty() { "Objects" } else { prefix }, table(&["key", "size", ""], rows, "no objects")))
        @if folders.len() + files.len() > ENTRIES { p.soft { "and more" } }
        details { summary { "Settings" } (json(&serde_json::to_value(&bucket.settings).unwrap_or_default())) }
    };
    Ok(Page::new(bucket.name.clone(), body))
}

/// A link to a folder of a bucket.
fn of_prefix(bucket: &Bucket, prefix: &str) -> Markup {
    html! { a href={ (path("bucket", &bucket.name)) "&prefix=" (encode(prefix)) } { (prefix) } }
}

pub(super) fn object(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    let object: Object = look.fake.store.read(|view| view.get(key))?.ok_or_else(|| nothing("such object"))?;
    let (object, content) = s3::open(look.fake, &object.bucket, &object.key)?;
    let mut beginning = Vec::new();
    content.take(SHOWN).read_to_end(&mut beginning).map_err(ApiError::internal)?;
    // A character may be cut at the end.
    let readable = match std::str::from_utf8(&beginning) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&beginning[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    let shown = readable.filter(|text| !text.contains('\0'));
    let body = html! {
        (facts([
            ("Bucket", Some(link("bucket", &object.bucket, &object.bucket))),
            ("Size", Some(html! { (size(object.size)) })),
            ("Put", Some(moment(object.last_modified))),
            ("ETag", text(Some(&object.etag))),
            ("Content type", text(object.headers.content_type.as_deref())),
            ("URI", Some(html! { code { "s3://" (object.bucket) "/" (object.key) } })),
        ]))
        (section("Content", html! {
            @match shown {
                Some(text) => {
                    pre { (text) }
                    @if object.size > SHOWN { p.soft { "its first " (size(SHOWN)) } }
                }
                None => { p.soft { "no text" } }
            }
        }))
        details { summary { "Record" } (json(&serde_json::to_value(&object).unwrap_or_default())) }
    };
    Ok(Page::new(object.key.clone(), body))
}
