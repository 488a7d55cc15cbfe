//! `/help`: the story in five steps, and how to connect and verify with one's own tools.

use super::{Answered, html};
use crate::{ui::Ui, visit::Visit};
use askama::Template;

struct Step {
    href: &'static str,
    title: String,
    words: String,
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    ui: Ui,
    base: String,
    pg_host: String,
    pg_port: String,
    steps: Vec<Step>,
    terms: Vec<(String, String)>,
}

/// `GET /help`
pub async fn show(visit: Visit) -> Answered {
    html(&page(visit.ui(), &visit.web.site.http, &visit.web.site.pg))
}

fn page(ui: Ui, base: &str, pg: &str) -> HelpPage {
    let step = |href, title: &str, words: &str| Step { href, title: ui.t(title), words: ui.t(words) };
    let term = |term: &str, words: &str| (ui.t(term), ui.t(words));
    let (host, port) = pg.rsplit_once(':').unwrap_or((pg, "5433"));
    HelpPage {
        base: base.to_owned(),
        pg_host: host.to_owned(),
        pg_port: port.to_owned(),
        steps: vec![
            step("/steward", "help-step-1", "help-step-1-text"),
            step("/catalogue", "help-step-2", "help-step-2-text"),
            step("/inbox", "help-step-3", "help-step-3-text"),
            step("/my-grants", "help-step-4", "help-step-4-text"),
            step("/ledger", "help-step-5", "help-step-5-text"),
        ],
        terms: vec![
            term("term-grade", "term-grade-text"),
            term("term-treatment", "term-treatment-text"),
            term("term-lane", "term-lane-text"),
            term("term-grant", "term-grant-text"),
            term("term-ledger", "term-ledger-text"),
        ],
        ui,
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    vec![("help", page(ui, "http://127.0.0.1:8080", "127.0.0.1:5433").render().unwrap_or_default())]
}
