//! Whether IAM is enforced, and the record of what was asked of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::store::{Record, Records, Store};

/// How many questions are remembered. The oldest go first, so that a server that stays up does not grow.
const REMEMBERED: usize = 10_000;

/// Whether signatures are verified and every call is authorised.
#[derive(Default)]
pub struct Enforcement {
    on: AtomicBool,
    asked: Mutex<VecDeque<Asked>>,
}

/// Something that was asked of IAM.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who wanted to do what to which resource, with all condition keys.
    pub request: iam_policy::Request,
    /// Whether it was allowed.
    pub allowed: bool,
}

/// The mark of a state in which IAM is enforced, for whoever opens it next.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Mark {}

impl Record for Mark {
    const KIND: &'static str = "enforcement";
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

impl Mark {
    /// There is one.
    const KEY: &'static str = "iam";
}

impl Enforcement {
    /// As the state says.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub fn resume(store: &Store) -> Result<Self, ApiError> {
        let enforcement = Self::default();
        enforcement.go_on(store)?;
        Ok(enforcement)
    }

    /// As the state says that has taken the place of the one before.
    pub(crate) fn go_on(&self, store: &Store) -> Result<(), ApiError> {
        let on = store.read(|view| view.get::<Mark>(Mark::KEY))?.is_some();
        self.on.store(on, Ordering::SeqCst);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// From now on, and for whoever opens the state next.
    ///
    /// # Errors
    /// An internal failure when the store cannot be written.
    pub fn turn_on(&self, store: &Store) -> Result<(), ApiError> {
        if !self.on.swap(true, Ordering::SeqCst) {
            store.write(|change| change.put(&Mark {}))?;
        }
        Ok(())
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// What was asked while it was on, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(super) fn remember(&self, request: iam_policy::Request, allowed: bool) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() == REMEMBERED {
            asked.pop_front();
        }
        asked.push_back(Asked { request, allowed });
    }
}
