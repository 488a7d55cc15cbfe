//! `/drafts/{id}/replay`: every decision of the ledger taken again under the draft.

use super::{draft_as, page::PUBLISHED, read, title};
use crate::{
    pages::{Answered, html, names::Names},
    ui::Ui,
    view::{Bar, Bars, ClauseLink, Tag, Treated},
    visit::Visit,
};
use askama::Template;
use axum::extract::{Path, Query};
use cogov_app::GrantReplay;
use cogov_rulebook::{Counts, Example, Flip, Replay};
use std::collections::HashMap;

/// Columns of grants, and of what becomes visible, that are listed.
const MOST_ROWS: usize = 100;

struct Row {
    name: String,
    link: String,
    cells: Vec<String>,
    all: String,
}

/// A table of counts by something.
struct Table {
    id: &'static str,
    title: String,
    by: String,
    rows: Vec<Row>,
}

struct Column {
    name: String,
    before: Treated,
    after: Treated,
}

struct ExampleView {
    index: u64,
    tag: Tag,
    words: String,
    same: String,
    columns: Vec<Column>,
    clauses: Vec<ClauseLink>,
}

struct Seen {
    party: String,
    column: String,
    form: String,
    after: Treated,
}

struct GrantRow {
    grant: String,
    party: String,
    column: Column,
}

#[derive(Template)]
#[template(path = "draft_replay.html")]
struct ReplayPage {
    ui: Ui,
    id: String,
    title: String,
    /// Whether it is of a text that is not published while another is.
    unpublished: bool,
    /// Whether the published text was asked for.
    as_published: bool,
    /// Empty where no decision could be taken again.
    lead: String,
    /// Why there is no number, where there is none.
    nothing: String,
    /// Beside which rulebook, and what that one changed itself.
    compared: Vec<String>,
    skipped: String,
    chart: Option<Bars>,
    flips: Vec<String>,
    tables: Vec<Table>,
    examples: Vec<ExampleView>,
    visible: Vec<Seen>,
    visible_more: String,
    grants_lead: String,
    grants: Vec<GrantRow>,
    grants_more: String,
}

/// `GET /drafts/{id}/replay`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let id = read(id)?;
    let (ui, names) = (visit.ui(), Names::of(&visit).await?);
    let as_published = query.get("view").is_some_and(|view| view == PUBLISHED);
    let found = draft_as(&visit, &id, as_published).await?;
    let (replay, grants) = visit.app.replay_shown(&found).await?;
    let book = found.checked.book.clone();
    let clause = |id: &str| {
        let anchor = cogov_model::ClauseId::new(id).ok()?;
        book.as_ref()?.clause(&anchor).map(|clause| ui.text(&clause.title).to_owned())
    };
    let seen = replay.visible.iter().take(MOST_ROWS).map(|(seen, after)| Seen {
        party: names.party(seen.party.as_str()),
        column: seen.column.to_string(),
        form: ui.word("form", seen.form.code()),
        after: Treated::new(&ui, *after),
    });
    html(&ReplayPage {
        id: id.to_string(),
        title: title(&ui, &found.text.title, &id),
        unpublished: !found.is_published && found.card.draft.published().is_some(),
        as_published,
        lead: lead(&ui, &replay),
        nothing: nothing(&ui, &replay),
        compared: compared(&ui, &replay, found.is_overtaken(), found.card.draft.state.is_final()),
        skipped: if replay.skipped == 0 { String::new() } else { ui.n("replay-skipped", replay.skipped) },
        chart: chart(&ui, &replay.counts),
        flips: Flip::CHANGES.iter().map(|flip| ui.word("flip", flip.code())).collect(),
        tables: tables(&ui, &replay, clause),
        examples: replay.examples.iter().map(|example| example_view(&ui, &names, example, clause)).collect(),
        visible: seen.collect(),
        visible_more: more(&ui, replay.visible.len()),
        grants_lead: grants_lead(&ui, &grants),
        grants: grant_rows(&ui, &names, &grants),
        grants_more: more(&ui, grants.changes.len()),
        ui,
    })
}

fn lead(ui: &Ui, replay: &Replay) -> String {
    if replay.replayed() == 0 {
        return String::new();
    }
    let key = if replay.amended.is_some() { "replay-lead" } else { "replay-lead-record" };
    ui.share(key, replay.changed(), replay.replayed())
}

/// Why nothing was taken again: there is no decision, or none that was written with its facts. Empty where some were.
pub(super) fn nothing(ui: &Ui, replay: &Replay) -> String {
    match (replay.replayed(), replay.decisions) {
        (0, 0) => ui.t("replay-none-yet"),
        (0, _) => ui.t("replay-nothing"),
        _ => String::new(),
    }
}

