//! The catalogue of published datasets. Public.

use super::extract::{Id, Search};
use super::{Problem, json};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use cogov_app::{App, CatalogueQuery, DatasetCard, GrantCard};
use cogov_model::{Dataset, DatasetId, Party};
use serde_json::{Value, json};

pub(super) async fn search(
    State(app): State<App>,
    headers: HeaderMap,
    Search(query): Search<CatalogueQuery>,
) -> Result<Response, Problem> {
    let found = app.search(&query).await.map_err(|error| Problem::from(error).for_request(&headers))?;
    let facets: serde_json::Map<String, Value> = found
        .facets
        .iter()
        .map(|facet| {
            let values: Vec<Value> = facet
                .values
                .iter()
                .map(|value| json!({"code": value.code, "name": value.name, "count": value.count}))
                .collect();
            (facet.name.to_owned(), values.into())
        })
        .collect();
    let items: Vec<Value> = found.items.iter().map(card).collect();
    Ok(json(json!({
        "total": found.total, "page": found.page, "pages": found.pages, "items": items, "facets": facets,
    })))
}

pub(super) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Id(id): Id<DatasetId>,
) -> Result<Response, Problem> {
    let page = app.dataset(&id).await.map_err(|error| Problem::from(error).for_request(&headers))?;
    let mut body = summary(&page.dataset, &page.provider, page.rows);
    let samples: Vec<Value> = page
        .samples
        .iter()
        .map(|sample| json!({"table": sample.table, "header": sample.header, "rows": sample.rows, "invented": true}))
        .collect();
    let versions: Vec<Value> = page
        .versions
        .iter()
        .map(|version| {
            let tables: Vec<Value> = version
                .tables
                .iter()
                .map(|t| json!({"name": t.name, "rows": t.rows, "rejected": t.rejected}))
                .collect();
            json!({"number": version.number, "created_at": version.created_at.rfc3339(), "tables": tables})
        })
        .collect();
    let more = json!({
        "tables": page.dataset.tables,
        "versions": versions,
        "grants": page.grants.iter().map(held).collect::<Vec<_>>(),
        "usage": {
            "decisions": page.usage.decisions, "permits": page.usage.permits, "denials": page.usage.denials,
            "rows_released": page.usage.rows_released,
        },
        "samples": samples,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    Ok(json(body))
}

fn card(card: &DatasetCard) -> Value {
    let mut shown = summary(&card.dataset, &card.provider, card.rows);
    if let Some(map) = shown.as_object_mut() {
        map.insert("grants".to_owned(), card.grants.into());
        let tables: Vec<&str> = card.dataset.tables.iter().map(|table| table.name.as_str()).collect();
        map.insert("tables".to_owned(), json!(tables));
    }
    shown
}

fn summary(dataset: &Dataset, provider: &Party, rows: u64) -> Value {
    let label = dataset.label();
    json!({
        "id": dataset.id,
        "title": dataset.title,
        "description": dataset.description,
        "keywords": dataset.keywords,
        "provider": provider,
        "update_frequency": dataset.update_frequency,
        "lanes": dataset.lanes,
        "sharing": dataset.sharing,
        "regions": dataset.regions,
        "grade": label.grade,
        "categories": label.categories,
        "version": dataset.version,
        "rows": rows,
        "changed_at": dataset.changed_at.rfc3339(),
    })
}

fn held(card: &GrantCard) -> Value {
    json!({
        "id": card.grant.id, "name": card.grant.name, "party": card.party.id, "state": card.state,
        "form": card.grant.form, "purpose": card.grant.purpose.code,
    })
}
