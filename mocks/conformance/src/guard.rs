//! What keeps the suite out of accounts that nobody meant.

use anyhow::{bail, ensure};

/// The variable that lists the accounts in which the suite may run: twelve digits each, commas between.
pub const ACCOUNTS: &str = "STSMM_LIVE_TESTS_ACCOUNTS";

/// Who calls, as AWS STS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// Whether `account`, which was named on the command line, is on the list of accounts. Asks nobody.
///
/// # Errors
/// What is missing, and how to say it.
pub fn named(account: Option<&str>, allowed: Option<&str>) -> anyhow::Result<String> {
    let Some(account) = account else {
        bail!(
            "which account? name it twice, so that it is meant: `--account 123456789012`, and {ACCOUNTS}=123456789012"
        );
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(is_account, "`{account}` is no account: an account is named by twelve digits");
    let allowed = allowed.unwrap_or_default();
    let listed = allowed.split(',').any(|listed| listed.trim() == account);
    ensure!(
        listed,
        "{account} is not among the accounts of {ACCOUNTS} (`{allowed}`): add it if resources may be made and charged there"
    );
    Ok(account.to_owned())
}

/// Whether the caller is of the account that was named, and is not its root.
///
/// # Errors
/// When it is not.
pub fn admitted(caller: &Caller, account: &str) -> anyhow::Result<()> {
    let Caller { account: actual, arn } = caller;
    ensure!(actual == account, "the credentials are of account {actual} ({arn}), and `--account` says {account}");
    ensure!(
        !arn.ends_with(":root"),
        "the credentials are those of the account's root, who could not be held to anything: use a role"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_twice() {
        let check = |account, allowed, expected: &str| match named(account, allowed) {
            Ok(account) => assert_eq!(account, expected),
            Err(error) => assert!(!expected.is_empty() && error.to_string().contains(expected), "{error}"),
        };
        check(Some("111122223333"), Some("444455556666, 111122223333"), "111122223333");
        check(None, Some("111122223333"), "which account?");
        check(Some("1111"), Some("1111"), "twelve digits");
        check(Some("111122223333"), None, "is not among the accounts of STSMM_LIVE_TESTS_ACCOUNTS");
        check(Some("111122223333"), Some("1111222233334"), "is not among");
    }

    #[test]
    fn only_the_account_that_was_named_and_never_its_root() {
        let check = |arn: &str, expected: Option<&str>| {
            let caller = Caller { account: "111122223333".to_owned(), arn: arn.to_owned() };
            let error = admitted(&caller, "111122223333").err().map(|error| error.to_string());
            assert_eq!(error.is_some(), expected.is_some(), "{error:?}");
            assert!(expected.is_none_or(|part| error.unwrap().contains(part)), "{arn}");
        };
        check("arn:aws:sts::111122223333:assumed-role/tester/me", None);
        check("arn:aws:iam::111122223333:root", Some("root"));
        let other = Caller { account: "444455556666".to_owned(), arn: "arn:aws:iam::444455556666:user/x".to_owned() };
        assert!(admitted(&other, "111122223333").unwrap_err().to_string().contains("account 444455556666"));
    }
}
