//! `/`: what this node is, its figures, the latest of its ledger.

use super::{Answered, html, names::Names};
use crate::{ui::Ui, view::EntryRow, visit::Visit};
use askama::Template;
use cogov_app::{EntryFilter, Figures, Page};

/// Entries that the home page shows.
const LATEST: u32 = 6;

/// A number and what it counts.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The number, with separators.
    pub number: String,
    /// What it counts.
    pub words: String,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    ui: Ui,
    figures: Vec<Figure>,
    latest: Vec<EntryRow>,
}

/// The figures that pages show, in order.
pub fn figures(ui: &Ui, figures: &Figures) -> Vec<Figure> {
    let figure = |number: u64, key: &str| Figure { number: ui.num(number), words: ui.t(key) };
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    vec![
        figure(size(figures.datasets), "figure-datasets"),
        figure(figures.rows, "figure-rows"),
        figure(size(figures.parties), "figure-parties"),
        figure(size(figures.grants_active), "figure-grants"),
        figure(figures.usage.decisions, "figure-decisions"),
        figure(figures.usage.denials, "figure-denials"),
    ]
}

/// `GET /`
pub async fn show(visit: Visit) -> Answered {
    let names = Names::of(&visit).await?;
    let ui = visit.ui();
    let found = visit.app.entries(None, &EntryFilter::default(), &Page::first(LATEST)).await?;
    let latest =
        found.items.iter().map(|view| EntryRow::new(&ui, view.index, &view.entry, |id| names.party(id)));
    let page = HomePage { figures: figures(&ui, &visit.app.figures().await?), latest: latest.collect(), ui };
    html(&page)
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let figures = vec![Figure { number: "4".into(), words: ui.t("figure-datasets") }];
    let latest = vec![crate::view::sample_entry(&ui)];
    let visitor = Ui { viewer: None, csrf: String::new(), ..ui.clone() };
    let pages = [ui, visitor].map(|ui| HomePage { ui, figures: figures.clone(), latest: latest.clone() });
    pages.iter().map(|page| ("home", page.render().unwrap_or_default())).collect()
}
