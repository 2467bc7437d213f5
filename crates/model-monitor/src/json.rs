//! JSON as the monitor's container prints it: Jackson's pretty printer, and numbers as Java writes them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

/// A document, without a line end after it.
pub(crate) fn document(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    // Our own values can be written, and memory takes them.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, Jackson::default()));
    String::from_utf8(text).unwrap_or_default()
}

/// A number as Java's `Double.toString` writes it: the shortest digits that mean this number, with an exponent below
/// 0.001 and from 10 million on.
pub(crate) fn java_double(value: f64) -> String {
    let size = value.abs();
    if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if size == 0.0 || value.is_nan() || (1e-3..1e7).contains(&size) {
        format!("{value:?}")
    } else {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        format!("{digits}{point}E{exponent}")
    }
}

/// `DefaultPrettyPrinter`: members of objects on lines of their own, items of lists beside each other.
#[derive(Debug, Default)]
struct Jackson {
    depth: usize,
    /// Whether the object that ends has had a member.
    filled: bool,
}

impl Jackson {
    fn line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Jackson {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(java_double(value).as_bytes())
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" ]")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.line(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.filled {
            self.line(writer)?;
        } else {
            writer.write_all(b" ")?;
        }
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_javas() {
        #[track_caller]
        fn check(value: f64, expected: &str) {
            assert_eq!(java_double(value), expected);
        }
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(1.0, "1.0");
        check(5.092682820403929e-4, "5.092682820403929E-4");
        check(0.001, "0.001");
        check(0.001_f64.next_down(), "9.999999999999998E-4");
        check(1e-300, "1.0E-300");
        check(9_999_999.5, "9999999.5");
        check(1e7, "1.0E7");
        check(-12_345_678.9, "-1.23456789E7");
        check(0.30000000000000004, "0.30000000000000004");
        check(f64::NAN, "NaN");
        check(f64::INFINITY, "Infinity");
        check(f64::NEG_INFINITY, "-Infinity");
    }

    #[test]
    fn documents_are_jacksons() {
        let value = json!({"a": 1, "b": [], "c": {}, "d": [0.5, 1e-4], "e": [{"f": "g"}, {"h": [{}]}]});
        let expected = "{\n  \"a\" : 1,\n  \"b\" : [ ],\n  \"c\" : { },\n  \"d\" : [ 0.5, 1.0E-4 ],\n  \"e\" : [ {\n    \"f\" : \"g\"\n  }, {\n    \"h\" : [ { } ]\n  } ]\n}";
        assert_eq!(document(&value), expected);
        assert_eq!(document(&json!([])), "[ ]");
    }

    proptest! {
        #[test]
        fn numbers_read_back(value: f64) {
            let read: f64 = java_double(value).replace("Infinity", "inf").parse().unwrap();
            prop_assert!(read == value || value.is_nan());
        }
    }
}
