//! What lies on a disk, for those who judge: raw bytes, no product in between.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::machine::NodeDisk;
use super::tree::Target;

/// Every file of a node's disk, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskImages {
    /// What a process that starts now would read.
    pub cache: BTreeMap<String, Bytes>,
    /// What the device surely holds: the least that a power failure leaves.
    pub durable: BTreeMap<String, Bytes>,
}

impl NodeDisk {
    /// Both images as they are now. Draws nothing and changes nothing.
    pub(crate) fn images(&self) -> DiskImages {
        let state = self.state();
        let mut images = DiskImages::default();
        let mut cached: BTreeMap<u64, Bytes> = BTreeMap::new();
        for (path, target) in state.tree.cached() {
            if let Target::File(file) = target {
                let content = file.content();
                let bytes = Bytes::from(content.cache().read(0, content.cache().len()));
                cached.insert(file.id, bytes.clone());
                images.cache.insert(path.clone(), bytes);
            }
        }
        for (path, target) in state.tree.durable() {
            if let Target::File(file) = target {
                let content = file.content();
                let (cache, durable) = (content.cache(), content.durable());
                // What is synced is the same twice; most files are.
                let same = durable.is_shared(cache).then(|| cached.get(&file.id)).flatten();
                let bytes = same.cloned();
                let bytes = bytes.unwrap_or_else(|| durable.read(0, durable.len()).into());
                images.durable.insert(path.clone(), bytes);
            }
        }
        images
    }
}
