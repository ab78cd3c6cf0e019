//! What must never happen: history, ledger, promises and one property per file.
