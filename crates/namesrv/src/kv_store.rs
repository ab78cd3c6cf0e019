//! The key-value configuration in memory and on disk: the disk first.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use runtime::Disk;

use crate::kv_config::{KvConfig, KvConfigError};

/// Why the file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KvLoadError {
    /// The disk said no.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the disk said.
        source: io::Error,
    },
    /// Its content is something else.
    #[error("{path} is damaged: {source}; repair it, or remove it to start without keys")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: KvConfigError,
    },
}

/// The keys, and the file that they are kept in.
pub(crate) struct KvStore {
    disk: Disk,
    path: String,
    current: Mutex<Arc<KvConfig>>,
    /// Held by the one who writes the file.
    writing: tokio::sync::Mutex<()>,
}

impl KvStore {
    /// Reads the file, or starts without keys when there is none.
    pub(crate) async fn open(disk: Disk, path: &str) -> Result<Self, KvLoadError> {
        let path = path.to_owned();
        let current = match disk.read(&path).await {
            Ok(bytes) => match KvConfig::decode(&bytes) {
                Ok(config) => config,
                Err(source) => return Err(KvLoadError::Content { path, source }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => KvConfig::default(),
            Err(source) => return Err(KvLoadError::Read { path, source }),
        };
        let (current, writing) = (Mutex::new(Arc::new(current)), tokio::sync::Mutex::new(()));
        Ok(Self { disk, path, current, writing })
    }

    /// The keys as they are now.
    pub(crate) fn current(&self) -> Arc<KvConfig> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the keys: on disk first, then for readers, so that nobody reads what a crash takes
    /// back. When the disk fails nothing has changed here, and the file holds either of the two.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut KvConfig)) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let mut next = KvConfig::clone(&self.current());
        change(&mut next);
        if let Some((directory, _)) = self.path.rsplit_once('/') {
            self.disk.create_dir(directory).await?;
        }
        self.disk.replace(&self.path, &next.encode()).await?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }
}
