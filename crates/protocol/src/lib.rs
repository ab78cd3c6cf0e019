//! The wire: commands, headers, bodies and frames. Pure.
