//! `/consultations/new`: opening one: title, text, dates, questions, whose opinion is asked for. With `?draft=` the
//! text is that draft's published one, which the form never carries.

use super::{Answered, shown, status_of};
use crate::{
    failure::Failure,
    form::{Fields, Problem},
    ui::Ui,
    uploaded::Uploaded,
    view::Choice,
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Query,
    response::{IntoResponse, Redirect},
};
use chrono::NaiveDateTime;
use cogov_app::{AppError, DraftSnapshot, NewConsultation, split_clauses};
use cogov_model::{ConsultedClause, DraftId, ParticipantClass, Text, Timestamp};
use std::collections::HashMap;

/// Moments as `datetime-local` fields write them, in UTC.
const MOMENT: &str = "%Y-%m-%dT%H:%M";

/// The file fields, with the fields that their words count for.
const FILES: [(&str, &str); 2] = [("file_en", "text_en"), ("file_zh", "text_zh")];

struct Field {
    name: &'static str,
    words: String,
    value: String,
    rows: u8,
    lang: &'static str,
}

/// A text in one language, pasted or from a file.
struct TextField {
    text: Field,
    file: &'static str,
    file_words: String,
}

/// The draft that is consulted on.
struct OfDraft {
    id: String,
    title: String,
    text: String,
    /// The days that the rulebook prescribes at least, in words, and the clause; empty where it prescribes none.
    days: String,
    clause: String,
}

#[derive(Template)]
#[template(path = "consultation/new.html")]
struct NewPage {
    ui: Ui,
    errors: Vec<Problem>,
    draft: Option<OfDraft>,
    titles: Vec<Field>,
    summaries: Vec<Field>,
    texts: Vec<TextField>,
    questions: Vec<Field>,
    opens: String,
    closes: String,
    classes: Vec<Choice>,
    clauses: Vec<(String, String)>,
}

/// `GET /consultations/new`: for those who may open one only.
pub async fn show(visit: Visit, Query(query): Query<HashMap<String, String>>) -> Answered {
    let draft = named(query.get("draft"))?;
    let draft = visit.app.consultation_form(visit.actor()?, draft.as_ref()).await?;
    let now = chrono::Utc::now().naive_utc();
    let moment = |at: NaiveDateTime| at.format(MOMENT).to_string();
    let mut fields = vec![
        ("opens".into(), moment(now)),
        ("closes".into(), moment(closes_by_default(now, draft.as_ref()))),
        ("invited".into(), ParticipantClass::Public.code().into()),
    ];
    if let Some(draft) = &draft {
        fields.extend([("title", &draft.title), ("summary", &draft.summary)].into_iter().flat_map(
            |(name, text)| [(format!("{name}_en"), text.en.clone()), (format!("{name}_zh"), text.zh.clone())],
        ));
    }
    page(&visit, &Fields::from_pairs(fields), Vec::new(), draft.as_ref(), Vec::new())
}

/// After thirty days, or a day after those that are prescribed, so that the minutes of filling in the form are none too
/// few.
fn closes_by_default(now: NaiveDateTime, draft: Option<&DraftSnapshot>) -> NaiveDateTime {
    let prescribed = draft.and_then(|draft| draft.open_days.as_ref());
    let days = prescribed.map_or(30, |days| i64::from(days.value) + 1).max(30);
    now.checked_add_signed(chrono::Duration::days(days)).unwrap_or(now)
}

/// `POST /consultations/new`: checks a text, pasted or uploaded, first when asked to, opens it otherwise. What was
/// read from a file stands in the text's field from then on.
pub async fn submit(visit: Visit, form: Uploaded) -> Answered {
    let (fields, problems) = form.words(&visit.ui, &FILES).await;
    let actor = visit.actor()?;
    let id = named(fields.given("draft").map(str::to_owned).as_ref())?;
    let draft = visit.app.consultation_form(actor, id.as_ref()).await?;
    if !problems.is_empty() {
        return page(&visit, &fields, problems, draft.as_ref(), Vec::new());
    }
    let clauses = match draft {
        Some(_) => Vec::new(),
        None => match split_clauses(fields.get("text_en"), fields.get("text_zh")) {
            Ok(clauses) => clauses,
            Err(error) => return problem(&visit, &fields, None, error),
        },
    };
    if fields.get("do") == "check" {
        return page(&visit, &fields, Vec::new(), draft.as_ref(), clauses);
    }
    let (opens, closes) = match moments(&visit.ui, &fields) {
        Ok(moments) => moments,
        Err(problems) => return page(&visit, &fields, problems, draft.as_ref(), Vec::new()),
    };
    let new = NewConsultation {
        title: pair(&fields, "title"),
        summary: pair(&fields, "summary"),
        clauses,
        draft: id,
        opens,
        closes,
        questions: questions(fields.get("questions_en"), fields.get("questions_zh")),
        invited: ParticipantClass::ALL
            .into_iter()
            .filter(|class| fields.all("invited").any(|code| code == class.code()))
            .collect(),
    };
    match visit.app.open_consultation(actor, new).await {
        Ok(id) => Ok(Redirect::to(&format!("/consultations/{id}")).into_response()),
        Err(error) => problem(&visit, &fields, draft.as_ref(), error),
    }
}

