//! Ids that AWS would make up. From a seed they are the same every time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A source of ids. Its clones draw from the same.
#[derive(Clone)]
pub struct Ids(Arc<Mutex<fastrand::Rng>>);

impl Ids {
    /// Different ids every time, from the system's randomness if it has any to give.
    #[must_use]
    pub fn random() -> Self {
        Self::drawing(getrandom::u64().map_or_else(|_| fastrand::Rng::new(), fastrand::Rng::with_seed))
    }

    /// The same ids every time, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::drawing(fastrand::Rng::with_seed(seed))
    }

    fn drawing(rng: fastrand::Rng) -> Self {
        Self(Arc::new(Mutex::new(rng)))
    }

    /// `length` of `[a-z0-9]`: the id of a pipeline execution is one of 12.
    pub fn lower(&self, length: usize) -> String {
        self.draw(length, b"abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// `length` of `[A-Za-z0-9]`: the end of a job's name is one of 10.
    pub fn alphanumeric(&self, length: usize) -> String {
        self.draw(length, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// `length` of `[A-Z2-7]`: the end of an access key is one of 16, of an IAM id one of 17.
    pub fn base32(&self, length: usize) -> String {
        self.draw(length, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    }

    /// `length` of `[0-9a-f]`: the end of a monitoring job's name is one of 24.
    pub fn hex(&self, length: usize) -> String {
        self.draw(length, HEX)
    }

    /// A random UUID (version 4), as request ids are.
    pub fn uuid(&self) -> String {
        let mut rng = self.rng();
        let hex = draw(&mut rng, 32, HEX);
        let variant = draw(&mut rng, 1, b"89ab");
        [&hex[..8], "-", &hex[8..12], "-4", &hex[13..16], "-", &variant, &hex[17..20], "-", &hex[20..]].concat()
    }

    /// At least 0 and less than 1: which of several is meant, or whether one is.
    pub fn fraction(&self) -> f64 {
        self.rng().f64()
    }

    fn draw(&self, length: usize, alphabet: &[u8]) -> String {
        draw(&mut self.rng(), length, alphabet)
    }

    fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const HEX: &[u8] = b"0123456789abcdef";

fn draw(rng: &mut fastrand::Rng, length: usize, alphabet: &[u8]) -> String {
    (0..length).map(|_| char::from(alphabet[rng.usize(..alphabet.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids() {
        let (one, other) = (Ids::seeded(7), Ids::seeded(7));
        assert_eq!(one.lower(12), other.lower(12));
        assert_ne!(one.lower(12), one.lower(12));
    }

    #[test]
    fn a_uuid_is_of_version_4() {
        let pattern =
            regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
        let uuid = Ids::random().uuid();
        assert!(pattern.is_match(&uuid), "{uuid}");
    }
}
