//! For a terminal.

use std::collections::HashMap;

use super::{Drawn, Picture, branch_name};

const WIDTH: usize = 80;

pub(super) fn draw(picture: &Picture) -> String {
    let mut branches: HashMap<Option<(&str, bool)>, Vec<&Drawn>> = HashMap::new();
    for step in &picture.steps {
        let place = step.branch.as_ref().map(|branch| (branch.condition.as_str(), branch.outcome));
        branches.entry(place).or_default().push(step);
    }
    let mut text = String::new();
    steps(&branches, None, "", &mut text);
    text
}

type Branches<'p> = HashMap<Option<(&'p str, bool)>, Vec<&'p Drawn>>;

fn steps(branches: &Branches<'_>, place: Option<(&str, bool)>, indent: &str, text: &mut String) {
    for step in branches.get(&place).into_iter().flatten() {
        text.push_str(&format!("{indent}{}  {}\n", step.name, step.kind));
        let taken: Vec<bool> =
            [true, false].into_iter().filter(|outcome| branches.contains_key(&Some((&step.name, *outcome)))).collect();
        // The line down to the branches passes by what the condition waits for.
        let below = if taken.is_empty() { "    " } else { "│   " };
        list("uses", &step.uses, &format!("{indent}{below}"), text);
        list("after", &step.after, &format!("{indent}{below}"), text);
        for (i, outcome) in taken.iter().enumerate() {
            let last = i + 1 == taken.len();
            text.push_str(&format!("{indent}{} {}\n", if last { "└─" } else { "├─" }, branch_name(*outcome)));
            let inner = format!("{indent}{}", if last { "    " } else { "│   " });
            steps(branches, Some((&step.name, *outcome)), &inner, text);
        }
    }
}

/// `uses A, B, C`, broken where the line ends.
fn list(word: &str, names: &[String], indent: &str, text: &mut String) {
    let Some((first, rest)) = names.split_first() else { return };
    let mut line = format!("{indent}{word} {first}");
    for name in rest {
        line.push(',');
        if line.chars().count() + 1 + name.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = format!("{indent}{} {name}", " ".repeat(word.len()));
        } else {
            line.push(' ');
            line.push_str(name);
        }
    }
    text.push_str(&line);
    text.push('\n');
}
