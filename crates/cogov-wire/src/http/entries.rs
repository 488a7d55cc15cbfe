//! The ledger as a list: anyone may search it; parties and auditors also read the sealed words.

use super::auth::Caller;
use super::extract::{Id, Search};
use super::{Problem, json};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cogov_app::{App, Cursor, EntryFilter, EntryView, Page};
use cogov_model::{AccountName, DatasetId, EntryKind, GrantId, Outcome, PartyId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// The most entries of one answer.
const MOST: u32 = 500;
/// Entries of one answer when the caller does not say.
const USUAL: u32 = 50;

/// A search.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    party: Option<PartyId>,
    dataset: Option<DatasetId>,
    grant: Option<GrantId>,
    account: Option<AccountName>,
    kind: Option<EntryKind>,
    outcome: Option<Outcome>,
    from: Option<String>,
    until: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(app): State<App>,
    caller: Option<Caller>,
    headers: HeaderMap,
    Search(wanted): Search<Wanted>,
) -> Result<Response, Problem> {
    let moment = |text: &Option<String>| match text {
        Some(text) => moment(text).map(Some).ok_or_else(|| no_moment().for_request(&headers)),
        None => Ok(None),
    };
    let (from, until) = (moment(&wanted.from)?, moment(&wanted.until)?);
    let filter = EntryFilter {
        party: wanted.party,
        dataset: wanted.dataset,
        grant: wanted.grant,
        account: wanted.account,
        kind: wanted.kind,
        outcome: wanted.outcome,
        from,
        until,
    };
    let page =
        Page::new(wanted.after.as_deref().map(Cursor::from_text), wanted.limit.unwrap_or(USUAL).min(MOST));
    let viewer = caller.as_ref().map(|caller| &caller.actor);
    let found = app.entries(viewer, &filter, &page).await;
    let found = found.map_err(|error| Problem::from(error).for_request(&headers))?;
    let items: Vec<Value> = found.items.iter().map(shown).collect();
    Ok(json(json!({ "items": items, "next": found.next.map(|next| next.to_string()) })))
}

pub(super) async fn show(
    State(app): State<App>,
    caller: Option<Caller>,
    headers: HeaderMap,
    Id(index): Id<u64>,
) -> Result<Response, Problem> {
    let viewer = caller.as_ref().map(|caller| &caller.actor);
    let view = app.entry(viewer, index).await.map_err(|error| Problem::from(error).for_request(&headers))?;
    Ok(json(shown(&view)))
}

fn shown(view: &EntryView) -> Value {
    let mut shown = json!({
        "index": view.index,
        "at": view.entry.at.rfc3339(),
        "entry": view.entry,
        "leaf": String::from_utf8_lossy(&view.leaf),
        "leaf_hash": view.leaf_hash,
    });
    if let Some(map) = shown.as_object_mut() {
        if let Some(sealed) = &view.sealed {
            map.insert("sealed".to_owned(), json!(sealed));
        }
        if let Some(proof) = &view.proof {
            let proof = json!({
                "size": proof.size, "hashes": proof.hashes, "root": proof.root, "checkpoint": proof.checkpoint,
                "receipt": proof.receipt,
            });
            map.insert("proof".to_owned(), proof);
        }
    }
    shown
}

/// RFC 3339, or a day in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_millis(moment.timestamp_millis()));
    }
    text.parse::<chrono::NaiveDate>().ok().map(Timestamp::from_date)
}

fn no_moment() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "unreadable-search",
        "Write from and until as 2026-01-31 or 2026-01-31T12:00:00Z.",
        "from 与 until 请写作 2026-01-31 或 2026-01-31T12:00:00Z。",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_in_both_forms() {
        assert_eq!(moment("1970-01-02"), Some(Timestamp::from_millis(86_400_000)));
        assert_eq!(moment("1970-01-01T01:00:00+01:00"), Some(Timestamp::from_millis(0)));
        assert_eq!(moment("yesterday"), None);
    }
}
