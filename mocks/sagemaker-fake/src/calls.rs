//! The record of calls: who asked for what. Tests prove identities, tags and the absence of calls from it.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::coverage::Tally;

/// How many calls are remembered. The oldest go first, so that a server that stays up does not grow.
const REMEMBERED: usize = 10_000;

/// One request that reached an operation.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// The fake's time of the call.
    pub time: Timestamp,
    /// The service, e.g. `sagemaker`, `s3`, `sts`.
    pub service: String,
    /// The operation, e.g. `CreatePipeline`.
    pub operation: String,
    /// The region that the request was signed for.
    pub region: String,
    /// The caller's ARN.
    pub caller: String,
    /// The tags of the caller's session.
    pub session_tags: Vec<(String, String)>,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// AWS's code if the call was refused.
    pub error: Option<String>,
    /// What went wrong with it on request, as [rules](crate::faults::Rule) call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

/// The calls that were made, oldest first. It lives in memory only: reading state must not change it.
#[derive(Default)]
pub struct CallLog {
    calls: Mutex<VecDeque<Call>>,
    /// All calls, counted, those that are forgotten too.
    pub tally: Tally,
}

impl CallLog {
    /// Remembers one more.
    pub fn push(&self, call: Call) {
        self.tally.count(&call);
        let mut calls = self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if calls.len() == REMEMBERED {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// What is remembered, oldest first.
    pub fn snapshot(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter().cloned().collect()
    }

    /// Forgets them; the tally goes on.
    pub(crate) fn clear(&self) {
        self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    /// The newest call that is remembered of a caller whose ARN begins like this.
    pub fn last_of(&self, caller: &str) -> Option<Call> {
        let calls = self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        calls.iter().rev().find(|call| call.caller.starts_with(caller)).cloned()
    }
}
