//! `/ledger`: the entries, newest first, filtered and turned page by page. The audit page is the same with sealed words.

use super::{Answered, html, names::Names};
use crate::{
    failure::Failure,
    form::Problem,
    ui::Ui,
    view::{Choice, EntryRow, Pager, with_query},
    visit::Visit,
};
use askama::Template;
use axum::extract::Query;
use chrono::NaiveDate;
use cogov_app::{Cursor, EntryFilter, EntryView, Page};
use cogov_model::{EntryKind, Outcome, Timestamp};
use std::collections::HashMap;

/// Entries a page.
const ENTRIES: u32 = 50;

/// A select of the filter.
pub struct Select {
    name: &'static str,
    words: String,
    choices: Vec<Choice>,
}

/// A text or day field of the filter.
pub struct Field {
    id: &'static str,
    words: String,
    value: String,
    day: bool,
}

/// The list of entries.
#[derive(Template)]
#[template(path = "ledger.html")]
pub struct LedgerPage {
    ui: Ui,
    errors: Vec<Problem>,
    heading: String,
    lead: String,
    action: &'static str,
    base: String,
    checkpoint: String,
    selects: Vec<Select>,
    fields: Vec<Field>,
    rows: Vec<EntryRow>,
    pager: Pager,
    export: bool,
    hidden: Vec<(&'static str, String)>,
}

/// The fields of the filter as they came, by name.
pub type Asked = HashMap<String, String>;

/// `GET /ledger`
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Answered {
    html(&page(&visit, &asked, false).await?)
}

/// The page, for anyone or for auditors.
///
/// # Errors
/// When the entries cannot be read, or somebody else than an auditor asks by person.
pub async fn page(visit: &Visit, asked: &Asked, audit: bool) -> Result<LedgerPage, Failure> {
    let (ui, names) = (visit.ui(), Names::of(visit).await?);
    let mut errors = Vec::new();
    let filter = filter(asked, audit, &mut errors);
    let after = asked.get("after").map(|text| Cursor::from_text(text));
    let viewer = if audit { Some(visit.actor()?) } else { None };
    let found = visit.app.entries(viewer, &filter, &Page::new(after, ENTRIES)).await?;
    let action = if audit { "/audit" } else { "/ledger" };
    let next = found.next.as_ref().map(|cursor| next_href(action, asked, &cursor.to_string()));
    let checkpoint = if audit { None } else { visit.app.ledger_file("checkpoint")? };
    let parties = visit.app.parties().await?;
    let parties = parties.iter().map(|party| (party.id.to_string(), ui.text(&party.name).to_owned()));
    Ok(LedgerPage {
        heading: if audit { ui.t("audit-title") } else { ui.t("ledger-title") },
        lead: if audit { ui.t("audit-lead") } else { ui.t("ledger-lead") },
        action,
        base: visit.web.site.http.clone(),
        checkpoint: checkpoint.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default(),
        selects: selects(&ui, asked, parties.collect()),
        fields: fields(&ui, asked, audit),
        rows: found.items.iter().map(|view| row(&ui, view, &names, audit)).collect(),
        pager: Pager { next, ..Pager::default() },
        export: audit,
        hidden: NAMES
            .iter()
            .map(|name| (*name, given(asked, name).to_owned()))
            .filter(|(_, v)| !v.is_empty())
            .collect(),
        errors,
        ui,
    })
}

const NAMES: [&str; 8] = ["party", "kind", "outcome", "dataset", "grant", "account", "from", "to"];

fn given<'a>(asked: &'a Asked, name: &str) -> &'a str {
    asked.get(name).map(|value| value.trim()).unwrap_or_default()
}

/// The filter of the fields; what cannot be read is said and left out.
pub fn filter(asked: &Asked, audit: bool, errors: &mut Vec<Problem>) -> EntryFilter {
    fn read<T: std::str::FromStr<Err: std::fmt::Display>>(
        asked: &Asked,
        name: &'static str,
        errors: &mut Vec<Problem>,
    ) -> Option<T> {
        let text = Some(given(asked, name)).filter(|text| !text.is_empty())?;
        text.parse().map_err(|error: T::Err| errors.push(Problem::new(name, error.to_string()))).ok()
    }
    let day =
        |name, errors: &mut Vec<Problem>| read::<NaiveDate>(asked, name, errors).map(Timestamp::from_date);
    let kind = given(asked, "kind");
    let outcome = given(asked, "outcome");
    EntryFilter {
        party: read(asked, "party", errors),
        dataset: read(asked, "dataset", errors),
        grant: read(asked, "grant", errors),
        account: if audit { read(asked, "account", errors) } else { None },
        kind: EntryKind::ALL.into_iter().find(|known| known.code() == kind),
        outcome: OUTCOMES.into_iter().find(|known| known.code() == outcome),
        from: day("from", errors),
        until: day("to", errors).map(|start| start.plus_days(1)),
    }
}

