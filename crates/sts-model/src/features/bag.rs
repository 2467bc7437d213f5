//! How often numbers occur: what two lists have in common, without sorting them.

/// Numbers, each as often as it is in the bag. Made to be used again: its memory is kept.
#[derive(Debug, Default)]
pub(super) struct Bag {
    /// A hash table with open addressing, at most half full. Its length is a power of two.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: u64,
    /// How many are in the bag.
    count: u32,
    is_used: bool,
}

impl Bag {
    /// How many numbers two lists have in common, each as often as it is in both.
    pub(super) fn common(
        &mut self,
        first: impl ExactSizeIterator<Item = u64>,
        second: impl ExactSizeIterator<Item = u64>,
    ) -> usize {
        if first.len() == 0 || second.len() == 0 {
            return 0;
        }
        self.slots.clear();
        self.slots.resize((2 * first.len()).next_power_of_two().max(2), Slot::default());
        for number in first {
            let slot = self.slot(number);
            (slot.number, slot.is_used) = (number, true);
            slot.count += 1;
        }
        let is_taken = |number: &u64| {
            let slot = self.slot(*number);
            let is_there = slot.count > 0;
            slot.count -= u32::from(is_there);
            is_there
        };
        second.filter(is_taken).count()
    }

    /// Where a number is, or would be.
    fn slot(&mut self, number: u64) -> &mut Slot {
        let mask = self.slots.len() - 1;
        // Fibonacci hashing: the upper bits of the product depend on all bits of the number.
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut place = (hash >> (u64::BITS - self.slots.len().trailing_zeros())) as usize;
        while self.slots[place].is_used && self.slots[place].number != number {
            place = (place + 1) & mask;
        }
        &mut self.slots[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: &[u64], second: &[u64], expected: usize) {
        let mut bag = Bag::default();
        for (one, other) in [(first, second), (second, first)] {
            assert_eq!(bag.common(one.iter().copied(), other.iter().copied()), expected);
        }
    }

    #[test]
    fn each_counts_as_often_as_it_is_in_both() {
        check(&[], &[], 0);
        check(&[0], &[], 0);
        check(&[0], &[0], 1);
        check(&[1, 2, 2, 2, 3], &[2, 3, 3, 2, 4], 3);
        check(&[u64::MAX, 0, 1 << 63], &[1 << 63, u64::MAX], 2);
        let many: Vec<u64> = (0..1000).map(|number| number << 40).collect();
        check(&many, &many[250..], 750);
    }
}
