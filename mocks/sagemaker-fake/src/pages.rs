//! Lists in the order of their keys, one page at a time. A token is the key of the last item of the page before, so a page
//! begins where the last one ended, whatever was created or deleted meanwhile.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// So many items after the one with the key `last`, and the token of the next page if there is one. No two items share a
/// key.
pub(crate) fn after<T>(
    last: Option<&str>,
    size: usize,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let mut sorted: Vec<_> = items.into_iter().map(|item| (key(&item), item)).collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut rest = sorted.into_iter().filter(|(key, _)| last.is_none_or(|last| key.as_str() > last));
    let page: Vec<_> = rest.by_ref().take(size).collect();
    let more = rest.next().is_some();
    let token = page.last().filter(|_| more).map(|(last, _)| URL_SAFE_NO_PAD.encode(last));
    (page.into_iter().map(|(_, item)| item).collect(), token)
}

/// The key in a token; none if no list can have given it out.
pub(crate) fn key_in(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
