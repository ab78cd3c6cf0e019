//! `invariants/README.md` lists every property there is, with its claim and its file.

#![expect(clippy::disallowed_methods, reason = "it reads a table from a real disk")]

use std::path::{Path, PathBuf};

use ci::manifests::Workspace;
use ci::sources;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci/ has a parent").to_owned()
}

/// The text of a field of a struct's literal.
fn text(literal: &syn::ExprStruct, name: &str) -> Option<String> {
    let is_it =
        |field: &&syn::FieldValue| matches!(&field.member, syn::Member::Named(n) if n == name);
    let syn::Expr::Lit(lit) = &literal.fields.iter().find(is_it)?.expr else { return None };
    let syn::Lit::Str(text) = &lit.lit else { return None };
    Some(text.value())
}

/// Id and claim of each property that a file declares.
fn claims(file: &syn::File) -> Vec<(String, String)> {
    let literals = file.items.iter().filter_map(|item| match item {
        syn::Item::Const(item) => match &*item.expr {
            syn::Expr::Struct(literal) if literal.path.is_ident("Claim") => Some(literal),
            _ => None,
        },
        _ => None,
    });
    literals
        .filter_map(|literal| Some((text(literal, "id")?, text(literal, "sentence")?)))
        .collect()
}

/// By family, then by number.
fn rank(id: &str) -> (String, u32) {
    let (family, number) = id.split_at(id.find(|c: char| c.is_ascii_digit()).unwrap_or(0));
    (family.to_owned(), number.parse().unwrap_or(0))
}

#[test]
fn the_table_of_invariants_is_that_of_the_sources() {
    let mut rows: Vec<(String, String)> = Vec::new();
    let all = sources::all(&Workspace::read(&root()));
    for source in all.iter().filter(|source| source.package == "invariants") {
        let Some((_, path)) = source.path.split_once("src/") else { continue };
        for (id, sentence) in claims(&source.syntax) {
            let row = format!("| {id} | {} | `src/{path}` |", sentence.replace('|', "/"));
            rows.push((id, row));
        }
    }
    assert!(rows.len() > 30, "the properties are not where they were: {}", rows.len());
    rows.sort_by_key(|(id, _)| rank(id));
    let expected: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
    let readme = std::fs::read_to_string(root().join("invariants/README.md")).expect("the table");
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| Id ");
    let found: Vec<&str> = readme.lines().filter(is_row).collect();
    let wanted = expected.join("\n");
    assert!(found == expected, "put these rows into invariants/README.md:\n{wanted}\n");
}
