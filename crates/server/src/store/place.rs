//! The directory that a verb is about.

use std::path::Path;

use runtime::Runtime;
use runtime_tokio::TokioRuntime;
use store::inspect::{InspectError, Survey};

use crate::failure::Failure;

/// The store's root, from the root of the doors that are opened for it.
const ROOT: &str = "";
/// Held by whoever has the store.
pub(super) const LOCK: &str = "lock";

/// Opens the doors onto a directory that must be there.
pub(super) fn open(dir: &Path) -> Result<Runtime, Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::from_error(format!("cannot read {}", dir.display()), error)
            .remedy("give the store's root directory (storePathRootDir)")
            .could_not()
    };
    match std::fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {
            TokioRuntime::open(dir).map_err(|error| failed(&error))
        }
        Ok(_) => Err(failed(&std::io::Error::other("it is no directory"))),
        Err(error) => Err(failed(&error)),
    }
}

/// Lists its files.
pub(super) async fn survey(runtime: &Runtime, dir: &Path) -> Result<Survey, Failure> {
    Survey::of(&runtime.disk, ROOT).await.map_err(|error| failed(dir, &error))
}

/// A store that could not be looked at.
pub(super) fn failed(dir: &Path, error: &InspectError) -> Failure {
    Failure::from_error(format!("cannot read the store in {}", dir.display()), error).could_not()
}
