//! Which language the peer is written in (reference protocol.md §1.4).

use std::fmt;

/// A language code; a number beyond the table is kept, and called `OTHER` in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Language(pub u8);

const NAMES: [&str; 14] = [
    "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP",
    "OMS", "RUST", "NODE_JS",
];

impl Language {
    /// What hotfire says of itself: the one value every old tool knows.
    pub const JAVA: Self = Self(0);
    /// C++ clients; they alone want the array form of a reset body.
    pub const CPP: Self = Self(1);
    /// Unknown.
    pub const OTHER: Self = Self(7);
    /// Go clients; they want object keys in a reset body.
    pub const GO: Self = Self(9);
    /// Known to peers since 4.9.4.
    pub const RUST: Self = Self(12);
    /// Known to peers since 5.3.
    pub const NODE_JS: Self = Self(13);

    /// The name in JSON headers.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("OTHER")
    }

    /// The language of that name; an unknown name is [`Language::OTHER`].
    pub fn from_name(name: &str) -> Self {
        let at = NAMES.iter().position(|known| *known == name);
        at.and_then(|at| u8::try_from(at).ok()).map_or(Self::OTHER, Self)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, NAMES};

    #[test]
    fn names_and_numbers_agree_and_strangers_are_other() {
        for (number, name) in (0u8..).zip(NAMES) {
            assert_eq!(Language(number).name(), name);
            assert_eq!(Language::from_name(name), Language(number));
        }
        assert_eq!((Language::GO.name(), Language::RUST.name()), ("GO", "RUST"));
        assert_eq!(Language::from_name("NOSUCH"), Language::OTHER);
        assert_eq!(Language(200).name(), "OTHER");
    }
}
