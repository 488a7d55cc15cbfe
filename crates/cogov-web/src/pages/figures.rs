//! `/figures`: counted from ledger and catalogue.

use super::{
    Answered,
    home::{self, Figure},
    html,
};
use crate::{
    ui::Ui,
    view::{Bar, Bars},
    visit::Visit,
};
use askama::Template;
use cogov_app::Figures;

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    ui: Ui,
    figures: Vec<Figure>,
    chart: Option<Bars>,
}

/// `GET /figures`
pub async fn show(visit: Visit) -> Answered {
    let (ui, found) = (visit.ui(), visit.app.figures().await?);
    let mut figures = home::figures(&ui, &found);
    let mut more = |number: u64, key: &str| figures.push(Figure { number: ui.num(number), words: ui.t(key) });
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    more(size(found.tables), "figure-tables");
    more(found.usage.permits, "figure-permits");
    more(found.usage.rows_released, "figure-released");
    more(size(found.applications_open), "figure-open");
    more(size(found.applications_overdue), "figure-overdue");
    more(found.ledger_size, "figure-ledger");
    html(&FiguresPage { chart: chart(&ui, &found), figures, ui })
}

fn chart(ui: &Ui, found: &Figures) -> Option<Bars> {
    #[allow(clippy::cast_precision_loss, reason = "the length of a bar")]
    let bars = found.by_kind.iter().map(|(kind, count)| Bar {
        label: ui.word("kind", kind.code()),
        value: *count as f64,
        words: ui.num(*count),
    });
    let bars: Vec<Bar> = bars.collect();
    (!bars.is_empty()).then(|| Bars {
        title: ui.t("figures-kinds"),
        description: ui.t("figures-kinds-text"),
        bars,
    })
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let bar = Bar { label: ui.word("kind", "grant"), value: 3.0, words: "3".into() };
    let chart =
        Bars { title: ui.t("figures-kinds"), description: ui.t("figures-kinds-text"), bars: vec![bar] };
    let figures = vec![Figure { number: "3".into(), words: ui.t("figure-rows") }];
    vec![("figures", FiguresPage { figures, chart: Some(chart), ui }.render().unwrap_or_default())]
}
