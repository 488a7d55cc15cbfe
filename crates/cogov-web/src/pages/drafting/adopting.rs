//! The way of a draft to its adoption: who must approve, from when on, what is missing still.

use crate::{form::Fields, pages::names::Names, visit::Visit};
use cogov_app::{AdoptionPage, DraftMay, PolicyDraftPage as Found};
use cogov_model::{ClauseId, Timestamp};

/// A prescribed approval.
pub struct SeatRow {
    pub who: String,
    pub clause: String,
    pub urgent: bool,
    pub given: String,
}

/// A day, with the clause that says so.
pub struct DayView {
    pub words: String,
    pub clause: String,
}

/// The part of a draft's page about its adoption.
pub struct Adopting {
    pub seats: Vec<SeatRow>,
    /// The first days on which it may be adopted and may hold.
    pub days: Vec<DayView>,
    /// Whether something is missing still.
    pub not_yet: bool,
    /// What is approved and adopted: which text, what it is called, since when it is published, as which version.
    pub what: String,
    /// Whether this person could act, but the page shows another text than that.
    pub unread: bool,
    pub approve: bool,
    pub adopt: bool,
    pub urgent: bool,
    /// The number of the text that is approved.
    pub text: u64,
    /// What was typed before something did not fit.
    pub words: String,
    pub day: String,
    pub reasons: String,
    pub cannot_wait: bool,
}

/// What a draft's page shows of its adoption, with what was typed.
pub fn of(visit: &Visit, names: &Names, found: &Found, page: &AdoptionPage, fields: &Fields) -> Adopting {
    let ui = &visit.ui;
    let days = [("drafting-adoptable", &page.adoptable_from), ("drafting-effect-from", &page.effect_from)];
    let day = |(key, from): (&str, &Option<(Timestamp, ClauseId)>)| {
        let (from, clause) = from.as_ref()?;
        Some(DayView { words: ui.with(key, "day", ui.day(*from)), clause: clause.to_string() })
    };
    let may = |act| found.may.contains(&act);
    let open = page.seats.iter().any(|seat| !seat.urgent && seat.given.is_none());
    let seats = page.seats.iter().map(|seat| SeatRow {
        who: format!(
            "{} · {}",
            ui.word("role", seat.seat.role.code()),
            names.party(seat.seat.party.as_str())
        ),
        clause: seat.clause.to_string(),
        urgent: seat.urgent,
        given: seat.given.as_ref().map(|given| ui.moment(given.at)).unwrap_or_default(),
    });
    Adopting {
        seats: seats.collect(),
        days: days.into_iter().filter_map(day).collect(),
        not_yet: page.too_early || open || !page.hindrances.is_empty(),
        what: ui.with("drafting-approves", "text", published(visit, found)),
        unread: !found.is_published && (may(DraftMay::Approve) || may(DraftMay::Adopt)),
        // Nobody approves or adopts what the page does not show.
        approve: found.is_published && may(DraftMay::Approve),
        adopt: found.is_published && may(DraftMay::Adopt),
        urgent: page.may_be_urgent,
        text: found.card.draft.published().map_or(0, |published| published.text),
        words: fields.get("words").to_owned(),
        day: fields.get("effect").to_owned(),
        reasons: fields.get("reasons").to_owned(),
        cannot_wait: fields.get("urgent") == "yes",
    }
}

/// The published text in short.
fn published(visit: &Visit, found: &Found) -> String {
    let (ui, draft) = (&visit.ui, &found.card.draft);
    let Some(published) = draft.published() else { return String::new() };
    let name = super::title(ui, &draft.title, &draft.id);
    let mut words = vec![ui.num(published.text), name, ui.moment(published.at)];
    words.extend(published.version.iter().map(ToString::to_string));
    words.join(" · ")
}

#[cfg(test)]
pub fn sample(ui: &crate::ui::Ui) -> Adopting {
    let seat = SeatRow {
        who: "head · authority".into(),
        clause: "change".into(),
        urgent: true,
        given: String::new(),
    };
    Adopting {
        seats: vec![seat],
        days: vec![DayView {
            words: ui.with("drafting-adoptable", "day", "2026-12-24"),
            clause: "change".into(),
        }],
        not_yet: true,
        what: ui.with("drafting-approves", "text", "2 · Changes · 2026-11-24 · decree-809@0123"),
        unread: true,
        approve: true,
        adopt: true,
        urgent: true,
        text: 2,
        words: "Agreed".into(),
        day: "2027-01-31".into(),
        reasons: "Why".into(),
        cannot_wait: true,
    }
}
