//! `/apply/{dataset}`: the application form beside what the rulebook would say to it.

use super::{
    Answered,
    apply_form::{self, CONDITIONS, DAYS, OPS},
    apply_verify::VerifyForm,
    names,
    preview::{Fragment, Preview},
    shown, status_of,
};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::{Choice, Tag, with_query},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Redirect, Response},
};
use cogov_model::{Dataset, DatasetId, Form, Lane, RegionCode, Table};

struct ColumnChoice {
    key: String,
    name: String,
    title: String,
    reference: String,
    grade: Tag,
    chosen: bool,
}

struct TableChoice {
    name: String,
    title: String,
    columns: Vec<ColumnChoice>,
}

struct ConditionRow {
    columns: Vec<Choice>,
    ops: Vec<Choice>,
    value: String,
}

#[derive(Template)]
#[template(path = "apply.html")]
struct ApplyPage {
    ui: Ui,
    errors: Vec<Problem>,
    dataset: String,
    title: String,
    tables: Vec<TableChoice>,
    purposes: Vec<Choice>,
    words: String,
    legal_basis: String,
    scenario: String,
    regions: Vec<Choice>,
    conditions: Vec<ConditionRow>,
    forms: Vec<Choice>,
    lanes: Vec<Choice>,
    days: String,
    verify: VerifyForm,
    preview: Fragment,
}

/// `GET /apply/{dataset}`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    visit.actor()?;
    let dataset = find(&visit, id).await?;
    let first = dataset.lanes.first().map_or(Lane::Share.code(), |lane| lane.code());
    let suggested =
        [("days", DAYS.to_string()), ("form", Form::Aggregate.code().to_owned()), ("lane", first.to_owned())];
    let fields = Fields::from_pairs(suggested.map(|(name, value)| (name.to_owned(), value)).into());
    form(&visit, &dataset, &fields, Vec::new()).await
}

/// `POST /apply/{dataset}`: shows the preview again, or makes the application.
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let dataset = find(&visit, id).await?;
    if fields.get("then") != "submit" {
        return form(&visit, &dataset, &fields, Vec::new()).await;
    }
    let made = match apply_form::read(&visit.ui, &fields, &dataset) {
        Ok(draft) => visit.app.apply(visit.actor()?, draft).await,
        Err(problem) => return form(&visit, &dataset, &fields, vec![problem]).await,
    };
    match made {
        Ok(id) => {
            let href = with_query("/applications", &[("receipt", id.as_str())]);
            Ok(Redirect::to(&href).into_response())
        }
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            form(&visit, &dataset, &fields, vec![problem]).await
        }
    }
}

/// `POST /apply/{dataset}/preview`: the fragment alone, for the module that updates it while one types.
pub async fn fragment(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let dataset = find(&visit, id).await?;
    let fragment = preview(&visit, &dataset, &fields).await?;
    Ok(Html(fragment.to_string()).into_response())
}

async fn find(visit: &Visit, id: String) -> Result<Dataset, Failure> {
    let id = DatasetId::new(id).map_err(|_| Failure::not_found())?;
    Ok(visit.app.dataset(&id).await?.dataset)
}

async fn preview(visit: &Visit, dataset: &Dataset, fields: &Fields) -> Result<Fragment, Failure> {
    let ui = visit.ui();
    if fields.all("columns").next().is_none() {
        return Fragment::new(&Preview::nothing(ui.clone(), ui.t("preview-pick")));
    }
    let draft = match apply_form::read(&ui, fields, dataset) {
        Ok(draft) => draft,
        Err(problem) => return Fragment::new(&Preview::nothing(ui, problem.words)),
    };
    match visit.app.preview(visit.actor()?, &draft).await {
        Ok(found) => Fragment::new(&Preview::new(visit, &found)),
        Err(error) => {
            let problem = Problem::from_app(&ui, error)?;
            Fragment::new(&Preview::nothing(ui, problem.words))
        }
    }
}

async fn form(
    visit: &Visit,
    dataset: &Dataset,
    fields: &Fields,
    errors: Vec<Problem>,
) -> Result<Response, Failure> {
    let preview = preview(visit, dataset, fields).await?;
    let purposes = visit.app.purposes().iter();
    let purposes = purposes
        .map(|(code, _)| Choice::new(code.as_str(), names::purpose(visit, code), fields.get("purpose")));
    let region = visit.actor()?.party.region.as_ref();
    let page = page(visit.ui(), dataset, fields, errors, purposes.collect(), region, preview);
    shown(status_of(&page.errors), &page)
}

