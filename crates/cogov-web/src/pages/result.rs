//! A query's answer as a page shows it: the first rows, what each column is and why, a plain chart.

use super::names;
use crate::{
    failure::Failure,
    ui::{Ui, grouped},
    view::{Bar, Bars, ClauseLink, Tag},
    visit::Visit,
};
use arrow::{
    array::{Array, ArrayRef},
    datatypes::DataType,
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use cogov_app::Answer;
use cogov_engine::ResultColumn;
use futures::StreamExt;

/// Rows that the page shows.
pub const SHOWN: usize = 200;

/// A value of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// As text.
    pub words: String,
    /// Whether it is a number, to stand on the right.
    pub number: bool,
    /// Whether there is no value.
    pub null: bool,
}

/// A column of the result, with its label and the reasons for it.
#[derive(Debug, Clone)]
pub struct ColumnView {
    /// Its name.
    pub name: String,
    /// Its grade.
    pub grade: Tag,
    /// What it is about.
    pub categories: String,
    /// Why it has this label.
    pub reason: String,
}

impl ColumnView {
    /// From the engine's column.
    pub fn new(visit: &Visit, column: &ResultColumn) -> Self {
        let words = column.chain();
        let chain: Vec<&str> = words.iter().map(|text| visit.ui.text(text)).collect();
        Self {
            name: column.name.clone(),
            grade: Tag::grade(&visit.ui, column.label.grade),
            categories: names::categories(visit, &column.label),
            reason: chain.join("; "),
        }
    }
}

/// The answer.
pub struct AnswerView {
    /// The grade of the whole.
    pub grade: Tag,
    /// How many rows.
    pub summary: String,
    /// The ledger entry.
    pub decision: u64,
    /// What it cost of the privacy budget.
    pub noise: Option<String>,
    /// What may be missing of it.
    pub may_miss: Option<String>,
    /// The columns.
    pub columns: Vec<ColumnView>,
    /// The first rows.
    pub rows: Vec<Vec<Cell>>,
    /// A chart, when the result has the shape for one.
    pub chart: Option<Bars>,
    /// The clauses that decided.
    pub clauses: Vec<ClauseLink>,
}

impl AnswerView {
    /// Reads the first rows of an answer and lets the rest go.
    ///
    /// # Errors
    /// When the query fails while it runs.
    pub async fn read(visit: &Visit, mut answer: Answer) -> Result<Self, cogov_app::AppError> {
        let mut batches = Vec::new();
        let mut rows = 0;
        let mut whole = true;
        while let Some(batch) = answer.rows.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            batches.push(batch);
            if rows > SHOWN {
                whole = false;
                break;
            }
        }
        let ui = &visit.ui;
        let clauses = names::clauses_of(&visit.app.rulebook(), ui.locale, &answer.clauses);
        Ok(Self {
            grade: Tag::grade(ui, answer.grade),
            summary: if whole { ui.n("workbench-rows", rows) } else { ui.n("workbench-first", SHOWN) },
            decision: answer.decision,
            noise: answer.noise.as_ref().map(|noise| ui.text(&noise.words()).to_owned()),
            may_miss: answer.may_miss.as_ref().map(|words| ui.text(words).to_owned()),
            columns: answer.columns.iter().map(|column| ColumnView::new(visit, column)).collect(),
            chart: chart(ui, &batches),
            rows: cells(&batches).map_err(|_| {
                cogov_app::AppError::unavailable("The result cannot be shown.", "结果无法显示。")
            })?,
            clauses,
        })
    }
}

fn cells(batches: &[RecordBatch]) -> Result<Vec<Vec<Cell>>, Failure> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch.columns().iter().map(texts).collect::<Result<Vec<_>, _>>();
        let columns = columns.map_err(Failure::broken)?;
        let left = SHOWN.saturating_sub(rows.len());
        for i in 0..batch.num_rows().min(left) {
            rows.push(columns.iter().filter_map(|column| column.get(i).cloned()).collect());
        }
    }
    Ok(rows)
}