fn named(draft: Option<&String>) -> Result<Option<DraftId>, Failure> {
    let draft = draft.filter(|draft| !draft.is_empty());
    draft.map(|draft| DraftId::new(draft.as_str()).map_err(|_| Failure::not_found())).transpose()
}

/// The field of a text in two languages is its first one.
fn problem(visit: &Visit, fields: &Fields, draft: Option<&DraftSnapshot>, error: AppError) -> Answered {
    let mut problem = Problem::from_app(&visit.ui, error)?;
    if ["title", "summary", "text", "questions"].contains(&problem.field.as_str()) {
        problem.field.push_str(if visit.ui.lang() == "en" { "_en" } else { "_zh" });
    }
    page(visit, fields, vec![problem], draft, Vec::new())
}

fn pair(fields: &Fields, name: &str) -> Text {
    Text::new(fields.get(&format!("{name}_en")), fields.get(&format!("{name}_zh")))
}

/// When it opens and closes, or how to write what does not read, field by field.
fn moments(ui: &Ui, fields: &Fields) -> Result<(Timestamp, Timestamp), Vec<Problem>> {
    let (opens, closes) = (moment(fields.get("opens")), moment(fields.get("closes")));
    if let (Some(opens), Some(closes)) = (opens, closes) {
        return Ok((opens, closes));
    }
    let all = [
        ("opens", opens, ui.t("consultation-new-opens")),
        ("closes", closes, ui.t("consultation-new-closes")),
    ];
    let unread = all.into_iter().filter(|(_, read, _)| read.is_none());
    Err(unread
        .map(|(field, _, label)| Problem::new(field, ui.with("consultation-new-moment", "field", label)))
        .collect())
}

/// A moment of the form; none when it does not read.
fn moment(text: &str) -> Option<Timestamp> {
    let read = NaiveDateTime::parse_from_str(text, MOMENT).ok()?;
    crate::form::has_plain_year(read.date()).then_some(())?;
    Some(Timestamp::from_millis(read.and_utc().timestamp_millis()))
}

/// One question a line; lines of both languages belong together by their place.
fn questions(en: &str, zh: &str) -> Vec<Text> {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let (en, zh) = (lines(en), lines(zh));
    let line = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
    (0..en.len().max(zh.len())).map(|at| Text::new(line(&en, at), line(&zh, at))).collect()
}

fn page(
    visit: &Visit,
    fields: &Fields,
    errors: Vec<Problem>,
    draft: Option<&DraftSnapshot>,
    clauses: Vec<ConsultedClause>,
) -> Answered {
    let page = view(visit.ui(), fields, errors, draft, &clauses);
    shown(status_of(&page.errors), &page)
}

fn view(
    ui: Ui,
    fields: &Fields,
    errors: Vec<Problem>,
    draft: Option<&DraftSnapshot>,
    clauses: &[ConsultedClause],
) -> NewPage {
    let field = |name: &'static str, key: &str, rows: u8, lang: &'static str| Field {
        name,
        words: ui.t(key),
        value: fields.get(name).to_owned(),
        rows,
        lang,
    };
    let class = |class: ParticipantClass| Choice {
        value: class.code().to_owned(),
        words: ui.word("participant-class", class.code()),
        chosen: fields.all("invited").any(|code| code == class.code()),
    };
    NewPage {
        titles: vec![
            field("title_en", "consultation-new-title-en", 0, "en"),
            field("title_zh", "consultation-new-title-zh", 0, "zh-Hans"),
        ],
        summaries: vec![
            field("summary_en", "consultation-new-summary-en", 3, "en"),
            field("summary_zh", "consultation-new-summary-zh", 3, "zh-Hans"),
        ],
        texts: match draft {
            Some(_) => Vec::new(),
            None => vec![
                TextField {
                    text: field("text_en", "consultation-new-text-en", 14, "en"),
                    file: "file_en",
                    file_words: ui.t("consultation-new-file-en"),
                },
                TextField {
                    text: field("text_zh", "consultation-new-text-zh", 14, "zh-Hans"),
                    file: "file_zh",
                    file_words: ui.t("consultation-new-file-zh"),
                },
            ],
        },
        questions: vec![
            field("questions_en", "consultation-new-questions-en", 3, "en"),
            field("questions_zh", "consultation-new-questions-zh", 3, "zh-Hans"),
        ],
        opens: fields.get("opens").to_owned(),
        closes: fields.get("closes").to_owned(),
        classes: ParticipantClass::ALL.map(class).into(),
        clauses: match draft {
            Some(draft) => {
                draft.clauses.iter().map(|c| (c.anchor.to_string(), words(&ui, &c.title))).collect()
            }
            None => clauses.iter().map(|c| (c.anchor.to_string(), words(&ui, &c.title))).collect(),
        },
        draft: draft.map(|draft| OfDraft {
            id: draft.id.to_string(),
            title: words(&ui, &draft.title),
            text: ui.num(draft.text),
            days: draft
                .open_days
                .as_ref()
                .map(|days| ui.n("consultation-new-days", u64::from(days.value)))
                .unwrap_or_default(),
            clause: draft.open_days.as_ref().map(|days| days.clause.to_string()).unwrap_or_default(),
        }),
        errors,
        ui,
    }
}

