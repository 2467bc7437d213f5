//! How numbers are distributed, in flat memory: a KLL sketch as deequ writes it. Level by level, an item of a level stands
//! for twice as many numbers as one of the level below; up to [`K`] numbers are all there.

use serde::{Deserialize, Serialize};

use super::statistics::Bucket;

/// How many items the highest level holds.
pub const K: usize = 2048;

/// By how much each level below holds less.
const C: f64 = 0.64;

/// How many buckets of equal width there are.
pub const BUCKETS: usize = 10;

/// A sketch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    parameters: Parameters,
    data: Vec<Vec<f64>>,
    /// Which of two neighbours goes up next: the first or the second, in turn.
    #[serde(skip)]
    second: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Parameters {
    c: f64,
    k: f64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { parameters: Parameters { c: C, k: K as f64 }, data: vec![Vec::new()], second: false }
    }
}

impl Sketch {
    /// Takes a number in.
    pub fn add(&mut self, value: f64) {
        match self.data.first_mut() {
            Some(lowest) => lowest.push(value),
            None => self.data.push(vec![value]),
        }
        while let Some(level) = (0..self.data.len()).find(|level| self.data[*level].len() > self.capacity(*level)) {
            self.compact(level);
        }
    }

    /// How many items a level may hold.
    fn capacity(&self, level: usize) -> usize {
        let below = i32::try_from(self.data.len() - 1 - level).unwrap_or(i32::MAX);
        ((K as f64 * C.powi(below)).ceil() as usize).max(2)
    }

    /// Every second item goes up a level, for itself and its neighbour; an odd one stays.
    fn compact(&mut self, level: usize) {
        if level + 1 == self.data.len() {
            self.data.push(Vec::new());
        }
        let mut items = std::mem::take(&mut self.data[level]);
        items.sort_unstable_by(f64::total_cmp);
        if items.len() % 2 == 1
            && let Some(last) = items.pop()
        {
            self.data[level].push(last);
        }
        let up = items.into_iter().skip(usize::from(self.second)).step_by(2);
        self.data[level + 1].extend(up);
        self.second = !self.second;
    }

    /// The items in rising order, with what each of them weighs.
    fn weighed(&self) -> Vec<(f64, f64)> {
        let of_level = |(level, items): (usize, &Vec<f64>)| {
            let weight = 2_f64.powi(i32::try_from(level).unwrap_or(i32::MAX));
            items.iter().map(|item| (*item, weight)).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.data.iter().enumerate().flat_map(of_level).collect();
        all.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
        all
    }

    /// Buckets of equal width from the smallest number to the largest.
    #[must_use]
    pub fn buckets(&self, min: f64, max: f64) -> Vec<Bucket> {
        let items = self.weighed();
        let bound = |at: usize| min + (max - min) * at as f64 / BUCKETS as f64;
        let bucket = |at: usize| {
            let (lower_bound, upper_bound) = (bound(at), bound(at + 1));
            let last = at + 1 == BUCKETS;
            let inside = |item: f64| item >= lower_bound && (item < upper_bound || last);
            let count = items.iter().filter(|(item, _)| inside(*item)).map(|(_, weight)| weight).sum();
            Bucket { lower_bound, upper_bound, count }
        };
        (0..BUCKETS).map(bucket).collect()
    }

    /// The largest difference between the shares of numbers up to any number; 0 where one has none.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f64 {
        let (ours, theirs) = (self.weighed(), other.weighed());
        let sum = |items: &[(f64, f64)]| items.iter().map(|(_, weight)| weight).sum::<f64>();
        let (all, their_all) = (sum(&ours), sum(&theirs));
        if all == 0.0 || their_all == 0.0 {
            return 0.0;
        }
        let (mut at, mut their_at, mut below, mut theirs_below, mut largest) = (0, 0, 0.0, 0.0, 0.0_f64);
        while let (Some((item, _)), Some((their_item, _))) = (ours.get(at), theirs.get(their_at)) {
            let next = item.min(*their_item);
            while let Some((_, weight)) = ours.get(at).filter(|(item, _)| *item <= next) {
                below += weight;
                at += 1;
            }
            while let Some((_, weight)) = theirs.get(their_at).filter(|(item, _)| *item <= next) {
                theirs_below += weight;
                their_at += 1;
            }
            largest = largest.max((below / all - theirs_below / their_all).abs());
        }
        largest
    }
}

/// What is left of a distance between samples of these sizes once chance is taken off, as deequ takes it off.
#[must_use]
pub fn robust(distance: f64, size: u64, other: u64) -> f64 {
    let (n, m) = (size as f64, other as f64);
    if n == 0.0 || m == 0.0 { 0.0 } else { (distance - 1.8 * ((n + m) / (n * m)).sqrt()).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(values: impl IntoIterator<Item = u32>) -> Sketch {
        let mut sketch = Sketch::default();
        values.into_iter().for_each(|value| sketch.add(f64::from(value)));
        sketch
    }

    #[test]
    fn few_numbers_are_all_there() {
        let sketch = sketch(0..100);
        assert_eq!(sketch.data, [(0..100).map(f64::from).collect::<Vec<_>>()]);
        let counts: Vec<_> = sketch.buckets(0.0, 99.0).iter().map(|bucket| bucket.count).collect();
        assert_eq!(counts, [10.0; 10]);
    }

    #[test]
    fn many_numbers_keep_their_count_and_nearly_their_shares() {
        const MANY: u32 = 100_000;
        let sketch = sketch((0..MANY).map(|value| value.wrapping_mul(7919) % MANY));
        let items: usize = sketch.data.iter().map(Vec::len).sum();
        assert!(items < 4 * K, "{items}");
        let buckets = sketch.buckets(0.0, f64::from(MANY - 1));
        assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<f64>(), f64::from(MANY));
        assert!(buckets.iter().all(|bucket| (bucket.count - 10_000.0).abs() < 300.0), "{buckets:?}");
    }

    #[test]
    fn distances() {
        fn check(one: impl IntoIterator<Item = u32>, other: impl IntoIterator<Item = u32>, expected: f64) {
            let (one, other) = (sketch(one), sketch(other));
            assert!((one.distance(&other) - expected).abs() < 1e-12);
            assert!((other.distance(&one) - expected).abs() < 1e-12);
        }
        check(0..10, 0..10, 0.0);
        check(0..10, 100..110, 1.0);
        check(0..10, 5..15, 0.5);
        check([], 0..10, 0.0);
        // As deequ: 1.8 times the square root of 2 / 100.
        assert!((robust(0.5, 100, 100) - (0.5 - 1.8 * 0.02_f64.sqrt())).abs() < 1e-12);
        assert_eq!(robust(0.1, 100, 100), 0.0);
    }
}
