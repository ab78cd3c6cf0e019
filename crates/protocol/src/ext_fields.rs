//! A command's custom header: names and values, both strings, in the order they were written.

/// Insertion-ordered names and values. A name stands once: inserting it again replaces the value.
///
/// Lookup is linear: real headers have at most some thirty fields, and [`ExtFields::COUNT_MAX`]
/// bounds what a decoder accepts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExtFields(Vec<(String, String)>);

impl ExtFields {
    /// The most fields that a decoded header may have.
    pub const COUNT_MAX: usize = 1024;

    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sets `name`, replacing an earlier value in its place.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes `name` and tells its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for ExtFields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut all = Self::new();
        for (name, value) in fields {
            all.insert(name, value);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::ExtFields;

    #[test]
    fn a_name_stands_once_and_order_is_kept() {
        let mut fields: ExtFields = [("b", "1"), ("a", "2"), ("b", "3")].into_iter().collect();
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("b", "3"), ("a", "2")]);
        assert_eq!((fields.get("a"), fields.get("c"), fields.len()), (Some("2"), None, 2));
        assert_eq!(fields.remove("b").as_deref(), Some("3"));
        assert_eq!(fields.remove("b"), None);
        assert!(!fields.is_empty());
    }
}
