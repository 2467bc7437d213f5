//! The doors: how a request gets in. All of them lead to the same account.
