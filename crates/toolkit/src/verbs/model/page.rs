//! The evaluation as a page: one file, without scripts or anything from elsewhere, for screens light and dark and for
//! paper.

use std::fmt::Write;

use sts_model::metrics::{BinaryClassificationMetrics, ConfusionMatrix};
use sts_model::quality::{Estimate, SAMPLES};

use super::errors::Error;
use super::evaluate::Report;
use crate::charts::shares::{Calibration, Roc};
use crate::html::{count_of, document, escaped};

const STYLE: &str = include_str!("page/style.css");

/// The page of a report.
pub fn page(report: &Report, metrics: &BinaryClassificationMetrics) -> String {
    let ConfusionMatrix { true_negatives, false_positives, false_negatives, true_positives } = report.confusion_matrix;
    let Estimate { value, low, high } = report.figures.auc;
    let curve = &metrics.receiver_operating_characteristic_curve;
    let roc = Roc {
        id: "roc",
        curve: (&curve.false_positive_rates, &curve.true_positive_rates),
        beside: None,
        area: &format!("AUC {value:.3} ({low:.3} to {high:.3})"),
        about: &format!("The area under the curve is {value:.3}, with a 95% interval from {low:.3} to {high:.3}."),
        used: Some((metrics.false_positive_rate.value, metrics.recall.value)),
    };
    let calibration = Calibration {
        id: "calibration",
        bins: &report.calibration,
        beside: None,
        rows: "pairs",
        positives: "paraphrases",
    };
    let main = format!(
        r#"<header>
<h1>Model evaluation</h1>
<p>{summary}</p>
</header>
<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
<div class="scroll">
<table class="figures">
<thead><tr><th scope="col">Figure</th><th scope="col">Value</th><th scope="col">95% interval</th><th scope="col">What it is</th></tr></thead>
<tbody>
{figures}</tbody>
</table>
</div>
<p class="note">Intervals: {intervals}, {SAMPLES} samples. Always predicting the more frequent label has accuracy
{constant:.4} and F1 {constant_f1:.4}.</p>
</section>
<div class="columns">
<section aria-labelledby="roc">
<h2 id="roc">ROC</h2>
{roc}
<p class="note">The ring is the threshold in use, {threshold}: {recall:.1}% of the paraphrases are found, and
{false_alarms:.1}% of the other pairs taken for paraphrases.</p>
</section>
<section aria-labelledby="calibration">
<h2 id="calibration">Calibration</h2>
{calibration}
<p class="note">Among pairs of about one probability, as large a share should be paraphrases: the diagonal. Bars are
95% Wilson intervals of the share; the columns below say how many pairs there are.</p>
</section>
</div>
<section aria-labelledby="confusion">
<h2 id="confusion">Confusion matrix</h2>
<div class="scroll">
<table class="matrix">
<thead><tr><td></td><th scope="col">Predicted: other</th><th scope="col">Predicted: paraphrase</th></tr></thead>
<tbody>
<tr><th scope="row">Labelled other</th>{tn}{fp}</tr>
<tr><th scope="row">Labelled paraphrase</th>{missed_count}{tp}</tr>
</tbody>
</table>
</div>
</section>
{taken}{missed}"#,
        summary = escaped(&report.summary()),
        figures = figures(report),
        intervals = escaped(report.intervals),
        constant = report.accuracy_of_best_constant,
        constant_f1 = report.f1_of_best_constant,
        threshold = report.threshold,
        recall = 100.0 * metrics.recall.value,
        false_alarms = 100.0 * metrics.false_positive_rate.value,
        tn = count_of(true_negatives, true_negatives + false_positives, true, None),
        fp = count_of(false_positives, true_negatives + false_positives, false, None),
        missed_count = count_of(false_negatives, false_negatives + true_positives, false, None),
        tp = count_of(true_positives, false_negatives + true_positives, true, None),
        taken = errors("taken", "Most confident errors: taken for paraphrases", &report.false_positives),
        missed = errors("missed", "Most confident errors: not recognised", &report.false_negatives),
        roc = roc.draw(),
        calibration = calibration.draw(),
    );
    document("Model evaluation", STYLE, &main)
}

fn figures(report: &Report) -> String {
    const ABOUT: [(&str, &str); 6] = [
        ("Accuracy", "share of right labels"),
        ("F1", "harmonic mean of precision and recall, of paraphrases"),
        ("AUC", "chance that a paraphrase is ranked above another pair"),
        ("MSE", "mean squared error of the labels, the share of wrong ones: what the pipeline's condition looks at"),
        ("Brier", "mean squared error of the probabilities"),
        ("Calibration error", "expected calibration error: mean distance of probability and share in ten bins"),
    ];
    let mut rows = String::new();
    for ((_, Estimate { value, low, high }), (name, about)) in report.figures.named().into_iter().zip(ABOUT) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            r#"<tr><th scope="row">{name}</th><td class="number">{value:.4}</td><td class="number">{low:.4} to {high:.4}</td><td>{about}</td></tr>"#
        );
    }
    rows
}

fn errors(id: &str, title: &str, errors: &[Error]) -> String {
    if errors.is_empty() {
        return String::new();
    }
    let widest = errors.iter().flat_map(|error| &error.reasons).fold(0.0, |widest, r| r.contribution.abs().max(widest));
    let mut items = String::new();
    for error in errors {
        let ([first, second], [id1, id2]) = (error.sentences.map(escaped), error.ids.map(escaped));
        let mut reasons = String::new();
        for reason in &error.reasons {
            let width = 100.0 * reason.contribution.abs() / widest;
            // Writing to a string cannot fail.
            let _ = write!(
                reasons,
                r#"<li title="{}"><span class="name">{}</span><span class="bar" aria-hidden="true"><i style="width:{width:.0}%"></i></span><span class="number">{:+.2}</span> <span class="value">value {:.3}</span></li>"#,
                escaped(reason.description),
                escaped(reason.feature),
                reason.contribution,
                reason.value,
            );
        }
        let _ = writeln!(
            items,
            r#"<li class="error">
<p class="probability">probability <strong>{:.3}</strong> <span class="value">{id1}, {id2}</span></p>
<p>{first}</p>
<p>{second}</p>
<ul class="reasons">{reasons}</ul>
</li>"#,
            error.probability
        );
    }
    format!(
        r#"<section aria-labelledby="{id}">
<h2 id="{id}">{title}</h2>
<p class="note">The probability of a paraphrase, the sentences, and the features that spoke loudest for the wrong label:
what each adds to the log-odds, compared with its mean over the training pairs.</p>
<ol class="errors">
{items}</ol>
</section>
"#
    )
}
