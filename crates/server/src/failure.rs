//! How a command ends badly: what, why, and what to do about it.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use crate::config::ConfigError;

/// The exit code of a command that was asked for something it refuses; clap uses it too.
const USAGE: u8 = 2;
/// The exit code of a command that failed.
const FAILED: u8 = 1;

/// The end of a command that did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    causes: Vec<String>,
    remedy: Option<String>,
    code: u8,
}

impl Failure {
    /// A failure with nothing behind it.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), remedy: None, code: FAILED }
    }

    /// A failure and the error that it comes from.
    pub(crate) fn from_error(what: impl Into<String>, error: &dyn Error) -> Self {
        let mut failure = Self::new(what);
        let mut next = Some(error);
        while let Some(error) = next {
            let cause = error.to_string();
            // Many errors repeat the one below them in their own sentence.
            if !failure.causes.last().is_some_and(|above| above.contains(&cause)) {
                failure.causes.push(cause);
            }
            next = error.source();
        }
        failure
    }

    /// The same failure, with a cause.
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same failure, with what to do about it.
    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The same failure, of a command that could not find out what it was asked.
    pub(crate) fn could_not(self) -> Self {
        Self { code: USAGE, ..self }
    }

    /// The end of a command that has already said what is wrong.
    pub(crate) fn told() -> Self {
        Self::new("")
    }

    /// Tells the operator on the standard error, in colour when that is a terminal.
    pub(crate) fn tell(&self) -> ExitCode {
        let stderr = std::io::stderr();
        let text = self.render(stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none());
        // Nobody is left to tell when this fails.
        let _ = stderr.lock().write_all(text.as_bytes());
        ExitCode::from(self.code)
    }

    fn render(&self, colour: bool) -> String {
        let (red, dim, green, off) = match colour {
            true => ("\x1b[1;31m", "\x1b[2m", "\x1b[32m", "\x1b[0m"),
            false => ("", "", "", ""),
        };
        if self.what.is_empty() {
            return String::new();
        }
        let mut text = format!("{red}error:{off} {}\n", self.what);
        for cause in &self.causes {
            text.push_str(&format!("{dim}cause:{off} {cause}\n"));
        }
        if let Some(remedy) = &self.remedy {
            text.push_str(&format!("{green}try:{off}   {remedy}\n"));
        }
        text
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let remedy = "`hotfire config` lists every key with its default".to_owned();
        let remedy = matches!(error, ConfigError::Refused(_)).then_some(remedy);
        Self { what: error.to_string(), causes: Vec::new(), remedy, code: USAGE }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_failure_tells_what_why_and_what_to_do() {
        let error = io::Error::other("the disk is gone");
        let failure = Failure::from_error("cannot open the store", &error).remedy("look for it");
        assert_eq!(
            failure.render(false),
            "error: cannot open the store\ncause: the disk is gone\ntry:   look for it\n"
        );
        assert!(failure.render(true).contains("\x1b[1;31merror:"));
    }
}
