//! `/catalogue`: search by words and facets, as a plain form.

use super::{Answered, html, names};
use crate::{
    ui::Ui,
    view::{Pager, Tag, with_query},
    visit::Visit,
};
use askama::Template;
use axum::extract::Query;
use cogov_app::{CatalogueQuery, DatasetCard, Facet, FacetValue};
use std::collections::HashMap;

struct FacetChoice {
    code: String,
    words: String,
    count: usize,
    chosen: bool,
}

struct FacetView {
    code: &'static str,
    name: String,
    /// Nothing is chosen.
    open: bool,
    /// Its values are shown at once: the two that most people use, and those in use.
    spread: bool,
    values: Vec<FacetChoice>,
}

struct Card {
    id: String,
    title: String,
    provider: String,
    description: String,
    grade: Tag,
    sharing: Tag,
    lanes: Vec<String>,
    categories: String,
    rows: u64,
    columns: usize,
    grants: usize,
    frequency: String,
}

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    ui: Ui,
    words: String,
    facets: Vec<FacetView>,
    total: usize,
    items: Vec<Card>,
    pager: Pager,
}

/// `GET /catalogue`
pub async fn show(visit: Visit, Query(fields): Query<HashMap<String, String>>) -> Answered {
    let query = read(&fields);
    let found = visit.app.search(&query).await?;
    let ui = visit.ui();
    let words = ui.with("catalogue-page", "page", format!("{} / {}", found.page, found.pages));
    let page = CataloguePage {
        facets: found.facets.iter().map(|facet| facet_view(&ui, facet, &fields)).collect(),
        total: found.total,
        items: found.items.iter().map(|card| card_view(&visit, card)).collect(),
        pager: Pager::numbered(found.page, found.pages, words, |page| page_href(&query, page)),
        words: query.words.clone(),
        ui,
    };
    html(&page)
}

fn read(fields: &HashMap<String, String>) -> CatalogueQuery {
    let given =
        |name: &str| fields.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    CatalogueQuery {
        words: given("words").unwrap_or_default(),
        category: given("category"),
        grade: given("grade"),
        provider: given("provider"),
        region: given("region"),
        sharing: given("sharing"),
        lane: given("lane"),
        page: given("page").and_then(|page| page.parse().ok()).unwrap_or(1),
    }
}

fn page_href(query: &CatalogueQuery, page: usize) -> String {
    let part = |value: &Option<String>| value.clone().unwrap_or_default();
    with_query(
        "/catalogue",
        &[
            ("words", &query.words),
            ("category", &part(&query.category)),
            ("grade", &part(&query.grade)),
            ("provider", &part(&query.provider)),
            ("region", &part(&query.region)),
            ("sharing", &part(&query.sharing)),
            ("lane", &part(&query.lane)),
            ("page", &page.to_string()),
        ],
    )
}

fn facet_view(ui: &Ui, facet: &Facet, fields: &HashMap<String, String>) -> FacetView {
    let now = fields.get(facet.name).map(|value| value.trim()).unwrap_or_default();
    let values = facet.values.iter().map(|value| FacetChoice {
        code: value.code.clone(),
        words: value_words(ui, facet.name, value),
        count: value.count,
        chosen: value.code == now,
    });
    FacetView {
        code: facet.name,
        name: ui.word("facet", facet.name),
        open: now.is_empty(),
        spread: !now.is_empty() || matches!(facet.name, "provider" | "grade"),
        values: values.collect(),
    }
}

/// A value's words: the pages' own for codes of the model, else the name that the catalogue gives.
fn value_words(ui: &Ui, facet: &str, value: &FacetValue) -> String {
    match facet {
        "grade" | "sharing" | "lane" => ui.word(facet, &value.code),
        _ => ui.text(&value.name).to_owned(),
    }
}

fn card_view(visit: &Visit, card: &DatasetCard) -> Card {
    let (ui, dataset) = (&visit.ui, &card.dataset);
    let label = dataset.label();
    Card {
        id: dataset.id.to_string(),
        title: ui.text(&dataset.title).to_owned(),
        provider: ui.text(&card.provider.name).to_owned(),
        description: ui.text(&dataset.description).to_owned(),
        grade: Tag::grade(ui, label.grade),
        sharing: Tag::new("plain", ui.word("sharing", dataset.sharing.code())),
        lanes: dataset.lanes.iter().map(|lane| ui.word("lane", lane.code())).collect(),
        categories: names::categories(visit, &label),
        rows: card.rows,
        columns: dataset.tables.iter().map(|table| table.columns.len()).sum(),
        grants: card.grants,
        frequency: ui.text(&dataset.update_frequency).to_owned(),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let value = FacetChoice { code: "person".into(), words: "Person".into(), count: 3, chosen: true };
    let facet = FacetView {
        code: "category",
        name: ui.word("facet", "category"),
        open: false,
        spread: true,
        values: vec![value],
    };
    let card = Card {
        id: "revenue".into(),
        title: "Income".into(),
        provider: "Revenue".into(),
        description: "What".into(),
        grade: Tag::grade(&ui, cogov_model::Grade::General3),
        sharing: Tag::new("plain", ui.word("sharing", "conditional")),
        lanes: vec![ui.word("lane", "share")],
        categories: "Person".into(),
        rows: 280_005,
        columns: 20,
        grants: 1,
        frequency: String::new(),
    };
    let pager = Pager::numbered(2, 3, "2 / 3".into(), |page| format!("/catalogue?page={page}"));
    let page =
        CataloguePage { words: "tax".into(), facets: vec![facet], total: 1, items: vec![card], pager, ui };
    vec![("catalogue", page.render().unwrap_or_default())]
}
