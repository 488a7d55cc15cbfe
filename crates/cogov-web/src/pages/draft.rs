//! `/steward/{id}`: what was read, what is proposed for each column and why, and the steward's decisions.

use super::{Answered, names, shown, status_of, steward};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::{Choice, Tag, with_query},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use cogov_app::{DraftTable, LabelChoice, LabelState};
use cogov_model::{
    CategoryCode, ColumnName, DatasetId, DatasetState, Finding, Grade, TableName, TableProfile, Text,
};
use std::collections::HashMap;

struct FindingView {
    kind: String,
    words: String,
    share: String,
}

struct ColumnView {
    name: String,
    /// Makes ids on the page.
    key: String,
    grade: Tag,
    categories: String,
    facts: Vec<(String, String)>,
    findings: Vec<FindingView>,
    decided: String,
    grades: Vec<Choice>,
    category_choices: Vec<Choice>,
}

struct TableView {
    name: String,
    account: Vec<(String, String)>,
    rejects: bool,
    open: usize,
    columns: Vec<ColumnView>,
}

#[derive(Template)]
#[template(path = "draft.html")]
struct DraftPage {
    ui: Ui,
    errors: Vec<Problem>,
    id: String,
    title: String,
    state: Tag,
    grade: Tag,
    notice: String,
    missing: Vec<String>,
    published: bool,
    tables: Vec<TableView>,
}

/// `GET /steward/{id}`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let ui = &visit.ui;
    let said = |name: &str| query.get(name).map(String::as_str);
    let notice = match (said("imported"), said("label"), said("all"), said("saved"), said("published")) {
        (Some(version), ..) => ui.with("draft-imported", "version", version),
        (_, Some(column), ..) => ui.with("draft-label-saved", "column", column),
        (_, _, Some(_), ..) => ui.t("draft-all-saved"),
        (_, _, _, Some(_), _) => ui.t("draft-saved"),
        (.., Some(index)) => ui.with("draft-publish-done", "index", index),
        _ => String::new(),
    };
    page(&visit, &dataset(id)?, notice, Vec::new()).await
}

/// `POST /steward/{id}/{table}/accept-all`
pub async fn accept_all(visit: Visit, Path((id, table)): Path<(String, String)>, _: Posted) -> Answered {
    let (id, table) = (dataset(id)?, table_name(table)?);
    visit.app.accept_labels(visit.actor()?, &id, &table).await?;
    Ok(Redirect::to(&format!("/steward/{id}?all=1")).into_response())
}

/// `POST /steward/{id}/{table}/label`
pub async fn label(
    visit: Visit,
    Path((id, table)): Path<(String, String)>,
    Posted(fields): Posted,
) -> Answered {
    let (id, table) = (dataset(id)?, table_name(table)?);
    let column = ColumnName::new(fields.get("column")).map_err(|_| Failure::not_found())?;
    let done = match choice(&fields) {
        Ok(choice) => visit.app.decide_label(visit.actor()?, &id, &table, &column, choice).await,
        Err(problem) => return page(&visit, &id, String::new(), vec![problem]).await,
    };
    match done {
        Ok(()) => {
            let href = with_query(&format!("/steward/{id}"), &[("label", column.as_str())]);
            Ok(Redirect::to(&format!("{href}#{table}-{column}")).into_response())
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            page(&visit, &id, String::new(), vec![Problem { field: format!("{table}-{column}"), ..problem }])
                .await
        }
    }
}

/// `GET /steward/{id}/{table}/rejects`
pub async fn rejects(visit: Visit, Path((id, table)): Path<(String, String)>) -> Answered {
    let (id, table) = (dataset(id)?, table_name(table)?);
    let csv = visit.app.rejects(visit.actor()?, &id, &table).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.{table}.reject.csv\"")),
    ];
    Ok((headers, csv).into_response())
}

fn dataset(id: String) -> Result<DatasetId, Failure> {
    DatasetId::new(id).map_err(|_| Failure::not_found())
}

fn table_name(name: String) -> Result<TableName, Failure> {
    TableName::new(name).map_err(|_| Failure::not_found())
}

fn choice(fields: &Fields) -> Result<LabelChoice, Problem> {
    if fields.get("choice") != "override" {
        return Ok(LabelChoice::Accept);
    }
    let grade: Grade = fields.get("grade").parse().map_err(|error| Problem::new("", format!("{error}")))?;
    let categories = fields.all("category").filter(|code| !code.is_empty()).map(CategoryCode::new);
    let categories =
        categories.collect::<Result<_, _>>().map_err(|error| Problem::new("", error.to_string()))?;
    Ok(LabelChoice::Override { categories, grade, reason: Text::same(fields.get("reason")) })
}

