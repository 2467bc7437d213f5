//! AWS's query protocol: a form goes, XML comes.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

use super::{Answer, Client, ServiceError, post, refused};

/// The input: names like `ActionNames.member.1`, and their values.
pub type Form = Vec<(String, String)>;

/// A list of the input, as the protocol numbers it.
pub fn members<'a>(name: &'a str, values: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (String, String)> {
    values.into_iter().enumerate().map(move |(at, value)| (format!("{name}.member.{}", at + 1), value.to_owned()))
}

impl Client {
    /// Calls `operation` of the API `version`, e.g. `GetRole` of `2010-05-08`. The answer is the operation's result: a
    /// structure is an object, a list an array, and all else a text.
    ///
    /// # Errors
    /// As any SDK's: the service's refusal, or why there is no answer.
    pub async fn ask(&self, version: &str, operation: &str, form: &Form) -> Answer<Value> {
        let head = [("Action".to_owned(), operation.to_owned()), ("Version".to_owned(), version.to_owned())];
        let body = serde_urlencoded::to_string(head.iter().chain(form).collect::<Vec<_>>());
        let body = body.map_err(SdkError::construction_failure)?.into_bytes();
        let request = post("application/x-www-form-urlencoded").body(body).map_err(SdkError::construction_failure)?;
        self.send(operation, request, read).await
    }
}

fn read(response: &HttpResponse) -> Result<Value, OrchestratorError<ServiceError>> {
    let text = std::str::from_utf8(response.body().bytes().unwrap_or_default()).unwrap_or_default();
    let value = parse(text);
    if response.status().is_success() {
        let result = |value: Value| match value {
            Value::Object(members) => members.into_iter().find(|(name, _)| name.ends_with("Result")).map(|(_, it)| it),
            _ => None,
        };
        return Ok(value.map_err(OrchestratorError::other)?.and_then(result).unwrap_or_default());
    }
    let error = value.ok().flatten().unwrap_or_default();
    let text = |name: &str| error["Error"][name].as_str().map(str::to_owned);
    Err(refused(text("Code"), text("Message"), response))
}

/// An element that is open: what has come of it so far.
#[derive(Default)]
struct Open {
    name: String,
    text: String,
    members: Map<String, Value>,
    list: Option<Vec<Value>>,
}

impl Open {
    fn value(self) -> Value {
        match (self.list, self.members.is_empty()) {
            (Some(list), _) => Value::Array(list),
            (None, false) => Value::Object(self.members),
            (None, true) => Value::String(self.text),
        }
    }
}

/// The value of the root element; nothing if there is none. Attributes are of no interest.
fn parse(text: &str) -> Result<Option<Value>, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                open.push(Open { name, ..Open::default() });
            }
            Event::Empty(empty) => {
                let name = String::from_utf8_lossy(empty.local_name().as_ref()).into_owned();
                let Some(parent) = open.last_mut() else { return Ok(Some(Value::Null)) };
                close(parent, Open { name, ..Open::default() });
            }
            Event::End(_) => match (open.pop(), open.last_mut()) {
                (Some(done), Some(parent)) => close(parent, done),
                (done, None) => return Ok(done.map(Open::value)),
                (None, Some(_)) => {}
            },
            Event::Text(text) => {
                if let Some(open) = open.last_mut() {
                    open.text.push_str(&text.decode()?);
                }
            }
            Event::CData(text) => {
                if let Some(open) = open.last_mut() {
                    open.text.push_str(&text.decode()?);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(open) = open.last_mut() {
                    open.text.push_str(&resolve(&reference)?);
                }
            }
            Event::Eof => return Ok(None),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// `&lt;` or `&#10;`.
fn resolve(reference: &BytesRef<'_>) -> Result<String, quick_xml::Error> {
    if let Some(letter) = reference.resolve_char_ref()? {
        return Ok(letter.to_string());
    }
    Ok(resolve_predefined_entity(&reference.decode()?).unwrap_or_default().to_owned())
}

fn close(parent: &mut Open, done: Open) {
    // A list's elements have one name, and no structure has a member of it.
    if done.name == "member" {
        parent.list.get_or_insert_default().push(done.value());
    } else {
        parent.members.insert(done.name.clone(), done.value());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_as_what_it_holds() {
        let check =
            |text: &str, expected: Value| assert_eq!(parse(text).unwrap().unwrap_or_default(), expected, "{text}");
        check(
            "<?xml version=\"1.0\"?><R xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetResult>\n  <Role><Name>a &lt;b&gt; &#228;</Name>\
             <Path>/</Path></Role><Tags/></GetResult></R>",
            json!({"GetResult": {"Role": {"Name": "a <b> \u{e4}", "Path": "/"}, "Tags": ""}}),
        );
        check(
            "<R><L><member>a</member><member><K>1</K></member></L><IsTruncated>false</IsTruncated></R>",
            json!({"L": ["a", {"K": "1"}], "IsTruncated": "false"}),
        );
        check("", Value::Null);
        assert!(parse("<R><A></R>").is_err());
    }

    #[test]
    fn lists_are_numbered_from_one() {
        let listed: Form = members("ActionNames", ["s3:GetObject", "s3:PutObject"]).collect();
        let expected = [("ActionNames.member.1", "s3:GetObject"), ("ActionNames.member.2", "s3:PutObject")];
        assert_eq!(listed, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
