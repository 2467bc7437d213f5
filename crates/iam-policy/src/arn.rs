//! Amazon resource names, as far as policies look into them.

/// The partitions that there are.
pub(crate) const PARTITIONS: [&str; 7] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-eusc"];

/// The six fields: `arn`, partition, service, region, account, and the rest, which may hold colons of its own. A colon
/// within `${...}` divides nothing.
pub(crate) fn split(arn: &str) -> Option<[&str; 6]> {
    let mut fields = [""; 6];
    let mut rest = arn;
    for field in &mut fields[..5] {
        let colon = colon(rest)?;
        *field = &rest[..colon];
        rest = &rest[colon + 1..];
    }
    fields[5] = rest;
    Some(fields)
}

fn colon(text: &str) -> Option<usize> {
    let mut within = false;
    let mut former = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if former == b'$' => within = true,
            b'}' => within = false,
            b':' if !within => return Some(at),
            _ => {}
        }
        former = byte;
    }
    None
}

/// The account field, if it is one.
pub(crate) fn account(arn: &str) -> Option<&str> {
    split(arn).map(|fields| fields[4]).filter(|account| is_account(account))
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

pub(crate) fn is_partition(text: &str) -> bool {
    PARTITIONS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_six_fields() {
        #[track_caller]
        fn check(arn: &str, expected: Option<[&str; 6]>) {
            assert_eq!(split(arn), expected);
        }
        check("arn:aws:s3:::b/a:b", Some(["arn", "aws", "s3", "", "", "b/a:b"]));
        check(
            "arn:aws:iam::${aws:PrincipalAccount}:x",
            Some(["arn", "aws", "iam", "", "${aws:PrincipalAccount}", "x"]),
        );
        check("arn:aws:s3::b", None);
        check("*", None);
        assert_eq!(account("arn:aws:iam::111122223333:root"), Some("111122223333"));
        assert_eq!(account("arn:aws:s3:::b"), None);
    }
}
