//! Values of JSON as Python writes them: to arguments with `str`, and to variables with `json.dumps`.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// A hyperparameter as the toolkit reads it: a value of JSON, or else a string. A whole number that is too long for us stays
/// the string that it is, so that no digit is lost.
pub(super) fn loads(text: &str) -> Value {
    let value = serde_json::from_str(text).ok();
    let too_long =
        |value: &Value| value.is_f64() && text.trim().trim_start_matches('-').chars().all(|it| it.is_ascii_digit());
    value.filter(|value| !too_long(value)).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// `str(value)`; nothing for None, as the toolkit has it.
pub(super) fn argument(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let mut pairs: Vec<_> = members.iter().collect();
            pairs.sort_by_key(|(name, _)| *name);
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", string(value))).collect();
            pairs.join(",")
        }
        other => repr(other),
    }
}

/// What the toolkit puts into a variable.
pub(super) fn variable(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => dumps(other),
    }
}

/// `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)`.
pub(super) fn dumps(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(",");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => written(number),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(dumps).collect())),
        Value::Object(members) => {
            let mut pairs: Vec<_> = members.iter().collect();
            pairs.sort_by_key(|(name, _)| *name);
            format!(
                "{{{}}}",
                joined(pairs.iter().map(|(name, value)| format!("{}:{}", quoted(name), dumps(value))).collect())
            )
        }
    }
}

/// `str(value)`.
fn string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// `repr(value)`.
pub(super) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => written(number),
        Value::String(text) => {
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let mut written = String::from(quote);
            for character in text.chars() {
                match character {
                    '\\' => written.push_str("\\\\"),
                    '\n' => written.push_str("\\n"),
                    '\r' => written.push_str("\\r"),
                    '\t' => written.push_str("\\t"),
                    character if character == quote => written.extend(['\\', quote]),
                    character if is_printable(character) => written.push(character),
                    character => {
                        let code = u32::from(character);
                        // Writing to a string does not fail.
                        let _ = match code {
                            0..=0xff => write!(written, "\\x{code:02x}"),
                            0x100..=0xffff => write!(written, "\\u{code:04x}"),
                            _ => write!(written, "\\U{code:08x}"),
                        };
                    }
                }
            }
            written.push(quote);
            written
        }
        Value::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let pairs =
                members.iter().map(|(name, value)| format!("{}: {}", repr(&Value::from(name.as_str())), repr(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Whether Python prints a character as it is. Rust escapes the same ones, and marks that have nothing to stand on.
fn is_printable(character: char) -> bool {
    !format!("_{character}").escape_debug().to_string().contains("\\u{")
}

/// A number: floats with the fewest digits that give them back, and an exponent below 1e-4 and from 1e16.
fn written(number: &Number) -> String {
    let Some(value) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        exponent @ -4..16 => {
            let _ = exponent;
            let plain = value.to_string();
            if plain.contains('.') { plain } else { format!("{plain}.0") }
        }
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

/// A string of JSON in ASCII.
fn quoted(text: &str) -> String {
    let mut written = String::from('"');
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '\u{8}' => written.push_str("\\b"),
            '\u{c}' => written.push_str("\\f"),
            ' '..='~' => written.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(written, "\\u{unit:04x}");
                }
            }
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected texts are what Python 3.11 prints for `str(json.loads(x))` and the `json.dumps` above.
    #[test]
    fn as_python_writes_it() {
        fn check(json: &str, str: &str, dumps: &str) {
            let value = loads(json);
            assert_eq!((argument(&value).as_str(), super::dumps(&value).as_str()), (str, dumps), "{json}");
        }
        check("1", "1", "1");
        check("1.0", "1.0", "1.0");
        check("1e-5", "1e-05", "1e-05");
        check("0.0001", "0.0001", "0.0001");
        check("1e16", "1e+16", "1e+16");
        check("123456789012345.6", "123456789012345.6", "123456789012345.6");
        check("1.5e300", "1.5e+300", "1.5e+300");
        check("true", "True", "true");
        check("null", "", "null");
        check("\"adam\"", "adam", "\"adam\"");
        check("adam", "adam", "\"adam\"");
        check("\"\"", "", "\"\"");
        check("[1, 2.5, \"a\"]", "[1, 2.5, 'a']", "[1,2.5,\"a\"]");
        check("[\"it's\", true, null]", "[\"it's\", True, None]", "[\"it's\",true,null]");
        check("{\"b\": 1, \"a\": [\"x\"]}", "a=['x'],b=1", "{\"a\":[\"x\"],\"b\":1}");
        check("123456789012345678901", "123456789012345678901", "\"123456789012345678901\"");
        check(
            r#"["é", "\u0001", "\u007f", "\u00ad", "\u200b", "e\u0301"]"#,
            r"['é', '\x01', '\x7f', '\xad', '\u200b', 'é']",
            r#"["\u00e9","\u0001","\u007f","\u00ad","\u200b","e\u0301"]"#,
        );
        check("\"é😀\\n\"", "é😀\n", "\"\\u00e9\\ud83d\\ude00\\n\"");
    }
}
