//! `faults`: the rules by which things go wrong.
//!
//! | request | answer |
//! |---|---|
//! | `GET faults` | the rules in force, oldest first, each with its `id`, how many calls or jobs it has `seen`, and on how many it has `acted` |
//! | `POST faults` | the same, after the rule or list of rules in the body was put in force: all of them or none |
//! | `DELETE faults` | the same, after all were lifted |
//! | `DELETE faults/ID` | the same, after that one was |

use http::{Method, StatusCode};
use serde_json::Value;

use crate::faults::Rule;
use crate::{ApiError, Fake};

/// Answers a request; `id` is what follows `faults/` in its path, if something does.
///
/// # Errors
/// `ValidationException` with what is wrong with a rule; `NotFound`.
pub(super) fn answer(fake: &Fake, method: &Method, id: Option<&str>, body: &[u8]) -> Result<Value, ApiError> {
    match (method, id) {
        (&Method::GET, None) => {}
        (&Method::POST, None) => {
            for rule in rules(body)? {
                fake.faults.add(rule).map_err(|error| ApiError::validation(error.to_string()))?;
            }
        }
        (&Method::DELETE, None) => fake.faults.clear(),
        (&Method::DELETE, Some(id)) => {
            if !id.parse().is_ok_and(|id| fake.faults.remove(id)) {
                return Err(not_found(format!("there is no fault {id}")));
            }
        }
        _ => {
            return Err(not_found(format!(
                "faults take GET, POST and DELETE, and faults/ID takes DELETE; not {method}"
            )));
        }
    }
    serde_json::to_value(fake.faults.list()).map_err(ApiError::internal)
}

/// One rule, or a list of them.
fn rules(body: &[u8]) -> Result<Vec<Rule>, ApiError> {
    let wrong = |error: serde_json::Error| ApiError::validation(error.to_string());
    match serde_json::from_slice(body).map_err(wrong)? {
        list @ Value::Array(_) => serde_json::from_value(list).map_err(wrong),
        one => serde_json::from_value(one).map(|rule| vec![rule]).map_err(wrong),
    }
}

fn not_found(message: String) -> ApiError {
    ApiError::new("NotFound", message).with_status(StatusCode::NOT_FOUND)
}
