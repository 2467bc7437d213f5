//! Charts of two shares, each from 0 to 1: a square with its diagonal.

use std::fmt::Write;

use sts_model::quality::{BINS, Bin};

use super::push;

/// The side of the square in which shares from 0 to 1 are drawn.
const SIDE: f64 = 280.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 8.0;

/// The height of the columns below a chart.
const COLUMNS: f64 = 48.0;

/// A receiver operating characteristic.
pub struct Roc<'a> {
    /// What the chart's ids on the page begin with.
    pub id: &'a str,
    /// False and true positive rates, from (0, 0) to (1, 1).
    pub curve: Rates<'a>,
    /// Another curve to compare it with, such as a baseline's.
    pub beside: Option<Rates<'a>>,
    /// What the area under the curve is: text in the chart.
    pub area: &'a str,
    /// The chart in a sentence.
    pub about: &'a str,
    /// The rates at the threshold in use.
    pub used: Option<(f64, f64)>,
}

/// False and true positive rates.
pub type Rates<'a> = (&'a [f64], &'a [f64]);

impl Roc<'_> {
    /// Draws it.
    pub fn draw(&self) -> String {
        let beside = self.beside.map_or_else(String::new, |(xs, ys)| {
            format!(r#"<path class="beside" d="{}"/>"#, line(xs.iter().copied().zip(ys.iter().copied())))
        });
        let (xs, ys) = self.curve;
        let path = line(xs.iter().copied().zip(ys.iter().copied()));
        let ring = self.used.map_or_else(String::new, |used| {
            let (x, y) = place(used);
            format!(r#"<circle class="ring" cx="{x:.1}" cy="{y:.1}" r="4.5"/>"#)
        });
        let (text_x, text_y) = (LEFT + SIDE - 8.0, TOP + SIDE - 12.0);
        square(
            self.id,
            "ROC curve",
            self.about,
            ("false positive rate", "true positive rate"),
            0.0,
            &format!(
                r#"{beside}<path class="curve" d="{path}"/>
{ring}
<text x="{text_x}" y="{text_y}" text-anchor="end">{}</text>"#,
                self.area
            ),
        )
    }
}

/// The path through points, without those that nobody sees.
fn line(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    let (mut last, mut pending) = ((-1.0_f64, -1.0_f64), None);
    for (x, y) in points {
        // A fraction of a pixel is not seen.
        let is_seen = (x - last.0).abs() + (y - last.1).abs() > 0.004;
        if is_seen {
            push(&mut path, place((x, y)));
            (last, pending) = ((x, y), None);
        } else {
            pending = Some((x, y));
        }
    }
    pending.into_iter().for_each(|end| push(&mut path, place(end)));
    path
}

/// How far probabilities can be taken at their word.
pub struct Calibration<'a> {
    /// What the chart's ids on the page begin with.
    pub id: &'a str,
    /// In rising order of probability.
    pub bins: &'a [Bin; BINS],
    /// Others to compare them with, such as a baseline's.
    pub beside: Option<&'a [Bin; BINS]>,
    /// What was asked about: "pairs".
    pub rows: &'a str,
    /// Those of the positive label: "paraphrases".
    pub positives: &'a str,
}

impl Calibration<'_> {
    /// Draws the share of the positive label over the mean probability in each bin, and how many rows there are.
    pub fn draw(&self) -> String {
        let Self { id, bins, beside, rows, positives } = self;
        let (mut path, mut marks, mut columns) = (String::new(), String::new(), String::new());
        let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1);
        let width = SIDE / BINS as f64;
        let beside: String = beside.map_or_else(String::new, |beside| {
            let points = beside.iter().filter(|bin| bin.rows > 0).map(|bin| (bin.mean_probability, bin.positives));
            format!(r#"<path class="beside" d="{}"/>"#, line(points))
        });
        for (number, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.rows > 0) {
            let (x, y) = place((bin.mean_probability, bin.positives));
            push(&mut path, (x, y));
            let (low, high) = wilson(bin.positives, bin.rows as f64);
            let (bottom, top) = (place((0.0, low)).1, place((0.0, high)).1);
            // Writing to a string cannot fail.
            let _ = write!(
                marks,
                r#"<g><title>{} {rows}: mean probability {:.3}, share of {positives} {:.3} ({low:.3} to {high:.3})</title><line class="interval" x1="{x:.1}" y1="{bottom:.1}" x2="{x:.1}" y2="{top:.1}"/><circle class="dot" cx="{x:.1}" cy="{y:.1}" r="3.5"/></g>"#,
                bin.rows, bin.mean_probability, bin.positives
            );
            let height = COLUMNS * bin.rows as f64 / most as f64;
            let (left, top) = (LEFT + width * number as f64 + 1.0, TOP + SIDE + 44.0 + COLUMNS - height);
            let _ = write!(
                columns,
                r#"<rect class="column" x="{left:.1}" y="{top:.1}" width="{:.1}" height="{height:.1}"><title>{} {rows}</title></rect>"#,
                width - 2.0,
                bin.rows
            );
        }
        let described: Vec<String> = bins
            .iter()
            .filter(|bin| bin.rows > 0)
            .map(|bin| format!("{:.2} of {} {rows} at {:.2}", bin.positives, bin.rows, bin.mean_probability))
            .collect();
        square(
            id,
            "Calibration",
            &format!("Share of {positives} by mean probability: {}.", described.join(", ")),
            ("mean probability", &format!("share of {positives}")),
            COLUMNS + 12.0,
            &format!(r#"{beside}<path class="curve" d="{path}"/>{marks}{columns}"#),
        )
    }
}

/// A square of shares with its axes, the diagonal, and some room below.
fn square(id: &str, title: &str, description: &str, axes: (&str, &str), below: f64, content: &str) -> String {
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
        r#"<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-title {id}-about">
<title id="{id}-title">{title}</title><desc id="{id}-about">{description}</desc>
{grid}
<path class="chance" d="M{x0} {y0}L{x1} {y1}"/>
<text x="{middle}" y="{bottom}" text-anchor="middle">{along}</text>
<text transform="rotate(-90 11 {centre})" x="11" y="{centre}" text-anchor="middle">{up}</text>
{content}
</svg>"#
    )
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
