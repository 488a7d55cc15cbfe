//! `/consultations/{id}/receipts/{entry}`: whether what somebody did stands in the ledger and is counted, checked now.

use super::{Answered, Head, head, html, named};
use crate::{failure::Failure, ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use axum::extract::Path;
use cogov_model::EntryKind;

struct Check {
    words: String,
    tag: Tag,
}

#[derive(Template)]
#[template(path = "consultation/receipt.html")]
struct ReceiptPage {
    ui: Ui,
    head: Head,
    entry: u64,
    kind: String,
    at: String,
    checks: Vec<Check>,
    contribution: Option<u64>,
    replaced_by: Option<u64>,
    content: Option<(String, String)>,
    hash: String,
    proof: String,
    key: String,
}

/// `GET /consultations/{id}/receipts/{entry}`
pub async fn show(visit: Visit, Path((id, entry)): Path<(String, String)>) -> Answered {
    let (ui, id) = (visit.ui(), named(&id)?);
    let entry: u64 = entry.parse().map_err(|_| Failure::not_found())?;
    let found = visit.app.receipt(visit.viewer(), &id, entry).await?;
    let consultation = visit.app.consultation(visit.viewer(), &id).await?;
    let public = &found.entry.entry;
    let check = |(check, holds): &(cogov_app::ReceiptCheck, bool)| Check {
        words: ui.word("receipt-check", check.code()),
        tag: match holds {
            true => Tag::new("permit", ui.t("receipt-holds")),
            false => Tag::new("deny", ui.t("receipt-fails")),
        },
    };
    let page = ReceiptPage {
        head: head(&ui, &consultation, ""),
        entry,
        kind: ui.word("kind", public.kind.code()),
        at: ui.moment(public.at),
        checks: found.checks.iter().map(check).collect(),
        contribution: found.contribution.filter(|_| public.kind == EntryKind::Contribution),
        replaced_by: found.replaced_by,
        content: found.content.clone(),
        hash: public.sealed.get("content").cloned().unwrap_or_default(),
        proof: found.entry.proof.as_ref().map(|proof| proof.receipt.clone()).unwrap_or_default(),
        key: visit.app.ledger_key().to_owned(),
        ui,
    };
    html(&page)
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let page = ReceiptPage {
        head: super::sample_head(&ui),
        entry: 7,
        kind: ui.word("kind", "vote"),
        at: "2026-11-24 10:00:00 UTC".into(),
        checks: vec![
            Check {
                words: ui.word("receipt-check", "in-ledger"),
                tag: Tag::new("permit", ui.t("receipt-holds")),
            },
            Check {
                words: ui.word("receipt-check", "counted"),
                tag: Tag::new("deny", ui.t("receipt-fails")),
            },
        ],
        contribution: Some(3),
        replaced_by: Some(9),
        content: Some(("{}".into(), "00".into())),
        hash: "ab".into(),
        proof: "c2sp.org/tlog-proof@v1".into(),
        key: "cogov".into(),
        ui,
    };
    vec![("consultation-receipt", page.render().unwrap_or_default())]
}
