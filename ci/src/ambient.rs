//! Rule 4: nothing ambient outside the packages that open the doors.
//!
//! The bans are those of `.clippy.toml`, so that one list serves both.

use std::collections::BTreeMap;
use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::sources::{Source, is_test};

/// Packages that face the machine or the operator.
const OPEN: [&str; 5] = ["runtime-tokio", "hotfire", "console", "sim-runner", "ci"];

/// A banned path and the door that replaces it.
pub type Bans = BTreeMap<String, String>;

/// The bans of a `.clippy.toml`.
///
/// # Panics
/// When the file is missing or has another shape.
pub fn bans(clippy_toml: &Path) -> Bans {
    let text = std::fs::read_to_string(clippy_toml).expect(".clippy.toml can be read");
    let table: toml::Table = text.parse().expect(".clippy.toml is TOML");
    let mut bans = Bans::new();
    for key in ["disallowed-methods", "disallowed-types"] {
        for ban in table[key].as_array().expect("bans are a list") {
            let field = |name: &str| ban[name].as_str().expect("a ban has strings").to_owned();
            bans.insert(field("path"), field("reason"));
        }
    }
    bans
}

/// Every use of a banned path in production code, and every unbiased `tokio::select!`.
pub fn violations(sources: &[Source], bans: &Bans) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        if OPEN.contains(&source.package.as_str()) || source.module.is_none() {
            continue;
        }
        let mut calls = Calls { source, bans, names: BTreeMap::new(), violations: Vec::new() };
        calls.visit_file(&source.syntax);
        violations.extend(calls.violations);
    }
    violations
}

struct Calls<'a> {
    source: &'a Source,
    bans: &'a Bans,
    /// What each imported name stands for.
    names: BTreeMap<String, String>,
    violations: Vec<String>,
}

impl Calls<'_> {
    fn import(&mut self, tree: &syn::UseTree, prefix: &str) {
        let join = |name: &syn::Ident| match prefix {
            "" => name.to_string(),
            prefix => format!("{prefix}::{name}"),
        };
        match tree {
            syn::UseTree::Path(path) => self.import(&path.tree, &join(&path.ident)),
            syn::UseTree::Name(name) if name.ident == "self" => {
                let last = prefix.rsplit("::").next().unwrap_or(prefix);
                self.names.insert(last.to_owned(), prefix.to_owned());
            }
            syn::UseTree::Name(name) => {
                self.names.insert(name.ident.to_string(), join(&name.ident));
            }
            syn::UseTree::Rename(name) => {
                self.names.insert(name.rename.to_string(), join(&name.ident));
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.import(item, prefix));
            }
            syn::UseTree::Glob(_) => {}
        }
    }

    fn check(&mut self, path: &str, line: usize) {
        if let Some(reason) = self.bans.get(path) {
            self.violations.push(format!("{}:{line}: {path}: {reason}", self.source.path));
        }
    }
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test(item) {
            return;
        }
        if let syn::Item::Use(item) = item {
            self.import(&item.tree, "");
            let line = item.span().start().line;
            for path in self.names.values().cloned().collect::<Vec<_>>() {
                if self.bans.contains_key(&path) && path.contains("collections") {
                    self.check(&path, line);
                    self.names.retain(|_, known| *known != path);
                }
            }
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut parts: Vec<String> =
            path.segments.iter().map(|part| part.ident.to_string()).collect();
        if let Some(full) = self.names.get(&parts[0]) {
            parts[0] = full.clone();
        }
        self.check(&parts.join("::"), path.span().start().line);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let is_select = call.path.segments.last().is_some_and(|last| last.ident == "select");
        if is_select && !call.tokens.to_string().trim_start().starts_with("biased") {
            let line = call.span().start().line;
            let path = &self.source.path;
            self.violations.push(format!("{path}:{line}: select! without `biased;` is entropy"));
        }
        syn::visit::visit_macro(self, call);
    }
}