/// Beside what a draft was taken again. What the rulebook that it branches from decides otherwise than was recorded comes
/// of amendments only while that one is the last: beside one that was overtaken, and beside that of an adopted draft,
/// later rulebooks decided too, the draft itself among them.
fn compared(ui: &Ui, replay: &Replay, overtaken: bool, is_final: bool) -> Vec<String> {
    let Some(amended) = &replay.amended else { return Vec::new() };
    let base = if is_final { "replay-base-final" } else { "replay-base" };
    let mut words = vec![ui.with(base, "base", &amended.base)];
    if replay.replayed() > 0 {
        let key = if overtaken { "replay-amended-others" } else { "replay-amended" };
        words.push(ui.share(key, amended.changed(), replay.replayed()));
    }
    words
}

fn grants_lead(ui: &Ui, grants: &GrantReplay) -> String {
    match grants.columns {
        0 => ui.t("replay-grants-none"),
        columns => ui.share("replay-grants-lead", grants.changes.len() as u64, columns as u64),
    }
}

fn more(ui: &Ui, rows: usize) -> String {
    if rows > MOST_ROWS { ui.n("replay-more", rows - MOST_ROWS) } else { String::new() }
}

fn chart(ui: &Ui, counts: &Counts) -> Option<Bars> {
    #[allow(clippy::cast_precision_loss, reason = "the length of a bar")]
    let bar = |flip: &Flip| {
        let count = counts.get(flip).copied().unwrap_or(0);
        Bar { label: ui.word("flip", flip.code()), value: count as f64, words: ui.num(count) }
    };
    let bars: Vec<Bar> = std::iter::once(&Flip::Same).chain(&Flip::CHANGES).map(bar).collect();
    bars.iter().any(|bar| bar.value > 0.0).then(|| Bars {
        title: ui.t("replay-chart"),
        description: ui.t("replay-chart-text"),
        bars,
    })
}

