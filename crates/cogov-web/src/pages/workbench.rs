//! `/grants/{id}/workbench`: the grant as a database, in the browser.

use super::{
    Answered,
    download::{self, Kind},
    names::clauses_of,
    result::{AnswerView, ColumnView},
    shown,
};
use crate::{
    failure::Failure,
    form::Posted,
    ui::Ui,
    view::{ClauseLink, Tag, Treated},
    visit::Visit,
};
use askama::Template;
use axum::{extract::Path, http::StatusCode};
use cogov_app::{AppError, Door, Explanation, FileFormat, GrantSession, NoiseAsk};
use cogov_engine::{GrantedColumn, GrantedTable};
use cogov_model::{Epsilon, Form, GrantId, Treatment};

struct BenchColumn {
    name: String,
    /// The name as SQL takes it.
    insert: String,
    kind: String,
    treatment: Treated,
    grade: Tag,
    reason: String,
    clauses: Vec<ClauseLink>,
}

struct BenchTable {
    name: String,
    insert: String,
    columns: Vec<BenchColumn>,
}

struct Refusal {
    title: String,
    words: String,
    clauses: Vec<ClauseLink>,
    decision: Option<u64>,
}

struct Explained {
    noise: Option<String>,
    grade: Tag,
    columns: Vec<ColumnView>,
    clauses: Vec<ClauseLink>,
}

/// What is asked.
#[derive(Default, Clone, Copy)]
struct Asked<'a> {
    sql: &'a str,
    epsilon: &'a str,
}

/// What came of a query.
#[derive(Default)]
struct Outcome {
    refusal: Option<Refusal>,
    explained: Option<Explained>,
    answer: Option<AnswerView>,
}

#[derive(Template)]
#[template(path = "workbench.html")]
struct WorkbenchPage {
    ui: Ui,
    id: String,
    name: String,
    sql: String,
    epsilon: String,
    /// Whether questions are answered under noise.
    noisy: bool,
    tables: Vec<BenchTable>,
    refusal: Option<Refusal>,
    explained: Option<Explained>,
    answer: Option<AnswerView>,
    /// Whether files leave marked: under a grant of extracts.
    extracts: bool,
}

/// `GET /grants/{id}/workbench`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    page(&visit, &read(id)?, Asked::default(), Outcome::default()).await
}

/// `POST /grants/{id}/workbench`: runs, explains or downloads.
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let (id, actor, sql) = (read(id)?, visit.actor()?, fields.get("sql"));
    let asked = Asked { sql, epsilon: fields.get("epsilon") };
    let file =
        FileFormat::ALL.into_iter().find(|format| format!("extract-{}", format.code()) == fields.get("then"));
    if let Some(format) = file {
        return match visit.app.extract(actor, &id, Some(sql), format).await {
            Ok(file) => download::file(file),
            Err(error) => page(&visit, &id, asked, refused(&visit, error)?).await,
        };
    }
    let epsilon = match asked.epsilon {
        "" => None,
        text => match text.parse::<Epsilon>() {
            Ok(epsilon) => Some(epsilon),
            Err(_) => return page(&visit, &id, asked, refused(&visit, wrong_epsilon())?).await,
        },
    };
    let noise = NoiseAsk { epsilon, without_margins: false };
    let session = GrantSession { actor: actor.clone(), grant: id.clone(), noise };
    if fields.get("then") == "explain" {
        let outcome = match visit.app.explain_in(&session, sql, Door::Workbench).await {
            Ok(explanation) => {
                Outcome { explained: Some(explained(&visit, &explanation)), ..Outcome::default() }
            }
            Err(error) => refused(&visit, error)?,
        };
        return page(&visit, &id, asked, outcome).await;
    }
    let answer = match visit.app.query_in(&session, sql, &[], Door::Workbench).await {
        Ok(answer) => answer,
        Err(error) => return page(&visit, &id, asked, refused(&visit, error)?).await,
    };
    match fields.get("then") {
        "csv" => download::response(answer, Kind::Csv),
        "arrow" => download::response(answer, Kind::Arrow),
        _ => {
            let outcome = match AnswerView::read(&visit, answer).await {
                Ok(answer) => Outcome { answer: Some(answer), ..Outcome::default() },
                Err(error) => refused(&visit, error)?,
            };
            page(&visit, &id, asked, outcome).await
        }
    }
}

fn wrong_epsilon() -> AppError {
    AppError::invalid(
        "epsilon",
        "Epsilon is a number above 0 with at most six decimals; leave it empty for the usual one.",
        "epsilon 须为大于 0 且最多六位小数的数；留空则采用默认值。",
    )
}

fn read(id: String) -> Result<GrantId, Failure> {
    GrantId::new(id).map_err(|_| Failure::not_found())
}

/// A query that was not answered is shown beside its words; a grant that may not be opened is a page of its own.
fn refused(visit: &Visit, error: AppError) -> Result<Outcome, Failure> {
    let title = match &error {
        AppError::Refused { .. } => "workbench-refused",
        AppError::Query { error, .. } if error.sqlstate() == "42501" => "workbench-refused",
        AppError::Query { .. } | AppError::Invalid { .. } => "workbench-wrong",
        _ => return Err(error.into()),
    };
    let ui = &visit.ui;
    let refusal = Refusal {
        title: ui.t(title),
        words: ui.text(&error.reason()).to_owned(),
        clauses: clauses_of(&visit.app.rulebook(), ui.locale, &error.clauses()),
        decision: error.decision(),
    };
    Ok(Outcome { refusal: Some(refusal), ..Outcome::default() })
}

