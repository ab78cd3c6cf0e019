//! Why `cargo sim` could not do what it was asked; a seed that fails is not among it.

use std::path::PathBuf;

/// An error of the runner itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunnerError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A scenario that does not exist was named.
    #[error("there is no scenario `{name}`; there are: {known}")]
    UnknownScenario {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// A mutant or a regression entry is not what it should be.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A failure that was planted did not arrive, so a green run means nothing.
    #[error("THE FARM IS BROKEN: {0}")]
    Farm(String),
    /// A mutant does not build, so nothing is known about it.
    #[error("the tree with {mutant} does not build:\n{output}")]
    Build {
        /// The mutant's id.
        mutant: String,
        /// What cargo said.
        output: String,
    },
}
