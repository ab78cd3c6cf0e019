//! Connections, requests and responses by opaque, in both directions.
