//! What the rulebook would say to an application, column by column: in the form, and on the application's page.

use super::names::clauses_of;
use crate::{
    ui::Ui,
    view::{ClauseLink, Tag, Treated},
    visit::Visit,
};
use askama::{FastWritable, Template, filters::HtmlSafe};
use cogov_app::{PreviewPage as Found, PreviewRow};

struct Refused {
    words: String,
    clauses: Vec<ClauseLink>,
}

struct Row {
    column: String,
    grade: Tag,
    treatment: Treated,
    reason: String,
    clauses: Vec<ClauseLink>,
}

/// The rulings as a fragment of a page.
#[derive(Template)]
#[template(path = "preview.html")]
pub struct Preview {
    ui: Ui,
    /// Why there is nothing to show yet.
    problem: Option<String>,
    refusal: Option<Refused>,
    answer: String,
    rows: Vec<Row>,
}

impl Preview {
    /// Nothing to show yet, and why.
    pub fn nothing(ui: Ui, why: String) -> Self {
        Self { ui, problem: Some(why), refusal: None, answer: String::new(), rows: Vec::new() }
    }

    /// From what the application found.
    pub fn new(visit: &Visit, found: &Found) -> Self {
        let ui = visit.ui();
        let rulebook = visit.app.rulebook();
        let refusal = found.refusal.as_ref().map(|reason| Refused {
            words: ui.text(&reason.words).to_owned(),
            clauses: clauses_of(&rulebook, ui.locale, &reason.clauses),
        });
        let row = |row: &PreviewRow| Row {
            column: format!("{}.{}", row.reference.table, row.reference.column),
            grade: Tag::grade(&ui, row.column.label.grade),
            treatment: Treated::new(&ui, row.ruling.treatment),
            reason: ui.text(&row.ruling.reason).to_owned(),
            clauses: clauses_of(&rulebook, ui.locale, &row.ruling.clauses),
        };
        Self {
            problem: None,
            refusal,
            answer: answer(&ui, found),
            rows: found.rows.iter().map(row).collect(),
            ui,
        }
    }
}

fn answer(ui: &Ui, found: &Found) -> String {
    let mut words = ui.n("preview-answer", found.answer_days);
    for (needed, key) in
        [(found.requester_head, "preview-requester-head"), (found.provider_head, "preview-provider-head")]
    {
        if needed {
            words.push(' ');
            words.push_str(&ui.t(key));
        }
    }
    words
}

/// A preview inside a page is its rendered fragment.
pub struct Fragment(String);

impl Fragment {
    /// Renders the fragment.
    ///
    /// # Errors
    /// When the template cannot be rendered.
    pub fn new(preview: &Preview) -> Result<Self, crate::failure::Failure> {
        preview.render().map(Self).map_err(crate::failure::Failure::broken)
    }
}

impl HtmlSafe for Fragment {}

impl std::fmt::Display for Fragment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FastWritable for Fragment {
    fn write_into(&self, dest: &mut dyn std::fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(dest.write_str(&self.0)?)
    }
}

#[cfg(test)]
pub(crate) fn sample(ui: &Ui) -> Fragment {
    let clauses = || vec![ClauseLink { id: "art-9".into(), title: "Sensitive data".into() }];
    let row = Row {
        column: "units.wages".into(),
        grade: Tag::grade(ui, cogov_model::Grade::General3),
        treatment: Treated::new(ui, cogov_model::Treatment::Mask(cogov_model::Mask::Year)),
        reason: "Because".into(),
        clauses: clauses(),
    };
    let refusal = Some(Refused { words: "No".into(), clauses: clauses() });
    let preview = Preview {
        ui: ui.clone(),
        problem: None,
        refusal,
        answer: ui.n("preview-answer", 10_u64),
        rows: vec![row],
    };
    Fragment(preview.render().unwrap_or_default())
}
