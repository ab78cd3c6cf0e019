//! What is known about one configuration key.

/// Who is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A broker, alone or with the name server in its process.
    Broker,
    /// A name server.
    Namesrv,
}

impl std::fmt::Display for Role {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Role::Broker => "broker",
            Role::Namesrv => "name server",
        })
    }
}

/// What values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number, both bounds included.
    Number {
        /// The least.
        least: i64,
        /// The greatest.
        most: i64,
    },
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// What setting a key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It acts.
    Acts,
    /// It will act once what it configures is built.
    Later,
    /// It tunes something of the Java broker that this one does not have.
    Moot,
    /// It promises something (a copy elsewhere, a check of who asks) that is not built yet; to
    /// start without it would break the promise silently, so it is refused.
    Promise,
}

/// A value that fits its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Of a [`Kind::Flag`].
    Flag(bool),
    /// Of a [`Kind::Number`].
    Number(i64),
    /// Of a [`Kind::Text`] or [`Kind::Choice`].
    Text(String),
}

/// One key of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// RocketMQ's name of it.
    pub(crate) name: &'static str,
    /// The values it takes.
    pub(crate) kind: Kind,
    /// RocketMQ's default as it would be written; empty where it depends on the machine.
    pub(crate) default: &'static str,
    /// What setting it changes here.
    pub(crate) effect: Effect,
}

impl Key {
    const fn new(name: &'static str, kind: Kind, default: &'static str) -> Self {
        Self { name, kind, default, effect: Effect::Later }
    }

    /// A key that takes `true` and `false`.
    pub(crate) const fn flag(name: &'static str, default: &'static str) -> Self {
        Self::new(name, Kind::Flag, default)
    }

    /// A key that takes a whole number from 0 on.
    pub(crate) const fn number(name: &'static str, default: &'static str) -> Self {
        Self::new(name, Kind::Number { least: 0, most: i64::MAX }, default)
    }

    /// A key that takes a text.
    pub(crate) const fn text(name: &'static str, default: &'static str) -> Self {
        Self::new(name, Kind::Text, default)
    }

    /// A key that takes one of some words, the first of them by default.
    pub(crate) const fn choice(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(name, Kind::Choice(words), words[0])
    }

    /// The same key, taking numbers in these bounds only.
    pub(crate) const fn within(self, least: i64, most: i64) -> Self {
        Self { kind: Kind::Number { least, most }, ..self }
    }

    /// The same key, acting.
    pub(crate) const fn acts(self) -> Self {
        Self { effect: Effect::Acts, ..self }
    }

    /// The same key, refused unless it is at its default.
    pub(crate) const fn promise(self) -> Self {
        Self { effect: Effect::Promise, ..self }
    }

    /// The same key, without anything here that it could change.
    pub(crate) const fn moot(self) -> Self {
        Self { effect: Effect::Moot, ..self }
    }

    /// The value that a text stands for, or what was expected instead.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, String> {
        match self.kind {
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Flag => match text {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                _ => Err("expected true or false".to_owned()),
            },
            Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Kind::Choice(words) => Err(format!("expected {}", words.join(" or "))),
            Kind::Number { least, most } => match text.parse() {
                Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
                _ if most == i64::MAX => Err(format!("expected a whole number from {least} on")),
                _ => Err(format!("expected a whole number from {least} to {most}")),
            },
        }
    }
}
