//! Keys and values by namespace: the one thing a name server keeps on disk.

use std::collections::BTreeMap;

use protocol::body::KvTable;

/// The content of `kvConfig.json`: `{"configTable":{namespace:{key:value}}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvConfig {
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
}

/// A `kvConfig.json` that is none.
#[derive(Debug, thiserror::Error)]
#[error("it must be {{\"configTable\":{{namespace:{{key:value}}}}}}, but {0}")]
pub struct KvConfigError(String);

impl KvConfig {
    /// The value of a key.
    pub fn get(&self, namespace: &str, key: &str) -> Option<&str> {
        self.namespaces.get(namespace)?.get(key).map(String::as_str)
    }

    /// Sets a key.
    pub fn put(&mut self, namespace: String, key: String, value: String) {
        self.namespaces.entry(namespace).or_default().insert(key, value);
    }

    /// Drops a key; a namespace stays, even empty.
    pub fn delete(&mut self, namespace: &str, key: &str) {
        if let Some(keys) = self.namespaces.get_mut(namespace) {
            keys.remove(key);
        }
    }

    /// All keys of a namespace.
    pub fn namespace(&self, namespace: &str) -> Option<KvTable> {
        self.namespaces.get(namespace).map(|keys| KvTable { table: keys.clone() })
    }

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let document = serde_json::json!({ "configTable": self.namespaces });
        let mut bytes = document.to_string().into_bytes();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    /// They are no JSON, or other JSON.
    pub fn decode(bytes: &[u8]) -> Result<Self, KvConfigError> {
        let document: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> =
            serde_json::from_slice(bytes).map_err(|error| KvConfigError(error.to_string()))?;
        let table = document.into_iter().find(|(name, _)| name == "configTable");
        let (_, namespaces) =
            table.ok_or_else(|| KvConfigError("configTable is missing".to_owned()))?;
        Ok(Self { namespaces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_there_until_deleted_and_survives_the_file() {
        let mut kv = KvConfig::default();
        kv.put("ORDER_TOPIC_CONFIG".into(), "TopicB".into(), "broker-a:4".into());
        kv.put("ns1".into(), "kk".into(), "vv".into());
        let mut read = KvConfig::decode(&kv.encode()).unwrap();
        assert_eq!(read, kv);
        assert_eq!(read.get("ORDER_TOPIC_CONFIG", "TopicB"), Some("broker-a:4"));
        read.delete("ns1", "kk");
        assert_eq!(read.get("ns1", "kk"), None);
        assert_eq!(read.namespace("ns1"), Some(KvTable::default()));
        assert_eq!(read.namespace("ns2"), None);
    }

    #[test]
    fn another_file_is_refused() {
        for bytes in [&b""[..], b"{}", b"[1]", br#"{"configTable":{"a":1}}"#] {
            assert!(KvConfig::decode(bytes).is_err());
        }
    }
}
