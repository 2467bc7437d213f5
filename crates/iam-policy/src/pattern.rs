//! Text with wildcards and variables, and what it matches.

use crate::{context::Context, document::Policy};

/// A piece of a pattern whose variables are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Many,
}

/// Whether `?` and `*` mean more than themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Apply,
    AreText,
}

/// The pattern with its variables replaced, if it has any (documents of 2008 have none). What a variable stands for is text, never a pattern. `None`: a variable has no
/// value, so that nothing matches; its key is added to the missing ones.
pub(crate) fn expand(
    text: &str,
    variables: bool,
    wildcards: Wildcards,
    context: &Context,
    missing: &mut Vec<String>,
) -> Option<Vec<Token>> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut resolved = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables && let Some((variable, after)) = rest.strip_prefix("${").and_then(|inside| inside.split_once('}'))
        {
            rest = after;
            match value(variable, context) {
                Some(value) => tokens.extend(value.chars().map(Token::Char)),
                None => {
                    missing.push(key(variable).to_owned());
                    resolved = false;
                }
            }
            continue;
        }
        rest = &rest[c.len_utf8()..];
        tokens.push(match (c, wildcards) {
            ('?', Wildcards::Apply) => Token::One,
            ('*', Wildcards::Apply) => Token::Many,
            (c, _) => Token::Char(c),
        });
    }
    resolved.then_some(tokens)
}

impl Policy {
    /// The keys of the variables in one of its texts; documents of 2008 have no variables.
    pub(crate) fn variable_keys<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        let text = if self.variables { text } else { "" };
        let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
        inside.map(|(variable, _)| key(variable)).filter(|key| !matches!(*key, "*" | "?" | "$"))
    }
}

fn key(variable: &str) -> &str {
    variable.split_once(',').map_or(variable, |(key, _)| key).trim()
}

/// What stands for `${variable}`: the character itself for `*`, `?` and `$`, else the key's one value, else the default.
fn value<'a>(variable: &'a str, context: &'a Context) -> Option<&'a str> {
    if matches!(variable, "*" | "?" | "$") {
        return Some(variable);
    }
    let default = variable.split_once(',').and_then(|(_, default)| {
        let default = default.trim();
        default.strip_prefix('\'').and_then(|text| text.strip_suffix('\''))
    });
    // AWS: keys with several values cannot be variables.
    match context.get(key(variable)) {
        Some([value]) => Some(value),
        Some(_) => None,
        None => default,
    }
}

