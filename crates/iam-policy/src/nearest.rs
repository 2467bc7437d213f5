//! What was probably meant by a name that is none.

/// The candidate that differs least from what was written, if it differs little.
pub(crate) fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let limit = (written.chars().count() / 3).min(4);
    let distance = |candidate: &str| match candidate.eq_ignore_ascii_case(written) {
        true => 0,
        false => strsim::osa_distance(candidate, written),
    };
    let candidates = candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST);
    let near = candidates.map(|candidate| (distance(candidate), candidate)).filter(|(distance, _)| *distance <= limit);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_nearest_is_meant() {
        fn check(written: &str, candidates: &[&str], expected: Option<&str>) {
            assert_eq!(nearest(written, candidates.iter().copied()), expected, "{written}");
        }
        check("Trian", &["Evaluate", "Train"], Some("Train"));
        check("TRAINMODEL", &["TrainModels", "trainModel"], Some("trainModel"));
        check("ab", &["ac"], None);
        check("Tune", &["Tuna", "Tone"], Some("Tuna"));
        check(&"x".repeat(65), &[&"x".repeat(65)], None);
        check("x", &[], None);
    }
}
