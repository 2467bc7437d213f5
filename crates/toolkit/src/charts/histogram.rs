//! Small charts of how values are distributed, beside how those of a baseline are.

use std::fmt::Write;

use model_monitor::distribution::BUCKETS;

use crate::html::escaped;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 110.0;
const SIDE: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 20.0;

/// The shares of values in buckets of equal width.
pub struct Histogram<'a> {
    /// What the chart's ids on the page begin with.
    pub id: &'a str,
    /// Of what.
    pub title: &'a str,
    /// The chart in a sentence.
    pub about: &'a str,
    /// The bounds of the buckets, one more than there are.
    pub bounds: &'a [f64; BUCKETS + 1],
    /// The shares.
    pub shares: &'a [f64; BUCKETS],
    /// Those of the baseline.
    pub baseline: &'a [f64; BUCKETS],
}

impl Histogram<'_> {
    /// Draws it: the baseline as filled columns, the shares as an outline before them.
    pub fn draw(&self) -> String {
        let Self { id, bounds, shares, baseline, .. } = self;
        let most = shares.iter().chain(*baseline).fold(1e-9_f64, |most, share| most.max(*share));
        let (width, floor) = ((WIDTH - 2.0 * SIDE) / BUCKETS as f64, HEIGHT - BOTTOM);
        let height = |share: f64| (floor - TOP) * share / most;
        let (mut columns, mut outline, mut titles) = (String::new(), format!("M{SIDE} {floor:.1}"), String::new());
        for (bucket, (share, before)) in shares.iter().zip(*baseline).enumerate() {
            let (left, tall) = (SIDE + width * bucket as f64, height(*before));
            // Writing to a string cannot fail.
            let _ = write!(
                columns,
                r#"<rect class="before" x="{:.1}" y="{:.1}" width="{:.1}" height="{tall:.1}"/>"#,
                left + 1.0,
                floor - tall,
                width - 2.0
            );
            let _ = write!(outline, "V{:.1}H{:.1}", floor - height(*share), left + width);
            let _ = write!(
                titles,
                r#"<rect class="area" x="{left:.1}" y="{TOP}" width="{width:.1}" height="{:.1}"><title>{} to {}: {:.1}%, baseline {:.1}%</title></rect>"#,
                floor - TOP,
                number(bounds[bucket]),
                number(bounds[bucket + 1]),
                100.0 * share,
                100.0 * before
            );
        }
        format!(
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}-title {id}-about">
<title id="{id}-title">{}</title><desc id="{id}-about">{}</desc>
{columns}<path class="after" d="{outline}V{floor:.1}"/><path class="axis" d="M{SIDE} {floor:.1}H{end:.1}"/>{titles}
<text x="{SIDE}" y="{y:.1}">{}</text><text x="{end:.1}" y="{y:.1}" text-anchor="end">{}</text>
</svg>"#,
            escaped(self.title),
            escaped(self.about),
            number(bounds[0]),
            number(bounds[BUCKETS]),
            end = WIDTH - SIDE,
            y = HEIGHT - 5.0
        )
    }
}

/// A number of any size in a few characters: three digits that count.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e5).contains(&size) {
        let decimals = (2.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_short() {
        #[track_caller]
        fn check(value: f64, expected: &str) {
            assert_eq!(number(value), expected);
        }
        check(0.0, "0");
        check(1.0, "1");
        check(-12.25, "-12.2");
        check(0.123_456, "0.123");
        check(4096.0, "4096");
        check(1e-7, "1.0e-7");
        check(2e9, "2.0e9");
        check(0.1, "0.1");
    }
}
