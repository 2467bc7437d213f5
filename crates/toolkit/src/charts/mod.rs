//! Charts as inline SVG, for every page. Colours come from the page's style; each chart has a title and a description for
//! those who do not see it.

pub mod histogram;
pub mod series;
pub mod shares;

use std::fmt::Write;

/// Goes on with a path to a point, in the units of the drawing.
fn push(path: &mut String, (x, y): (f64, f64)) {
    let command = if path.is_empty() { 'M' } else { 'L' };
    // Writing to a string cannot fail.
    let _ = write!(path, "{command}{x:.1} {y:.1}");
}
