//! A copy of the workspace in which one file is changed, with a target directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::RunnerError;

/// What is copied; nothing else belongs to a build of the runner.
const PARTS: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "crates",
    "sim",
    "workloads",
    "invariants",
    "ci",
    "seeds",
];

/// One change of a text.
#[derive(Debug, Deserialize)]
pub(crate) struct Edit {
    /// The text to replace; it stands exactly once in the file.
    find: String,
    /// What to put there.
    replace: String,
}

impl Edit {
    /// The text with all these changes.
    ///
    /// # Errors
    /// What is wrong when a text to replace does not stand exactly once.
    pub(crate) fn all<'a>(
        edits: impl Iterator<Item = &'a Edit>,
        text: &str,
    ) -> Result<String, String> {
        let mut changed = text.to_owned();
        for Edit { find, replace } in edits {
            let times = text.matches(find).count();
            if times != 1 {
                return Err(format!("`{find}` stands {times} times here, not once"));
            }
            changed = changed.replacen(find, replace, 1);
        }
        Ok(changed)
    }
}

/// The copy.
pub(crate) struct Scratch {
    root: PathBuf,
    tree: PathBuf,
    target: PathBuf,
}

impl Scratch {
    /// Copies the workspace's sources, leaving alone what has not changed since the last time, so
    /// that cargo builds only what a mutant touches.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(crate) fn new(root: &Path) -> Result<Self, RunnerError> {
        let base = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => root.join(target).join("mutants"),
            None => root.join("target/mutants"),
        };
        let scratch =
            Self { root: root.to_owned(), tree: base.join("tree"), target: base.join("target") };
        std::fs::create_dir_all(&scratch.tree)
            .map_err(|source| RunnerError::File { path: scratch.tree.clone(), source })?;
        for part in PARTS {
            copy(&root.join(part), &scratch.tree.join(part))?;
        }
        Ok(scratch)
    }

    /// Builds the runner with some texts replaced, and gives the path of the binary. The copy is
    /// whole again afterwards.
    ///
    /// # Errors
    /// When a text does not stand exactly once in the file, or the changed tree does not build.
    pub(crate) fn build_with(
        &self,
        mutant: &str,
        file: &Path,
        edits: &[&Edit],
    ) -> Result<PathBuf, RunnerError> {
        let (original, changed) = (self.root.join(file), self.tree.join(file));
        let text = read(&original)?;
        let mutated = Edit::all(edits.iter().copied(), &text).map_err(|problem| {
            RunnerError::Malformed { path: original, problem: format!("{mutant}: {problem}") }
        })?;
        write(&changed, mutated.as_bytes())?;
        let built = self.build(mutant);
        write(&changed, text.as_bytes())?;
        built
    }

    /// Where the runner with this mutant stands once it is built.
    pub(crate) fn runner(&self, mutant: &str) -> PathBuf {
        self.target.join(format!("sim-runner-{mutant}"))
    }

    fn build(&self, mutant: &str) -> Result<PathBuf, RunnerError> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--profile", "sim", "--package", "sim-runner"])
            // Between two mutants two files change: what does not depend on them stays as built.
            .env("CARGO_PROFILE_SIM_INCREMENTAL", "true")
            .env("CARGO_PROFILE_SIM_CODEGEN_UNITS", "64")
            .env("CARGO_PROFILE_SIM_DEBUG", "false")
            // Most die within a few seeds, so a fast build matters more than fast code.
            .env("CARGO_PROFILE_SIM_OPT_LEVEL", "1")
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(&self.tree)
            .output()
            .map_err(|source| RunnerError::File { path: "cargo".into(), source })?;
        if !output.status.success() {
            let output = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(RunnerError::Build { mutant: mutant.to_owned(), output });
        }
        let built = self.target.join("sim/sim-runner");
        // The next build replaces the binary; this one is hunted meanwhile or later.
        let kept = self.runner(mutant);
        std::fs::copy(&built, &kept).map_err(|source| RunnerError::File { path: built, source })?;
        Ok(kept)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), RunnerError> {
    let failed = |source| RunnerError::File { path: from.to_owned(), source };
    if from.is_dir() {
        std::fs::create_dir_all(to).map_err(failed)?;
        for entry in std::fs::read_dir(from).map_err(failed)?.flatten() {
            let name = entry.file_name();
            if name != "target" && name != "node_modules" {
                copy(&entry.path(), &to.join(name))?;
            }
        }
        return Ok(());
    }
    let bytes = std::fs::read(from).map_err(failed)?;
    if std::fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    write(to, &bytes)
}

fn read(path: &Path) -> Result<String, RunnerError> {
    std::fs::read_to_string(path)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RunnerError> {
    std::fs::write(path, bytes)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })
}

/// Where the workspace stands: its sources are copied, its `seeds/` are run.
pub(crate) fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
