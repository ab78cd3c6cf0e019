//! Rule 2: a door that leads outside needs a key.
//!
//! Reads `[workspace.metadata.doors]`: a crate name → the packages that may depend on it.
//! `tokio-full` is tokio with more than its runtime-free features.

use crate::manifests::Workspace;

/// The features of tokio that need no runtime and reach nothing.
const TOKIO_HARMLESS: [&str; 3] = ["sync", "macros", "io-util"];

/// Every dependency on a door by a package without the key.
pub fn violations(workspace: &Workspace) -> Vec<String> {
    let doors = workspace.metadata["doors"].as_table().expect("doors is a table");
    let mut violations = Vec::new();
    for package in &workspace.packages {
        for (dependency, features) in &package.dependencies {
            let beyond = features.iter().any(|feature| !TOKIO_HARMLESS.contains(&feature.as_str()));
            let door = match dependency.as_str() {
                "tokio" if beyond => "tokio-full",
                other => other,
            };
            let Some(keys) = doors.get(door).and_then(toml::Value::as_array) else { continue };
            if !keys.iter().any(|key| key.as_str() == Some(&package.name)) {
                violations.push(format!("{} -> {door}: has no key to this door", package.name));
            }
        }
    }
    violations
}
