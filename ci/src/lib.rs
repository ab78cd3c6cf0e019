//! House rules as tests, mutants, and interop with foreign clients.
