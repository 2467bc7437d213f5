//! Sentence pairs of our own making, in the corpus layout: for demonstrations and tests, free of anyone's rights.
//!
//! A pair is made from a made-up event. A paraphrase tells the same event twice: in another order, with other words,
//! with or without some detail. The rest tell two events that differ in a number, a name, a day, a direction or a
//! denial, often in nearly the same words. So overlap helps to judge a pair and does not decide it, as in real news.

mod templates;

use self::templates::{KINDS, Kind, Slot};
use crate::{
    artifact::Artifact,
    features,
    logistic::Params,
    pairs::{COLUMNS, Pair},
    random::SplitMix64,
    rows::Dataset,
    vocabulary::Counter,
};

/// How many pairs the committed sample has.
pub const SIZE: usize = 1500;

const SEED: u64 = 0x7061_6972_7321;

/// The share of paraphrases.
const PARAPHRASES: f64 = 0.6;

/// The share of pairs whose label is the wrong one: people who judge such pairs do not always agree.
const MISJUDGED: f64 = 0.02;

/// The first `n` generated pairs; always the same.
pub fn pairs(n: usize) -> Vec<Pair> {
    let mut random = SplitMix64::new(SEED);
    let mut id = 100_000;
    (0..n).map(|_| pair(&mut random, &mut id)).collect()
}

/// A model fitted to the first `n` generated pairs, at least a hundred; always the same.
///
/// # Panics
/// When they are too few to hold both labels.
#[must_use]
pub fn model(n: usize) -> Artifact {
    let pairs = pairs(n);
    let mut words = Counter::new();
    pairs.iter().for_each(|pair| words.add(pair));
    let vocabulary = words.finish();
    let mut dataset = Dataset::new(features::COUNT);
    for Pair { label, sentence1, sentence2, .. } in &pairs {
        let row = features::extract(sentence1, sentence2, &vocabulary);
        dataset.push(label.expect("a generated pair has a label"), &row).expect("features are numbers");
    }
    let params = Params::default();
    let fit = params.check().and_then(|params| params.fit(&dataset)).expect("the sample has pairs of both labels");
    let positives = dataset.labels().iter().filter(|label| **label).count() as u64;
    Artifact::new(&fit, params, dataset.len() as u64, positives, vocabulary).expect("what was fitted is a model")
}

/// Pairs as a file in the corpus layout, with its header.
///
/// The fields must not contain tabs or line ends; those of [`pairs`] never do.
pub fn tsv(pairs: &[Pair]) -> String {
    let mut text = COLUMNS.join("\t") + "\n";
    for pair in pairs {
        let label = pair.label.map_or("", |label| if label { "1" } else { "0" });
        let fields = [label, &pair.id1, &pair.id2, &pair.sentence1, &pair.sentence2];
        text += &fields.join("\t");
        text.push('\n');
    }
    text
}

fn pair(random: &mut SplitMix64, id: &mut u32) -> Pair {
    let kind = &KINDS[random.below(KINDS.len())];
    let is_paraphrase = random.chance(PARAPHRASES);
    let event = Event::new(kind, random);
    let other = if is_paraphrase { event.clone() } else { event.changed(random) };
    // Changed events are often told in the same way, paraphrases more often in another.
    let mut first = random.below(kind.templates.len());
    let same_way = random.chance(if is_paraphrase { 0.25 } else { 0.6 });
    let mut second = if same_way { first } else { random.below(kind.templates.len()) };
    let (sentence1, sentence2) = loop {
        let (one, another) = (event.tell(kind.templates[first], random), other.tell(kind.templates[second], random));
        // The same words again are no test of anything, and a difference that either sentence leaves out is none.
        let is_told = |place: &usize| event.values[*place] != other.values[*place] && another.slots.contains(place);
        if one.text != another.text && (is_paraphrase || one.slots.iter().any(is_told)) {
            break (one.sentence(), another.sentence());
        }
        let places = (random.below(kind.templates.len()), random.below(kind.templates.len()));
        (first, second) = places;
    };
    let mut next_id = || {
        *id += 1 + random.below(97) as u32;
        id.to_string()
    };
    let (id1, id2) = (next_id(), next_id());
    let label = is_paraphrase != random.chance(MISJUDGED);
    Pair { label: Some(label), id1, id2, sentence1, sentence2 }
}

/// What happened: a value for each slot of a kind of event.
#[derive(Debug, Clone)]
struct Event {
    kind: &'static Kind,
    values: Vec<Value>,
}

