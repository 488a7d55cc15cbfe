//! The part of the describe page that declares what answers under differential privacy need.

use crate::{
    form::{Fields, Problem},
    ui::Ui,
};
use cogov_model::{
    Bounds, ColumnName, ColumnRef, Dataset, DatasetPrivacy, PublicKeys, Table, TableName, TablePrivacy,
};
use std::collections::BTreeMap;

/// The fields of a table.
pub struct TablePart {
    /// Its name.
    pub table: String,
    /// Rows of one unit.
    pub rows: String,
    /// Bounds, one a line.
    pub bounds: String,
    /// Keys, one a line.
    pub keys: String,
}

/// The fields of the dataset.
pub struct PrivacyPart {
    /// ε of a month.
    pub epsilon: String,
    /// Per table.
    pub tables: Vec<TablePart>,
    /// What is wrong.
    pub error: String,
}

/// The id of the part, which errors link to.
pub const FIELD: &str = "privacy";

/// What is declared already, as the form would send it.
pub fn written(dataset: &Dataset) -> Vec<(String, String)> {
    let privacy = &dataset.privacy;
    let epsilon = privacy.epsilon_per_month.map(|epsilon| epsilon.to_string()).unwrap_or_default();
    let mut pairs = vec![("epsilon".to_owned(), epsilon)];
    for (table, declared) in &privacy.tables {
        let bounds = declared.bounds.iter().map(|(column, bounds)| {
            let complete = if bounds.complete { " complete" } else { "" };
            format!("{column} {} {}{complete}", bounds.lower, bounds.upper)
        });
        let keys = declared.keys.iter().map(|(column, keys)| match keys {
            PublicKeys::Values(values) => format!("{column} = {}", values.join(", ")),
            PublicKeys::Column(named) => format!("{column} from {named}"),
        });
        pairs.push((format!("rows.{table}"), declared.rows_per_unit.to_string()));
        pairs.push((format!("bounds.{table}"), bounds.collect::<Vec<_>>().join("\n")));
        pairs.push((format!("keys.{table}"), keys.collect::<Vec<_>>().join("\n")));
    }
    pairs
}

/// Reads the declaration; a table without a number of rows has none.
///
/// # Errors
/// The first line that cannot be read.
pub fn read(ui: &Ui, fields: &Fields, dataset: &Dataset) -> Result<DatasetPrivacy, Problem> {
    let wrong = |words: String| Problem::new(FIELD, words);
    let epsilon = fields.given("epsilon").map(str::parse).transpose().map_err(wrong)?;
    let mut tables = BTreeMap::new();
    for table in &dataset.tables {
        let field = |name: &str| fields.get(&format!("{name}.{}", table.name));
        if field("rows").is_empty() && field("bounds").is_empty() && field("keys").is_empty() {
            continue;
        }
        let line = |line: &str| wrong(ui.with("describe-privacy-line", "line", line));
        let lines = |name: &str| field(name).lines().map(str::trim).filter(|l| !l.is_empty());
        let bounds = lines("bounds").map(|l| bound(l).ok_or_else(|| line(l))).collect::<Result<_, _>>()?;
        let keys = lines("keys").map(|l| key(l).ok_or_else(|| line(l))).collect::<Result<_, _>>()?;
        let rows_per_unit = field("rows").parse().map_err(|_| line(field("rows")))?;
        tables.insert(table.name.clone(), TablePrivacy { rows_per_unit, bounds, keys });
    }
    Ok(DatasetPrivacy { epsilon_per_month: epsilon, tables })
}

/// `column lower upper [complete]`; a column's name may have spaces.
fn bound(line: &str) -> Option<(ColumnName, Bounds)> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let complete = words.last() == Some(&"complete");
    if complete {
        words.pop();
    }
    let (upper, lower) = (words.pop()?.parse().ok()?, words.pop()?.parse().ok()?);
    Some((ColumnName::new(words.join(" ")).ok()?, Bounds { lower, upper, complete }))
}

/// `column = a, b` or `column from dataset.table.column`.
fn key(line: &str) -> Option<(ColumnName, PublicKeys)> {
    if let Some((column, values)) = line.split_once('=') {
        let values = values.split([',', '，', '、']).map(str::trim).filter(|v| !v.is_empty());
        let values: Vec<String> = values.map(str::to_owned).collect();
        return (!values.is_empty())
            .then_some((ColumnName::new(column.trim()).ok()?, PublicKeys::Values(values)));
    }
    let (column, named) = line.split_once(" from ")?;
    let mut parts = named.trim().splitn(3, '.');
    let named = ColumnRef {
        dataset: parts.next()?.parse().ok()?,
        table: parts.next()?.parse().ok()?,
        column: ColumnName::new(parts.next()?).ok()?,
    };
    Some((ColumnName::new(column.trim()).ok()?, PublicKeys::Column(named)))
}

/// The part of the form.
pub fn part(tables: &[Table], now: &Fields, errors: &[Problem]) -> PrivacyPart {
    let field = |name: &str, table: &TableName| now.get(&format!("{name}.{table}")).to_owned();
    let tables = tables.iter().map(|table| TablePart {
        table: table.name.to_string(),
        rows: field("rows", &table.name),
        bounds: field("bounds", &table.name),
        keys: field("keys", &table.name),
    });
    let error = errors.iter().find(|e| e.field == FIELD).map(|e| e.words.clone()).unwrap_or_default();
    PrivacyPart { epsilon: now.get("epsilon").to_owned(), tables: tables.collect(), error }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use cogov_model::Locale;

    #[test]
    fn what_is_declared_comes_back_as_it_was() {
        let ui = crate::ui::sample(Locale::En);
        let mut dataset = crate::pages::apply::sample_dataset();
        let fields = Fields::from_pairs(vec![
            ("epsilon".into(), "20".into()),
            ("rows.units".into(), "1".into()),
            ("bounds.units".into(), "wages 0 500000.5 complete\n".into()),
            ("keys.units".into(), "fips from regions.regions.fips\nwages = 1, 2".into()),
        ]);
        let read_once = read(&ui, &fields, &dataset).unwrap();
        assert_eq!(read_once.tables.values().map(|t| t.keys.len()).sum::<usize>(), 2);
        dataset.privacy = read_once.clone();
        let again = read(&ui, &Fields::from_pairs(written(&dataset)), &dataset).unwrap();
        assert_eq!(again, read_once);
        for bad in ["wages", "wages 0", "wages a b", "0 5"] {
            let fields = Fields::from_pairs(vec![
                ("rows.units".into(), "1".into()),
                ("bounds.units".into(), bad.into()),
            ]);
            assert!(read(&ui, &fields, &dataset).is_err(), "{bad}");
        }
        assert!(read(&ui, &Fields::default(), &dataset).unwrap().is_empty());
    }
}
