//! `docs/simulation/in-an-hour.md` names places in files; each of them is still there.

#![expect(clippy::disallowed_methods, reason = "it reads files of this tree from a real disk")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci/ has a parent").to_owned()
}

/// File and place of each step that says `edit=FILE before="PLACE"`.
fn edits(page: &str) -> Vec<(String, String)> {
    let steps = page.lines().filter_map(|line| line.strip_prefix("```rust edit="));
    steps
        .filter_map(|step| {
            let (file, place) = step.split_once(" before=\"")?;
            Some((file.to_owned(), place.strip_suffix('"')?.replace("\\\"", "\"")))
        })
        .collect()
}

#[test]
fn every_step_finds_its_place() {
    let page = std::fs::read_to_string(root().join("docs/simulation/in-an-hour.md"));
    let edits = edits(&page.expect("the page can be read"));
    assert!(edits.len() > 10, "the steps are not written as they were: {}", edits.len());
    for (file, place) in edits {
        let text = std::fs::read_to_string(root().join(&file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        let found = text.matches(&place).count();
        assert_eq!(found, 1, "{file}: `{place}` is there {found} times; mend the page's step");
    }
}
