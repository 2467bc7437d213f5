//! Charts as inline SVG. Colours come from the page's style; each chart has a title and a description for those who do
//! not see it.

use std::fmt::Write;

use sts_model::metrics::RocCurve;
use sts_model::quality::{BINS, Bin, Estimate};

/// The side of the square in which shares from 0 to 1 are drawn.
const SIDE: f64 = 280.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 8.0;

/// The height of the columns below a chart.
const COLUMNS: f64 = 48.0;

/// The ROC curve, with the point of the threshold in use: false and true positive rate.
pub fn roc(curve: &RocCurve, auc: Estimate, used: (f64, f64)) -> String {
    let points = curve.false_positive_rates.iter().zip(&curve.true_positive_rates);
    let mut path = String::new();
    let (mut last, mut pending) = ((-1.0, -1.0), None);
    for (x, y) in points {
        // A fraction of a pixel is not seen.
        let is_seen = (x - last.0).abs() + (y - last.1).abs() > 0.004;
        if is_seen {
            push(&mut path, (*x, *y));
            (last, pending) = ((*x, *y), None);
        } else {
            pending = Some((*x, *y));
        }
    }
    pending.into_iter().for_each(|end| push(&mut path, end));
    let (x, y) = place(used);
    let Estimate { value, low, high } = auc;
    let (text_x, text_y) = (LEFT + SIDE - 8.0, TOP + SIDE - 12.0);
    chart(
        "roc-title",
        "ROC curve",
        &format!("The area under the curve is {value:.3}, with a 95% interval from {low:.3} to {high:.3}."),
        ("false positive rate", "true positive rate"),
        0.0,
        &format!(
            r#"<path class="curve" d="{path}"/>
<circle class="ring" cx="{x:.1}" cy="{y:.1}" r="4.5"/>
<text x="{text_x}" y="{text_y}" text-anchor="end">AUC {value:.3} ({low:.3} to {high:.3})</text>"#
        ),
    )
}

/// The share of paraphrases over the mean probability in each bin, and how many pairs there are.
pub fn calibration(bins: &[Bin; BINS]) -> String {
    let (mut path, mut marks, mut columns) = (String::new(), String::new(), String::new());
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1);
    let width = SIDE / BINS as f64;
    for (number, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.rows > 0) {
        let point = (bin.mean_probability, bin.positives);
        push(&mut path, point);
        let (x, y) = place(point);
        let (low, high) = wilson(bin.positives, bin.rows as f64);
        let (bottom, top) = (place((0.0, low)).1, place((0.0, high)).1);
        // Writing to a string cannot fail.
        let _ = write!(
            marks,
            r#"<g><title>{} pairs: mean probability {:.3}, share of paraphrases {:.3} ({low:.3} to {high:.3})</title><line class="interval" x1="{x:.1}" y1="{bottom:.1}" x2="{x:.1}" y2="{top:.1}"/><circle class="dot" cx="{x:.1}" cy="{y:.1}" r="3.5"/></g>"#,
            bin.rows, bin.mean_probability, bin.positives
        );
        let height = COLUMNS * bin.rows as f64 / most as f64;
        let (left, top) = (LEFT + width * number as f64 + 1.0, TOP + SIDE + 44.0 + COLUMNS - height);
        let _ = write!(
            columns,
            r#"<rect class="column" x="{left:.1}" y="{top:.1}" width="{:.1}" height="{height:.1}"><title>{} pairs</title></rect>"#,
            width - 2.0,
            bin.rows
        );
    }
    let described: Vec<String> = bins
        .iter()
        .filter(|bin| bin.rows > 0)
        .map(|bin| format!("{:.2} of {} pairs at {:.2}", bin.positives, bin.rows, bin.mean_probability))
        .collect();
    chart(
        "calibration-title",
        "Calibration",
        &format!("Share of paraphrases by mean probability: {}.", described.join(", ")),
        ("mean probability", "share of paraphrases"),
        COLUMNS + 12.0,
        &format!(r#"<path class="curve" d="{path}"/>{marks}{columns}"#),
    )
}

/// A square of shares with its axes, the diagonal, and some room below.
fn chart(id: &str, title: &str, description: &str, axes: (&str, &str), below: f64, content: &str) -> String {
    let (width, height) = (LEFT + SIDE + 12.0, TOP + SIDE + 34.0 + below);
    let mut grid = String::new();
    for step in 0..=4_u8 {
        let share = f64::from(step) / 4.0;
        let (x, y) = place((share, share));
        let (end, bottom) = (LEFT + SIDE, TOP + SIDE);
        // Writing to a string cannot fail.
        let _ = write!(
            grid,
            r#"<path class="grid" d="M{LEFT} {y:.1}H{end}M{x:.1} {TOP}V{bottom}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{share}</text><text x="{x:.1}" y="{:.1}" text-anchor="middle">{share}</text>"#,
            LEFT - 6.0,
            y + 4.0,
            bottom + 14.0
        );
    }
    let ((x0, y0), (x1, y1)) = (place((0.0, 0.0)), place((1.0, 1.0)));
    let (middle, bottom) = (LEFT + SIDE / 2.0, TOP + SIDE + 29.0);
    let (along, up) = axes;
    let centre = TOP + SIDE / 2.0;
    format!(
        r#"<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id} {id}-about">
<title id="{id}">{title}</title><desc id="{id}-about">{description}</desc>
{grid}
<path class="chance" d="M{x0} {y0}L{x1} {y1}"/>
<text x="{middle}" y="{bottom}" text-anchor="middle">{along}</text>
<text transform="rotate(-90 11 {centre})" x="11" y="{centre}" text-anchor="middle">{up}</text>
{content}
</svg>"#
    )
}

fn push(path: &mut String, point: (f64, f64)) {
    let (x, y) = place(point);
    let command = if path.is_empty() { 'M' } else { 'L' };
    // Writing to a string cannot fail.
    let _ = write!(path, "{command}{x:.1} {y:.1}");
}

fn place((x, y): (f64, f64)) -> (f64, f64) {
    (LEFT + SIDE * x, TOP + SIDE * (1.0 - y))
}

/// The 95% interval of a share (Wilson, 1927).
fn wilson(share: f64, count: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let below = 1.0 + Z * Z / count;
    let centre = (share + Z * Z / (2.0 * count)) / below;
    let half = Z / below * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn intervals_are_wilsons() {
        // statsmodels.stats.proportion.proportion_confint(count, nobs, method="wilson").
        for (count, all, low, high) in
            [(8.0, 10.0, 0.490_162_471_536_641_83, 0.943_317_848_545_624_7), (0.0, 5.0, 0.0, 0.434_482_464_783_174_87)]
        {
            let (found_low, found_high) = wilson(count / all, all);
            assert!((found_low - low).abs() < 1e-9 && (found_high - high).abs() < 1e-9, "{found_low} {found_high}");
        }
    }
}