async fn page(
    visit: &Visit,
    id: &DatasetId,
    notice: String,
    errors: Vec<Problem>,
) -> Result<Response, Failure> {
    let ui = visit.ui();
    let found = visit.app.draft(visit.actor()?, id).await?;
    let page = DraftPage {
        id: id.to_string(),
        title: steward::title(&ui, &found.dataset),
        state: Tag::state(&ui, steward::state_code(found.dataset.state)),
        grade: Tag::grade(&ui, found.dataset.label().grade),
        notice,
        missing: found.missing.iter().map(|text| ui.text(text).to_owned()).collect(),
        published: found.dataset.state == DatasetState::Published,
        tables: found.tables.iter().map(|table| table_view(visit, table)).collect(),
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

fn table_view(visit: &Visit, table: &DraftTable) -> TableView {
    let ui = &visit.ui;
    TableView {
        name: table.table.name.to_string(),
        account: table.profile.as_ref().map(|profile| account(ui, profile)).unwrap_or_default(),
        rejects: table.stored.as_ref().is_some_and(|stored| stored.rejected > 0),
        open: table.labels.iter().filter(|label| label.decided.is_none()).count(),
        columns: table
            .labels
            .iter()
            .enumerate()
            .map(|(i, label)| {
                column_view(visit, &format!("{}-c{i}", table.table.name), label, table.profile.as_ref())
            })
            .collect(),
    }
}

/// The account of what was read.
fn account(ui: &Ui, profile: &TableProfile) -> Vec<(String, String)> {
    let mut account = vec![
        (ui.t("draft-rows"), ui.num(profile.rows)),
        (ui.t("draft-rejected"), ui.num(profile.rejected)),
        (ui.t("draft-columns"), ui.num(profile.columns.len())),
    ];
    if let Some(encoding) = &profile.encoding {
        account.push((ui.t("draft-encoding"), encoding.clone()));
    }
    if let Some(delimiter) = profile.delimiter {
        let words = if delimiter == '\t' { ui.t("draft-tab") } else { delimiter.to_string() };
        account.push((ui.t("draft-delimiter"), words));
    }
    account
}

fn column_view(visit: &Visit, key: &str, state: &LabelState, profile: Option<&TableProfile>) -> ColumnView {
    let ui = &visit.ui;
    let label = &state.column.label;
    let now = label.categories.iter().next().map(ToString::to_string).unwrap_or_default();
    let grades =
        Grade::ALL.iter().map(|grade| Choice::new(grade.code(), ui.grade(*grade), label.grade.code()));
    let categories = visit.app.scheme().categories.iter();
    ColumnView {
        name: state.column.name.to_string(),
        key: key.to_owned(),
        grade: Tag::grade(ui, label.grade),
        categories: names::categories(visit, label),
        facts: facts(ui, state, profile),
        findings: state.findings.iter().map(|finding| finding_view(ui, finding)).collect(),
        decided: state
            .decided
            .as_ref()
            .map(|(account, reason)| decided(ui, account.as_str(), reason))
            .unwrap_or_default(),
        grades: grades.collect(),
        category_choices: categories
            .map(|category| Choice::new(category.code.as_str(), ui.text(&category.name), &now))
            .collect(),
    }
}

fn decided(ui: &Ui, account: &str, reason: &Text) -> String {
    let who = ui.with("draft-decided-by", "who", account);
    let reason = ui.text(reason);
    if reason.is_empty() { who } else { format!("{who}: {reason}") }
}

fn facts(ui: &Ui, state: &LabelState, profile: Option<&TableProfile>) -> Vec<(String, String)> {
    let found =
        profile.and_then(|profile| profile.columns.iter().find(|column| column.name == state.column.name));
    let rows = profile.map_or(0, |profile| profile.rows);
    let share = |part: u64| if rows == 0 { 0.0 } else { 100.0 * part as f64 / rows as f64 };
    let distinct = ui.num(state.distinct);
    let mut facts = vec![
        (ui.t("draft-type"), ui.word("type", state.column.data_type.code())),
        (ui.t("draft-nulls"), format!("{} ({:.1} %)", ui.num(state.nulls), share(state.nulls))),
        (
            ui.t("draft-distinct"),
            match found {
                Some(column) if !column.distinct_exact => ui.with("draft-about", "count", distinct),
                _ => distinct,
            },
        ),
    ];
    if !state.examples.is_empty() {
        facts.push((ui.t("draft-examples"), state.examples.join(" · ")));
    }
    if let Some(column) = found.filter(|column| column.header != column.name.as_str()) {
        facts.push((ui.t("draft-header"), column.header.clone()));
    }
    facts
}

fn finding_view(ui: &Ui, finding: &Finding) -> FindingView {
    use cogov_model::Evidence;
    let code = match finding.evidence {
        Evidence::Name => "name",
        Evidence::Content => "content",
        Evidence::Uniqueness => "uniqueness",
        Evidence::Volume => "volume",
        Evidence::Floor => "floor",
    };
    let share = if finding.examined > 0 {
        ui.share("draft-share", finding.matched, finding.examined)
    } else {
        String::new()
    };
    FindingView { kind: ui.word("evidence", code), words: ui.text(&finding.words).to_owned(), share }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let finding = FindingView {
        kind: ui.word("evidence", "content"),
        words: "Check digits agree".into(),
        share: ui.share("draft-share", 99, 100),
    };
    let column = |name: &str, decided: String, findings| ColumnView {
        name: name.into(),
        key: format!("t-{name}"),
        grade: Tag::grade(&ui, Grade::General4),
        categories: "Identity".into(),
        facts: vec![(ui.t("draft-type"), ui.word("type", "text"))],
        findings,
        decided,
        grades: vec![Choice::new("general-4", ui.grade(Grade::General4), "general-4")],
        category_choices: vec![Choice::new("person", "Person", "person")],
    };
    let table = TableView {
        name: "people".into(),
        account: vec![(ui.t("draft-rows"), "10".into())],
        rejects: true,
        open: 1,
        columns: vec![
            column("id", String::new(), vec![finding]),
            column("b", decided(&ui, "lin", &Text::same("r")), vec![]),
        ],
    };
    let page = DraftPage {
        errors: vec![Problem::new("people-id", "Say why")],
        id: "registry".into(),
        title: "Registry".into(),
        state: Tag::state(&ui, "draft"),
        grade: Tag::grade(&ui, Grade::General4),
        notice: ui.with("draft-imported", "version", 1),
        missing: vec!["Title".into()],
        published: true,
        tables: vec![table],
        ui,
    };
    vec![("draft", page.render().unwrap_or_default())]
}