fn words(ui: &Ui, text: &Text) -> String {
    ui.text(text).to_owned()
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let fields = Fields::from_pairs(vec![("invited".into(), "public".into())]);
    let clauses = split_clauses("## One {#art-1}\nWords", "").unwrap_or_default();
    let draft = DraftSnapshot {
        id: "d-1".parse().expect("an id"),
        title: Text::same("Twenty instead of ten"),
        summary: Text::same("Why"),
        text: 2,
        version: None,
        clauses: Vec::new(),
        open_days: Some(cogov_rulebook::Setting { value: 30, clause: "change".parse().expect("a clause") }),
    };
    let page = view(ui.clone(), &fields, vec![Problem::new("closes", "Later")], None, &clauses);
    let of_draft = view(ui, &fields, Vec::new(), Some(&draft), &[]);
    vec![
        ("consultation-new", page.render().unwrap_or_default()),
        ("consultation-new-of-draft", of_draft.render().unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_questions_of_the_form() {
        assert_eq!(moment("1970-01-02T00:01"), Some(Timestamp::from_millis(86_460_000)));
        assert_eq!((moment("tomorrow"), moment("")), (None, None));
        assert_eq!(questions("a\n\nb", "甲"), [Text::new("a", "甲"), Text::new("b", "")]);
    }

    #[test]
    fn the_form_proposes_at_least_the_days_that_are_prescribed() {
        let day = |text: &str| NaiveDateTime::parse_from_str(text, MOMENT).unwrap();
        let prescribed = |value| DraftSnapshot {
            id: "d-1".parse().unwrap(),
            title: Text::default(),
            summary: Text::default(),
            text: 1,
            version: None,
            clauses: Vec::new(),
            open_days: Some(cogov_rulebook::Setting { value, clause: "change".parse().unwrap() }),
        };
        let now = day("2026-12-01T09:00");
        assert_eq!(closes_by_default(now, None), day("2026-12-31T09:00"));
        assert_eq!(closes_by_default(now, Some(&prescribed(7))), day("2026-12-31T09:00"));
        assert_eq!(closes_by_default(now, Some(&prescribed(30))), day("2027-01-01T09:00"));
        assert_eq!(closes_by_default(now, Some(&prescribed(u32::MAX))), now, "no calendar goes so far");
    }

    #[test]
    fn a_moment_that_does_not_read_is_named_at_its_field() {
        let ui = crate::ui::sample(cogov_model::Locale::En);
        let form = |opens: &str, closes: &str| {
            Fields::from_pairs(vec![("opens".into(), opens.into()), ("closes".into(), closes.into())])
        };
        let named = |opens: &str, closes: &str| -> Vec<String> {
            let problems = moments(&ui, &form(opens, closes)).unwrap_err();
            assert!(problems.iter().all(|p| p.words.contains("2026-12-31T17:00")), "{problems:?}");
            problems.into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(named("soon", "2026-12-31T17:00"), ["opens"]);
        assert_eq!(named("2026-12-01T09:00", ""), ["closes"]);
        assert_eq!(named("", "31.12.2026"), ["opens", "closes"]);
        assert_eq!(named("2026-12-01T09:00", "+12345-01-01T09:00"), ["closes"]);
        assert!(moments(&ui, &form("2026-12-01T09:00", "2026-12-31T17:00")).is_ok());
    }
}
