//! For Graphviz.

use super::{Picture, Why, branch_name};

pub(super) fn draw(picture: &Picture) -> String {
    let mut text =
        "digraph pipeline {\n    node [shape=box, fontname=\"Helvetica\"];\n    edge [fontname=\"Helvetica\"];\n"
            .to_owned();
    for (i, step) in picture.steps.iter().enumerate() {
        let shape = if step.is_condition() { ", shape=diamond" } else { "" };
        text.push_str(&format!("    s{i} [label=\"{}\\n{}\"{shape}];\n", label(&step.name), label(&step.kind)));
    }
    for (from, to, why) in picture.arrows() {
        let how = match why {
            Why::Uses => String::new(),
            Why::After => " [style=dashed]".to_owned(),
            Why::Branch(outcome) => format!(" [label=\"{}\"]", branch_name(outcome)),
        };
        text.push_str(&format!("    s{from} -> s{to}{how};\n"));
    }
    text.push_str("}\n");
    text
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}
