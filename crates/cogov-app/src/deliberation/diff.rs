//! The difference between two wordings: words for languages with spaces, characters for Chinese.

/// A stretch of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffPart {
    /// Whether it stays, goes or comes.
    pub kind: DiffKind,
    /// The words.
    pub text: String,
}

/// What happens to a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffKind {
    /// In both.
    Same,
    /// In the old words only.
    Removed,
    /// In the new words only.
    Added,
}

/// Cells of the table of common parts at most; longer texts are compared line by line instead of word by word.
const CELLS: usize = 4_000_000;

/// The difference from `old` to `new`, as stretches in order.
#[must_use]
pub fn diff(old: &str, new: &str) -> Vec<DiffPart> {
    let (a, b) = (words(old), words(new));
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let end = a.iter().skip(start).rev().zip(b.iter().skip(start).rev()).take_while(|(x, y)| x == y).count();
    let middle = |list: &[String]| -> Vec<String> {
        list.iter().skip(start).take(list.len().saturating_sub(start + end)).cloned().collect()
    };
    let (old_middle, new_middle) = (middle(&a), middle(&b));
    let mut parts = Vec::new();
    a.iter().take(start).for_each(|word| push(&mut parts, DiffKind::Same, word));
    if old_middle.len().saturating_mul(new_middle.len()) <= CELLS {
        common(&old_middle, &new_middle, &mut parts);
    } else {
        let lines = |words: &[String]| -> Vec<String> {
            words.concat().split_inclusive('\n').map(str::to_owned).collect()
        };
        let (old_lines, new_lines) = (lines(&old_middle), lines(&new_middle));
        if old_lines.len().saturating_mul(new_lines.len()) <= CELLS {
            common(&old_lines, &new_lines, &mut parts);
        } else {
            push(&mut parts, DiffKind::Removed, &old_lines.concat());
            push(&mut parts, DiffKind::Added, &new_lines.concat());
        }
    }
    a.iter().skip(a.len() - end).for_each(|word| push(&mut parts, DiffKind::Same, word));
    parts
}

fn push(parts: &mut Vec<DiffPart>, kind: DiffKind, text: &str) {
    match parts.last_mut() {
        Some(last) if last.kind == kind => last.text.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(DiffPart { kind, text: text.to_owned() }),
    }
}

/// Runs of letters, runs of spaces, and every other character for itself; Chinese characters stand alone.
fn words(text: &str) -> Vec<String> {
    let kind = |c: char| match c {
        c if c.is_ascii_alphanumeric() || (c.is_alphanumeric() && u32::from(c) < 0x2e80) => 1,
        ' ' => 2,
        _ => 0,
    };
    let mut words: Vec<String> = Vec::new();
    let mut last = 0;
    for c in text.chars() {
        let this = kind(c);
        match words.last_mut() {
            Some(word) if this != 0 && this == last => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = this;
    }
    words
}

/// The longest common subsequence, by its table from the end.
fn common(old: &[String], new: &[String], parts: &mut Vec<DiffPart>) {
    let width = new.len() + 1;
    let mut table = vec![0_u32; (old.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
    for (i, x) in old.iter().enumerate().rev() {
        for (j, y) in new.iter().enumerate().rev() {
            let value = match x == y {
                true => at(&table, i + 1, j + 1) + 1,
                false => at(&table, i + 1, j).max(at(&table, i, j + 1)),
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = value;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (old.get(i), new.get(j)) {
            (Some(x), Some(y)) if x == y => {
                push(parts, DiffKind::Same, x);
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), y) if y.is_none() || at(&table, i + 1, j) >= at(&table, i, j + 1) => {
                push(parts, DiffKind::Removed, x);
                i += 1;
            }
            (_, Some(y)) => {
                push(parts, DiffKind::Added, y);
                j += 1;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> String {
        let parts = diff(old, new);
        let keep = |drop: DiffKind| -> String {
            parts.iter().filter(|part| part.kind != drop).map(|part| part.text.as_str()).collect()
        };
        assert_eq!(keep(DiffKind::Added), old);
        assert_eq!(keep(DiffKind::Removed), new);
        parts
            .iter()
            .map(|part| match part.kind {
                DiffKind::Same => part.text.clone(),
                DiffKind::Removed => format!("[-{}-]", part.text),
                DiffKind::Added => format!("[+{}+]", part.text),
            })
            .collect()
    }

    #[test]
    fn words_and_characters_that_change_are_shown() {
        assert_eq!(
            told("at least ten persons", "at least twenty persons"),
            "at least [-ten-][+twenty+] persons"
        );
        assert_eq!(told("至少十人的统计", "至少二十人的统计"), "至少[+二+]十人的统计");
        assert_eq!(told("", "new"), "[+new+]");
        assert_eq!(told("same", "same"), "same");
        assert_eq!(told("a b a b", "b a"), "[-a -]b a[- b-]");
        let long = "word ".repeat(6_000);
        told(&long, &long.replace("word ", "other "));
    }
}
