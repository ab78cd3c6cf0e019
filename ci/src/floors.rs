//! Rule 1: dependencies point down.
//!
//! Reads `[workspace.metadata.floors]` and holds the `[dependencies]` of every package against it.

use std::collections::BTreeMap;

use crate::manifests::Workspace;

/// Every edge that climbs a floor or stays on one, and every package that stands on none.
pub fn violations(workspace: &Workspace) -> Vec<String> {
    let floor_of = floors(workspace);
    let mut violations = Vec::new();
    for package in &workspace.packages {
        let Some(floor) = floor_of.get(&package.name) else {
            violations.push(format!("{}: stands on no floor", package.name));
            continue;
        };
        for dependency in package.dependencies.keys() {
            if floor_of.get(dependency).is_some_and(|below| below >= floor) {
                violations.push(format!("{} -> {dependency}: does not point down", package.name));
            }
        }
    }
    violations
}

fn floors(workspace: &Workspace) -> BTreeMap<String, i64> {
    let table = workspace.metadata["floors"].as_table().expect("floors is a table");
    let mut floor_of = BTreeMap::new();
    for (floor, packages) in table {
        let floor = floor.parse().expect("a floor is a number");
        for package in packages.as_array().expect("a floor is a list") {
            floor_of.insert(package.as_str().expect("a name").to_owned(), floor);
        }
    }
    floor_of
}
