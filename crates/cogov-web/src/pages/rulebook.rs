//! `/rulebook`: the clauses in force, who makes each hold, and the rules as written.

use super::{Answered, consultation::VoiceView, html};
use crate::{failure::Failure, ui::Ui, view::Tag, visit::Visit};
use askama::Template;
use axum::extract::Path;
use cogov_app::{Origin, Origins, VersionState, VersionView};
use cogov_model::RulebookVersion;
use cogov_rulebook::{Clause, Enforcement, Rulebook};

struct ClauseView {
    id: String,
    title: String,
    /// The part it opens; empty within a part.
    part: String,
    html: String,
    rules: Vec<String>,
    enforcement: Tag,
    /// The drafts that changed it, newest first.
    origins: Vec<OriginView>,
}

/// A draft that changed a clause, and because of whom.
struct OriginView {
    draft: String,
    title: String,
    adopted: String,
    voices: Vec<VoiceView>,
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
    /// A word of warning: another one is in force, or comes.
    notice: String,
    versions: Vec<VersionRow>,
}

struct VersionRow {
    version: String,
    from: String,
    state: Tag,
    /// The draft that it came from; empty for the one that shipped.
    draft: String,
}

/// `GET /rulebook`
pub async fn show(visit: Visit) -> Answered {
    page(&visit, &visit.app.rulebook()).await
}

/// `GET /rulebook/versions/{version}`
pub async fn show_version(visit: Visit, Path(version): Path<String>) -> Answered {
    let version = RulebookVersion::new(version).map_err(|_| Failure::not_found())?;
    let rulebook = visit.app.rulebook_version(&version).await?;
    page(&visit, &rulebook).await
}

async fn page(visit: &Visit, rulebook: &Rulebook) -> Answered {
    let (ui, versions) = (visit.ui(), visit.app.rulebook_versions().await?);
    let origins = visit.app.clause_origins(rulebook.version()).await?;
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
        clauses: rulebook
            .clauses()
            .iter()
            .map(|clause| clause_view(&ui, clause, &origins, &mut last))
            .collect(),
        notice: notice(&ui, rulebook, &versions),
        versions: versions.iter().map(|found| version_row(&ui, found)).collect(),
        ui,
    };
    html(&page)
}

fn notice(ui: &Ui, rulebook: &Rulebook, versions: &[VersionView]) -> String {
    let shown = versions.iter().find(|found| found.version == *rulebook.version());
    if shown.is_some_and(|found| found.state != VersionState::InForce) {
        return ui.t("rulebook-not-in-force");
    }
    let coming = versions.iter().rev().find(|found| found.state == VersionState::Coming);
    coming.map(|found| ui.with("rulebook-coming", "day", ui.moment(found.from))).unwrap_or_default()
}

fn version_row(ui: &Ui, found: &VersionView) -> VersionRow {
    let (css, key) = match found.state {
        VersionState::InForce => ("permit", "rulebook-version-in-force"),
        VersionState::Coming => ("waiting", "rulebook-version-coming"),
        VersionState::Past => ("quiet", "rulebook-version-past"),
        VersionState::Overtaken => ("quiet", "rulebook-version-overtaken"),
    };
    VersionRow {
        version: found.version.to_string(),
        from: ui.moment(found.from),
        state: Tag::new(css, ui.t(key)),
        draft: found.draft.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
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

fn clause_view(ui: &Ui, clause: &Clause, origins: &Origins, last: &mut String) -> ClauseView {
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
        origins: origins.get(&clause.anchor).into_iter().flatten().map(|o| origin_view(ui, o)).collect(),
    }
}

fn origin_view(ui: &Ui, origin: &Origin) -> OriginView {
    OriginView {
        draft: origin.draft.to_string(),
        title: super::drafting::title(ui, &origin.title, &origin.draft),
        adopted: ui.with("rulebook-origin-adopted", "day", ui.day(origin.adopted)),
        voices: origin.voices.iter().map(|voice| VoiceView::new(ui, voice)).collect(),
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
        origins: vec![OriginView {
            draft: "d-1".into(),
            title: "Twenty instead of ten".into(),
            adopted: ui.with("rulebook-origin-adopted", "day", "2026-12-24"),
            voices: vec![super::consultation::sample_voice(&ui)],
        }],
    };
    let page = RulebookPage {
        title: "Decree 809".into(),
        version: "decree-809@0123".into(),
        percent: 60,
        share: ui.n("rulebook-share", 30_u64),
        parts: vec![Share { tag: enforcement_tag(&ui, Enforcement::People), count: 3 }],
        clauses: vec![clause],
        notice: ui.with("rulebook-coming", "day", "2027-01-31"),
        versions: vec![VersionRow {
            version: "decree-809@0123".into(),
            from: "2026-11-24".into(),
            state: Tag::new("permit", ui.t("rulebook-version-in-force")),
            draft: "d-1".into(),
        }],
        ui,
    };
    vec![("rulebook", page.render().unwrap_or_default())]
}