/// What fills a slot.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(&'static str),
    Number(u64),
    /// One of two opposites; each can be said in several ways.
    Opposite(bool),
}

impl Event {
    fn new(kind: &'static Kind, random: &mut SplitMix64) -> Self {
        let mut values: Vec<Value> = Vec::new();
        for (_, slot) in kind.slots {
            // Two slots of a kind never have the same value: nobody is replaced by himself.
            let value = loop {
                let value = slot.draw(random);
                if matches!(value, Value::Opposite(_)) || !values.contains(&value) {
                    break value;
                }
            };
            values.push(value);
        }
        Self { kind, values }
    }

    /// Another event of the kind: one to all values differ.
    fn changed(&self, random: &mut SplitMix64) -> Self {
        let mut other = self.clone();
        let changes = match random.unit() {
            u if u < 0.45 => 1,
            u if u < 0.75 => 2,
            _ => 3,
        };
        let mut changed = 0;
        while changed < changes {
            let place = random.below(self.values.len());
            let value = self.kind.slots[place].1.draw(random);
            if value != self.values[place] && !other.values.contains(&value) {
                other.values[place] = value;
                changed += 1;
            } else if let Value::Opposite(is_first) = self.values[place] {
                other.values[place] = Value::Opposite(!is_first);
                changed += 1;
            }
        }
        other
    }

    /// The event in words: `{slot}` is its value, `{slot#}` the same in digits, `[a|b]` one of the wordings, `<...>` a
    /// detail that may be left out.
    fn tell(&self, template: &str, random: &mut SplitMix64) -> Told {
        let mut told = Told::default();
        self.tell_on(&mut told, template, random);
        told
    }

    fn tell_on(&self, told: &mut Told, template: &str, random: &mut SplitMix64) {
        let mut rest = template;
        while let Some(place) = rest.find(['{', '[', '<']) {
            told.text += &rest[..place];
            let close = match rest.as_bytes()[place] {
                b'{' => '}',
                b'[' => ']',
                _ => '>',
            };
            let end = place + rest[place..].find(close).unwrap_or(rest.len() - place - 1);
            let inside = &rest[place + 1..end];
            match close {
                '}' => self.tell_value(told, inside, random),
                ']' => {
                    let wordings: Vec<&str> = inside.split('|').collect();
                    self.tell_on(told, wordings[random.below(wordings.len())], random);
                }
                _ if random.chance(0.5) => self.tell_on(told, inside, random),
                _ => {}
            }
            rest = &rest[end + 1..];
        }
        told.text += rest;
    }

    fn tell_value(&self, told: &mut Told, name: &str, random: &mut SplitMix64) {
        let slot = name.trim_end_matches('#');
        let Some(place) = self.kind.slots.iter().position(|(other, _)| *other == slot) else { return };
        told.slots.push(place);
        match (&self.values[place], self.kind.slots[place].1) {
            (Value::Text(text), _) => told.text += text,
            (Value::Number(number), _) if slot == name => told.text += &spelled(*number, random),
            (Value::Number(number), _) => told.text += &number.to_string(),
            (Value::Opposite(is_first), Slot::Opposite(first, second)) => {
                let wordings = if *is_first { first } else { second };
                told.text += wordings[random.below(wordings.len())];
            }
            (Value::Opposite(_), _) => {}
        }
    }
}

/// An event in words, and which of its values they tell.
#[derive(Debug, Default)]
struct Told {
    text: String,
    slots: Vec<usize>,
}

impl Told {
    /// The words with a capital at the start.
    fn sentence(self) -> String {
        let mut chars = self.text.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    }
}

impl Slot {
    fn draw(&self, random: &mut SplitMix64) -> Value {
        match self {
            Self::OneOf(texts) => Value::Text(texts[random.below(texts.len())]),
            Self::Number(from, to) => Value::Number(from + random.below((to - from + 1) as usize) as u64),
            Self::Opposite(..) => Value::Opposite(random.chance(0.5)),
        }
    }
}

/// A number in digits; a small one in words as often.
fn spelled(number: u64, random: &mut SplitMix64) -> String {
    const WORDS: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    match WORDS.get(number as usize) {
        Some(word) if random.chance(0.5) => (*word).to_owned(),
        _ if number >= 1000 => format!("{},{:03}", number / 1000, number % 1000),
        _ => number.to_string(),
    }
}
