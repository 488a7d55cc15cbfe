//! `/consultations/{id}/answers`: what waits for an answer, what was answered, and what came of it; concluding.

use super::{Answered, Head, anchored, head, html, named, page_of, rows::Row, shown, status_of};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::{Choice, Pager, Tag, with_query},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect},
};
use cogov_app::{ConsultationRights, ContributionFilter, ContributionView, NewAnswer, Page};
use cogov_model::{Answer, AnswerOutcome, ConsultationId};
use std::collections::HashMap;

struct AnswerView {
    number: u64,
    title: String,
    words: String,
    outcome: Tag,
    clause: String,
    because: String,
    count: String,
    at: String,
    entry: u64,
}

/// A contribution without an answer.
struct Waiting {
    row: Row,
    /// Whether it was chosen before something did not fit.
    chosen: bool,
}

#[derive(Template)]
#[template(path = "consultation/answers.html")]
struct AnswersPage {
    ui: Ui,
    errors: Vec<Problem>,
    head: Head,
    open: u64,
    open_words: String,
    may_answer: bool,
    may_conclude: bool,
    /// What was written and cannot be sent any more.
    unsent: Vec<String>,
    answers: Vec<AnswerView>,
    rows: Vec<Waiting>,
    all_on: bool,
    /// The highest number that a contribution had when the form was made.
    seen: String,
    pager: Pager,
    on: String,
    clauses: Vec<Choice>,
    filter: Vec<Choice>,
    title: String,
    words: String,
    because: String,
    conclusion: String,
}

