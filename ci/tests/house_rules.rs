//! The house rules hold in this tree, and each check finds a planted violation.

#![expect(clippy::disallowed_methods, reason = "it writes planted trees to a real disk")]

use std::path::{Path, PathBuf};

use ci::manifests::Workspace;
use ci::sources::{self, Source};
use ci::{ambient, doors, floors, knots, rooms};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ci/ has a parent").to_owned()
}

fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

fn file(module: &str, text: &str) -> Source {
    let path: Vec<String> =
        module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    Source::parse("planted", &format!("{module}.rs"), Some(path), text.to_owned())
}

/// A workspace of two packages, `low` below `high`; `low` depends on what is asked for.
fn planted_workspace(low_dependencies: &str) -> Workspace {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n[workspace.metadata.floors]\n0 = [\"low\"]\n\
         1 = [\"high\"]\n[workspace.metadata.doors]\nmemmap2 = [\"high\"]\n\
         tokio-full = [\"high\"]\n[workspace.metadata.budgets]\nlow = 2\n",
    );
    let package = |name: &str, dependencies: &str| {
        format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}\n")
    };
    write("crates/low/Cargo.toml", &package("low", low_dependencies));
    write("crates/high/Cargo.toml", &package("high", "low.workspace = true\nmemmap2 = \"1\""));
    Workspace::read(dir.path())
}

#[test]
fn dependencies_point_down() {
    none(floors::violations(&Workspace::read(&root())));
}

#[test]
fn a_dependency_that_climbs_is_found() {
    let found = floors::violations(&planted_workspace("high.workspace = true"));
    assert_eq!(found, ["low -> high: does not point down"]);
    assert!(floors::violations(&planted_workspace("")).is_empty());
}

#[test]
fn doors_open_only_with_a_key() {
    none(doors::violations(&Workspace::read(&root())));
}

#[test]
fn a_door_without_a_key_is_found() {
    let found = doors::violations(&planted_workspace(
        "memmap2 = \"1\"\ntokio = { version = \"1\", features = [\"sync\", \"net\"] }",
    ));
    assert_eq!(
        found,
        ["low -> memmap2: has no key to this door", "low -> tokio-full: has no key to this door"]
    );
    let harmless = "tokio = { version = \"1\", features = [\"sync\", \"macros\"] }";
    assert!(doors::violations(&planted_workspace(harmless)).is_empty());
}

#[test]
fn no_package_is_knotted() {
    none(knots::violations(&sources::all(&Workspace::read(&root()))));
}

#[test]
fn a_knot_is_found_also_through_a_shop_window() {
    let knotted = [
        file("", "//! .\nmod a;\nmod b;\npub use a::A;"),
        file("a", "//! .\nuse crate::b::B;\npub struct A(B);"),
        file("b", "//! .\npub struct B(Option<Box<crate::A>>);"),
    ];
    assert_eq!(knots::violations(&knotted), ["planted: 2 files in a knot: a, b"]);
    let straight = [
        file("", "//! .\nmod a;\nmod b;\npub use a::A;"),
        file("a", "//! .\npub struct A;"),
        file("b", "//! .\nuse super::A;\n#[cfg(test)]\nmod tests { use crate::b::*; }"),
    ];
    assert!(knots::violations(&straight).is_empty());
}

#[test]
fn nothing_ambient_is_called() {
    let bans = ambient::bans(&root().join(".clippy.toml"));
    none(ambient::violations(&sources::all(&Workspace::read(&root())), &bans));
}

#[test]
fn an_ambient_call_is_found() {
    let bans = ambient::bans(&root().join(".clippy.toml"));
    let planted = [
        file("clock", "//! .\nuse std::time::Instant;\nfn f() { let _ = Instant::now(); }"),
        file("map", "//! .\nuse std::collections::{BTreeMap, HashMap};"),
        file("pick", "//! .\nasync fn f() { tokio::select! { _ = a() => {} } }"),
        file("fair", "//! .\nasync fn f() { tokio::select! { biased; _ = a() => {} } }"),
        file("test", "//! .\n#[cfg(test)]\nmod tests { fn f() { std::thread::spawn(|| ()); } }"),
    ];
    let found = ambient::violations(&planted, &bans);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("clock.rs:3: std::time::Instant::now"), "{found:?}");
    assert!(found[1].starts_with("map.rs:2: std::collections::HashMap"), "{found:?}");
    assert!(found[2].starts_with("pick.rs:2: select!"), "{found:?}");
}

#[test]
fn rooms_are_small() {
    let workspace = Workspace::read(&root());
    let sources = sources::all(&workspace);
    let mut found = rooms::violations(&sources);
    found.extend(rooms::over_budget(&workspace, &sources));
    none(found);
}

#[test]
fn a_large_room_is_found() {
    let long_function = format!("//! .\nfn long() {{\n{}}}\n", "    f();\n".repeat(70));
    let table =
        format!("//! .\nfn table() {{\n    match 1 {{\n{}    }}\n}}", "_ => 1,\n".repeat(99));
    let planted = [
        file("bare", "fn f() {}\n"),
        file("wide", &format!("//! {}\n", "x".repeat(97))),
        file("many", "//! .\nfn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}\n"),
        file("long", &long_function),
        file("table", &table),
        file("tall", &format!("//! .\n{}", "const _: u8 = 1;\n".repeat(500))),
        file("quiet", &format!("//! .\n{}(dead_code)]\nfn f() {{}}\n", concat!("#[", "allow"))),
    ];
    let found = rooms::violations(&planted);
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(found[0].contains("does not begin"), "{found:#?}");
    assert!(found[1].contains("100 columns"), "{found:#?}");
    assert!(found[2].contains("6 arguments of 5"), "{found:#?}");
    assert!(found[3].contains("72 lines of 70"), "{found:#?}");
    assert!(found[4].contains("501 lines of 500"), "{found:#?}");
    assert!(found[5].contains("expect"), "{found:#?}");
    let budget = Source::parse("low", "low.rs", Some(vec![]), "//! .\n\nfn f() {}\n".into());
    assert_eq!(
        rooms::over_budget(&planted_workspace(""), &[budget]),
        ["low: 3 production lines of 2"]
    );
}
