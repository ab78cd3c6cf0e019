//! What makes two failures the same: the invariant, and what its details say without the values.

/// Letters of the normalised details that count.
const WORDS_MAX: usize = 240;

/// The fingerprint of a broken invariant, such as `D1-3fa90c21`.
pub(crate) fn of(id: &str, details: &str) -> String {
    let hash = normalised(telling(details))
        .bytes()
        .fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{id}-{hash:08x}")
}

/// The line that tells most: a panic's, or the first.
fn telling(details: &str) -> &str {
    let panic = details.lines().find(|line| line.contains("panicked: "));
    panic.or_else(|| details.lines().next()).unwrap_or_default()
}

/// The words without what a seed chose: numbers, names with numbers, and whatever stands in
/// brackets.
fn normalised(line: &str) -> String {
    let mut depth = 0usize;
    let outside: String = line
        .chars()
        .filter(|letter| {
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect();
    let mut words: Vec<&str> = Vec::new();
    for word in outside.split_whitespace() {
        let word = if word.contains(|letter: char| letter.is_ascii_digit()) { "#" } else { word };
        if words.last() != Some(&word) || word != "#" {
            words.push(word);
        }
    }
    words.join(" ").chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_count_and_words_do() {
        let one = of("D1", "on broker-0: 0/3/1; was OK at Traffic-0@broker-0:2 offset 5 and gone");
        let two =
            of("D1", "on broker-1: 1/44/0; was OK at Traffic-1@broker-1:0 offset 71 and gone");
        assert_eq!(one, two);
        assert_ne!(one, of("D5", "on broker-0: 0/3/1; was OK at T-0@b-0:2 offset 5 and gone"));
        assert_ne!(one, of("D1", "on broker-0: 0/3/1; was OK at T-0@b-0:2 offset 5 and damaged"));
    }

    #[test]
    fn what_stands_in_brackets_does_not_count() {
        let (one, two) =
            ("fell from Some(QueueOffset(7)) to 3", "fell from Some(QueueOffset(9)) to 1");
        assert_eq!(of("Q3", one), of("Q3", two));
        assert_eq!(normalised(one), "fell from Some to #");
    }

    #[test]
    fn a_panic_is_told_by_its_own_line() {
        let details =
            "exit status: 101\nseed 5, at 3s: task `flush` on node `broker-0` panicked: no";
        let other =
            "exit status: 101\nseed 9, at 81s: task `flush` on node `broker-1` panicked: no";
        assert_eq!(of("RUN", details), of("RUN", other));
        assert_ne!(of("RUN", details), of("RUN", &other.replace("flush", "append")));
    }
}
