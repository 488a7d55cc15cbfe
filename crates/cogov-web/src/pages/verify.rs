//! `/grants/{id}/verify`: the counter. A declared question about one person: yes, no or unknown, with a receipt.

use super::{Answered, names::clauses_of, shown};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::{Choice, ClauseLink, Tag},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use cogov_app::{AppError, Door, Receipt, Subject, VerificationLeft, Verified};
use cogov_engine::GrantedTable;
use cogov_model::{Grant, GrantId, PredicateId, Scalar, Verification};

/// A value that identifies the person.
struct SubjectField {
    id: String,
    name: String,
    label: String,
    value: String,
}

struct Refusal {
    words: String,
    clauses: Vec<ClauseLink>,
    decision: Option<u64>,
}

struct AnswerCard {
    code: &'static str,
    words: String,
    text: String,
    question: String,
    decision: u64,
    grade: Tag,
    why: Vec<String>,
    clauses: Vec<ClauseLink>,
    receipt: String,
    salt: String,
}

#[derive(Default)]
struct Outcome {
    errors: Vec<Problem>,
    refusal: Option<Refusal>,
    answer: Option<AnswerCard>,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    ui: Ui,
    errors: Vec<Problem>,
    id: String,
    name: String,
    left: String,
    questions: Vec<Choice>,
    fields: Vec<SubjectField>,
    refusal: Option<Refusal>,
    answer: Option<AnswerCard>,
}

/// `GET /grants/{id}/verify`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    page(&visit, &read(id)?, &Fields::default(), Outcome::default()).await
}

/// `POST /grants/{id}/verify`: asks, or hands the receipt out as a file.
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let (id, actor) = (read(id)?, visit.actor()?);
    if fields.get("then") == "receipt" {
        return receipt_file(&visit, fields.get("receipt"));
    }
    let grant = visit.app.grant_page(&id).await?.card.grant;
    let subject = subject(&grant, &fields);
    let outcome = match PredicateId::new(fields.get("predicate")) {
        Err(_) => Err(AppError::invalid("question-1", "Choose a question.", "请选择一个问题。")),
        Ok(predicate) => visit.app.verify(actor, &id, &predicate, subject, Door::Counter).await,
    };
    match outcome {
        Ok(verified) => {
            // The person's values are not shown again: the next person stands at the counter.
            let kept = vec![("predicate".to_owned(), fields.get("predicate").to_owned())];
            let answer = Some(card(&visit, verified));
            page(&visit, &id, &Fields::from_pairs(kept), Outcome { answer, ..Outcome::default() }).await
        }
        Err(error) => page(&visit, &id, &fields, failed(&visit, error)?).await,
    }
}

fn read(id: String) -> Result<GrantId, Failure> {
    GrantId::new(id).map_err(|_| Failure::not_found())
}

fn subject(grant: &Grant, fields: &Fields) -> Subject {
    let columns = grant.verification.iter().flat_map(|verification| &verification.subject).enumerate();
    let value = |i: usize| Scalar::Text(fields.get(&format!("subject-{}", i + 1)).to_owned());
    columns.map(|(i, column)| (column.clone(), value(i))).collect()
}

/// A question without an answer is said beside the form; anything else is a page of its own.
fn failed(visit: &Visit, error: AppError) -> Result<Outcome, Failure> {
    let ui = &visit.ui;
    match &error {
        AppError::Invalid { field, advice } => {
            let place = if *field == Some("subject") { "subject-1" } else { field.unwrap_or_default() };
            Ok(Outcome { errors: vec![Problem::new(place, ui.text(advice))], ..Outcome::default() })
        }
        AppError::Query { error, .. } if error.sqlstate() != "42501" => {
            let problem = Problem::new("subject-1", ui.text(error.reason()));
            Ok(Outcome { errors: vec![problem], ..Outcome::default() })
        }
        AppError::Refused { .. } | AppError::Query { .. } => {
            let refusal = Refusal {
                words: ui.text(&error.reason()).to_owned(),
                clauses: clauses_of(&visit.app.rulebook(), ui.locale, &error.clauses()),
                decision: error.decision(),
            };
            Ok(Outcome { refusal: Some(refusal), ..Outcome::default() })
        }
        _ => Err(error.into()),
    }
}

fn card(visit: &Visit, verified: Verified) -> AnswerCard {
    let ui = &visit.ui;
    AnswerCard {
        code: verified.answer.code(),
        words: ui.word("answer", verified.answer.code()),
        text: ui.word("answer-text", verified.answer.code()),
        question: ui.text(&verified.words).to_owned(),
        decision: verified.decision,
        grade: Tag::grade(ui, verified.grade),
        why: verified.chain.iter().map(|step| ui.text(step).to_owned()).collect(),
        clauses: clauses_of(&visit.app.rulebook(), ui.locale, &verified.clauses),
        receipt: verified.receipt,
        salt: verified.subject_salt,
    }
}

