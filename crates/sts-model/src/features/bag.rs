//! How often numbers occur: what two lists have in common, without sorting them.

use super::shares;

/// Numbers below the largest of 64 bits. Made to be used again: its memory is kept.
#[derive(Debug, Default)]
pub(super) struct Bag {
    /// A hash table with open addressing, at most half full, its length a power of two: each number plus one, 0 where
    /// there is none.
    numbers: Vec<u64>,
    /// How often.
    counts: Vec<u16>,
}

/// How many things two lists have, and how many in common, each as often as it is in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Common {
    pub common: usize,
    pub first: usize,
    pub second: usize,
}

impl Bag {
    /// Compares two lists of at most `length`, below 65,536, numbers.
    pub(super) fn common(
        &mut self,
        length: usize,
        first: impl Iterator<Item = u64>,
        second: impl Iterator<Item = u64>,
    ) -> Common {
        let length = (2 * length).next_power_of_two().max(2);
        self.numbers.clear();
        self.numbers.resize(length, 0);
        self.counts.clear();
        self.counts.resize(length, 0);
        let mut all = Common { common: 0, first: 0, second: 0 };
        for number in first {
            let place = place(&self.numbers, number);
            self.numbers[place] = number + 1;
            self.counts[place] += 1;
            all.first += 1;
        }
        for number in second {
            let count = &mut self.counts[place(&self.numbers, number)];
            let is_there = u16::from(*count > 0);
            *count -= is_there;
            all.common += usize::from(is_there);
            all.second += 1;
        }
        all
    }
}

impl Common {
    /// The smaller and the larger of the shares that the common part has.
    pub(super) fn shares(self) -> [f64; 2] {
        shares(self.common as f64, self.first as f64, self.second as f64)
    }
}

/// Where a number is in the table, or would be.
fn place(numbers: &[u64], number: u64) -> usize {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the number.
    let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut place = (hash >> (u64::BITS - numbers.len().trailing_zeros())) as usize;
    while numbers[place] != 0 && numbers[place] != number + 1 {
        place = (place + 1) & (numbers.len() - 1);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: &[u64], second: &[u64], expected: usize) {
        let mut bag = Bag::default();
        for (one, other) in [(first, second), (second, first)] {
            let expected = Common { common: expected, first: one.len(), second: other.len() };
            assert_eq!(bag.common(one.len(), one.iter().copied(), other.iter().copied()), expected);
        }
    }

    #[test]
    fn each_counts_as_often_as_it_is_in_both() {
        check(&[], &[], 0);
        check(&[0], &[], 0);
        check(&[0], &[0], 1);
        check(&[1, 2, 2, 2, 3], &[2, 3, 3, 2, 4], 3);
        check(&[u64::MAX - 1, 0, 1 << 63], &[1 << 63, u64::MAX - 1], 2);
        let many: Vec<u64> = (0..1000).map(|number| number << 40).collect();
        check(&many, &many[250..], 750);
    }
}
