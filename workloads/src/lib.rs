//! Traffic, one pattern per file, through the client only.
