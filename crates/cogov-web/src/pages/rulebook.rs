//! `/rulebook`: the clauses in force, who makes each hold, and the rules as written.

use super::{Answered, html};
use crate::{ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use cogov_rulebook::{Clause, Enforcement};

struct ClauseView {
    id: String,
    title: String,
    /// The part it opens; empty within a part.
    part: String,
    html: String,
    rules: Vec<String>,
    enforcement: Tag,
}

struct Share {
    tag: Tag,
    count: usize,
}

#[derive(Template)]
#[template(path = "rulebook.html")]
struct RulebookPage {
    ui: Ui,
    title: String,
    version: String,
    percent: usize,
    share: String,
    parts: Vec<Share>,
    clauses: Vec<ClauseView>,
}

/// `GET /rulebook`
pub async fn show(visit: Visit) -> Answered {
    let (ui, rulebook) = (visit.ui(), visit.app.rulebook());
    let share = rulebook.enforcement_share();
    let part =
        |enforcement: Enforcement, count: usize| Share { tag: enforcement_tag(&ui, enforcement), count };
    let mut last = String::new();
    let page = RulebookPage {
        title: ui.text(rulebook.title()).to_owned(),
        version: rulebook.version().to_string(),
        percent: share.percent_enforced(),
        share: ui.n("rulebook-share", share.total()),
        parts: vec![
            part(Enforcement::Engine, share.engine),
            part(Enforcement::Workflow, share.workflow),
            part(Enforcement::EngineAndWorkflow, share.both),
            part(Enforcement::People, share.people),
        ],
        clauses: rulebook.clauses().iter().map(|clause| clause_view(&ui, clause, &mut last)).collect(),
        ui,
    };
    html(&page)
}

fn enforcement_tag(ui: &Ui, enforcement: Enforcement) -> Tag {
    let css = match enforcement {
        Enforcement::Engine => "engine",
        Enforcement::Workflow => "workflow",
        Enforcement::EngineAndWorkflow => "both",
        Enforcement::People => "people",
    };
    Tag::new(css, ui.word("enforcement", enforcement.code()))
}

fn clause_view(ui: &Ui, clause: &Clause, last: &mut String) -> ClauseView {
    let part = ui.text(&clause.part).to_owned();
    let opens = part != *last;
    last.clone_from(&part);
    ClauseView {
        id: clause.anchor.to_string(),
        title: ui.text(&clause.title).to_owned(),
        part: if opens { part } else { String::new() },
        html: ui.text(&clause.html).to_owned(),
        rules: clause.rules.iter().chain(&clause.settings).cloned().collect(),
        enforcement: enforcement_tag(ui, clause.enforcement),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let clause = ClauseView {
        id: "art-9".into(),
        title: "Sensitive data".into(),
        part: "Use".into(),
        html: "<p>Words</p>".into(),
        rules: vec!["permit (principal, action, resource);".into()],
        enforcement: enforcement_tag(&ui, Enforcement::EngineAndWorkflow),
    };
    let page = RulebookPage {
        title: "Decree 809".into(),
        version: "decree-809@0123".into(),
        percent: 60,
        share: ui.n("rulebook-share", 30_u64),
        parts: vec![Share { tag: enforcement_tag(&ui, Enforcement::People), count: 3 }],
        clauses: vec![clause],
        ui,
    };
    vec![("rulebook", page.render().unwrap_or_default())]
}
