//! The context of a request: condition keys and their values.

use std::collections::BTreeMap;

/// Condition keys with their values. The case of keys does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    // By the key in lower case.
    values: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context in which the key has this one value.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_all(key, [value])
    }

    /// The same context in which the key has these values. Without any it counts as missing.
    #[must_use]
    pub fn with_all(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.set(key, values);
        self
    }

    /// Gives the key these values in place of those that it had. Without any it counts as missing.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        self.values.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
    }

    /// The values of a key; `None` if it has none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[String]> {
        let values = match key.bytes().any(|b| b.is_ascii_uppercase()) || !key.is_ascii() {
            true => self.values.get(&key.to_lowercase()),
            false => self.values.get(key),
        };
        values.map(Vec::as_slice).filter(|values| !values.is_empty())
    }

    /// Every key that has values, in lower case, with them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        let entries = self.values.iter().map(|(key, values)| (key.as_str(), values.as_slice()));
        entries.filter(|(_, values)| !values.is_empty())
    }
}