const OUTCOMES: [Outcome; 3] = [Outcome::Permit, Outcome::Deny, Outcome::Done];

fn selects(ui: &Ui, asked: &Asked, parties: Vec<(String, String)>) -> Vec<Select> {
    let select = |name: &'static str, words: String, values: Vec<(String, String)>| {
        let now = given(asked, name);
        let any = Choice::new("", ui.t("ledger-all"), now);
        let values = values.into_iter().map(|(code, words)| Choice::new(code, words, now));
        Select { name, words, choices: std::iter::once(any).chain(values).collect() }
    };
    let word = |prefix: &str, code: &str| (code.to_owned(), ui.word(prefix, code));
    vec![
        select("party", ui.t("account-party"), parties),
        select(
            "kind",
            ui.t("entry-kind"),
            EntryKind::ALL.iter().map(|kind| word("kind", kind.code())).collect(),
        ),
        select(
            "outcome",
            ui.t("entry-outcome"),
            OUTCOMES.iter().map(|o| word("outcome", o.code())).collect(),
        ),
    ]
}

fn fields(ui: &Ui, asked: &Asked, audit: bool) -> Vec<Field> {
    let field = |id: &'static str, key: &str, day| Field {
        id,
        words: ui.t(key),
        value: given(asked, id).to_owned(),
        day,
    };
    let mut fields = vec![field("dataset", "ledger-dataset", false), field("grant", "ledger-grant", false)];
    if audit {
        fields.push(field("account", "ledger-account", false));
    }
    fields.extend([field("from", "ledger-from", true), field("to", "ledger-to", true)]);
    fields
}

fn row(ui: &Ui, view: &EntryView, names: &Names, audit: bool) -> EntryRow {
    let mut row = EntryRow::new(ui, view.index, &view.entry, |id| names.party(id));
    if audit {
        // A sketch is for tracing and no words: the entry's own page has it.
        let sealed = view.sealed.iter().flatten().filter(|(name, _)| *name != "sketch");
        row.sealed = sealed.map(|(name, sealed)| (ui.word("sealed", name), sealed.text.clone())).collect();
    }
    row
}

fn next_href(action: &str, asked: &Asked, after: &str) -> String {
    let mut fields: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, given(asked, name))).collect();
    fields.push(("after", after));
    with_query(action, &fields)
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let asked = Asked::new();
    let page = |audit: bool| LedgerPage {
        errors: Vec::new(),
        heading: if audit { ui.t("audit-title") } else { ui.t("ledger-title") },
        lead: if audit { ui.t("audit-lead") } else { ui.t("ledger-lead") },
        action: "/ledger",
        base: "http://127.0.0.1:8080".into(),
        checkpoint: "origin\n7\nhash\n".into(),
        selects: selects(&ui, &asked, vec![("north".into(), "North".into())]),
        fields: fields(&ui, &asked, audit),
        rows: vec![crate::view::sample_entry(&ui)],
        pager: Pager { next: Some("/ledger?after=1".into()), ..Pager::default() },
        export: audit,
        hidden: vec![("party", "north".into())],
        ui: ui.clone(),
    };
    [page(false), page(true)].iter().map(|page| ("ledger", page.render().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_included_and_nonsense_is_said() {
        let asked: Asked =
            [("to", "2026-11-23"), ("party", "No Such!"), ("account", "lin"), ("kind", "grant")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let mut errors = Vec::new();
        let filter = filter(&asked, false, &mut errors);
        assert_eq!(filter.until.map(|at| at.date().to_string()).as_deref(), Some("2026-11-24"));
        assert_eq!(filter.kind, Some(EntryKind::Grant));
        assert_eq!(filter.account, None, "only auditors search by person");
        assert_eq!(errors.len(), 1);
    }
}
