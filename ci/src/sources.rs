//! The Rust sources of the workspace, read and parsed once.

use std::path::{Path, PathBuf};

use syn::spanned::Spanned;

use crate::manifests::Workspace;

/// One Rust file.
pub struct Source {
    /// The package it belongs to.
    pub package: String,
    /// Its path below the workspace's root, for messages.
    pub path: String,
    /// Its module path inside the package's crate, such as `["put", "fast"]`; `None` for tests and
    /// examples.
    pub module: Option<Vec<String>>,
    /// Its text.
    pub text: String,
    /// Its syntax.
    pub syntax: syn::File,
    /// Lines that are not in a `#[cfg(test)]` item; all lines of a test file count as none.
    pub production_lines: usize,
}

impl Source {
    /// Reads a file's text as belonging to `package`.
    ///
    /// # Panics
    /// When it is not Rust.
    pub fn parse(package: &str, path: &str, module: Option<Vec<String>>, text: String) -> Self {
        let syntax =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{path} is not Rust: {error}"));
        let tests: usize = syntax
            .items
            .iter()
            .filter(|item| is_test(item))
            .map(|item| item.span().end().line - item.span().start().line + 1)
            .sum();
        let production_lines =
            if module.is_some() { text.lines().count().saturating_sub(tests) } else { 0 };
        Self {
            package: package.to_owned(),
            path: path.to_owned(),
            module,
            text,
            syntax,
            production_lines,
        }
    }
}

/// All sources of the workspace: `src`, `tests`, `examples` and `benches` of every package.
///
/// # Panics
/// When a file cannot be read.
pub fn all(workspace: &Workspace) -> Vec<Source> {
    let mut sources = Vec::new();
    for package in &workspace.packages {
        for top in ["src", "tests", "examples", "benches"] {
            let base = package.dir.join(top);
            for file in files(&base) {
                let below = file.strip_prefix(&base).expect("it was found there");
                let module = (top == "src").then(|| module_of(below));
                let shown = file.strip_prefix(&workspace.root).unwrap_or(&file);
                let text = std::fs::read_to_string(&file)
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let shown = shown.display().to_string();
                sources.push(Source::parse(&package.name, &shown, module, text));
            }
        }
    }
    sources
}

/// Whether an item exists for tests only.
pub fn is_test(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn module_of(below: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        below.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("lib" | "main" | "mod")) {
        parts.pop();
    }
    parts
}
