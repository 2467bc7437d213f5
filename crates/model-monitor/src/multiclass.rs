//! Metrics of one of several labels: those of each label, weighted by how often it is the true one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    binary::f_score,
    regression::share,
    samples::{self, Membership, SETS},
    statistics::{Label, Measure},
};

/// So many different labels are taken for classes. A matrix of more would be a million numbers, and a column of numbers
/// that are no classes fills the memory.
pub const MAX_CLASSES: usize = 1000;

/// Counts over the rows of each set: by true and by predicted label.
#[derive(Debug, Default)]
pub(crate) struct Multiclass {
    numbers: HashMap<Label, usize>,
    counts: HashMap<(usize, usize), [u64; SETS]>,
}

impl Multiclass {
    /// The number of a label; none if there are [`MAX_CLASSES`] others.
    pub(crate) fn class(&mut self, label: Label) -> Option<usize> {
        let next = self.numbers.len();
        match self.numbers.get(&label) {
            Some(number) => Some(*number),
            None if next == MAX_CLASSES => None,
            None => Some(*self.numbers.entry(label).or_insert(next)),
        }
    }

    pub(crate) fn add(&mut self, truth: usize, predicted: usize, membership: Membership) {
        let counts = self.counts.entry((truth, predicted)).or_default();
        samples::sets(membership).for_each(|set| counts[set] += 1);
    }

    pub(crate) fn measures(&self, rows: u64) -> Vec<(&'static str, Measure)> {
        // Sums are taken in the order of the labels, not in that of their coming.
        let labels: Vec<&Label> = self.numbers.keys().collect::<BTreeSet<_>>().into_iter().collect();
        let order = |label: &&Label| self.numbers[*label];
        let order: Vec<usize> = labels.iter().map(order).collect();
        let model: [Weighted; SETS] = std::array::from_fn(|set| Weighted::of(&self.classes(&order, set)));
        let constant = self.most_frequent(&order);
        let constants: [Weighted; SETS] = std::array::from_fn(|set| {
            let mut classes = self.classes(&order, set);
            let rows = classes.iter().map(|class| class.actual).sum();
            for (place, class) in classes.iter_mut().enumerate() {
                let is_it = place == constant;
                class.predicted = if is_it { rows } else { 0 };
                class.right = if is_it { class.actual } else { 0 };
            }
            Weighted::of(&classes)
        });
        let metric = |sets: &[Weighted; SETS], get: Get| {
            Measure::Metric(samples::metric(rows, std::array::from_fn(|set| get(&sets[set]))))
        };
        let names: [(&str, &str, Get); 6] = [
            ("accuracy", "accuracy_best_constant_classifier", |w| w.accuracy),
            ("weighted_recall", "weighted_recall_best_constant_classifier", |w| w.recall),
            ("weighted_precision", "weighted_precision_best_constant_classifier", |w| w.precision),
            ("weighted_f0_5", "weighted_f0_5_best_constant_classifier", |w| w.f0_5),
            ("weighted_f1", "weighted_f1_best_constant_classifier", |w| w.f1),
            ("weighted_f2", "weighted_f2_best_constant_classifier", |w| w.f2),
        ];
        let mut measures = vec![("confusion_matrix", self.confusion_matrix(&labels))];
        measures.extend(names.iter().map(|(name, _, get)| (*name, metric(&model, *get))));
        measures.extend(names.iter().map(|(_, name, get)| (*name, metric(&constants, *get))));
        measures
    }

    fn count(&self, truth: usize, predicted: usize, set: usize) -> u64 {
        self.counts.get(&(truth, predicted)).map_or(0, |counts| counts[set])
    }

    fn classes(&self, order: &[usize], set: usize) -> Vec<Class> {
        let mut classes = vec![Class::default(); order.len()];
        for (&(truth, predicted), counts) in &self.counts {
            classes[truth].actual += counts[set];
            classes[predicted].predicted += counts[set];
            if truth == predicted {
                classes[truth].right += counts[set];
            }
        }
        order.iter().map(|number| classes[*number]).collect()
    }

    /// The place in the order of the label that is true most often; of several, the first.
    fn most_frequent(&self, order: &[usize]) -> usize {
        let classes = self.classes(order, 0);
        let most = classes.iter().map(|class| class.actual).max();
        classes.iter().position(|class| Some(class.actual) == most).unwrap_or(0)
    }

    fn confusion_matrix(&self, labels: &[&Label]) -> Measure {
        let row = |truth: usize| -> BTreeMap<_, _> {
            labels.iter().map(|label| ((*label).clone(), self.count(truth, self.numbers[*label], 0))).collect()
        };
        Measure::ConfusionMatrix(labels.iter().map(|label| ((*label).clone(), row(self.numbers[*label]))).collect())
    }
}

/// How often a label is the true one, is predicted, and both.
#[derive(Debug, Clone, Copy, Default)]
struct Class {
    actual: u64,
    predicted: u64,
    right: u64,
}

/// One of the metrics.
type Get = fn(&Weighted) -> f64;

/// Metrics over all labels.
#[derive(Debug)]
struct Weighted {
    accuracy: f64,
    recall: f64,
    precision: f64,
    f0_5: f64,
    f1: f64,
    f2: f64,
}

impl Weighted {
    fn of(classes: &[Class]) -> Self {
        let rows = classes.iter().map(|class| class.actual).sum::<u64>() as f64;
        let weighted = |get: &dyn Fn(f64, f64) -> f64| {
            let of_class = |class: &Class| {
                let precision = share(class.right as f64, class.predicted as f64);
                class.actual as f64 * get(precision, share(class.right as f64, class.actual as f64))
            };
            share(classes.iter().map(of_class).sum(), rows)
        };
        Self {
            accuracy: share(classes.iter().map(|class| class.right).sum::<u64>() as f64, rows),
            recall: weighted(&|_, recall| recall),
            precision: weighted(&|precision, _| precision),
            f0_5: weighted(&|precision, recall| f_score(precision, recall, 0.5)),
            f1: weighted(&|precision, recall| f_score(precision, recall, 1.0)),
            f2: weighted(&|precision, recall| f_score(precision, recall, 2.0)),
        }
    }
}
