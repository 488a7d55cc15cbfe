//! From the header line to column names.

use super::{cell, error::ImportError, plan::Naming};
use crate::grading::{find_identifiers, is_contact};
use cogov_model::ColumnName;
use std::collections::HashSet;

/// Bytes that a column name may have.
const LONGEST: usize = 63;

/// Checks that a line is a header: not all its values are numbers or dates, and none is an identifier,
/// an e-mail address or a phone number.
pub(super) fn check(headers: &[String], limit: usize) -> Result<(), ImportError> {
    check_width(headers.len(), limit)?;
    let value = |h: &String| h.trim().is_empty() || cell::kinds(h.trim()) != cell::Kinds::NONE;
    let telling = |h: &String| is_contact(h.trim()) || !find_identifiers(h).is_empty();
    if headers.iter().all(value) || headers.iter().any(telling) {
        return Err(ImportError::NoHeader);
    }
    Ok(())
}

/// Checks the number of columns.
pub(super) fn check_width(columns: usize, limit: usize) -> Result<(), ImportError> {
    if columns <= limit {
        return Ok(());
    }
    let hint = "split the table, or check the separator and that the file has line breaks";
    Err(ImportError::Limit { what: "the file", limit: limit as u64, unit: "columns", hint })
}

/// A name for every header, in order, none twice.
pub(super) fn names(headers: &[String], naming: Naming) -> Vec<ColumnName> {
    let mut taken: HashSet<String> = HashSet::new();
    headers
        .iter()
        .enumerate()
        .map(|(index, header)| {
            let base = match naming {
                Naming::Sql => plain(header),
                Naming::Kept => header.trim().chars().filter(|c| !c.is_control() && *c != '"').collect(),
            };
            let base = if base.is_empty() { format!("column_{}", index + 1) } else { base };
            unique(&base, &mut taken)
        })
        .collect()
}

/// Names that differ in case only are one name to a client that does not quote.
fn unique(base: &str, taken: &mut HashSet<String>) -> ColumnName {
    let mut count = 1_u64;
    loop {
        let suffix = if count == 1 { String::new() } else { format!("_{count}") };
        let name = format!("{}{suffix}", cut(base, LONGEST - suffix.len()));
        count += 1;
        // The name has been made of what a column name allows.
        if taken.insert(name.to_lowercase())
            && let Ok(name) = ColumnName::new(name)
        {
            return name;
        }
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn plain(header: &str) -> String {
    let mut name = String::new();
    for c in header.trim().chars() {
        match c {
            _ if c.is_alphanumeric() => name.extend(c.to_lowercase()),
            _ if name.ends_with('_') || name.is_empty() && c != '_' => {}
            _ => name.push('_'),
        }
    }
    let trimmed = name.trim_end_matches('_');
    if trimmed.starts_with(|c: char| c.is_numeric()) { format!("c_{trimmed}") } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(headers: &[&str], naming: Naming) -> Vec<String> {
        let headers: Vec<String> = headers.iter().map(|h| (*h).to_owned()).collect();
        names(&headers, naming).into_iter().map(String::from).collect()
    }

    #[test]
    fn names_are_plain_unique_and_keep_chinese() {
        let found = named(&[" Name ", "name", "", "身份证 号", "2019", "a-b/c", "\"x\"", "__"], Naming::Sql);
        assert_eq!(found, ["name", "name_2", "column_3", "身份证_号", "c_2019", "a_b_c", "x", "column_8"]);
        assert_eq!(named(&["RECID", "recid"], Naming::Kept), ["RECID", "recid_2"]);
        let long = "名".repeat(40);
        assert!(named(&[&long, &long], Naming::Sql).iter().all(|n| n.len() <= 63));
    }

    #[test]
    fn data_is_no_header() {
        let check = |h: &[&str]| check(&h.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>(), 10);
        assert!(check(&["region", "2019", "2020"]).is_ok());
        assert!(check(&["1", "2.5", "2020-01-01"]).is_err());
        assert!(check(&["Tom", "tom@example.org"]).is_err());
        assert!(check(&["11010519491231002X", "x"]).is_err());
    }
}
