//! `/datasets/{id}`: what a dataset holds, who has it, how it was used, what it looks like.

use super::{Answered, grants::GrantLine, html, names};
use crate::{
    ui::Ui,
    view::{Bar, Bars, Tag},
    visit::Visit,
};
use askama::Template;
use axum::extract::Path;
use cogov_app::{DatasetPage as Found, Usage};
use cogov_model::{Dataset, DatasetId, SharingAttribute, Table};

/// Days that the chart of use shows.
const DAYS: usize = 14;

struct ColumnView {
    name: String,
    title: String,
    description: String,
    kind: String,
    grade: Tag,
    categories: String,
    reason: String,
}

struct TableView {
    name: String,
    title: String,
    unit: String,
    columns: Vec<ColumnView>,
}

struct SampleView {
    table: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

struct VersionView {
    number: u64,
    made: String,
    rows: String,
}

#[derive(Template)]
#[template(path = "dataset.html")]
struct DatasetPage {
    ui: Ui,
    id: String,
    title: String,
    description: String,
    grade: Tag,
    sharing: Tag,
    lanes: Vec<String>,
    budget: bool,
    facts: Vec<(String, String)>,
    tables: Vec<TableView>,
    samples: Vec<SampleView>,
    usage: String,
    chart: Option<Bars>,
    grants: Vec<GrantLine>,
    versions: Vec<VersionView>,
}

/// `GET /datasets/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    let id = DatasetId::new(id).map_err(|_| crate::failure::Failure::not_found())?;
    let found = visit.app.dataset(&id).await?;
    html(&page(&visit, found))
}

fn page(visit: &Visit, found: Found) -> DatasetPage {
    let (ui, dataset) = (visit.ui(), &found.dataset);
    DatasetPage {
        id: dataset.id.to_string(),
        title: ui.text(&dataset.title).to_owned(),
        description: ui.text(&dataset.description).to_owned(),
        grade: Tag::grade(&ui, dataset.label().grade),
        sharing: Tag::new("plain", ui.word("sharing", dataset.sharing.code())),
        lanes: dataset.lanes.iter().map(|lane| ui.word("lane", lane.code())).collect(),
        budget: !dataset.privacy.is_empty(),
        facts: facts(&ui, dataset, ui.text(&found.provider.name)),
        tables: dataset.tables.iter().map(|table| table_view(visit, table)).collect(),
        samples: found
            .samples
            .into_iter()
            .map(|sample| SampleView {
                table: sample.table.to_string(),
                header: sample.header,
                rows: sample.rows,
            })
            .collect(),
        usage: usage(&ui, &found.usage),
        chart: chart(&ui, &found.usage),
        grants: found.grants.iter().map(|card| GrantLine::new(visit, card)).collect(),
        versions: found
            .versions
            .iter()
            .map(|version| VersionView {
                number: version.number,
                made: ui.moment(version.created_at),
                rows: ui.num(version.tables.iter().map(|table| table.rows).sum::<u64>()),
            })
            .collect(),
        ui,
    }
}

fn facts(ui: &Ui, dataset: &Dataset, provider: &str) -> Vec<(String, String)> {
    let regions: Vec<&str> = dataset.regions.iter().map(AsRef::as_ref).collect();
    let mut facts = vec![
        (ui.t("dataset-provider"), provider.to_owned()),
        (ui.t("dataset-frequency"), ui.text(&dataset.update_frequency).to_owned()),
        (ui.t("dataset-changed"), ui.day(dataset.changed_at)),
        (
            ui.t("dataset-regions"),
            if regions.is_empty() { ui.t("dataset-everywhere") } else { regions.join(", ") },
        ),
    ];
    match &dataset.sharing {
        SharingAttribute::Conditional { conditions } => {
            facts.push((ui.t("dataset-conditions"), ui.text(conditions).to_owned()));
        }
        SharingAttribute::NotShared { law } => facts.push((ui.t("dataset-law"), ui.text(law).to_owned())),
        SharingAttribute::Unconditional => {}
    }
    let keywords: Vec<&str> = dataset.keywords.iter().map(|word| ui.text(word)).collect();
    facts.push((ui.t("dataset-keywords"), keywords.join(", ")));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn table_view(visit: &Visit, table: &Table) -> TableView {
    let ui = &visit.ui;
    let columns = table.columns.iter().map(|column| ColumnView {
        name: column.name.to_string(),
        title: ui.text(&column.title).to_owned(),
        description: ui.text(&column.description).to_owned(),
        kind: ui.word("type", column.data_type.code()),
        grade: Tag::grade(ui, column.label.grade),
        categories: names::categories(visit, &column.label),
        reason: ui.text(&column.reason).to_owned(),
    });
    TableView {
        name: table.name.to_string(),
        title: ui.text(&table.title).to_owned(),
        unit: table.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
        columns: columns.collect(),
    }
}

fn usage(ui: &Ui, usage: &Usage) -> String {
    let asked = ui.n("dataset-usage-decisions", usage.decisions);
    if usage.decisions == 0 {
        return asked;
    }
    [
        asked,
        ui.n("dataset-usage-permits", usage.permits),
        ui.n("dataset-usage-denials", usage.denials),
        ui.n("dataset-usage-rows", usage.rows_released),
    ]
    .join(" ")
}

fn chart(ui: &Ui, usage: &Usage) -> Option<Bars> {
    let first = usage.by_day.len().saturating_sub(DAYS);
    #[allow(clippy::cast_precision_loss, reason = "the length of a bar")]
    let bar = |(day, count): (&chrono::NaiveDate, &u64)| Bar {
        label: day.to_string(),
        value: *count as f64,
        words: ui.num(*count),
    };
    let bars: Vec<Bar> = usage.by_day.iter().skip(first).map(bar).collect();
    (!bars.is_empty()).then(|| Bars {
        title: ui.t("dataset-chart"),
        description: ui.t("dataset-chart-text"),
        bars,
    })
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let grade = Tag::grade(&ui, cogov_model::Grade::General4);
    let column = ColumnView {
        name: "e00200".into(),
        title: "Wages".into(),
        description: "In dollars".into(),
        kind: ui.word("type", "integer"),
        grade: grade.clone(),
        categories: "Person".into(),
        reason: "Name".into(),
    };
    let page = DatasetPage {
        id: "revenue".into(),
        title: "Income".into(),
        description: "What".into(),
        sharing: Tag::new("plain", ui.word("sharing", "conditional")),
        grade,
        lanes: vec![ui.word("lane", "share")],
        budget: true,
        facts: vec![(ui.t("dataset-provider"), "Revenue".into())],
        tables: vec![TableView {
            name: "units".into(),
            title: "Units".into(),
            unit: "recid".into(),
            columns: vec![column],
        }],
        samples: vec![SampleView {
            table: "units".into(),
            header: vec!["a".into()],
            rows: vec![vec!["1".into()]],
        }],
        usage: ui.n("dataset-usage-decisions", 3_u64),
        chart: chart(&ui, &Usage { by_day: [(chrono::NaiveDate::default(), 3)].into(), ..Usage::default() }),
        grants: vec![super::grants::sample(&ui)],
        versions: vec![VersionView { number: 1, made: "2026-11-01".into(), rows: "280,005".into() }],
        ui,
    };
    vec![("dataset", page.render().unwrap_or_default())]
}
