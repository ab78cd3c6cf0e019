//! The nouns: topics, queues, properties, offsets, message ids and the stored record's bytes.