#[derive(Template)]
#[template(path = "consultation/answer.html")]
struct AnswerPage {
    ui: Ui,
    head: Head,
    answer: AnswerView,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /consultations/{id}/answers`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    page(&visit, &named(&id)?, &query, &Fields::default(), Vec::new()).await
}

/// `GET /consultations/{id}/answers/{number}`
pub async fn one(
    visit: Visit,
    Path((id, number)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let (ui, id) = (visit.ui(), named(&id)?);
    let number: u64 = number.parse().map_err(|_| Failure::not_found())?;
    let found = visit.app.consultation(visit.viewer(), &id).await?;
    let answer = visit.app.consultation_answer(visit.viewer(), &id, number, &page_of(&query)).await?;
    let here = format!("/consultations/{id}/answers/{number}");
    let page = AnswerPage {
        head: head(&ui, &found, "answers"),
        answer: view(&ui, &answer.answer),
        rows: answer.contributions.items.iter().map(|view| Row::new(&ui, view, None)).collect(),
        pager: Pager {
            previous: query.contains_key("after").then(|| here.clone()),
            next: answer.contributions.next.map(|next| with_query(&here, &[("after", &next.to_string())])),
            words: String::new(),
        },
        ui,
    };
    html(&page)
}

/// `POST /consultations/{id}/answers`
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = named(&id)?;
    let outcome = match fields.given("changed") {
        Some(clause) => {
            AnswerOutcome::Change { clause: anchored(clause)?, words: fields.get("because").to_owned() }
        }
        None => AnswerOutcome::NoChange { reason: fields.get("because").to_owned() },
    };
    let all_on = match fields.given("all_on") {
        Some(clause) => Some(anchored(clause)?),
        None => None,
    };
    let new = NewAnswer {
        replaces: None,
        title: fields.get("title").to_owned(),
        words: fields.get("words").to_owned(),
        outcome,
        contributions: fields.all("contribution").filter_map(|number| number.parse().ok()).collect(),
        all_on,
        seen: fields.get("seen").parse().ok(),
    };
    match visit.app.answer_contributions(visit.actor()?, &id, new).await {
        Ok(number) => Ok(Redirect::to(&format!("/consultations/{id}/answers/{number}")).into_response()),
        Err(error) => {
            let mut problem = Problem::from_app(&visit.ui, error)?;
            if ["reason", "change"].contains(&problem.field.as_str()) {
                problem.field = "because".to_owned();
            } else if problem.field == "contributions" {
                problem.field = "waiting".to_owned();
            }
            let query = fields.given("on").map(|on| ("on".to_owned(), on.to_owned()));
            page(&visit, &id, &query.into_iter().collect(), &fields, vec![problem]).await
        }
    }
}

/// `POST /consultations/{id}/conclude`
pub async fn conclude(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = named(&id)?;
    match visit.app.conclude_consultation(visit.actor()?, &id, fields.get("conclusion")).await {
        Ok(_) => Ok(Redirect::to(&format!("/consultations/{id}")).into_response()),
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            let field = if problem.field.is_empty() { "" } else { "conclusion" };
            let problems = vec![Problem { field: field.to_owned(), ..problem }];
            page(&visit, &id, &HashMap::new(), &fields, problems).await
        }
    }
}

async fn page(
    visit: &Visit,
    id: &ConsultationId,
    query: &HashMap<String, String>,
    fields: &Fields,
    errors: Vec<Problem>,
) -> Answered {
    let ui = visit.ui();
    let found = visit.app.consultation(visit.viewer(), id).await?;
    let on = query.get("on").filter(|on| !on.is_empty()).map(|on| anchored(on)).transpose()?;
    let filter = ContributionFilter { clause: on.clone(), unanswered: true, ..ContributionFilter::default() };
    let waiting = visit.app.contributions(visit.viewer(), id, &filter, &page_of(query)).await?;
    let answers = visit.app.consultation_answers(id, &Page::first(Page::MOST)).await?;
    let here = format!("/consultations/{id}/answers");
    let on = on.map(|on| on.to_string()).unwrap_or_default();
    let clause = |chosen: &str| -> Vec<Choice> {
        let words = |clause: &cogov_app::CountedClause| {
            let anchor = clause.clause.anchor.to_string();
            let title = format!("{anchor} {}", ui.text(&clause.clause.title));
            Choice::new(anchor, title, chosen)
        };
        let added = found.added.iter().map(|(anchor, title)| {
            Choice::new(anchor.to_string(), format!("{anchor} {}", ui.text(title)), chosen)
        });
        found.contents.iter().map(words).chain(added).collect()
    };
    let page = AnswersPage {
        head: head(&ui, &found, "answers"),
        open: found.card.counts.unanswered,
        open_words: ui.n("answers-open", found.card.counts.unanswered),
        may_answer: found.may.moderate,
        may_conclude: found.may.conclude,
        unsent: unsent(fields, found.may),
        answers: answers.items.iter().map(|answer| view(&ui, answer)).collect(),
        rows: waiting.items.iter().map(|view| row(&ui, view, fields)).collect(),
        all_on: fields.given("all_on").is_some(),
        seen: seen(fields, found.card.counts.contributions),
        pager: Pager {
            previous: query.contains_key("after").then(|| with_query(&here, &[("on", &on)])),
            next: waiting.next.map(|next| with_query(&here, &[("on", &on), ("after", &next.to_string())])),
            words: String::new(),
        },
        clauses: clause(fields.get("changed")),
        filter: clause(&on),
        title: fields.get("title").to_owned(),
        words: fields.get("words").to_owned(),
        because: fields.get("because").to_owned(),
        conclusion: fields.get("conclusion").to_owned(),
        on,
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

/// What was written in a form that is not there any more, since somebody concluded the consultation meanwhile.
fn unsent(fields: &Fields, may: ConsultationRights) -> Vec<String> {
    let answer = if may.moderate { Vec::new() } else { fields.texts(&["title", "words", "because"]) };
    let conclusion = if may.conclude { Vec::new() } else { fields.texts(&["conclusion"]) };
    [answer, conclusion].concat()
}

/// What had been said when the form was made. One that comes back with a problem takes no more than it did at first.
fn seen(fields: &Fields, contributions: u64) -> String {
    fields.given("seen").map_or_else(|| contributions.to_string(), str::to_owned)
}

fn row(ui: &Ui, view: &ContributionView, fields: &Fields) -> Waiting {
    let row = Row::new(ui, view, None);
    let number = row.number.to_string();
    Waiting { chosen: fields.all("contribution").any(|chosen| chosen == number), row }
}

fn view(ui: &Ui, answer: &Answer) -> AnswerView {
    let (css, clause, because) = match &answer.outcome {
        AnswerOutcome::Change { clause, words } => ("permit", clause.to_string(), words.clone()),
        AnswerOutcome::NoChange { reason } => ("quiet", String::new(), reason.clone()),
    };
    AnswerView {
        number: answer.number,
        title: answer.title.clone(),
        words: answer.words.clone(),
        outcome: Tag::new(css, ui.word("answer-outcome", answer.outcome.code())),
        clause,
        because,
        count: ui.n("answers-replies-to", answer.contributions),
        at: ui.moment(answer.at),
        entry: answer.entry,
    }
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let answer = |outcome: AnswerOutcome| {
        view(
            &ui,
            &Answer {
                number: 1,
                title: "Ten are too few".into(),
                words: "We agree.".into(),
                outcome,
                contributions: 3,
                at: cogov_model::Timestamp::from_millis(0),
                entry: 12,
            },
        )
    };
    let change =
        || AnswerOutcome::Change { clause: "art-9".parse().expect("an anchor"), words: "twenty".into() };
    let choice = || vec![Choice::new("art-9", "art-9 Sensitive data", "")];
    let list = AnswersPage {
        errors: vec![Problem::new("waiting", "Choose")],
        head: super::sample_head(&ui),
        open: 2,
        open_words: ui.n("answers-open", 2_u64),
        may_answer: true,
        may_conclude: true,
        unsent: vec!["What I wrote".into()],
        answers: vec![answer(change()), answer(AnswerOutcome::NoChange { reason: "Law".into() })],
        rows: vec![Waiting { row: super::rows::sample(&ui, 1), chosen: true }],
        all_on: true,
        seen: "4".into(),
        pager: Pager::default(),
        on: "art-9".into(),
        clauses: choice(),
        filter: choice(),
        title: String::new(),
        words: String::new(),
        because: String::new(),
        conclusion: String::new(),
        ui: ui.clone(),
    };
    let one = AnswerPage {
        head: super::sample_head(&ui),
        answer: answer(change()),
        rows: vec![super::rows::sample(&ui, 1)],
        pager: Pager::default(),
        ui: ui.clone(),
    };
    vec![
        ("consultation-answers", list.render().unwrap_or_default()),
        ("consultation-answer", one.render().unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_shown_where_its_form_is_gone() {
        let typed = vec![("title".into(), "T".into()), ("conclusion".into(), "C".into())];
        let fields = Fields::from_pairs(typed);
        let may = |moderate, conclude| ConsultationRights { moderate, conclude, take_part: false };
        assert!(unsent(&fields, may(true, true)).is_empty());
        assert_eq!(unsent(&fields, may(true, false)), ["C"]);
        assert_eq!(unsent(&fields, may(false, false)), ["T", "C"]);
    }

    #[test]
    fn a_form_takes_what_had_been_said_when_it_was_made() {
        assert_eq!(seen(&Fields::default(), 8), "8");
        assert_eq!(seen(&Fields::default(), 0), "0");
        assert_eq!(seen(&Fields::from_pairs(vec![("seen".into(), "5".into())]), 8), "5");
    }
}
