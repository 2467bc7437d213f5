//! `model evaluate`: fits and scores as the pipeline would, on this machine.

use std::fmt::Write;

use serde::Serialize;
use sts_model::features;
use sts_model::logistic::Params;
use sts_model::metrics::ConfusionMatrix;
use sts_model::pairs::Pair;
use sts_model::quality::{self, Bin, Estimate, Figures, Quality, SAMPLES};
use sts_model::validation::{self, Validation};

use super::errors::{self, Error};
use super::{export, page, read};
use crate::cli::Evaluate;
use crate::error::Failure;
use crate::output::Output;

/// What was found. Also the JSON document.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// How the pairs that were asked about were kept from the model.
    pub method: Method,
    /// How many pairs the figures are of.
    pub pairs: usize,
    /// How many of them are paraphrases.
    pub positives: usize,
    /// How many features the model looks at.
    pub features: usize,
    /// The strength of the penalty.
    pub l2: f64,
    /// The probability above which a pair counts as a paraphrase.
    pub threshold: f64,
    /// What the folds and the bootstrap samples are drawn with.
    pub seed: u64,
    /// The figures.
    pub figures: Figures<Estimate>,
    /// What the intervals are.
    pub intervals: &'static str,
    /// The share of right labels where always the more frequent one is predicted.
    pub accuracy_of_best_constant: f64,
    /// The F1 of always predicting the more frequent label.
    pub f1_of_best_constant: f64,
    /// How often which label was predicted for which.
    pub confusion_matrix: ConfusionMatrix,
    /// Accuracy in each fold; of a test set, once.
    pub accuracy_by_fold: Vec<f64>,
    /// Probabilities in bins of equal width.
    pub calibration: [Bin; quality::BINS],
    /// The most confident errors: not a paraphrase, but taken for one.
    pub false_positives: Vec<Error<'a>>,
    /// The most confident errors: a paraphrase, but not taken for one.
    pub false_negatives: Vec<Error<'a>>,
}

/// How the pairs that were asked about were kept from the model.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// So many folds.
    CrossValidation {
        /// How many.
        folds: usize,
    },
    /// A file of its own.
    TestSet {
        /// How many pairs the model was fitted to.
        train_pairs: u64,
    },
}

const INTERVALS: &str = "95%, percentiles of bootstrap samples of the pairs; the models are held fixed";

/// Evaluates, and prints what was found.
///
/// # Errors
/// A file cannot be read or written, or no model can be fitted.
pub fn run(arguments: &Evaluate, output: &Output) -> Result<(), Failure> {
    let params = Params { l2: arguments.l2, ..Params::default() };
    let params = params.check().map_err(|error| Failure::usage("--l2 cannot be used").because(error))?;
    let train = read::pairs(&arguments.train)?;
    let test = arguments.test.as_deref().map(read::pairs).transpose()?;
    let validation = match &test {
        Some(test) => validation::hold_out(&train, test, params),
        None => validation::cross_validate(&train, arguments.folds, arguments.seed, params),
    };
    let validation = validation.map_err(|error| Failure::operation("the evaluation failed").because(error))?;
    // Of cross-validation, every pair is asked about, and none is for training alone.
    let (train, tested): (&[Pair], &[Pair]) = match &test {
        Some(test) => (&train, test),
        None => (&[], &train),
    };
    let (quality, report) = report(arguments, tested, &validation)?;
    if let Some(folder) = &arguments.export {
        export::write(folder, train, tested, &validation)?;
        output.note(format_args!("rows and predictions: {}", folder.display()));
    }
    if let Some(path) = &arguments.html {
        let page = page::page(&report, &quality.evaluation.binary_classification_metrics);
        std::fs::write(path, page)
            .map_err(|error| Failure::operation(format!("{} cannot be written", path.display())).because(error))?;
        output.note(format_args!("page: {}", path.display()));
    }
    output.print(text(&report), &report)
}