/// The receipt as a file. Only a genuine one: this address hands out nothing else.
fn receipt_file(visit: &Visit, receipt: &str) -> Answered {
    let checked = Receipt::check(receipt, visit.app.ledger_key()).map_err(|_| Failure::not_found())?;
    let name = format!("attachment; filename=\"receipt-{}.txt\"", checked.decision);
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    let note = format!("{}\n", receipt.replace("\r\n", "\n").trim_end());
    Ok::<Response, Failure>((headers, note).into_response())
}

async fn page(visit: &Visit, id: &GrantId, fields: &Fields, outcome: Outcome) -> Answered {
    let actor = visit.actor()?;
    let session = visit.app.grant_session(actor, id).await?;
    let tables = visit.app.grant_catalogue(&session).await?;
    let left = visit.app.verification_left(actor, id).await?;
    let grant = visit.app.grant_page(id).await?.card.grant;
    let Some(verification) = &grant.verification else { return Err(Failure::not_found()) };
    let ui = visit.ui();
    let failed = outcome.refusal.is_some() || !outcome.errors.is_empty();
    let asked = match fields.given("predicate") {
        Some(asked) => asked.to_owned(),
        None => verification.predicates.first().map(|first| first.id.to_string()).unwrap_or_default(),
    };
    let question = |predicate: &cogov_model::Predicate| {
        Choice::new(predicate.id.as_str(), ui.text(&predicate.words), &asked)
    };
    let page = VerifyPage {
        errors: outcome.errors,
        id: id.to_string(),
        name: ui.text(&grant.name).to_owned(),
        left: left_words(&ui, left),
        questions: verification.predicates.iter().map(question).collect(),
        fields: subject_fields(&ui, verification, &tables, fields),
        refusal: outcome.refusal,
        answer: outcome.answer,
        ui,
    };
    shown(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

fn left_words(ui: &Ui, left: Option<VerificationLeft>) -> String {
    match left {
        None => ui.t("verify-left-none"),
        Some(left) => ui.share("verify-left", left.used.asked, u64::from(left.questions)),
    }
}

fn subject_fields(
    ui: &Ui,
    verification: &Verification,
    tables: &[GrantedTable],
    fields: &Fields,
) -> Vec<SubjectField> {
    let place =
        |table: &&GrantedTable| table.dataset == verification.dataset && table.table == verification.table;
    let table = tables.iter().find(place);
    let title = |name: &cogov_model::ColumnName| {
        let column = table.and_then(|table| table.columns.iter().find(|column| column.name == *name));
        let title = column.map(|column| ui.text(&column.title)).unwrap_or_default();
        if title.is_empty() { name.to_string() } else { title.to_owned() }
    };
    let field = |(i, name): (usize, &cogov_model::ColumnName)| {
        let id = format!("subject-{}", i + 1);
        SubjectField { value: fields.get(&id).to_owned(), name: id.clone(), id, label: title(name) }
    };
    verification.subject.iter().enumerate().map(field).collect()
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let clauses = || vec![ClauseLink { id: "verify".into(), title: "A yes or no".into() }];
    let card = |code: &'static str| AnswerCard {
        code,
        words: ui.word("answer", code),
        text: ui.word("answer-text", code),
        question: "Does this person receive assistance?".into(),
        decision: 7,
        grade: Tag::grade(&ui, cogov_model::Grade::General2),
        why: vec!["compared with welfare.benefits.snap_ben".into()],
        clauses: clauses(),
        receipt: "cogov.receipt/v1\n".into(),
        salt: "00".into(),
    };
    let refusal = Refusal { words: "Used up".into(), clauses: clauses(), decision: Some(8) };
    let errors = vec![Problem::new("subject-1", "Fill it in")];
    let outcomes = [
        Outcome { errors, ..Outcome::default() },
        Outcome { refusal: Some(refusal), ..Outcome::default() },
        Outcome { answer: Some(card("yes")), ..Outcome::default() },
        Outcome { answer: Some(card("unknown")), ..Outcome::default() },
    ];
    let page = |outcome: Outcome| VerifyPage {
        errors: outcome.errors,
        id: "g".into(),
        name: "South verifies".into(),
        left: ui.share("verify-left", 3, 200),
        questions: vec![Choice::new("helped", "Helped?", "helped"), Choice::new("here", "Here?", "helped")],
        fields: vec![SubjectField {
            id: "subject-1".into(),
            name: "subject-1".into(),
            label: "Identity number".into(),
            value: String::new(),
        }],
        refusal: outcome.refusal,
        answer: outcome.answer,
        ui: ui.clone(),
    };
    outcomes.map(|outcome| ("verify", page(outcome).render().unwrap_or_default())).into()
}
