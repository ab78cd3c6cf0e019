//! Every configuration key of RocketMQ 4.9, and what each does here.

mod broker;
mod namesrv;
mod network;
mod store;

use super::key::{Key, Role};

/// The keys of a role.
pub(crate) fn keys(role: Role) -> impl Iterator<Item = &'static Key> {
    let tables: &[&[Key]] = match role {
        Role::Broker => &[broker::KEYS, store::KEYS, network::KEYS],
        Role::Namesrv => &[namesrv::KEYS, network::KEYS],
    };
    tables.iter().flat_map(|table| table.iter())
}

/// The key of that very name.
pub(crate) fn find(role: Role, name: &str) -> Option<&'static Key> {
    keys(role).find(|key| key.name == name)
}

/// Says what is wrong with a name that the role does not know.
pub(crate) fn unknown(role: Role, name: &str) -> String {
    let other = match role {
        Role::Broker => Role::Namesrv,
        Role::Namesrv => Role::Broker,
    };
    if find(other, name).is_some() {
        return format!("{name} is a key of the {other}, not of the {role}");
    }
    match nearest(role, name) {
        Some(near) => format!("unknown key {name}; did you mean {near}?"),
        None => format!("unknown key {name}; no {role} key is called anything like it"),
    }
}

/// The known name that a misspelling most likely meant.
fn nearest(role: Role, name: &str) -> Option<&'static str> {
    let typed = name.to_lowercase();
    let distance = |key: &Key| strsim::damerau_levenshtein(&key.name.to_lowercase(), &typed);
    let (near, distance) =
        keys(role).map(|key| (key.name, distance(key))).min_by_key(|(_, distance)| *distance)?;
    // Further apart than a third of its letters, a guess confuses more than it helps.
    (distance <= typed.chars().count().max(6) / 3).then_some(near)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_default_fits_its_key_and_every_name_stands_once() {
        for role in [Role::Broker, Role::Namesrv] {
            let mut names = BTreeSet::new();
            for key in keys(role) {
                assert!(names.insert(key.name), "{} stands twice", key.name);
                if !key.default.is_empty() {
                    key.parse(key.default).unwrap_or_else(|error| panic!("{}: {error}", key.name));
                }
            }
        }
    }

    #[test]
    fn a_misspelling_of_any_key_finds_it() {
        for key in keys(Role::Broker).filter(|key| key.name.len() > 8) {
            // Two letters swapped at the end: no key is as near to another one.
            let mut letters: Vec<char> = key.name.chars().collect();
            let last = letters.len() - 1;
            letters.swap(last, last - 1);
            let misspelt: String = letters.into_iter().collect();
            if find(Role::Broker, &misspelt).is_none() {
                assert_eq!(nearest(Role::Broker, &misspelt), Some(key.name));
            }
        }
    }
}