fn report<'a>(
    arguments: &Evaluate,
    pairs: &'a [Pair],
    validation: &Validation,
) -> Result<(Quality, Report<'a>), Failure> {
    let labels: Vec<bool> = pairs.iter().map(|pair| pair.label == Some(true)).collect();
    let probabilities: Vec<f64> = validation.judged.iter().map(|judged| judged.probability).collect();
    let quality = quality::measure(&labels, &probabilities, arguments.threshold, arguments.seed)
        .map_err(|error| Failure::operation("the predictions cannot be judged").because(error))?;
    let is_right = |place: &usize| (probabilities[*place] > arguments.threshold) == labels[*place];
    let accuracy_of = |fold| {
        let places: Vec<usize> = (0..pairs.len()).filter(|place| validation.judged[*place].fold == fold).collect();
        places.iter().filter(|place| is_right(place)).count() as f64 / places.len() as f64
    };
    let [false_positives, false_negatives] = errors::most_confident(pairs, validation, arguments.threshold);
    let metrics = &quality.evaluation.binary_classification_metrics;
    let report = Report {
        method: match &validation.models[..] {
            [model] => Method::TestSet { train_pairs: model.training.rows },
            models => Method::CrossValidation { folds: models.len() },
        },
        pairs: pairs.len(),
        positives: labels.iter().filter(|label| **label).count(),
        features: features::COUNT,
        l2: arguments.l2,
        threshold: arguments.threshold,
        seed: arguments.seed,
        figures: quality.figures,
        intervals: INTERVALS,
        accuracy_of_best_constant: metrics.accuracy_best_constant_classifier.value,
        f1_of_best_constant: metrics.f1_best_constant_classifier.value,
        confusion_matrix: metrics.confusion_matrix,
        accuracy_by_fold: (0..validation.models.len()).map(accuracy_of).collect(),
        calibration: quality.bins,
        false_positives,
        false_negatives,
    };
    Ok((quality, report))
}

impl Report<'_> {
    /// What was done, in a sentence.
    pub fn summary(&self) -> String {
        let share = 100.0 * self.positives as f64 / self.pairs as f64;
        let method = match self.method {
            Method::CrossValidation { folds } => format!("{folds}-fold cross-validation"),
            Method::TestSet { train_pairs } => format!("model of {train_pairs} other pairs"),
        };
        format!(
            "{} pairs ({share:.1}% paraphrases), {method}; {} features, l2 {}, threshold {}, seed {}",
            self.pairs, self.features, self.l2, self.threshold, self.seed
        )
    }
}

fn text(report: &Report) -> String {
    let mut text = report.summary() + "\n\n";
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{:<20}{:>8}   95% interval", "", "value");
    for (name, Estimate { value, low, high }) in report.figures.named() {
        let _ = writeln!(text, "{name:<20}{value:>8.4}   {low:.4} to {high:.4}");
    }
    let (accuracy, f1) = (report.accuracy_of_best_constant, report.f1_of_best_constant);
    let _ = writeln!(text, "\nalways the more frequent label: accuracy {accuracy:.4}, f1 {f1:.4}");
    if report.accuracy_by_fold.len() > 1 {
        let folds: Vec<String> = report.accuracy_by_fold.iter().map(|accuracy| format!("{accuracy:.3}")).collect();
        let _ = writeln!(text, "accuracy by fold: {}", folds.join(" "));
    }
    let ConfusionMatrix { true_negatives, false_positives, false_negatives, true_positives } = report.confusion_matrix;
    let _ = writeln!(text, "\n{:<20}{:>12}{:>12}", "", "predicted 0", "predicted 1");
    let _ = writeln!(text, "{:<20}{true_negatives:>12}{false_positives:>12}", "label 0");
    let _ = writeln!(text, "{:<20}{false_negatives:>12}{true_positives:>12}", "label 1");
    let _ = writeln!(text, "\n{:<20}{:>8}{:>18}{:>18}", "probability", "pairs", "mean probability", "paraphrases");
    for (place, bin) in report.calibration.iter().enumerate().filter(|(_, bin)| bin.rows > 0) {
        let range = format!("{:.1} to {:.1}", place as f64 / 10.0, (place + 1) as f64 / 10.0);
        let _ = writeln!(text, "{range:<20}{:>8}{:>18.3}{:>18.3}", bin.rows, bin.mean_probability, bin.positives);
    }
    let kinds = [("taken for paraphrases", &report.false_positives), ("not recognised", &report.false_negatives)];
    for (kind, errors) in kinds {
        let _ = writeln!(text, "\nmost confident errors, {kind}:");
        for error in errors.iter().take(3) {
            let reasons: Vec<_> =
                error.reasons.iter().map(|r| format!("{} {:+.2}", r.feature, r.contribution)).collect();
            let [first, second] = error.sentences;
            let _ = writeln!(
                text,
                "  {:.3}  {first}\n         {second}\n         {}",
                error.probability,
                reasons.join(", ")
            );
        }
    }
    let _ = write!(text, "\nintervals: {}, {SAMPLES} samples", report.intervals);
    text
}