/// Whether the whole text is matched. Takes no longer than the product of both lengths.
pub(crate) fn matches(pattern: &[Token], text: &[char]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: the `*` swallows a character more. The stars before
    // it need no second look, since they matched as early as possible.
    let mut last_star = None;
    loop {
        match pattern.get(at) {
            Some(Token::Many) => {
                last_star = Some((at + 1, position));
                at += 1;
                continue;
            }
            Some(Token::One) if position < text.len() => {
                (at, position) = (at + 1, position + 1);
                continue;
            }
            Some(Token::Char(c)) if text.get(position) == Some(c) => {
                (at, position) = (at + 1, position + 1);
                continue;
            }
            None if position == text.len() => return true,
            _ => (),
        }
        match last_star {
            Some((after, from)) if from < text.len() => {
                last_star = Some((after, from + 1));
                (at, position) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

/// Whether an action matches a pattern; neither case matters.
pub(crate) fn action_matches(pattern: &str, action: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let lower = pattern.to_lowercase();
    let tokens: Vec<_> = lower.chars().map(wildcard).collect();
    let action: Vec<_> = action.to_lowercase().chars().collect();
    // The colon separates: a wildcard of the action does not reach into the service.
    let colon_in_pattern = tokens.iter().position(|token| *token == Token::Char(':'));
    let colon = action.iter().position(|c| *c == ':');
    match (colon_in_pattern, colon) {
        (Some(at), Some(position)) => {
            matches(&tokens[..at], &action[..position]) && matches(&tokens[at..], &action[position..])
        }
        _ => false,
    }
}

fn wildcard(c: char) -> Token {
    match c {
        '*' => Token::Many,
        '?' => Token::One,
        c => Token::Char(c),
    }
}

/// Whether a resource matches an element of `Resource`: everything matches `*`; else the six fields of the ARNs are
/// compared one by one. Variables are replaced in the last field alone.
pub(crate) fn resource_matches(
    pattern: &str,
    resource: &str,
    variables: bool,
    context: &Context,
    missing: &mut Vec<String>,
) -> bool {
    if pattern == "*" {
        return true;
    }
    let Some(fields) = arn_fields(resource) else { return false };
    let mut patterns = pattern.splitn(6, ':');
    // IAM User Guide, "IAM JSON policy elements: Resource": an ARN that ends early is completed with wildcards.
    for field in &fields[..5] {
        let pattern: Vec<_> = patterns.next().unwrap_or("*").chars().map(wildcard).collect();
        if !matches(&pattern, field) {
            return false;
        }
    }
    let last = patterns.next().unwrap_or("*");
    expand(last, variables, Wildcards::Apply, context, missing).is_some_and(|pattern| matches(&pattern, &fields[5]))
}

/// Whether an ARN matches the value of an `Arn...` condition, field by field.
pub(crate) fn arn_matches(pattern: &[Token], arn: &str) -> bool {
    let Some(fields) = arn_fields(arn) else { return false };
    let patterns: Vec<_> = pattern.splitn(6, |token| *token == Token::Char(':')).collect();
    fields.iter().enumerate().all(|(i, field)| matches(patterns.get(i).unwrap_or(&&[Token::Many][..]), field))
}

/// The six fields of an ARN.
fn arn_fields(arn: &str) -> Option<[Vec<char>; 6]> {
    let fields: Vec<Vec<char>> = arn.splitn(6, ':').map(|field| field.chars().collect()).collect();
    fields.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(pattern: &str) -> Vec<Token> {
        pattern.chars().map(wildcard).collect()
    }

    /// By the definition, without thinking of time.
    fn naive(pattern: &[Token], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((Token::Many, rest)), _) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            (Some((Token::One, rest)), Some((_, after))) => naive(rest, after),
            (Some((Token::Char(c), rest)), Some((d, after))) => c == d && naive(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let text: Vec<_> = text.chars().collect();
            prop_assert_eq!(matches(&tokens(&pattern), &text), naive(&tokens(&pattern), &text));
        }
    }

    #[test]
    fn hostile_patterns_take_no_exponential_time() {
        // By the definition this would take longer than the universe has.
        let text: Vec<_> = "a".repeat(20_000).chars().collect();
        assert!(!matches(&tokens(&format!("{}b", "a*".repeat(200))), &text));
        assert!(matches(&tokens(&"*a".repeat(200)), &text));
    }

    #[track_caller]
    fn check_expand(text: &str, variables: bool, expected: Option<&str>, missing: &[&str]) {
        let context = Context::new().with("aws:username", "jo*n").with_all("aws:TagKeys", ["a", "b"]);
        let mut keys = Vec::new();
        let tokens = expand(text, variables, Wildcards::AreText, &context, &mut keys);
        let found = tokens.map(|tokens| {
            let chars = tokens.iter().map(|token| match token {
                Token::Char(c) => *c,
                _ => panic!("a wildcard"),
            });
            chars.collect::<String>()
        });
        assert_eq!(
            (found.as_deref(), keys.iter().map(String::as_str).collect::<Vec<_>>()),
            (expected, missing.to_vec())
        );
    }

    #[test]
    fn variables_are_replaced_by_text() {
        const V2008: bool = false;
        const V2012: bool = true;
        check_expand("a/${aws:username}/*", V2012, Some("a/jo*n/*"), &[]);
        check_expand("${AWS:UserName}", V2012, Some("jo*n"), &[]);
        check_expand("${aws:username}", V2008, Some("${aws:username}"), &[]);
        check_expand("${*}${?}${$}{x}", V2012, Some("*?${x}"), &[]);
        check_expand("${aws:PrincipalTag/team, 'none'}", V2012, Some("none"), &[]);
        check_expand("${aws:username, 'none'}", V2012, Some("jo*n"), &[]);
        check_expand("${aws:PrincipalTag/team}", V2012, None, &["aws:PrincipalTag/team"]);
        check_expand("${aws:TagKeys}", V2012, None, &["aws:TagKeys"]);
        check_expand("${aws:username", V2012, Some("${aws:username"), &[]);
    }

    #[test]
    fn the_fields_of_an_arn_match_one_by_one() {
        #[track_caller]
        fn check(pattern: &str, arn: &str, expected: bool) {
            let context = Context::new().with("aws:username", "john");
            let found = resource_matches(pattern, arn, true, &context, &mut Vec::new());
            assert_eq!(found, expected, "{pattern} against {arn}");
        }
        check("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", true);
        check("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false);
        check("arn:aws:s3:::bucket", "arn:aws:s3:::Bucket", false);
        check("arn:aws:s3:::b?cket", "arn:aws:s3:::bucket", true);
        check("arn:aws:s3:::b?cket", "arn:aws:s3:::bcket", false);
        check("arn:aws:*:bucket", "arn:aws:s3:::bucket", false);
        check("arn:aws:s3*bucket", "arn:aws:s3:::bucket", false);
        check("arn:aws:sqs", "arn:aws:sqs:eu-west-1:111122223333:queue", true);
        check("arn:aws:sagemaker:*:*:pipeline/*/execution/*", "arn:aws:sagemaker:r:a:pipeline/p/execution/e", true);
        check("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/john/x", true);
        check("arn:aws:s3:::home/${aws:userid}/*", "arn:aws:s3:::home//x", false);
        check("*", "*", true);
        check("arn:aws:s3:::bucket", "*", false);
    }

    #[test]
    fn actions_match_whatever_the_case() {
        #[track_caller]
        fn check(pattern: &str, action: &str, expected: bool) {
            assert_eq!(action_matches(pattern, action), expected, "{pattern} against {action}");
        }
        check("s3:getobject", "S3:GetObject", true);
        check("S3:Get*", "s3:GetObject", true);
        check("s3:Get*", "s3:PutObject", false);
        check("s3:???Object", "s3:PutObject", true);
        check("s3:*", "s3-object-lambda:GetObject", false);
        check("*", "s3:GetObject", true);
        check("*:*", "s3:GetObject", true);
    }
}
