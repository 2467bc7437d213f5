//! Lists: filtered, sorted, and one page of them.
//!
//! A token names the last item of the page before, by what the list is sorted by. So a page begins where the last one
//! ended, whatever has been created or deleted since: nothing is listed twice, nothing is left out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ApiError;
use crate::clock::Timestamp;

/// The number of items on a page when `MaxResults` does not say.
const DEFAULT_SIZE: usize = 10;

/// What an item is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SortKey {
    /// By a time or a number.
    Number(i64),
    /// By a name, whatever its case.
    Name(String),
}

impl SortKey {
    /// By a time.
    #[must_use]
    pub fn time(time: Timestamp) -> Self {
        Self::Number(time.0)
    }

    /// By a name.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Name(name.to_lowercase())
    }
}

/// The order of a list that is asked for in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest, or oldest, first.
    Ascending,
    /// Greatest, or newest, first.
    Descending,
}

/// Where the last page ended.
#[derive(Serialize, Deserialize)]
struct Token {
    /// Of the operation and its filters: a token continues its own list and no other.
    list: String,
    last: (SortKey, String),
}

/// One page of `items`: sorted by `sort_key` and then by `id` (which no two items share), in the `SortOrder` of the
/// request or else in `default`, as many as its `MaxResults` says, from where its `NextToken` says. With it comes the
/// token of the next page, if there is one.
///
/// # Errors
/// `ValidationException` for a token that this list did not give out.
pub fn page<T>(
    operation: &str,
    input: &Value,
    default: Order,
    items: impl IntoIterator<Item = T>,
    sort_key: impl Fn(&T) -> SortKey,
    id: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let order = match input["SortOrder"].as_str() {
        Some("Descending") => Order::Descending,
        Some(_) => Order::Ascending,
        None => default,
    };
    let size = input["MaxResults"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(DEFAULT_SIZE);
    let list = fingerprint(operation, input);
    let after = input["NextToken"].as_str().map(|token| read(token, &list)).transpose()?;

    let mut sorted: Vec<_> = items.into_iter().map(|item| ((sort_key(&item), id(&item)), item)).collect();
    sorted.sort_by(|(one, _), (other, _)| in_order(order, one, other));
    let mut rest = sorted
        .into_iter()
        .filter(|(position, _)| after.as_ref().is_none_or(|last| in_order(order, last, position).is_lt()));
    let page: Vec<_> = rest.by_ref().take(size).collect();
    let more = rest.next().is_some();
    let token = page.last().filter(|_| more).map(|(last, _)| {
        let token = Token { list, last: last.clone() };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
    });
    Ok((page.into_iter().map(|(_, item)| item).collect(), token))
}

/// What a list answers, with the token of the next page, if there is one.
#[must_use]
pub fn with_token(mut output: Value, token: Option<String>) -> Value {
    if let Some(token) = token {
        output["NextToken"] = Value::from(token);
    }
    output
}

/// Whether a time is within the bounds of a request, of which either may be absent.
#[must_use]
pub fn within(time: Timestamp, input: &Value, after: &str, before: &str) -> bool {
    let bound = |name: &str| serde_json::from_value::<Timestamp>(input[name].clone()).ok();
    bound(after).is_none_or(|after| time >= after) && bound(before).is_none_or(|before| time < before)
}

/// Whether a name contains what `NameContains` asks for, whatever the case.
#[must_use]
pub fn name_contains(name: &str, input: &Value) -> bool {
    input["NameContains"].as_str().is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
}

fn in_order<P: Ord>(order: Order, one: &P, other: &P) -> std::cmp::Ordering {
    if order == Order::Ascending { one.cmp(other) } else { other.cmp(one) }
}

fn read(token: &str, list: &str) -> Result<(SortKey, String), ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let token = bytes.and_then(|bytes| serde_json::from_slice::<Token>(&bytes).ok()).filter(|token| token.list == list);
    token
        .map(|token| token.last)
        .ok_or_else(|| ApiError::validation("Invalid NextToken: it was not given out by this list."))
}

fn fingerprint(operation: &str, input: &Value) -> String {
    let mut hash = Sha256::new_with_prefix(operation);
    for (name, value) in
        input.as_object().into_iter().flatten().filter(|(name, _)| *name != "NextToken" && *name != "MaxResults")
    {
        hash.update(format!("\0{name}={value}"));
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list(input: &Value, items: &[(&'static str, i64)]) -> Result<(Vec<&'static str>, Option<String>), ApiError> {
        let (items, token) = page(
            "ListThings",
            input,
            Order::Descending,
            items.iter().copied(),
            |(name, time)| if input["SortBy"] == "Name" { SortKey::name(name) } else { SortKey::Number(*time) },
            |(name, _)| (*name).to_owned(),
        )?;
        Ok((items.into_iter().map(|(name, _)| name).collect(), token))
    }

    #[test]
    fn sorts_as_asked_and_by_default() {
        let items = [("b", 1), ("C", 2), ("a", 2)];
        assert_eq!(list(&json!({}), &items).unwrap().0, ["a", "C", "b"]);
        assert_eq!(list(&json!({"SortOrder": "Ascending"}), &items).unwrap().0, ["b", "C", "a"]);
        assert_eq!(list(&json!({"SortBy": "Name", "SortOrder": "Ascending"}), &items).unwrap().0, ["a", "b", "C"]);
    }

    #[test]
    fn pages_go_on_where_they_ended() {
        let mut items = vec![("a", 1), ("b", 2), ("c", 3), ("d", 4)];
        let (first, token) = list(&json!({"MaxResults": 2}), &items).unwrap();
        assert_eq!(first, ["d", "c"]);
        // One that was listed goes, a newer one comes.
        items.retain(|(name, _)| *name != "c");
        items.push(("e", 5));
        let next = json!({"MaxResults": 2, "NextToken": token});
        assert_eq!(list(&next, &items).unwrap(), (vec!["b", "a"], None));
    }

    #[test]
    fn a_full_last_page_has_no_token_and_ten_is_the_default() {
        let items = [("a", 1), ("b", 2)];
        assert_eq!(list(&json!({"MaxResults": 2}), &items).unwrap().1, None);
        let many: Vec<_> = (0..11).map(|time| ("x", time)).collect();
        assert_eq!(list(&json!({}), &many).unwrap().0.len(), 10);
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let items = [("a", 1), ("b", 2)];
        let (_, token) = list(&json!({"MaxResults": 1}), &items).unwrap();
        for input in [json!({"NextToken": "guess"}), json!({"NextToken": token, "NameContains": "b"})] {
            assert_eq!(list(&input, &items).unwrap_err().code, "ValidationException", "{input}");
        }
    }
}
