//! The workspace as its manifests describe it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// One package of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// `[dependencies]`: name of the package meant → features asked for.
    pub dependencies: BTreeMap<String, Vec<String>>,
}

/// The root manifest and all members.
#[derive(Debug)]
pub struct Workspace {
    /// The directory of the root manifest.
    pub root: PathBuf,
    /// `[workspace.metadata]`.
    pub metadata: Table,
    /// All members.
    pub packages: Vec<Package>,
}

impl Workspace {
    /// Reads the workspace below `root`.
    ///
    /// # Panics
    /// When a manifest is missing or is not what cargo would accept.
    pub fn read(root: &Path) -> Self {
        let manifest = read(&root.join("Cargo.toml"));
        let workspace = manifest["workspace"].as_table().expect("the root is a workspace");
        let members = workspace["members"].as_array().expect("members is a list");
        let packages = members
            .iter()
            .flat_map(|member| expand(root, member.as_str().expect("a member is a path")))
            .map(|dir| package(&dir))
            .collect();
        let metadata = workspace["metadata"].as_table().expect("metadata is a table").clone();
        Self { root: root.to_owned(), metadata, packages }
    }
}

fn expand(root: &Path, member: &str) -> Vec<PathBuf> {
    let Some(parent) = member.strip_suffix("/*") else { return vec![root.join(member)] };
    let mut dirs: Vec<PathBuf> = std::fs::read_dir(root.join(parent))
        .expect("a member directory can be listed")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("Cargo.toml").exists())
        .collect();
    dirs.sort();
    dirs
}

fn package(dir: &Path) -> Package {
    let manifest = read(&dir.join("Cargo.toml"));
    let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
    let mut dependencies = BTreeMap::new();
    if let Some(Value::Table(table)) = manifest.get("dependencies") {
        for (key, value) in table {
            let features = value.get("features").and_then(Value::as_array);
            let features = features.into_iter().flatten().filter_map(Value::as_str);
            let real = value.get("package").and_then(Value::as_str).unwrap_or(key);
            dependencies.insert(real.to_owned(), features.map(str::to_owned).collect());
        }
    }
    Package { name, dir: dir.to_owned(), dependencies }
}

fn read(path: &Path) -> Table {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
