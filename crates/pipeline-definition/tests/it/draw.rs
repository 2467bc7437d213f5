//! Drawings. The Graphviz one was looked at as a picture.

use pipeline_definition::{Definition, draw::Picture};
use serde_json::json;

fn picture() -> Picture {
    Picture::of(&Definition::parse(include_str!("fixtures/good.json")).unwrap()).unwrap()
}

#[test]
fn text() {
    let expected = "\
Prepare  Processing
Train  Training
    uses Prepare
Evaluate  Processing
    uses Train
Ask  Lambda
    uses Evaluate
Check  Condition
│   uses Evaluate, Ask
├─ if
│   Register  RegisterModel
│       uses Train
│   Tell  Lambda
│       uses Register
└─ else
    Stop  Fail
";
    assert_eq!(picture().text(), expected);
}

#[test]
fn text_is_as_wide_as_a_terminal() {
    let get = |i: usize| json!({"Get": format!("Steps.A-step-of-a-name-{i}.X")});
    let step = |i: usize, uses: Vec<usize>| {
        let uses: Vec<_> = uses.into_iter().map(get).collect();
        json!({"Name": format!("A-step-of-a-name-{i}"), "Type": "Processing", "Arguments": uses})
    };
    let steps: Vec<_> = (0..20).map(|i| step(i, if i == 19 { (0..19).collect() } else { vec![] })).collect();
    let text = Picture::of(&Definition::from_value(json!({"Steps": steps})).unwrap()).unwrap().text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(text.matches("A-step-of-a-name-18").count(), 2);
    assert!(text.lines().any(|line| line.chars().count() > 60), "{text}");
}

#[test]
fn mermaid() {
    let expected = "\
flowchart TD
    s0[\"Prepare<br/>Processing\"]
    s1[\"Train<br/>Training\"]
    s2[\"Evaluate<br/>Processing\"]
    s3[\"Ask<br/>Lambda\"]
    s4{\"Check<br/>Condition\"}
    s5[\"Register<br/>RegisterModel\"]
    s6[\"Tell<br/>Lambda\"]
    s7[\"Stop<br/>Fail\"]
    s0 --> s1
    s1 --> s2
    s2 --> s3
    s2 --> s4
    s3 --> s4
    s4 -->|if| s5
    s1 --> s5
    s4 -->|if| s6
    s5 --> s6
    s4 -->|else| s7
";
    assert_eq!(picture().mermaid(), expected);
}

#[test]
fn dot() {
    let dot = picture().dot();
    for line in [
        "digraph pipeline {",
        "    s0 [label=\"Prepare\\nProcessing\"];",
        "    s4 [label=\"Check\\nCondition\", shape=diamond];",
        "    s4 -> s7 [label=\"else\"];",
        "    s0 -> s1;",
        "}",
    ] {
        assert!(dot.lines().any(|found| found == line), "{line}\n{dot}");
    }
}

#[test]
fn explicit_dependencies_are_told_from_uses_and_names_are_escaped() {
    let steps = json!([
        {"Name": "a\"\\<b>\n#1;", "Type": "X"},
        {"Name": "B", "Type": "Y", "DependsOn": ["a\"\\<b>\n#1;", "a\"\\<b>\n#1;"]},
    ]);
    let picture = Picture::of(&Definition::from_value(json!({"Steps": steps})).unwrap()).unwrap();
    assert!(picture.mermaid().contains("s0[\"a#34;#92;#60;b#62;#10;#35;1#59;<br/>X\"]"), "{}", picture.mermaid());
    assert!(picture.mermaid().contains("    s0 -.-> s1\n"));
    assert!(picture.dot().contains("s0 [label=\"a\\\"\\\\<b> #1;\\nX\"];"), "{}", picture.dot());
    assert!(picture.dot().contains("    s0 -> s1 [style=dashed];\n"));
    assert_eq!(picture.steps[1].after.len(), 1);
}

#[test]
fn what_is_no_graph_is_not_drawn() {
    let definition = json!({"Steps": [{"Name": "A", "Type": "Fail", "DependsOn": ["B"]}]});
    assert!(Picture::of(&Definition::from_value(definition).unwrap()).is_err());
}
