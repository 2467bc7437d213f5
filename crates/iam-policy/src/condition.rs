//! Whether a condition holds.

use crate::{
    context::Context,
    document::Condition,
    operator::{Comparison, Set, Test},
    pattern::{self, Token, Wildcards},
    values,
};

/// Whether the condition holds in the context; `variables`: whether `${...}` is replaced. Keys that are looked for in vain
/// are added to the missing ones.
pub(crate) fn holds(condition: &Condition, variables: bool, context: &Context, missing: &mut Vec<String>) -> bool {
    let Condition { operator, key, values } = condition;
    let found = context.get(key);
    if found.is_none() {
        missing.push(key.clone());
    }
    if operator.test == Test::Null {
        return values.iter().filter_map(|value| values::boolean(value)).any(|absent| absent == found.is_none());
    }
    let Some(found) = found else {
        return match operator.set {
            _ if operator.if_exists => true,
            Some(Set::ForAllValues) => true,
            Some(Set::ForAnyValue) => false,
            None => operator.negated,
        };
    };
    let wanted = values.iter().filter_map(|value| Wanted::of(operator.test, value, variables, context, missing));
    let wanted: Vec<_> = wanted.collect();
    // Of a negated operator no value may match: NOR, not OR of negations.
    let matches = |value: &String| wanted.iter().any(|wanted| wanted.matches(operator.test, value)) != operator.negated;
    match operator.set {
        Some(Set::ForAllValues) => found.iter().all(matches),
        Some(Set::ForAnyValue) => found.iter().any(matches),
        // A key with several values and no prefix: AWS calls it a mistake. One value that matches is enough, and a
        // negated operator is the negation of its twin.
        None if operator.negated => found.iter().all(matches),
        None => found.iter().any(matches),
    }
}

/// A value of the policy, with its variables replaced.
struct Wanted<'v> {
    written: &'v str,
    tokens: Vec<Token>,
}

impl<'v> Wanted<'v> {
    /// `None`: a variable has no value, and so nothing matches.
    fn of(test: Test, written: &'v str, variables: bool, context: &Context, missing: &mut Vec<String>) -> Option<Self> {
        let wildcards = match test {
            Test::StringLike | Test::Arn => Wildcards::Apply,
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::Bool => Wildcards::AreText,
            // AWS: no variables with the other operators.
            Test::Numeric(_) | Test::Date(_) | Test::BinaryEquals | Test::IpAddress | Test::Null => {
                return Some(Self { written, tokens: Vec::new() });
            }
        };
        let tokens = pattern::expand(written, variables, wildcards, context, missing)?;
        Some(Self { written, tokens })
    }

    /// Whether a value of the request matches.
    fn matches(&self, test: Test, value: &str) -> bool {
        match test {
            Test::StringEquals => self.text() == value,
            Test::StringEqualsIgnoreCase => self.text().to_lowercase() == value.to_lowercase(),
            Test::StringLike => pattern::matches(&self.tokens, &value.chars().collect::<Vec<_>>()),
            Test::Numeric(comparison) => self.compare(value, values::number, comparison),
            Test::Date(comparison) => self.compare(value, values::date, comparison),
            Test::Bool => values::boolean(&self.text()).is_some_and(|wanted| values::boolean(value) == Some(wanted)),
            Test::BinaryEquals => self.written == value,
            Test::IpAddress => {
                let both = values::block(value).zip(values::block(self.written));
                both.is_some_and(|(value, wanted)| wanted.contains(&value))
            }
            Test::Arn => pattern::arn_matches(&self.tokens, value),
            // It asks for the key alone, and is answered before.
            Test::Null => false,
        }
    }

    fn text(&self) -> String {
        let chars = self.tokens.iter().filter_map(|token| match token {
            Token::Char(c) => Some(*c),
            Token::One | Token::Many => None,
        });
        chars.collect()
    }

    /// Both sides read as a type and compared, the request's first. What cannot be read does not match.
    fn compare<T: PartialOrd>(&self, value: &str, read: fn(&str) -> Option<T>, comparison: Comparison) -> bool {
        read(value).zip(read(self.written)).is_some_and(|(value, wanted)| match comparison {
            Comparison::Equals => value == wanted,
            Comparison::LessThan => value < wanted,
            Comparison::LessThanEquals => value <= wanted,
            Comparison::GreaterThan => value > wanted,
            Comparison::GreaterThanEquals => value >= wanted,
        })
    }
}
