//! Lists, one page at a time, with the members that IAM's requests and answers have for it.

use serde_json::{Value, json};

use crate::{ApiError, pages};

/// The number of items on a page when `MaxItems` does not say.
const DEFAULT_SIZE: usize = 100;

/// Some items of a list, and where the next page begins, if there is one.
pub struct Page<T> {
    /// In the order of their keys.
    pub items: Vec<T>,
    marker: Option<String>,
}

/// The page of a list that the input asks for. No two items share a key, which is at most 200 bytes: markers have an end.
///
/// # Errors
/// `ValidationError` for a marker that no list gave out.
pub fn page<T>(
    input: &Value,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, ApiError> {
    let size = input["MaxItems"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(DEFAULT_SIZE);
    let last = input["Marker"].as_str().map(read).transpose()?;
    let (items, marker) = pages::after(last.as_deref(), size, items, key);
    Ok(Page { items, marker })
}

impl<T> Page<T> {
    /// The answer of a list: its items as the member of this name.
    ///
    /// # Errors
    /// Those of `shape`.
    pub fn answer(self, member: &str, shape: impl Fn(&T) -> Result<Value, ApiError>) -> Result<Value, ApiError> {
        let items = self.items.iter().map(shape).collect::<Result<Vec<_>, _>>()?;
        let mut output = json!({member: items});
        self.finish(&mut output);
        Ok(output)
    }

    /// Says in the answer whether there is more.
    pub fn finish(&self, output: &mut Value) {
        output["IsTruncated"] = json!(self.marker.is_some());
        if let Some(marker) = &self.marker {
            output["Marker"] = json!(marker);
        }
    }
}

fn read(marker: &str) -> Result<String, ApiError> {
    pages::key_in(marker).ok_or_else(|| ApiError::new("ValidationError", "Invalid Marker."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(input: &Value, items: &[&'static str]) -> (Vec<&'static str>, Value) {
        let page = page(input, items.iter().copied(), |item| (*item).to_owned()).unwrap();
        let items = page.items.clone();
        (items, page.answer("Items", |item| Ok(json!(item))).unwrap())
    }

    #[test]
    fn pages_go_on_where_they_ended() {
        let (items, answer) = list(&json!({"MaxItems": 2}), &["c", "a", "b"]);
        assert_eq!((items, &answer["IsTruncated"]), (vec!["a", "b"], &json!(true)));
        // The last one that was listed has gone.
        let (items, answer) = list(&json!({"MaxItems": 2, "Marker": answer["Marker"]}), &["d", "c", "a"]);
        assert_eq!((items, answer), (vec!["c", "d"], json!({"Items": ["c", "d"], "IsTruncated": false})));
    }

    #[test]
    fn a_guessed_marker_is_refused() {
        let error = page(&json!({"Marker": "not one of ours"}), ["a"], |item| (*item).to_owned()).err().unwrap();
        assert_eq!(error, ApiError::new("ValidationError", "Invalid Marker."));
    }
}
