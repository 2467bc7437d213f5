//! Idempotency tokens: the same request twice is done once and answered twice.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Change, Record, Records};

/// How long a token is remembered, in milliseconds of the fake's clock. AWS does not say; its services that do say
/// remember them for between eight hours and a day.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// A request that was done.
#[derive(Debug, Serialize, Deserialize)]
pub struct Token {
    region: String,
    operation: String,
    token: String,
    /// Of the input, so that another request with the same token is found out.
    input: String,
    answer: Value,
    time: Timestamp,
}

impl Record for Token {
    const KIND: &'static str = "idempotency-token";
    fn key(&self) -> String {
        key(&self.region, &self.operation, &self.token)
    }
}

fn key(region: &str, operation: &str, token: &str) -> String {
    format!("{region}/{operation}/{token}")
}

/// Does `act` unless a request with the same token and the same input was done before: then its answer is given again.
/// Without a token, `act` is always done. A failed `act` leaves no trace, so that a client may try again.
///
/// # Errors
/// Those of `act`; `ConflictException` when the token came before with another input.
pub fn once(
    context: &Context<'_>,
    operation: &str,
    token: Option<&str>,
    input: &Value,
    act: impl FnOnce(&mut Change<'_>) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let Some(token) = token else { return context.fake.store.write(act) };
    let now = context.fake.clock.now();
    let input = Sha256::digest(input.to_string()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    context.fake.store.write(|change| {
        let known = change.get::<Token>(&key(context.region, operation, token))?;
        match known.filter(|known| known.time.0 + REMEMBERED_MS > now.0) {
            Some(known) if known.input == input => Ok(known.answer),
            Some(_) => Err(ApiError::new(
                "ConflictException",
                format!(
                    "The client request token {token} was used before, in a {operation} request with other parameters."
                ),
            )),
            None => {
                let answer = act(change)?;
                let (region, operation, token) = (context.region.to_owned(), operation.to_owned(), token.to_owned());
                change.put(&Token { region, operation, token, input, answer: answer.clone(), time: now })?;
                Ok(answer)
            }
        }
    })
}
