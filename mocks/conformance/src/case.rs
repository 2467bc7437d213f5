//! A case: what it is called, what it proves, what it costs, and what it does.

use futures::future::LocalBoxFuture;

use crate::World;

/// What a case costs on AWS. Nothing is charged by the fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Nothing: requests, and records that are free.
    Free,
    /// Instances for some minutes: less than this many cents in most regions.
    Cents(u32),
    /// As much, and an hour or more of waiting for AWS's clock.
    Hours(u32),
}

/// One thing that AWS does.
#[derive(Clone, Copy)]
pub struct Case {
    /// `FILE::WHAT`, unique.
    pub name: &'static str,
    /// The operations that it proves: `SERVICE:OPERATION`, the service as signatures name it.
    pub operations: &'static [&'static str],
    /// What it costs on AWS.
    pub cost: Cost,
    body: for<'a> fn(&'a World) -> LocalBoxFuture<'a, anyhow::Result<()>>,
}

impl Case {
    pub(crate) const fn new(
        name: &'static str,
        cost: Cost,
        operations: &'static [&'static str],
        body: for<'a> fn(&'a World) -> LocalBoxFuture<'a, anyhow::Result<()>>,
    ) -> Self {
        Self { name, operations, cost, body }
    }

    /// Runs it in `world`. What it made is still there then: [`World::clean`] removes it.
    ///
    /// # Errors
    /// What was not as AWS does it.
    pub async fn run(&self, world: &World) -> anyhow::Result<()> {
        (self.body)(world).await
    }
}

/// The cases of a file: `name (cost) [operations];` for each function of that name.
macro_rules! cases {
    ($file:literal: $($(#[doc = $doc:literal])* $name:ident ($cost:expr) [$($operation:literal),* $(,)?];)+) => {
        /// The cases of this file.
        pub(crate) const CASES: &[$crate::Case] = &[
            $($crate::case::Case::new(
                concat!($file, "::", stringify!($name)),
                $cost,
                &[$($operation),*],
                |world| Box::pin($name(world)),
            ),)+
        ];
    };
}
pub(crate) use cases;
