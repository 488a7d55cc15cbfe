//! The fields of an application form ⇄ the application's draft.

use crate::{
    form::{Fields, Problem},
    ui::Ui,
};
use cogov_app::ApplicationDraft;
use cogov_model::{
    ColumnRef, CompareOp, Condition, DataType, Dataset, Form, Lane, Purpose, PurposeCode, RowScope, Scalar,
    Text,
};
use std::collections::BTreeMap;

/// Condition rows that the form shows.
pub const CONDITIONS: usize = 3;
/// The term that the form suggests, in days.
pub const DAYS: u32 = 180;

/// Every comparison that a condition row offers.
pub const OPS: [CompareOp; 6] = [
    CompareOp::Eq,
    CompareOp::NotEq,
    CompareOp::Less,
    CompareOp::LessEq,
    CompareOp::Greater,
    CompareOp::GreaterEq,
];

/// A column as the form sends it: `table.column`, since the dataset stands in the address.
pub fn reference(table: &str, column: &str) -> String {
    format!("{table}.{column}")
}

/// Finds a column by what the form sent.
pub fn resolve(dataset: &Dataset, text: &str) -> Option<(ColumnRef, DataType)> {
    let (table, column) = text.split_once('.')?;
    let table = dataset.tables.iter().find(|known| known.name.as_str() == table)?;
    let column = table.columns.iter().find(|known| known.name.as_str() == column)?;
    let reference =
        ColumnRef { dataset: dataset.id.clone(), table: table.name.clone(), column: column.name.clone() };
    Some((reference, column.data_type))
}

/// The draft that a form stands for. What is missing is left to the application to say; what cannot be
/// read is said here.
///
/// # Errors
/// The first field that cannot be read.
pub fn read(ui: &Ui, fields: &Fields, dataset: &Dataset) -> Result<ApplicationDraft, Problem> {
    let verification = super::apply_verify::read(ui, fields, dataset)?;
    let columns = fields.all("columns").filter_map(|text| resolve(dataset, text)).map(|(column, _)| column);
    let mut columns: Vec<ColumnRef> = columns.collect();
    // What a question looks at is asked for with it.
    for column in verification.iter().flat_map(|v| v.predicates.iter().flat_map(|p| v.columns(p))) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let purpose = Purpose {
        code: PurposeCode::new(fields.get("purpose"))
            .map_err(|e| Problem::new("purpose-code", e.to_string()))?,
        words: Text::same(fields.get("words")),
        legal_basis: Text::same(fields.get("legal_basis")),
        scenario: Text::same(fields.get("scenario")),
    };
    Ok(ApplicationDraft {
        provider: dataset.provider.clone(),
        columns,
        scope: scope(ui, fields, dataset)?,
        purpose,
        form: Form::ALL.into_iter().find(|form| form.code() == fields.get("form")).unwrap_or(Form::Aggregate),
        lane: Lane::ALL.into_iter().find(|lane| lane.code() == fields.get("lane")).unwrap_or(Lane::Share),
        days: fields.get("days").parse().unwrap_or(0),
        verification,
    })
}

/// The rows: the region shortcuts that are checked, and the condition rows that name a column.
fn scope(ui: &Ui, fields: &Fields, dataset: &Dataset) -> Result<RowScope, Problem> {
    let mut scope: BTreeMap<String, Vec<Condition>> = BTreeMap::new();
    let mut add = |text: &str, op: CompareOp, value: &str, field: &str| {
        let Some((column, kind)) = resolve(dataset, text) else { return Ok(()) };
        let value = scalar(kind, value)
            .ok_or_else(|| Problem::new(field, ui.with("apply-bad-value", "column", &column.column)))?;
        let place = format!("{}.{}", column.dataset, column.table);
        scope.entry(place).or_default().push(Condition::Compare { column: column.column, op, value });
        Ok(())
    };
    for shortcut in fields.all("region") {
        if let Some((column, code)) = shortcut.split_once('=') {
            add(column, CompareOp::Eq, code, "scope")?;
        }
    }
    let rows = fields.all("scope_column").zip(fields.all("scope_op")).zip(fields.all("scope_value"));
    for (i, ((column, sign), value)) in rows.enumerate() {
        let op = OPS.into_iter().find(|op| op.sign() == sign).unwrap_or(CompareOp::Eq);
        add(column, op, value, &format!("scope-value-{}", i + 1))?;
    }
    Ok(RowScope(scope))
}

/// A value in the type of its column.
pub fn scalar(kind: DataType, text: &str) -> Option<Scalar> {
    match kind {
        DataType::Integer => text.parse().map(Scalar::Int).ok(),
        DataType::Real => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Scalar::Real),
        DataType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "是" => Some(Scalar::Bool(true)),
            "false" | "no" | "0" | "否" => Some(Scalar::Bool(false)),
            _ => None,
        },
        DataType::Date | DataType::Timestamp => {
            text.get(..10)?.parse::<chrono::NaiveDate>().ok().map(|_| Scalar::Text(text.to_owned()))
        }
        DataType::Text => (!text.is_empty()).then(|| Scalar::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::pages::apply::sample_dataset;
    use cogov_model::Locale;

    fn fields(query: &str) -> Fields {
        Fields::parse(query.as_bytes())
    }

    #[test]
    fn columns_conditions_and_regions_are_read() {
        let (ui, dataset) = (crate::ui::sample(Locale::En), sample_dataset());
        let form = fields(
            "columns=units.wages&columns=units.none&purpose=benefit&region=units.fips%3D6\
             &scope_column=&scope_op=%3D&scope_value=&scope_column=units.wages&scope_op=%3E&scope_value=10&form=rows&days=30",
        );
        let draft = read(&ui, &form, &dataset).unwrap();
        assert_eq!(draft.columns.len(), 1, "a column that is not there is not asked for");
        let words: Vec<String> = draft.scope.0["revenue.units"].iter().map(ToString::to_string).collect();
        assert_eq!(words, ["fips = 6", "wages > 10"]);
        assert_eq!((draft.form, draft.days), (Form::Rows, 30));
    }

    #[test]
    fn a_value_that_does_not_fit_is_said_at_its_field() {
        let (ui, dataset) = (crate::ui::sample(Locale::En), sample_dataset());
        let form = fields("purpose=benefit&scope_column=units.wages&scope_op=%3D&scope_value=much");
        assert_eq!(read(&ui, &form, &dataset).unwrap_err().field, "scope-value-1");
    }
}
