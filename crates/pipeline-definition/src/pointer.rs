//! JSON pointers (RFC 6901) that cost nothing until somebody reads them.

use std::fmt;

/// A place in a JSON document while it is being walked: a chain of tokens back to the root, on the stack. Walking a
/// document allocates nothing; only an error (or whoever wants the text) prints it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    token: Option<Token<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    Member(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    /// The whole document, written as the empty string.
    pub const ROOT: Place<'static> = Place { parent: None, token: None };

    /// The member `name` of the object at this place.
    #[must_use]
    pub fn member(&'a self, name: &'a str) -> Place<'a> {
        Place { parent: Some(self), token: Some(Token::Member(name)) }
    }

    /// Whether this is a member of that name.
    #[must_use]
    pub fn ends_with(&self, name: &str) -> bool {
        matches!(self.token, Some(Token::Member(member)) if member == name)
    }

    /// The item `index` of the list at this place.
    #[must_use]
    pub fn item(&'a self, index: usize) -> Place<'a> {
        Place { parent: Some(self), token: Some(Token::Item(index)) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain: Vec<Token<'_>> =
            std::iter::successors(Some(self), |place| place.parent).filter_map(|place| place.token).collect();
        for token in chain.iter().rev() {
            match token {
                Token::Member(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1"))?,
                Token::Item(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_prints_as_a_pointer() {
        let steps = Place::ROOT.member("Steps");
        let step = steps.item(3);
        let odd = step.member("a/b~c");
        assert_eq!(Place::ROOT.to_string(), "");
        assert_eq!(odd.to_string(), "/Steps/3/a~1b~0c");
    }

    #[test]
    fn serde_json_finds_what_a_place_names() {
        let document = serde_json::json!({"a/b": [{"~": 1}]});
        let (list, item) = (Place::ROOT.member("a/b"), 0);
        let item = list.item(item);
        assert_eq!(document.pointer(&item.member("~").to_string()), Some(&serde_json::json!(1)));
    }
}
