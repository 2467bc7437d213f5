//! Things by the order of their first occurrence in a pair of sentences: small numbers, so that comparing is cheap.

/// Numbers from 0 for things that have larger numbers already. Its memory is kept from pair to pair.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// By the larger number: in which pair it was last seen, and its number there.
    known: Vec<(u32, u16)>,
    pair: u32,
    /// The larger numbers, by the smaller ones.
    pub things: Vec<u32>,
}

impl Numbering {
    /// Starts again, for the next pair.
    pub(super) fn restart(&mut self) {
        if self.pair == u32::MAX {
            (self.known, self.pair) = (Vec::new(), 0);
        }
        self.pair += 1;
        self.things.clear();
    }

    /// The number of a thing in this pair. A pair, clipped as it is, has fewer than 65,536 of any kind.
    pub(super) fn of(&mut self, thing: u32) -> u16 {
        let place = thing as usize;
        if place >= self.known.len() {
            self.known.resize(place + 1, (0, 0));
        }
        let (pair, number) = &mut self.known[place];
        if *pair != self.pair {
            (*pair, *number) = (self.pair, self.things.len() as u16);
            self.things.push(thing);
        }
        *number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_0_for_each_pair() {
        let mut numbering = Numbering::default();
        for things in [[7, 1000, 7, 3], [3, 1000, 3, 9]] {
            numbering.restart();
            assert_eq!(things.map(|thing| numbering.of(thing)), [0, 1, 0, 2]);
            assert_eq!(numbering.things, [things[0], things[1], things[3]]);
        }
    }
}
