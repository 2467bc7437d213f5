//! The operators of conditions: `ForAnyValue:StringLikeIfExists` and all others.

use std::fmt;

use crate::nearest::nearest;

/// An operator with what stands before and behind its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operator {
    /// How several values of the request count.
    pub set: Option<Set>,
    /// What is compared, and how.
    pub test: Test,
    /// Whether `Not` stands in it: true where `test` is false.
    pub negated: bool,
    /// Whether a request without the key fulfils it.
    pub if_exists: bool,
}

/// How several values of the request count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Set {
    /// Every value of the request must match; true without any.
    ForAllValues,
    /// One value of the request must match; false without any.
    ForAnyValue,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Test {
    /// Character by character.
    StringEquals,
    /// The same, ignoring case.
    StringEqualsIgnoreCase,
    /// With `*` and `?`.
    StringLike,
    /// Numbers.
    Numeric(Comparison),
    /// Points in time: ISO 8601 or seconds since 1970.
    Date(Comparison),
    /// `true` or `false`.
    Bool,
    /// Base64, byte by byte.
    BinaryEquals,
    /// An address in a CIDR block.
    IpAddress,
    /// Each of the six fields of an ARN with `*` and `?`. `ArnEquals` and `ArnLike` are the same.
    Arn,
    /// Whether the request has the key at all.
    Null,
}

/// How two values are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equals,
    /// `<`
    LessThan,
    /// `<=`
    LessThanEquals,
    /// `>`
    GreaterThan,
    /// `>=`
    GreaterThanEquals,
}

use Comparison::{Equals, GreaterThan, GreaterThanEquals, LessThan, LessThanEquals};

const NAMES: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::StringEquals, false),
    ("StringNotEquals", Test::StringEquals, true),
    ("StringEqualsIgnoreCase", Test::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::StringEqualsIgnoreCase, true),
    ("StringLike", Test::StringLike, false),
    ("StringNotLike", Test::StringLike, true),
    ("NumericEquals", Test::Numeric(Equals), false),
    ("NumericNotEquals", Test::Numeric(Equals), true),
    ("NumericLessThan", Test::Numeric(LessThan), false),
    ("NumericLessThanEquals", Test::Numeric(LessThanEquals), false),
    ("NumericGreaterThan", Test::Numeric(GreaterThan), false),
    ("NumericGreaterThanEquals", Test::Numeric(GreaterThanEquals), false),
    ("DateEquals", Test::Date(Equals), false),
    ("DateNotEquals", Test::Date(Equals), true),
    ("DateLessThan", Test::Date(LessThan), false),
    ("DateLessThanEquals", Test::Date(LessThanEquals), false),
    ("DateGreaterThan", Test::Date(GreaterThan), false),
    ("DateGreaterThanEquals", Test::Date(GreaterThanEquals), false),
    ("Bool", Test::Bool, false),
    ("BinaryEquals", Test::BinaryEquals, false),
    ("IpAddress", Test::IpAddress, false),
    ("NotIpAddress", Test::IpAddress, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Null", Test::Null, false),
];

impl Operator {
    /// Reads one, as it is written in a policy.
    ///
    /// # Errors
    /// There is none of this name; what was probably meant comes back, if there is a guess.
    pub fn parse(written: &str) -> Result<Self, Option<String>> {
        let (prefix, name) = match written.split_once(':') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, written),
        };
        let set = match prefix {
            None => Ok(None),
            Some("ForAllValues") => Ok(Some(Set::ForAllValues)),
            Some("ForAnyValue") => Ok(Some(Set::ForAnyValue)),
            Some(other) => Err(nearest(other, ["ForAllValues", "ForAnyValue"])),
        };
        let (base, if_exists) = match name.strip_suffix("IfExists") {
            Some(base) if base != "Null" => (base, true),
            _ => (name, false),
        };
        let found = NAMES.iter().find(|(known, ..)| *known == base);
        if let (Ok(set), Some(&(_, test, negated))) = (set, found) {
            return Ok(Self { set, test, negated, if_exists });
        }
        let base = found.map(|(known, ..)| *known).or_else(|| nearest(base, NAMES.map(|(known, ..)| known)));
        let prefix = set.map_or_else(|guess| guess, |_| prefix);
        Err(base.map(|base| {
            let prefix = prefix.map(|prefix| format!("{prefix}:")).unwrap_or_default();
            format!("{prefix}{base}{}", if if_exists { "IfExists" } else { "" })
        }))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.set {
            None => "",
            Some(Set::ForAllValues) => "ForAllValues:",
            Some(Set::ForAnyValue) => "ForAnyValue:",
        })?;
        let name = NAMES.iter().find(|(_, test, negated)| (*test, *negated) == (self.test, self.negated));
        f.write_str(name.map_or("", |(name, ..)| name))?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_reads_back() {
        for (name, ..) in NAMES {
            for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
                for suffix in ["", "IfExists"] {
                    let written = format!("{prefix}{name}{suffix}");
                    match Operator::parse(&written) {
                        // `ArnLike` is written for both.
                        Ok(operator) if operator.test != Test::Arn => assert_eq!(operator.to_string(), written),
                        Ok(_) => {}
                        Err(_) => assert_eq!((name, suffix), ("Null", "IfExists")),
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_almost_an_operator_is_recognised() {
        #[track_caller]
        fn check(written: &str, meant: Option<&str>) {
            assert_eq!(Operator::parse(written).unwrap_err().as_deref(), meant, "{written}");
        }
        check("StringEqual", Some("StringEquals"));
        check("stringlike", Some("StringLike"));
        check("ForAnyValues:StringLike", Some("ForAnyValue:StringLike"));
        check("StringEqualIfExists", Some("StringEqualsIfExists"));
        check("forallvalues:ArnLikee", Some("ForAllValues:ArnLike"));
        check("Bogus", None);
        check("", None);
    }
}
