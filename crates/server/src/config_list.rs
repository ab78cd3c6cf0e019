//! `hotfire config`: every key, its default, and what it does here.

use std::io::Write;

use crate::config::{Effect, Role, known};
use crate::failure::Failure;

/// Writes the tables of both roles.
pub(crate) fn run() -> Result<(), Failure> {
    let mut text = String::new();
    for role in [Role::Broker, Role::Namesrv] {
        text.push_str(&format!("# {role}\n"));
        let width = known::keys(role).map(|key| key.name.len()).max().unwrap_or(0);
        for key in known::keys(role) {
            let default = if key.default.is_empty() { "(empty)" } else { key.default };
            let effect = match key.effect {
                Effect::Acts => "acts",
                Effect::Later => "accepted, no effect yet",
                Effect::Moot => "accepted, nothing to tune here",
                Effect::Promise => "only the default is supported yet",
            };
            text.push_str(&format!("{:width$}  {default:24}  {effect}\n", key.name));
        }
    }
    // Whoever closed the pipe has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(())
}
