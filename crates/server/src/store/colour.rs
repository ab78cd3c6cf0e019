//! Colours, where there is a terminal that wants them.

use std::io::IsTerminal;

use store::inspect::Severity;

/// The sequences to write; empty where nobody sees them.
#[derive(Clone, Copy)]
pub(super) struct Colours {
    pub(super) red: &'static str,
    pub(super) yellow: &'static str,
    pub(super) green: &'static str,
    pub(super) dim: &'static str,
    pub(super) off: &'static str,
}

impl Colours {
    /// Those of the standard output.
    pub(super) fn of_stdout() -> Self {
        Self::new(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    /// All of them, or none.
    pub(super) fn new(wanted: bool) -> Self {
        match wanted {
            true => Self {
                red: "\x1b[1;31m",
                yellow: "\x1b[33m",
                green: "\x1b[32m",
                dim: "\x1b[2m",
                off: "\x1b[0m",
            },
            false => Self { red: "", yellow: "", green: "", dim: "", off: "" },
        }
    }

    /// That of a severity.
    pub(super) fn of(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::Error => self.red,
            Severity::Warning => self.yellow,
            Severity::Note => self.dim,
        }
    }
}