fn page(
    ui: Ui,
    dataset: &Dataset,
    fields: &Fields,
    errors: Vec<Problem>,
    purposes: Vec<Choice>,
    region: Option<&RegionCode>,
    preview: Fragment,
) -> ApplyPage {
    let title = ui.text(&dataset.title).to_owned();
    let form = |form: Form| Choice::new(form.code(), ui.word("form", form.code()), fields.get("form"));
    let lane = |lane: Lane| Choice::new(lane.code(), ui.word("lane", lane.code()), fields.get("lane"));
    ApplyPage {
        dataset: dataset.id.to_string(),
        title,
        tables: dataset
            .tables
            .iter()
            .enumerate()
            .map(|(i, table)| table_choice(&ui, i, table, fields))
            .collect(),
        purposes,
        words: fields.get("words").to_owned(),
        legal_basis: fields.get("legal_basis").to_owned(),
        scenario: fields.get("scenario").to_owned(),
        regions: region.map(|code| regions(&ui, dataset, code, fields)).unwrap_or_default(),
        conditions: (0..CONDITIONS).map(|i| condition_row(&ui, dataset, fields, i)).collect(),
        forms: Form::ALL.map(form).into(),
        lanes: dataset.lanes.iter().copied().map(lane).collect(),
        days: fields.get("days").to_owned(),
        verify: VerifyForm::new(&ui, dataset, fields),
        preview,
        errors,
        ui,
    }
}

fn table_choice(ui: &Ui, number: usize, table: &Table, fields: &Fields) -> TableChoice {
    let columns = table.columns.iter().enumerate().map(|(i, column)| {
        let reference = apply_form::reference(table.name.as_str(), column.name.as_str());
        ColumnChoice {
            key: format!("column-{number}-{i}"),
            name: column.name.to_string(),
            title: ui.text(&column.title).to_owned(),
            grade: Tag::grade(ui, column.label.grade),
            chosen: fields.all("columns").any(|chosen| chosen == reference),
            reference,
        }
    });
    TableChoice {
        name: table.name.to_string(),
        title: ui.text(&table.title).to_owned(),
        columns: columns.collect(),
    }
}

/// “Only my region”, for every column that holds a region's code.
fn regions(ui: &Ui, dataset: &Dataset, code: &RegionCode, fields: &Fields) -> Vec<Choice> {
    let columns =
        dataset.tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let of_region =
        columns.filter(|(_, column)| column.label.categories.iter().any(|c| c.is_within("region")));
    let choice = |(table, column): (&Table, &cogov_model::Column)| {
        let reference = apply_form::reference(table.name.as_str(), column.name.as_str());
        let value = format!("{reference}={code}");
        let words = ui.region(&reference, code.as_str());
        Choice { chosen: fields.all("region").any(|chosen| chosen == value), value, words }
    };
    of_region.map(choice).collect()
}

fn condition_row(ui: &Ui, dataset: &Dataset, fields: &Fields, i: usize) -> ConditionRow {
    let now = |name| fields.all(name).nth(i).unwrap_or_default().to_owned();
    let (column, op) = (now("scope_column"), now("scope_op"));
    let none = Choice::new("", ui.t("apply-scope-none"), &column);
    let columns = dataset.tables.iter().flat_map(|table| {
        table.columns.iter().map(|c| apply_form::reference(table.name.as_str(), c.name.as_str()))
    });
    ConditionRow {
        columns: std::iter::once(none)
            .chain(columns.map(|name| Choice::new(name.clone(), name, &column)))
            .collect(),
        ops: OPS.iter().map(|known| Choice::new(known.sign(), known.sign(), &op)).collect(),
        value: now("scope_value"),
    }
}

#[cfg(test)]
pub(crate) fn sample_dataset() -> Dataset {
    let column = |name: &str, category: &str| serde_json::json!({"name": name, "data_type": "integer", "label": {"categories": [category], "grade": "general-2"}});
    let json = serde_json::json!({
        "id": "revenue", "provider": "revenue", "title": {"en": "Income", "zh": "收入"},
        "description": {"en": "What", "zh": "什么"}, "lanes": ["share"],
        "sharing": {"kind": "conditional", "conditions": {"en": "c", "zh": "c"}},
        "tables": [{"name": "units", "columns": [column("wages", "person.income"), column("fips", "region.code")]}],
        "state": "published", "version": 1, "changed_at": 0,
    });
    #[allow(clippy::expect_used, reason = "a constant of the tests")]
    serde_json::from_value(json).expect("the sample dataset fits the model")
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let dataset = sample_dataset();
    let fields = Fields::parse(b"columns=units.wages&days=30&form=rows&lane=share");
    let purposes = vec![Choice::new("benefit", "Benefits", "benefit")];
    let region = RegionCode::new("6").ok();
    let errors = vec![Problem::new("words", "Say what for")];
    let preview = super::preview::sample(&ui);
    let page = page(ui, &dataset, &fields, errors, purposes, region.as_ref(), preview);
    vec![("apply", page.render().unwrap_or_default())]
}
