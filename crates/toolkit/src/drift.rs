//! A shift of the distribution that traffic comes from: sentences that are less alike than those the model has learnt
//! from, whether they are paraphrases or not.
//!
//! Each feature moves by as many of its standard deviations as is asked for, in proportion to how much it goes with the
//! label, and towards what speaks against a paraphrase. Nothing is drawn: the same rows drift in the same way.

use sts_model::rows::Dataset;

/// By how much each feature moves for a drift of one standard deviation.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift(Vec<f64>);

impl Drift {
    /// Measures the rows.
    #[must_use]
    pub fn of(rows: &Dataset) -> Self {
        let count = rows.len().max(1) as f64;
        let labels = || rows.labels().iter().map(|label| f64::from(u8::from(*label)));
        let label_mean = labels().sum::<f64>() / count;
        let label_deviation = (label_mean * (1.0 - label_mean)).sqrt();
        let shift = |column: usize| {
            let values = || rows.features().map(|row| row[column]);
            let mean = values().sum::<f64>() / count;
            let covariance =
                values().zip(labels()).map(|(value, label)| (value - mean) * (label - label_mean)).sum::<f64>() / count;
            // Standard deviation times correlation.
            if label_deviation > 0.0 { -covariance / label_deviation } else { 0.0 }
        };
        Self((0..rows.columns()).map(shift).collect())
    }

    /// A row that has drifted by so many standard deviations.
    #[must_use]
    pub fn applied(&self, row: &[f64], deviations: f64) -> Vec<f64> {
        row.iter().zip(&self.0).map(|(value, shift)| value + deviations * shift).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_moves_against_the_label_as_far_as_it_goes_with_it() {
        let mut rows = Dataset::new(3);
        // The first goes with the label, the second against it, the third with nothing.
        for (label, row) in
            [(true, [1.0, 0.0, 5.0]), (false, [0.0, 2.0, 5.0]), (true, [1.0, 0.0, 5.0]), (false, [0.0, 2.0, 5.0])]
        {
            rows.push(label, &row).unwrap();
        }
        // Standard deviations of 1/2 and 1, correlations of 1 and -1.
        assert_eq!(Drift::of(&rows).applied(&[1.0, 0.0, 5.0], 2.0), [0.0, 2.0, 5.0]);
        assert_eq!(Drift::of(&rows).applied(&[1.0, 0.0, 5.0], 0.0), [1.0, 0.0, 5.0]);
    }

    #[test]
    fn labels_that_are_all_the_same_tell_nothing() {
        let mut rows = Dataset::new(1);
        rows.push(true, &[1.0]).unwrap();
        assert_eq!(Drift::of(&rows).applied(&[1.0], 3.0), [1.0]);
    }
}
