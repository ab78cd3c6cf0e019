//! Who serves which topic.