fn tables(ui: &Ui, replay: &Replay, clause: impl Fn(&str) -> Option<String>) -> Vec<Table> {
    let row = |name: String, link: String, counts: &Counts| Row {
        name,
        link,
        cells: Flip::CHANGES.iter().map(|flip| ui.num(counts.get(flip).copied().unwrap_or(0))).collect(),
        all: ui.num(counts.values().sum::<u64>()),
    };
    let class = |(class, counts): (&cogov_model::PartyClass, &Counts)| {
        row(ui.word("class", class.code()), String::new(), counts)
    };
    let region = |(region, counts): (&Option<cogov_model::RegionCode>, &Counts)| {
        row(
            region.as_ref().map_or_else(|| ui.t("replay-no-region"), ToString::to_string),
            String::new(),
            counts,
        )
    };
    let dataset = |(id, counts): (&cogov_model::DatasetId, &Counts)| {
        row(id.to_string(), format!("/datasets/{id}"), counts)
    };
    let by_clause = |(id, counts): (&String, &Counts)| {
        row(clause(id).map_or_else(|| id.clone(), |title| format!("{id} {title}")), String::new(), counts)
    };
    let all = vec![
        Table {
            id: "by-class",
            title: ui.t("replay-by-class"),
            by: ui.t("replay-class"),
            rows: replay.by_class.iter().map(class).collect(),
        },
        Table {
            id: "by-region",
            title: ui.t("replay-by-region"),
            by: ui.t("replay-region"),
            rows: replay.by_region.iter().map(region).collect(),
        },
        Table {
            id: "by-dataset",
            title: ui.t("replay-by-dataset"),
            by: ui.t("replay-dataset"),
            rows: replay.by_dataset.iter().map(dataset).collect(),
        },
        Table {
            id: "by-clause",
            title: ui.t("replay-by-clause"),
            by: ui.t("drafting-clause"),
            rows: replay.by_clause.iter().map(by_clause).collect(),
        },
    ];
    all.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

fn example_view(
    ui: &Ui,
    names: &Names,
    example: &Example,
    clause: impl Fn(&str) -> Option<String>,
) -> ExampleView {
    let css = match example.flip {
        Flip::PermitToDeny | Flip::Stricter => "deny",
        Flip::DenyToPermit | Flip::Looser => "permit",
        _ => "waiting",
    };
    let datasets: Vec<String> = example.datasets.iter().map(ToString::to_string).collect();
    ExampleView {
        index: example.index,
        tag: Tag::new(css, ui.word("flip", example.flip.code())),
        words: format!(
            "{} · {} · {}",
            names.party(example.party.as_str()),
            datasets.join(", "),
            ui.word("form", example.form.code())
        ),
        same: ui.n("replay-same-case", example.decisions),
        columns: example
            .columns
            .iter()
            .map(|(column, before, after)| Column {
                name: column.to_string(),
                before: Treated::new(ui, *before),
                after: Treated::new(ui, *after),
            })
            .collect(),
        clauses: crate::view::clause_links(&example.clauses, clause),
    }
}

fn grant_rows(ui: &Ui, names: &Names, grants: &GrantReplay) -> Vec<GrantRow> {
    let row = |change: &cogov_app::GrantChange| GrantRow {
        grant: change.grant.to_string(),
        party: names.party(change.party.as_str()),
        column: Column {
            name: change.column.to_string(),
            before: Treated::new(ui, change.before),
            after: Treated::new(ui, change.after),
        },
    };
    grants.changes.iter().take(MOST_ROWS).map(row).collect()
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    use cogov_model::Treatment;
    use cogov_rulebook::Amended;
    let column = || Column {
        name: "health.units.medicaid".into(),
        before: Treated::new(&ui, Treatment::Withhold),
        after: Treated::new(&ui, Treatment::Clear),
    };
    let counts = Counts::from([(Flip::Same, 10), (Flip::Stricter, 3)]);
    let replay = Replay {
        by_class: [(cogov_model::PartyClass::University, counts.clone())].into(),
        by_region: [(None, counts.clone())].into(),
        by_clause: [("art-9".to_owned(), counts.clone())].into(),
        amended: "decree-809@0123".parse().ok().map(|base| Amended { base, counts: counts.clone() }),
        ..Replay::default()
    };
    let example = ExampleView {
        index: 7,
        tag: Tag::new("deny", ui.word("flip", "permit-to-deny")),
        words: "Lab · health · Rows".into(),
        same: ui.n("replay-same-case", 3_u64),
        columns: vec![column()],
        clauses: vec![ClauseLink { id: "art-9".into(), title: "Sensitive".into() }],
    };
    let seen = Seen {
        party: "Lab".into(),
        column: "health.units.medicaid".into(),
        form: ui.word("form", "rows"),
        after: Treated::new(&ui, Treatment::Clear),
    };
    let page = ReplayPage {
        id: "d-1".into(),
        title: "Changes".into(),
        unpublished: true,
        as_published: true,
        lead: lead(&ui, &replay),
        nothing: nothing(&ui, &Replay::default()),
        compared: compared(&ui, &replay, false, false),
        skipped: ui.n("replay-skipped", 2_u64),
        chart: chart(&ui, &counts),
        flips: Flip::CHANGES.iter().map(|flip| ui.word("flip", flip.code())).collect(),
        tables: tables(&ui, &replay, |_| None),
        examples: vec![example],
        visible: vec![seen],
        visible_more: ui.n("replay-more", 5_u64),
        grants_lead: ui.share("replay-grants-lead", 2, 40),
        grants: vec![GrantRow { grant: "g-lab".into(), party: "Lab".into(), column: column() }],
        grants_more: String::new(),
        ui: ui.clone(),
    };
    vec![("draft-replay", page.render().unwrap_or_default())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use cogov_model::Locale;
    use cogov_rulebook::Amended;

    /// Twelve decisions, three of which the base decides otherwise than was recorded.
    fn amended() -> Replay {
        let counts = Counts::from([(Flip::Same, 9), (Flip::Stricter, 3)]);
        let base = "decree-809@0123".parse().unwrap();
        Replay {
            decisions: 12,
            counts: counts.clone(),
            amended: Some(Amended { base, counts }),
            ..Replay::default()
        }
    }

    #[test]
    fn amendments_are_named_only_where_nothing_else_decided() {
        for (locale, since, others) in
            [(Locale::En, "amendments since", "other rulebooks"), (Locale::ZhHans, "此后的修订", "其他规则")]
        {
            let ui = crate::ui::sample(locale);
            let open = compared(&ui, &amended(), false, false).join(" ");
            assert!(open.contains(since) && !open.contains(others), "{open}");
            for is_final in [false, true] {
                let told = compared(&ui, &amended(), true, is_final).join(" ");
                assert!(told.contains(others) && !told.contains(since), "{told}");
            }
            assert!(nothing(&ui, &amended()).is_empty() && !lead(&ui, &amended()).is_empty());
        }
    }

    #[test]
    fn nothing_is_counted_of_no_decisions() {
        for locale in Locale::ALL {
            let ui = crate::ui::sample(locale);
            let mut none = amended();
            none.decisions = 0;
            none.counts.clear();
            none.amended.iter_mut().for_each(|amended| amended.counts.clear());
            assert_eq!(compared(&ui, &none, false, false).len(), 1, "the rulebook alone");
            assert!(lead(&ui, &none).is_empty());
            assert_eq!(nothing(&ui, &none), ui.t("replay-none-yet"));
            none.decisions = 2;
            assert_eq!(nothing(&ui, &none), ui.t("replay-nothing"), "written without their facts");
        }
    }
}
