//! Small charts of one number over time, with the threshold that it should keep to. Many of them stand beside each other.

use std::fmt::Write;

use model_monitor::constraints::{Constraint, Operator};

use super::push;
use crate::html::escaped;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;

/// More points than this are a line: only those beyond the threshold have a mark of their own.
const MARKED: usize = 60;

/// A number over time.
pub struct Series<'a> {
    /// What the chart's ids on the page begin with.
    pub id: &'a str,
    /// What the number is.
    pub title: &'a str,
    /// The chart in a sentence.
    pub about: &'a str,
    /// In the order of time.
    pub points: &'a [Point],
    /// What the time axis says at its ends.
    pub ends: (String, String),
    /// What the number should keep to.
    pub constraint: Option<Constraint>,
}

/// A number at a time.
pub struct Point {
    /// Where on the time axis, from 0 to 1.
    pub at: f64,
    /// The number; none where there was nothing to measure. It is finite.
    pub value: Option<f64>,
    /// Its standard deviation.
    pub deviation: Option<f64>,
    /// Whether it is on the wrong side of its threshold.
    pub is_beyond: bool,
    /// What the point says of itself.
    pub title: String,
}

impl Series<'_> {
    /// Draws it.
    pub fn draw(&self) -> String {
        let scale = Scale::of(self.points, self.constraint);
        let (id, end) = (self.id, WIDTH - RIGHT);
        let floor = HEIGHT - BOTTOM;
        let mut drawing = scale.grid();
        if let Some(Constraint { threshold, comparison_operator }) = self.constraint {
            let y = scale.y(threshold);
            let (top, height) = match comparison_operator {
                Operator::LessThanThreshold => (y, floor - y),
                Operator::GreaterThanThreshold => (TOP, y - TOP),
            };
            // Writing to a string cannot fail.
            let _ = write!(
                drawing,
                r#"<rect class="forbidden" x="{LEFT}" y="{top:.1}" width="{:.1}" height="{height:.1}"/><path class="threshold" d="M{LEFT} {y:.1}H{end}"/>"#,
                end - LEFT
            );
        }
        let class = if self.points.len() <= MARKED { "curve" } else { "curve thin" };
        drawing += &format!(r#"<path class="{class}" d="{}"/>"#, self.line(&scale));
        self.points.iter().for_each(|point| self.mark(&mut drawing, point, &scale));
        let (first, last) = &self.ends;
        let ends = if self.points.len() == 1 {
            format!(
                r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                place(0.5),
                HEIGHT - 6.0,
                escaped(first)
            )
        } else {
            format!(
                r#"<text x="{LEFT}" y="{y:.1}">{}</text><text x="{end}" y="{y:.1}" text-anchor="end">{}</text>"#,
                escaped(first),
                escaped(last),
                y = HEIGHT - 6.0
            )
        };
        format!(
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}-title {id}-about">
<title id="{id}-title">{}</title><desc id="{id}-about">{}</desc>
{drawing}
{ends}
</svg>"#,
            escaped(self.title),
            escaped(self.about)
        )
    }

    /// The line through all values; it breaks where there are none.
    fn line(&self, scale: &Scale) -> String {
        let mut path = String::new();
        for run in self.points.split(|point| point.value.is_none()) {
            let mut part = String::new();
            for (point, value) in run.iter().filter_map(|point| Some((point, point.value?))) {
                push(&mut part, (place(point.at), scale.y(value)));
            }
            // A value alone is a dot, which needs a line of no length.
            if run.len() == 1 {
                part += "h0";
            }
            path += &part;
        }
        path
    }

    fn mark(&self, drawing: &mut String, point: &Point, scale: &Scale) {
        let x = place(point.at);
        let title = escaped(&point.title);
        let is_few = self.points.len() <= MARKED;
        let Some(value) = point.value else {
            let floor = HEIGHT - BOTTOM;
            // Writing to a string cannot fail.
            let _ = write!(drawing, r#"<path class="nothing" d="M{x:.1} {floor:.1}v-6"><title>{title}</title></path>"#);
            return;
        };
        let y = scale.y(value);
        if let Some(deviation) = point.deviation.filter(|_| is_few) {
            let (bottom, top) = (scale.y(value - deviation), scale.y(value + deviation));
            let _ = write!(drawing, r#"<path class="interval" d="M{x:.1} {bottom:.1}V{top:.1}"/>"#);
        }
        let size = if is_few { 4.5 } else { 2.5 };
        let _ = match point.is_beyond {
            true => write!(
                drawing,
                r#"<path class="beyond" d="M{:.1} {:.1}l{d} {d}m0 -{d}l-{d} {d}"><title>{title}</title></path>"#,
                x - size,
                y - size,
                d = 2.0 * size
            ),
            false if is_few => {
                write!(drawing, r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="3"><title>{title}</title></circle>"#)
            }
            false => Ok(()),
        };
    }
}

fn place(at: f64) -> f64 {
    LEFT + 8.0 + (WIDTH - RIGHT - LEFT - 16.0) * at
}

/// From numbers to heights.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// From all that is drawn, with some room, at the round numbers outside.
    fn of(points: &[Point], constraint: Option<Constraint>) -> Self {
        let values = points.iter().filter_map(|point| Some((point.value?, point.deviation.unwrap_or(0.0))));
        let ends = values.flat_map(|(value, deviation)| [value - deviation, value + deviation]);
        let all = ends.chain(constraint.map(|constraint| constraint.threshold));
        // Beyond such sizes their differences are no numbers.
        let all = all.filter(|value| value.is_finite()).map(|value| value.clamp(-1e300, 1e300));
        let (least, most) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), value| (l.min(value), m.max(value)));
        let (least, most) = if least <= most { (least, most) } else { (0.0, 1.0) };
        // Some width, where all numbers are one.
        let width = (most - least).max(1e-2 * most.abs().max(least.abs())).max(1e-6);
        let magnitude = 10_f64.powf((width / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0].into_iter().map(|round| round * magnitude).find(|step| *step >= width / 4.0);
        let step = step.unwrap_or(10.0 * magnitude);
        let low = ((least - 0.1 * width) / step).floor() * step;
        let high = ((most + 0.1 * width) / step).ceil() * step;
        // Room where no number can be is wasted: below 0, and above 1 where they are shares.
        let low = if least >= 0.0 { low.max(0.0) } else { low };
        let high = if least >= 0.0 && most <= 1.0 { high.min(1.0) } else { high };
        Self { low, high, step }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share.clamp(0.0, 1.0)
    }

    fn grid(&self) -> String {
        let mut grid = String::new();
        let decimals = (-self.step.log10()).ceil().clamp(0.0, 6.0) as usize;
        let steps = ((self.high - self.low) / self.step).round().clamp(1.0, 10.0) as u8;
        for step in 0..=steps {
            let value = self.low + f64::from(step) * self.step;
            let y = self.y(value);
            let text = if value.abs() >= 1e5 { format!("{value:.1e}") } else { format!("{value:.decimals$}") };
            // Writing to a string cannot fail.
            let _ = write!(
                grid,
                r#"<path class="grid" d="M{LEFT} {y:.1}H{:.1}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{text}</text>"#,
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0
            );
        }
        grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_hold_all_that_is_drawn() {
        #[track_caller]
        fn check(values: &[f64], threshold: Option<f64>, low: f64, high: f64) {
            let point = |value: &f64| Point {
                at: 0.0,
                value: Some(*value),
                deviation: None,
                is_beyond: false,
                title: String::new(),
            };
            let points: Vec<_> = values.iter().map(point).collect();
            let constraint =
                threshold.map(|threshold| Constraint { threshold, comparison_operator: Operator::LessThanThreshold });
            let scale = Scale::of(&points, constraint);
            let found = [scale.low, scale.high];
            assert!((found[0] - low).abs() < 1e-9 && (found[1] - high).abs() < 1e-9, "{found:?}");
            assert!(scale.grid().matches("<text").count() <= 11);
        }
        check(&[0.52, 0.9], Some(0.71), 0.4, 1.0);
        check(&[0.89, 0.98], Some(0.95), 0.85, 1.0);
        check(&[0.5], None, 0.498, 0.502);
        check(&[0.0], None, 0.0, 0.000_000_5);
        check(&[], None, 0.0, 1.0);
        check(&[-40.0, 60.0], Some(10.0), -50.0, 100.0);
        check(&[580.0, 612.0], None, 570.0, 620.0);
        let far =
            Scale::of(&[], Some(Constraint { threshold: f64::MAX, comparison_operator: Operator::LessThanThreshold }));
        assert!(!far.grid().contains("NaN"), "{}", far.grid());
    }
}
