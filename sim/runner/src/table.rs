//! Tables that align.

/// Lines of `rows`, each column as wide as its widest cell; the first column is left-aligned, the
/// others right-aligned.
pub(crate) fn align(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// Names and counts in as few lines as fit into 100 columns.
pub(crate) fn wrap<'a>(counts: impl Iterator<Item = (&'a String, &'a u64)>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (name, count) in counts {
        let cell = format!("{name} {count}");
        match lines.last_mut() {
            Some(line) if line.chars().count() + cell.chars().count() + 5 <= 100 => {
                line.push_str("   ");
                line.push_str(&cell);
            }
            _ => lines.push(format!("  {cell}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["calm".into(), "7".into()], vec!["x".into(), "1,000".into()]];
        assert_eq!(align(&rows), ["calm      7", "x     1,000"]);
    }

    #[test]
    fn counts_wrap_before_the_margin() {
        let (name, count) = ("n".repeat(60), 1);
        let lines = wrap([(&name, &count), (&name, &count)].into_iter());
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.chars().count() <= 100));
    }
}