fn texts(column: &ArrayRef) -> Result<Vec<Cell>, arrow::error::ArrowError> {
    let options = FormatOptions::default();
    let format = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let number = column.data_type().is_numeric();
    let count = column.len().min(SHOWN);
    (0..count)
        .map(|i| Ok(Cell { words: format.value(i).try_to_string()?, number, null: column.is_null(i) }))
        .collect()
}

/// Bars when the first column is a text, a day or a whole number and a number follows.
fn chart(ui: &Ui, batches: &[RecordBatch]) -> Option<Bars> {
    let first = batches.iter().find(|batch| batch.num_rows() > 0)?;
    let schema = first.schema();
    let label = schema.fields().first()?;
    let names_things =
        |kind: &DataType| kind.is_integer() || matches!(kind, DataType::Utf8 | DataType::Date32);
    let value = schema.fields().iter().skip(1).position(|field| field.data_type().is_numeric())? + 1;
    if !names_things(label.data_type()) || first.num_rows() < 2 {
        return None;
    }
    let (labels, values) = (texts(first.columns().first()?).ok()?, texts(first.columns().get(value)?).ok()?);
    let bars = labels.into_iter().zip(values).take(crate::view::MAX_BARS).filter(|(_, value)| !value.null);
    let bars: Vec<Bar> = bars
        .filter_map(|(label, value)| {
            let number: f64 = value.words.parse().ok()?;
            Some(Bar { label: label.words, value: number, words: rounded(number) })
        })
        .collect();
    (bars.len() > 1).then(|| Bars {
        title: ui.by("workbench-chart", schema.field(value).name(), label.name()),
        description: ui.t("workbench-chart-text"),
        bars,
    })
}

fn rounded(number: f64) -> String {
    if number.fract() == 0.0 && (0.0..1e15).contains(&number) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number below 1e15"
        )]
        return grouped(number as u64);
    }
    format!("{number:.2}")
}

#[cfg(test)]
pub(crate) fn sample(ui: &Ui) -> AnswerView {
    let cell = |words: &str, number, null| Cell { words: words.into(), number, null };
    let column = ColumnView {
        name: "wages".into(),
        grade: Tag::grade(ui, cogov_model::Grade::General2),
        categories: "Income".into(),
        reason: "sum → groups of at least 10".into(),
    };
    AnswerView {
        grade: Tag::grade(ui, cogov_model::Grade::General2),
        summary: ui.n("workbench-rows", 2_u64),
        decision: 7,
        noise: Some("cost".into()),
        may_miss: None,
        columns: vec![column],
        rows: vec![vec![cell("1", true, false)], vec![cell("", false, true)]],
        chart: None,
        clauses: vec![ClauseLink { id: "art-9".into(), title: "Sensitive data".into() }],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use arrow::array::{Float64Array, Int64Array, StringArray};
    use std::sync::Arc;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn nulls_and_numbers_are_told_apart_and_rows_are_capped() {
        let ids: ArrayRef = Arc::new(Int64Array::from((0..500).collect::<Vec<i64>>()));
        let names: ArrayRef =
            Arc::new(StringArray::from((0..500).map(|i| (i > 0).then_some("x")).collect::<Vec<_>>()));
        let rows = cells(&[batch(vec![("id", ids), ("name", names)])]).unwrap();
        assert_eq!(rows.len(), SHOWN);
        assert_eq!(rows[3][0], Cell { words: "3".into(), number: true, null: false });
        assert!(rows[0][1].null && !rows[1][1].null);
    }

    #[test]
    fn a_chart_needs_names_and_numbers() {
        let ui = crate::ui::sample(cogov_model::Locale::En);
        let names: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let sums: ArrayRef = Arc::new(Float64Array::from(vec![1234.0, 0.5]));
        let chart = chart(&ui, &[batch(vec![("region", names.clone()), ("sum", sums.clone())])]).unwrap();
        assert_eq!((chart.bars[0].words.as_str(), chart.bars[1].words.as_str()), ("1,234", "0.50"));
        assert!(super::chart(&ui, &[batch(vec![("sum", sums), ("region", names)])]).is_none());
    }
}
