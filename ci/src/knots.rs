//! Rule 3: the import graph among the files of one package has no cycle.
//!
//! An edge is a path that starts with `crate::`, `super::` or `self::`, or with the name of a child
//! module, in production code. A `pub use` in a parent is a shop window and no edge: a path through
//! it leads to the file that stands behind it.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

use crate::sources::{Source, is_test};

type Module = Vec<String>;

/// The cycles among the files of each package, as one line each.
pub fn violations(sources: &[Source]) -> Vec<String> {
    let mut packages: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module.is_some()) {
        packages.entry(&source.package).or_default().push(source);
    }
    packages.into_iter().flat_map(|(package, files)| knots_of(package, &files)).collect()
}

fn knots_of(package: &str, files: &[&Source]) -> Vec<String> {
    let modules: BTreeSet<Module> = files.iter().filter_map(|file| file.module.clone()).collect();
    let windows = shop_windows(files, &modules);
    let mut edges: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for file in files {
        let here = file.module.clone().expect("only production files come here");
        let mut imports = Imports { here: here.clone(), modules: &modules, found: BTreeSet::new() };
        imports.visit_file(&file.syntax);
        let targets = imports.found.iter().map(|path| resolve(path, &modules, &windows, 8));
        edges.entry(here.clone()).or_default().extend(targets.filter(|target| *target != here));
    }
    cycles(&edges)
        .into_iter()
        .map(|cycle| {
            let names: Vec<String> = cycle.iter().map(name).collect();
            format!("{package}: {} files in a knot: {}", cycle.len(), names.join(", "))
        })
        .collect()
}

fn name(module: &Module) -> String {
    if module.is_empty() { "the crate's root".to_owned() } else { module.join("::") }
}

/// (module, exported name) → the absolute path behind it.
type Windows = BTreeMap<(Module, String), Module>;

fn shop_windows(files: &[&Source], modules: &BTreeSet<Module>) -> Windows {
    let mut windows = Windows::new();
    for file in files {
        let here = file.module.clone().expect("only production files come here");
        for item in &file.syntax.items {
            let syn::Item::Use(item) = item else { continue };
            if matches!(item.vis, syn::Visibility::Inherited) {
                continue;
            }
            for (path, alias) in leaves(&item.tree) {
                if let Some(path) = absolute(&path, &here, modules) {
                    windows.insert((here.clone(), alias), path);
                }
            }
        }
    }
    windows
}

/// The module whose file a path leads to, looking through shop windows at most `depth` times.
fn resolve(path: &[String], modules: &BTreeSet<Module>, windows: &Windows, depth: u8) -> Module {
    let inside = (0..=path.len()).rev().find(|&len| modules.contains(&path[..len]));
    let module = path[..inside.unwrap_or(0)].to_vec();
    let Some(next) = path.get(module.len()) else { return module };
    match windows.get(&(module.clone(), next.clone())) {
        Some(behind) if depth > 0 => resolve(behind, modules, windows, depth - 1),
        _ => module,
    }
}

/// A path as one from the crate's root; `None` when it leads to another crate.
fn absolute(path: &[String], here: &Module, modules: &BTreeSet<Module>) -> Option<Module> {
    let first = path.first()?.as_str();
    let child = |name: &str| {
        let mut child = here.clone();
        child.push(name.to_owned());
        modules.contains(&child)
    };
    match first {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([here.as_slice(), &path[1..]].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let base = here.len().checked_sub(ups)?;
            Some([&here[..base], &path[ups..]].concat())
        }
        name if child(name) => Some([here.as_slice(), path].concat()),
        _ => None,
    }
}

fn leaves(tree: &syn::UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree)
            .into_iter()
            .map(|(mut rest, alias)| {
                rest.insert(0, path.ident.to_string());
                (rest, alias)
            })
            .collect(),
        syn::UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        syn::UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        syn::UseTree::Glob(_) => vec![(Vec::new(), "*".to_owned())],
        syn::UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

struct Imports<'a> {
    here: Module,
    modules: &'a BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test(item) {
            return;
        }
        if let syn::Item::Use(item) = item {
            let window = !matches!(item.vis, syn::Visibility::Inherited);
            for (path, _) in leaves(&item.tree) {
                if !window {
                    self.found.extend(absolute(&path, &self.here, self.modules));
                }
            }
            return;
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1 {
            self.found.extend(absolute(&parts, &self.here, self.modules));
        }
        syn::visit::visit_path(self, path);
    }
}

/// The strongly connected components of more than one file.
fn cycles(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|from| (from, reachable(from, edges))).collect();
    let mut seen: BTreeSet<&Module> = BTreeSet::new();
    let mut cycles = Vec::new();
    for from in edges.keys() {
        if seen.contains(from) || !reach[from].contains(from) {
            continue;
        }
        let knot: Vec<Module> = reach[from]
            .iter()
            .filter(|to| reach.get(*to).is_some_and(|back| back.contains(from)))
            .map(|to| (*to).clone())
            .collect();
        seen.extend(reach[from].iter().filter(|to| knot.contains(to)));
        cycles.push(knot);
    }
    cycles
}

fn reachable<'a>(
    from: &'a Module,
    edges: &'a BTreeMap<Module, BTreeSet<Module>>,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = edges.get(from).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(edges.get(next).into_iter().flatten());
        }
    }
    reached
}
