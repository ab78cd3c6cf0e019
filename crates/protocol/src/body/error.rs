//! Why a body could not be decoded.

/// A body that is none. Answer SYSTEM_ERROR with it as the remark.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// Not JSON, even leniently, or not the JSON of that type.
    #[error("the body is no {kind}: {source}; send its JSON")]
    Json {
        /// The wanted type.
        kind: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A compressed registration that is cut off, malformed or far too great.
    #[error("the compressed registration is broken at its {0}; register again")]
    Compressed(&'static str),
}
