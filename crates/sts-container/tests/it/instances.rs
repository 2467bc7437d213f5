//! Several instances together write what one writes alone.

use std::fs;

use sts_model::sample;

use crate::tree::Tree;

const COUNT: usize = 4;

#[test]
fn several_instances_equal_one() {
    let input = sample::tsv(&sample::pairs(500));
    let alone = Tree::new();
    alone.put("processing/input/pairs.tsv", &input);
    alone.done("preprocess");

    let instances: Vec<Tree> = (1..=COUNT)
        .map(|number| {
            let tree = Tree::new();
            tree.put("processing/input/pairs.tsv", &input);
            let hosts: Vec<String> = (1..=COUNT).map(|host| format!("\"algo-{host}\"")).collect();
            let config = format!(r#"{{"current_host": "algo-{number}", "hosts": [{}]}}"#, hosts.join(", "));
            tree.put("config/resourceconfig.json", config);
            tree.done("preprocess");
            tree
        })
        .collect();

    for (folder, stem, extension) in [
        ("train", "train", "csv"),
        ("validation", "validation", "csv"),
        ("test", "test", "csv"),
        ("test", "pairs", "tsv"),
    ] {
        let header = usize::from(extension == "tsv");
        let mut expected: Vec<String> = lines(&alone.text(&format!("processing/{folder}/{stem}.{extension}")), header);
        let mut found = Vec::new();
        for (number, tree) in (1..).zip(&instances) {
            let share =
                lines(&tree.text(&format!("processing/{folder}/{stem}-{number:05}-of-00004.{extension}")), header);
            assert!(!share.is_empty() && share.len() < expected.len());
            found.extend(share);
        }
        expected.sort();
        found.sort();
        assert!(found == expected, "{stem}.{extension}");
    }
    let vocabulary = "processing/vocabulary/vocabulary.json";
    assert_eq!(instances[0].text(vocabulary), alone.text(vocabulary));
    for tree in &instances[1..] {
        assert!(!fs::exists(tree.path(vocabulary)).unwrap());
    }

    let messages: String = instances.iter().map(|tree| tree.text("output/message")).collect();
    assert!(messages.contains("instance 4 of 4: train "), "{messages}");
    // SageMaker keeps as much of all of them together.
    assert!(messages.len() <= 1024);
}

fn lines(text: &str, header: usize) -> Vec<String> {
    text.lines().skip(header).map(str::to_owned).collect()
}
