//! The flags of a message that the system sets, not the user.
//!
//! | bits | meaning |
//! |---|---|
//! | `0x001` | the body is compressed |
//! | `0x002` | several tags |
//! | `0x00c` | transaction: 0 none, 4 prepared, 8 committed, 12 rolled back |
//! | `0x010` | the born host is IPv6 |
//! | `0x020` | the store host is IPv6 |
//! | `0x040`, `0x080` | needs unwrapping, inner batch (5.x) |
//! | `0x700` | compression: 0 and 3 zlib, 1 LZ4, 2 Zstandard |

/// The bits of [`SysFlag::transaction`].
const TRANSACTION: u32 = 0xc;

/// The system's flags of one message. Bits this version does not know are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SysFlag(pub u32);

/// Where a message stands in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionType {
    /// Not part of one.
    None,
    /// A half message: not to be seen yet.
    Prepared,
    /// Decided: visible.
    Commit,
    /// Decided: never visible.
    Rollback,
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// zlib, also when an old client named no type.
    Zlib,
    /// The LZ4 frame format.
    Lz4,
    /// Zstandard frames.
    Zstd,
    /// A type this version does not know (its number, 4 ..= 7).
    Unknown(u32),
}

impl SysFlag {
    /// The body is compressed.
    pub const COMPRESSED: u32 = 0x1;
    /// Several tags.
    pub const MULTI_TAGS: u32 = 0x2;
    /// The born host has 16 + 4 bytes instead of 4 + 4.
    pub const BORN_HOST_V6: u32 = 0x10;
    /// The store host has 16 + 4 bytes instead of 4 + 4.
    pub const STORE_HOST_V6: u32 = 0x20;

    /// Whether the body is compressed.
    pub fn is_compressed(self) -> bool {
        self.0 & Self::COMPRESSED != 0
    }

    /// How the body is compressed; `None` when it is not.
    pub fn compression(self) -> Option<Compression> {
        if !self.is_compressed() {
            return None;
        }
        Some(match (self.0 >> 8) & 7 {
            0 | 3 => Compression::Zlib,
            1 => Compression::Lz4,
            2 => Compression::Zstd,
            other => Compression::Unknown(other),
        })
    }

    /// The flags of a message whose body was compressed with zlib by a client of today.
    #[must_use]
    pub fn with_zlib(self) -> Self {
        Self(self.0 & !0x700 | 0x300 | Self::COMPRESSED)
    }

    /// The flags after the body was decompressed.
    #[must_use]
    pub fn without_compression(self) -> Self {
        Self(self.0 & !Self::COMPRESSED)
    }

    /// Where the message stands in a transaction.
    pub fn transaction(self) -> TransactionType {
        match self.0 & TRANSACTION {
            0x4 => TransactionType::Prepared,
            0x8 => TransactionType::Commit,
            0xc => TransactionType::Rollback,
            _ => TransactionType::None,
        }
    }

    /// The same flags at another point of a transaction.
    #[must_use]
    pub fn with_transaction(self, transaction: TransactionType) -> Self {
        let bits = match transaction {
            TransactionType::None => 0,
            TransactionType::Prepared => 0x4,
            TransactionType::Commit => 0x8,
            TransactionType::Rollback => 0xc,
        };
        Self(self.0 & !TRANSACTION | bits)
    }

    /// Whether the born host is stored with 20 bytes.
    pub fn has_born_host_v6(self) -> bool {
        self.0 & Self::BORN_HOST_V6 != 0
    }

    /// Whether the store host is stored with 20 bytes.
    pub fn has_store_host_v6(self) -> bool {
        self.0 & Self::STORE_HOST_V6 != 0
    }

    /// The same flags with the two host bits as the addresses need them.
    #[must_use]
    pub fn with_hosts(self, born_is_v6: bool, store_is_v6: bool) -> Self {
        let born = if born_is_v6 { Self::BORN_HOST_V6 } else { 0 };
        let store = if store_is_v6 { Self::STORE_HOST_V6 } else { 0 };
        Self(self.0 & !(Self::BORN_HOST_V6 | Self::STORE_HOST_V6) | born | store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_is_read_from_old_and_new_clients() {
        assert_eq!(SysFlag(0).compression(), None);
        assert_eq!(SysFlag(0x300).compression(), None);
        assert_eq!(SysFlag(1).compression(), Some(Compression::Zlib));
        assert_eq!(SysFlag(0x101).compression(), Some(Compression::Lz4));
        assert_eq!(SysFlag(0x201).compression(), Some(Compression::Zstd));
        assert_eq!(SysFlag(0x401).compression(), Some(Compression::Unknown(4)));
        assert_eq!(SysFlag(0).with_zlib(), SysFlag(769));
        assert_eq!(SysFlag(769).without_compression(), SysFlag(768));
    }

    #[test]
    fn a_transaction_type_replaces_the_one_before_and_nothing_else() {
        for bits in [0, 0x31, 0x8] {
            for to in [
                TransactionType::None,
                TransactionType::Prepared,
                TransactionType::Commit,
                TransactionType::Rollback,
            ] {
                let flag = SysFlag(bits).with_transaction(to);
                assert_eq!(flag.transaction(), to);
                assert_eq!(flag.0 & !TRANSACTION, bits & !TRANSACTION);
            }
        }
    }

    #[test]
    fn host_bits_follow_the_hosts() {
        assert_eq!(SysFlag(0x30).with_hosts(false, false), SysFlag(0));
        assert_eq!(SysFlag(1).with_hosts(true, false), SysFlag(0x11));
        assert_eq!(SysFlag(1).with_hosts(false, true), SysFlag(0x21));
    }
}
