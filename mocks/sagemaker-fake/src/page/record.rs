//! Any record as it is kept, and all of a kind.

use maud::html;

use super::layout::{Page, table};
use super::words::{json, status};
use super::{Look, link, nothing};
use crate::ApiError;

/// How many records of a kind are listed.
const MOST: usize = 1000;

pub(super) fn kind(look: &Look<'_>, kind: &str) -> Result<Page, ApiError> {
    let records = look.fake.store.read(|view| view.values(kind, "", MOST + 1))?;
    let rows = records.iter().take(MOST).map(|(key, record)| {
        vec![
            link(kind, key, key),
            html! { @if let Some(text) = record["status"].as_str() { (status(text)) } },
            html! { (record["arn"].as_str().unwrap_or_default()) },
        ]
    });
    let rows: Vec<_> = rows.collect();
    let body = html! {
        (table(&["key", "status", "ARN"], rows, "none"))
        @if records.len() > MOST { p.soft { "and more; `GET /_stsmm/state` has all" } }
    };
    Ok(Page::new(kind.replace(['-', '_'], " "), body))
}

pub(super) fn page(look: &Look<'_>, kind: &str, key: &str) -> Result<Page, ApiError> {
    let records = look.fake.store.read(|view| view.values(kind, key, 1))?;
    let found = records.into_iter().find(|(own, _)| own == key);
    let (_, record) = found.ok_or_else(|| nothing(&format!("{kind} {key}")))?;
    Ok(Page::new(key, html! { p.soft { (kind.replace(['-', '_'], " ")) } (json(&record)) }))
}
