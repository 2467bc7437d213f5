//! Standard deviations as the monitor reports them: "randomly sampling 80% of the data 5 times, computing the metric, and
//! taking the standard deviation" (its documentation). A row is in a sample with probability 0.8, as Spark samples; all
//! metrics are of the same five samples. The monitor's samples differ from run to run, ours follow from the row's place.

use crate::statistics::Metric;

/// Metrics of fewer rows have no standard deviation.
pub const SAMPLED_FROM: u64 = 200;

const SAMPLES: usize = 5;
const SHARE: f64 = 0.8;
const SEED: u64 = 5;

/// The set of all rows, and the samples.
pub(crate) const SETS: usize = 1 + SAMPLES;

/// In which sets a row is: bit 0 is that of all rows.
pub(crate) type Membership = u8;

/// Deals rows out to the sets.
#[derive(Debug)]
pub(crate) struct Sampler {
    random: SplitMix64,
}

impl Sampler {
    pub(crate) fn new() -> Self {
        Self { random: SplitMix64(SEED) }
    }

    /// Where the next row belongs.
    pub(crate) fn next(&mut self) -> Membership {
        (1..SETS).fold(1, |sets, set| sets | (Membership::from(self.random.unit() < SHARE) << set))
    }
}

/// The sets in which a row is.
pub(crate) fn sets(membership: Membership) -> impl Iterator<Item = usize> {
    (0..SETS).filter(move |set| membership >> set & 1 == 1)
}

/// A metric, of its value for each of the sets.
pub(crate) fn metric(rows: u64, values: [f64; SETS]) -> Metric {
    let [value, samples @ ..] = values;
    let mean = samples.iter().sum::<f64>() / SAMPLES as f64;
    let variance = samples.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / SAMPLES as f64;
    Metric { value, standard_deviation: (rows >= SAMPLED_FROM).then(|| variance.sqrt()) }
}

/// Steele, Lea and Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014. Our own, so that an update of a
/// library does not change what is reported.
#[derive(Debug)]
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_splitmix64() {
        // The first outputs for this seed of the reference implementation in C (Vigna, prng.di.unimi.it/splitmix64.c).
        let mut random = SplitMix64(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([(); 3].map(|()| random.next()), expected);
    }

    #[test]
    fn samples_have_four_fifths_of_the_rows() {
        let mut sampler = Sampler::new();
        let mut counts = [0_u32; SETS];
        (0..10_000).for_each(|_| sets(sampler.next()).for_each(|set| counts[set] += 1));
        assert_eq!(counts[0], 10_000);
        // Four standard deviations of 40.
        assert!(counts[1..].iter().all(|count| count.abs_diff(8_000) < 160), "{counts:?}");
    }

    #[test]
    fn deviations_are_of_the_samples_alone() {
        let values = [9.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(metric(200, values), Metric { value: 9.0, standard_deviation: Some(2_f64.sqrt()) });
        assert_eq!(metric(199, values).standard_deviation, None);
    }
}
