//! Curves over all thresholds, in the form of Spark's `BinaryClassificationMetrics`, which the monitor runs on.

use crate::{
    regression::share,
    samples::{Membership, SETS, sets},
    statistics::Measure,
};

/// Curves of twice as many points or more are thinned out to about so many, as Spark does.
const BINS: usize = 1000;

/// The bit of a row's flags that says whether it is positive; those below are its membership.
const POSITIVE: u8 = 1 << SETS;

/// A row's score, and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    score: f64,
    flags: u8,
}

impl Row {
    pub(super) fn new(score: f64, positive: bool, membership: Membership) -> Self {
        Self { score, flags: membership | if positive { POSITIVE } else { 0 } }
    }

    fn is_positive(self) -> bool {
        self.flags & POSITIVE != 0
    }
}

/// How many negative and positive rows have a score or a higher one.
type Point = (u64, u64);

/// By falling score.
pub(super) fn sort(rows: &mut [Row]) {
    rows.sort_unstable_by(|row, other| other.score.total_cmp(&row.score));
}

/// For each distinct score of sorted rows, or for about [`BINS`] of them.
pub(super) fn points(rows: &[Row]) -> Vec<Point> {
    let (mut negatives, mut positives) = (0, 0);
    let points = same_score(rows).map(|group| {
        let count = group.iter().filter(|row| row.is_positive()).count();
        positives += count as u64;
        negatives += (group.len() - count) as u64;
        (negatives, positives)
    });
    let points: Vec<Point> = points.collect();
    let together = (points.len() / BINS).max(1);
    points.chunks(together).filter_map(|chunk| chunk.last().copied()).collect()
}

pub(super) fn roc(points: &[Point]) -> Measure {
    let (negatives, positives) = points.last().copied().unwrap_or_default();
    let ends = |rates: &mut dyn Iterator<Item = f64>| [0.0].into_iter().chain(rates).chain([1.0]).collect();
    Measure::RocCurve {
        false_positive_rates: ends(&mut points.iter().map(|point| share(point.0 as f64, negatives as f64))),
        true_positive_rates: ends(&mut points.iter().map(|point| share(point.1 as f64, positives as f64))),
    }
}

pub(super) fn precision_recall(points: &[Point]) -> Measure {
    let (_, positives) = points.last().copied().unwrap_or_default();
    let precision = |point: &Point| share(point.1 as f64, (point.0 + point.1) as f64);
    let recalls = points.iter().map(|point| share(point.1 as f64, positives as f64));
    Measure::PrecisionRecallCurve {
        precisions: points.first().into_iter().chain(points).map(precision).collect(),
        recalls: [0.0].into_iter().chain(recalls).collect(),
    }
}

/// The area under the ROC curve of each set: the probability that a positive row is ranked above a negative one, ties
/// counting half. A ratio of two counts, and so exact. Without negative rows it is 1, without positive ones 0: what
/// trapezoids make of Spark's curve, whose rate over nothing is 0.
pub(super) fn areas(rows: &[Row]) -> [f64; SETS] {
    let mut points = [(0_u64, 0_u64); SETS];
    let mut twice_the_areas = [0_u128; SETS];
    for group in same_score(rows) {
        let before = points;
        for row in group {
            for set in sets(row.flags & (POSITIVE - 1)) {
                if row.is_positive() {
                    points[set].1 += 1;
                } else {
                    points[set].0 += 1;
                }
            }
        }
        for set in 0..SETS {
            let (width, heights) = (points[set].0 - before[set].0, points[set].1 + before[set].1);
            twice_the_areas[set] += u128::from(width) * u128::from(heights);
        }
    }
    std::array::from_fn(|set| match points[set] {
        (0, _) => 1.0,
        (_, 0) => 0.0,
        (negatives, positives) => twice_the_areas[set] as f64 / 2.0 / (negatives as f64 * positives as f64),
    })
}

fn same_score(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|row, next| row.score == next.score)
}