fn explained(visit: &Visit, explanation: &Explanation) -> Explained {
    Explained {
        noise: explanation.noise.as_ref().map(|noise| visit.ui.text(&noise.words()).to_owned()),
        grade: Tag::grade(&visit.ui, explanation.grade),
        columns: explanation.columns.iter().map(|column| ColumnView::new(visit, column)).collect(),
        clauses: clauses_of(&visit.app.rulebook(), visit.ui.locale, &explanation.clauses),
    }
}

async fn page(visit: &Visit, id: &GrantId, asked: Asked<'_>, outcome: Outcome) -> Answered {
    let session = visit.app.grant_session(visit.actor()?, id).await?;
    let tables = visit.app.grant_catalogue(&session).await?;
    let card = visit.app.grant_page(id).await?.card;
    let status = if outcome.refusal.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = WorkbenchPage {
        id: id.to_string(),
        name: visit.ui.text(&card.grant.name).to_owned(),
        sql: if asked.sql.is_empty() { suggestion(&tables) } else { asked.sql.to_owned() },
        epsilon: asked.epsilon.to_owned(),
        noisy: tables.iter().flat_map(|t| &t.columns).any(|c| matches!(c.treatment, Treatment::Noise { .. })),
        tables: tables.iter().map(|table| bench_table(visit, table)).collect(),
        refusal: outcome.refusal,
        explained: outcome.explained,
        answer: outcome.answer,
        extracts: card.grant.form == Form::Extract,
        ui: visit.ui(),
    };
    shown(status, &page)
}

/// A first query that any grant with a table answers or refuses with a reason.
fn suggestion(tables: &[GrantedTable]) -> String {
    let table = tables.first().map(place).unwrap_or_default();
    format!("SELECT count(*) AS n\nFROM {table}")
}

fn place(table: &GrantedTable) -> String {
    format!("{}.{}", quoted(table.dataset.as_str()), quoted(table.table.as_str()))
}

/// A name as SQL takes it: quoted unless it is plain.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn bench_table(visit: &Visit, table: &GrantedTable) -> BenchTable {
    BenchTable {
        name: format!("{}.{}", table.dataset, table.table),
        insert: place(table),
        columns: table.columns.iter().map(|column| bench_column(visit, column)).collect(),
    }
}

fn bench_column(visit: &Visit, column: &GrantedColumn) -> BenchColumn {
    let ui = &visit.ui;
    BenchColumn {
        name: column.name.to_string(),
        insert: quoted(column.name.as_str()),
        kind: sql_type(&column.data_type),
        treatment: Treated::new(ui, column.treatment),
        grade: Tag::grade(ui, column.label.grade),
        reason: ui.text(&column.reason).to_owned(),
        clauses: clauses_of(&visit.app.rulebook(), ui.locale, &column.clauses),
    }
}

/// The type as SQL names it.
fn sql_type(kind: &arrow::datatypes::DataType) -> String {
    use arrow::datatypes::DataType;
    match kind {
        DataType::Boolean => "boolean".into(),
        kind if kind.is_integer() => "bigint".into(),
        kind if kind.is_floating() => "double".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let clauses = || vec![ClauseLink { id: "art-9".into(), title: "Sensitive data".into() }];
    let table = || BenchTable {
        name: "revenue.units".into(),
        insert: "revenue.units".into(),
        columns: vec![BenchColumn {
            name: "wages".into(),
            insert: "wages".into(),
            kind: "bigint".into(),
            treatment: Treated::new(&ui, cogov_model::Treatment::Mask(cogov_model::Mask::Band(100))),
            grade: Tag::grade(&ui, cogov_model::Grade::General3),
            reason: "Because".into(),
            clauses: clauses(),
        }],
    };
    let refusal = Refusal {
        title: ui.t("workbench-refused"),
        words: "No".into(),
        clauses: clauses(),
        decision: Some(7),
    };
    let answer = super::result::sample(&ui);
    let explained = Explained {
        noise: answer.noise.clone(),
        grade: answer.grade.clone(),
        columns: answer.columns.clone(),
        clauses: clauses(),
    };
    let page = |outcome: Outcome| WorkbenchPage {
        id: "g".into(),
        name: "North reads revenue".into(),
        sql: "SELECT 1".into(),
        epsilon: "0.5".into(),
        noisy: true,
        tables: vec![table()],
        refusal: outcome.refusal,
        explained: outcome.explained,
        answer: outcome.answer,
        extracts: true,
        ui: ui.clone(),
    };
    let outcomes = [
        Outcome { refusal: Some(refusal), ..Outcome::default() },
        Outcome { explained: Some(explained), ..Outcome::default() },
        Outcome { answer: Some(answer), ..Outcome::default() },
    ];
    outcomes.map(|outcome| ("workbench", page(outcome).render().unwrap_or_default())).into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_that_sql_would_fold_are_quoted() {
        assert_eq!(super::quoted("fips"), "fips");
        assert_eq!(super::quoted("Wage \"net\""), "\"Wage \"\"net\"\"\"");
        assert_eq!(super::quoted("2020"), "\"2020\"");
    }
}
