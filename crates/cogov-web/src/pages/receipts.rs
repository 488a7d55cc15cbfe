//! `/receipts`: is this receipt of a verification genuine? For anybody.

use super::{Answered, shown};
use crate::{failure::Failure, form::Fields, form::Problem, ui::Ui, visit::Visit};
use askama::Template;
use axum::{body::Bytes, http::StatusCode};
use cogov_app::{CheckedReceipt, Subject, subject_text};
use cogov_model::Scalar;

struct ReceiptView {
    fits: bool,
    /// Whether it is about the person that was given; none when nobody was.
    about: Option<bool>,
    decision: u64,
    facts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "receipts.html")]
struct ReceiptsPage {
    ui: Ui,
    errors: Vec<Problem>,
    receipt: String,
    values: String,
    salt: String,
    found: Option<ReceiptView>,
}

/// `GET /receipts`
pub async fn show(visit: Visit) -> Answered {
    shown(StatusCode::OK, &page(visit.ui(), &Fields::default(), Vec::new(), None))
}

/// `POST /receipts`. Changes nothing, so that anybody may send it from anywhere.
pub async fn check(visit: Visit, body: Bytes) -> Answered {
    let fields = Fields::parse(&body);
    let ui = visit.ui();
    let checked = match visit.app.check_receipt(visit.viewer(), fields.get("receipt")).await? {
        Ok(checked) => checked,
        Err(error) => {
            tracing::debug!(%error, "a receipt is not genuine");
            let problem = Problem::new("receipt", ui.t("shown-receipt-false"));
            return shown(StatusCode::UNPROCESSABLE_ENTITY, &page(ui, &fields, vec![problem], None));
        }
    };
    let found = view(&visit, &checked, &fields).await?;
    shown(StatusCode::OK, &page(ui, &fields, Vec::new(), Some(found)))
}

fn page(ui: Ui, fields: &Fields, errors: Vec<Problem>, found: Option<ReceiptView>) -> ReceiptsPage {
    ReceiptsPage {
        ui,
        errors,
        receipt: fields.get("receipt").to_owned(),
        values: fields.get("values").to_owned(),
        salt: fields.get("salt").to_owned(),
        found,
    }
}

async fn view(visit: &Visit, checked: &CheckedReceipt, fields: &Fields) -> Result<ReceiptView, Failure> {
    let (ui, receipt) = (&visit.ui, &checked.receipt);
    let grant = visit.app.grant_page(&receipt.grant).await.map(|page| page.card.grant).ok();
    let verification = grant.as_ref().and_then(|grant| grant.verification.as_ref());
    let question = verification.and_then(|verification| verification.predicate(&receipt.predicate));
    let question = question.map_or_else(|| receipt.predicate.to_string(), |q| ui.text(&q.words).to_owned());
    let name = grant.as_ref().map(|grant| ui.text(&grant.name).to_owned()).unwrap_or_default();
    let columns = verification.map(|verification| verification.subject.as_slice()).unwrap_or_default();
    let values: Vec<&str> = fields.get("values").lines().map(str::trim).filter(|v| !v.is_empty()).collect();
    let about = (!values.is_empty()).then(|| {
        let pairs = columns.iter().cloned().zip(values.iter().map(|v| Scalar::Text((*v).to_owned())));
        let subject: Subject = pairs.collect();
        receipt.is_about(&subject_text(&subject), fields.get("salt"))
    });
    Ok(ReceiptView {
        fits: checked.entry_fits,
        about,
        decision: receipt.decision,
        facts: vec![
            (ui.t("verify-question"), question),
            (ui.t("shown-receipt-answer"), ui.word("answer", receipt.answer.code())),
            (ui.t("shown-receipt-at"), receipt.at.clone()),
            (ui.t("entry-grant"), format!("{name} ({})", receipt.grant)),
            (ui.t("entry-rulebook"), receipt.rulebook.to_string()),
            (ui.t("shown-receipt-ledger"), receipt.ledger.clone()),
        ],
    })
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let found = |fits, about| ReceiptView {
        fits,
        about,
        decision: 7,
        facts: vec![(ui.t("shown-receipt-answer"), ui.word("answer", "no"))],
    };
    let errors = vec![Problem::new("receipt", ui.t("shown-receipt-false"))];
    let fields = Fields::from_pairs(vec![("receipt".into(), "cogov.receipt/v1\n…".into())]);
    let pages = [
        page(ui.clone(), &fields, errors, None),
        page(ui.clone(), &fields, Vec::new(), Some(found(true, Some(true)))),
        page(ui.clone(), &fields, Vec::new(), Some(found(false, Some(false)))),
    ];
    pages.map(|page| ("receipts", page.render().unwrap_or_default())).into()
}
