//! Patterns in which `*` stands for anything.

/// Whether `text` is what `pattern` says.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        fn check(pattern: &str, text: &str, expected: bool) {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:8f3a";
        check("*/sts-container:*", image, true);
        check("*/sts-container:*", "r/sts-container@sha256:ab", false);
        check("*/sts-container:*", "r/other-sts-container:1", false);
        check("List*", "ListModels", true);
        check("List*", "DescribeModel", false);
        check("*Model*", "CreateModelPackage", true);
        check("a*b*a", "aba", true);
        check("a*a", "a", false);
        check("a", "ab", false);
        check("*", "", true);
        check("", "", true);
    }
}
