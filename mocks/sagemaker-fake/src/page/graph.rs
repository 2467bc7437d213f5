//! The drawing of an execution's steps: each below those that it waits for, as far as it has come.

use maud::{Markup, html};
use pipeline_definition::draw::Picture;

/// Of a box, in the units of the drawing.
const WIDTH: usize = 210;
const HEIGHT: usize = 58;
/// Between boxes.
const APART: usize = 26;
/// Between rows.
const BELOW: usize = 46;
const MARGIN: usize = 16;

/// The longest name that fits a box, in characters.
const LONGEST: usize = 27;

/// How a step is drawn.
pub(super) struct State {
    /// `good`, `bad`, `live`, `quiet` or `never`.
    pub class: &'static str,
    /// In words.
    pub words: String,
    /// Where its box leads.
    pub path: Option<String>,
}

struct Placed {
    x: usize,
    y: usize,
}

/// Draws the steps; `state` says how each is.
pub(super) fn draw(picture: &Picture, state: impl Fn(&str) -> State) -> Markup {
    let arrows = arrows(picture);
    let rows = rows(picture, &arrows);
    let widest = rows.iter().map(Vec::len).max().unwrap_or_default();
    let across = |count: usize| count * WIDTH + count.saturating_sub(1) * APART;
    let down = rows.len() * HEIGHT + rows.len().saturating_sub(1) * BELOW;
    let (width, height) = (across(widest) + 2 * MARGIN, down + 2 * MARGIN);
    let mut places: Vec<Placed> = picture.steps.iter().map(|_| Placed { x: 0, y: 0 }).collect();
    for (number, row) in rows.iter().enumerate() {
        let left = (width - across(row.len())) / 2;
        for (at, step) in row.iter().enumerate() {
            places[*step] = Placed { x: left + at * (WIDTH + APART), y: MARGIN + number * (HEIGHT + BELOW) };
        }
    }
    html! {
        div.graph {
            svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) }
                role="img" aria-label="the steps, and which waits for which" {
                @for (from, to, branch) in &arrows { (arrow(&places[*from], &places[*to], *branch)) }
                @for (step, place) in picture.steps.iter().zip(&places) {
                    (box_of(&step.name, &step.kind, place, &state(&step.name)))
                }
            }
        }
    }
}

fn box_of(name: &str, kind: &str, place: &Placed, state: &State) -> Markup {
    let Placed { x, y } = place;
    let middle = x + WIDTH / 2;
    let drawn = html! {
        g class=(state.class) {
            title { (name) ": " (state.words) }
            rect x=(x) y=(y) width=(WIDTH) height=(HEIGHT) rx="6" {}
            text x=(middle) y=(y + 20) text-anchor="middle" { (shortened(name)) }
            text.kind x=(middle) y=(y + 35) text-anchor="middle" { (kind) }
            text.state x=(middle) y=(y + 50) text-anchor="middle" { (state.words) }
        }
    };
    match &state.path {
        Some(path) => html! { a href=(path) { (drawn) } },
        None => drawn,
    }
}

fn arrow(from: &Placed, to: &Placed, branch: Option<bool>) -> Markup {
    let (x1, y1, x2, y2) = (from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y);
    let bend = (y2.saturating_sub(y1)) / 2;
    html! {
        path d={ "M" (x1) " " (y1) " C" (x1) " " (y1 + bend) " " (x2) " " (y2.saturating_sub(bend)) " " (x2) " " (y2) } {}
        @if let Some(outcome) = branch {
            text.branch x=(x2 + 8) y=(y2 - 8) { @if outcome { "if" } @else { "else" } }
        }
    }
}

/// From which step to which, and in which branch; not those that go without saying because others say so.
fn arrows(picture: &Picture) -> Vec<(usize, usize, Option<bool>)> {
    let position = |name: &str| picture.steps.iter().position(|step| step.name == name);
    let parents: Vec<Vec<usize>> = picture
        .steps
        .iter()
        .map(|step| {
            let condition = step.branch.iter().map(|branch| &branch.condition);
            let mut parents: Vec<_> =
                condition.chain(&step.uses).chain(&step.after).filter_map(|name| position(name)).collect();
            parents.sort_unstable();
            parents.dedup();
            parents
        })
        .collect();
    // Every step comes after those that it waits for.
    let mut above: Vec<Vec<bool>> = Vec::with_capacity(parents.len());
    for own in &parents {
        let mut all = vec![false; parents.len()];
        for parent in own {
            all[*parent] = true;
            all.iter_mut().zip(&above[*parent]).for_each(|(all, parents)| *all |= *parents);
        }
        above.push(all);
    }
    let mut arrows = Vec::new();
    for (to, own) in parents.iter().enumerate() {
        for from in own.iter().filter(|from| !own.iter().any(|other| above[*other][**from])) {
            let branch = picture.steps[to].branch.as_ref();
            let branch = branch.filter(|branch| branch.condition == picture.steps[*from].name);
            arrows.push((*from, to, branch.map(|branch| branch.outcome)));
        }
    }
    arrows
}

/// The steps of each row: a step is one row below the lowest of those that it waits for.
fn rows(picture: &Picture, arrows: &[(usize, usize, Option<bool>)]) -> Vec<Vec<usize>> {
    let mut depths = vec![0; picture.steps.len()];
    for (from, to, _) in arrows {
        depths[*to] = depths[*to].max(depths[*from] + 1);
    }
    let mut rows = vec![Vec::new(); depths.iter().max().map_or(0, |deepest| deepest + 1)];
    depths.iter().enumerate().for_each(|(step, depth)| rows[*depth].push(step));
    rows
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use pipeline_definition::Definition;
    use serde_json::{Value, json};

    use super::*;

    fn picture(steps: &Value) -> Picture {
        Picture::of(&Definition::from_value(json!({"Steps": steps})).unwrap()).unwrap()
    }

    #[test]
    fn a_step_stands_below_all_that_it_waits_for_and_arrows_are_few() {
        let step = |name: &str, after: &[&str]| json!({"Name": name, "Type": "Processing", "DependsOn": after});
        let picture = picture(&json!([step("A", &[]), step("B", &["A"]), step("C", &["A", "B"]), step("D", &["A"])]));
        let arrows = arrows(&picture);
        assert_eq!(arrows, [(0, 1, None), (1, 2, None), (0, 3, None)]);
        assert_eq!(rows(&picture, &arrows), [vec![0], vec![1, 3], vec![2]]);
    }

    #[test]
    fn no_steps_make_a_drawing_too() {
        let drawn = draw(&picture(&json!([])), |_| unreachable!()).into_string();
        assert!(drawn.contains("<svg"), "{drawn}");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shortened(&"ä".repeat(27)), "ä".repeat(27));
        assert_eq!(shortened(&"ä".repeat(28)), "ä".repeat(26) + "…");
    }
}
