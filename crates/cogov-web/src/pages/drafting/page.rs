//! `/drafts/{id}`: what it changes, what was found, what it would have done, and the way to its adoption.

use super::{
    Words,
    adopting::{self, Adopting},
    change_tag,
    consulted::{self, Consulting},
    draft_as, edit, flowing, read, replay, state, title, words,
};
use crate::{
    form::{Fields, Posted, Problem},
    pages::{Answered, consultation::VoiceView, names::Names, shown, status_of},
    ui::Ui,
    view::{EntryRow, Tag},
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Redirect},
};
use cogov_app::{AdoptionRequest, AppError, Consulted, DraftMay, EffectPage, PolicyDraftPage as Found};
use cogov_model::{Differences, DraftId, DraftKind, DraftState};
use cogov_rulebook::{Clause, ClauseDifference, Flip, Replay};
use std::collections::HashMap;

/// Clauses whose difference is shown; a text that changes more is another text.
const MOST_CHANGES: usize = 200;
/// The view in which a draft's writers read what everybody reads.
pub(super) const PUBLISHED: &str = "published";

struct ChangeView {
    id: String,
    tag: Tag,
    title: Vec<Words>,
    words: Vec<Words>,
    rules: Vec<Words>,
    /// Because of whom.
    voices: Vec<VoiceView>,
}

struct ClauseView {
    id: String,
    title: String,
    html: String,
    rules: Vec<String>,
    voices: Vec<VoiceView>,
}

struct EffectRow {
    words: String,
    predicted: String,
    real: String,
}

#[derive(Template)]
#[template(path = "rule_draft.html")]
struct DraftView {
    ui: Ui,
    errors: Vec<Problem>,
    notice: String,
    id: String,
    title: String,
    state: Tag,
    summary: String,
    facts: Vec<(String, String)>,
    outdated: bool,
    /// Whether it took another base since it was published, and must be published again.
    rebased: bool,
    /// Whether the text shown is a newer one than the published one.
    unpublished: bool,
    /// The number of the text that is shown.
    text: u64,
    /// Whether it is the published one though this person writes a newer one.
    as_published: bool,
    may_edit: bool,
    may_publish: bool,
    may_withdraw: bool,
    may_rebase: bool,
    /// Whether it has rules that can be replayed.
    has_rules: bool,
    replay: String,
    found: edit::Findings,
    compared: bool,
    changes: Vec<ChangeView>,
    clauses: Vec<ClauseView>,
    consulting: Option<Consulting>,
    adopting: Option<Adopting>,
    effects: Vec<EffectRow>,
    effect_words: String,
    history: Vec<EntryRow>,
}

/// `GET /drafts/{id}`
pub async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let notice = match query.get("done").map(String::as_str) {
        Some("publish") => visit.ui.t("drafting-done-publish"),
        Some("approve") => visit.ui.t("drafting-done-approve"),
        Some("adopt") => visit.ui.t("drafting-done-adopt"),
        Some(_) => visit.ui.t("drafting-done"),
        None => String::new(),
    };
    let published = query.get("view").is_some_and(|view| view == PUBLISHED);
    page(&visit, &read(id)?, published, notice, &Fields::default(), Vec::new()).await
}

/// `POST /drafts/{id}`
pub async fn act(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let id = read(id)?;
    let code = fields.get("act").to_owned();
    match perform(&visit, &id, &fields).await {
        Ok(()) => Ok(Redirect::to(&format!("/drafts/{id}?done={code}")).into_response()),
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            let published = fields.get("view") == PUBLISHED;
            page(&visit, &id, published, String::new(), &fields, vec![problem]).await
        }
    }
}

async fn perform(visit: &Visit, id: &DraftId, fields: &Fields) -> Result<(), AppError> {
    let actor = visit.viewer().ok_or(AppError::NotSignedIn)?;
    let text = fields.get("text").parse().unwrap_or_default();
    match fields.get("act") {
        // The text that the page showed: nobody publishes or adopts another one unread.
        "publish" => visit.app.publish_text(actor, id, text).await.map(|_| ()),
        "withdraw" => visit.app.withdraw_draft(actor, id).await,
        "rebase" => visit.app.rebase_draft(actor, id).await,
        "approve" => visit.app.approve_draft(actor, id, text, fields.get("words")).await,
        "adopt" => {
            let effect = fields.given("effect").map(|day| {
                crate::form::day(day).ok_or_else(|| {
                    AppError::invalid(
                        "effect",
                        "Write the day as 2027-01-31.",
                        "请按 2027-01-31 的格式填写日期。",
                    )
                })
            });
            let request = AdoptionRequest {
                effect: effect.transpose()?,
                urgent: fields.get("urgent") == "yes",
                reasons: fields.get("reasons").to_owned(),
                text: Some(text),
            };
            visit.app.adopt_draft(actor, id, request).await.map(|_| ())
        }
        _ => Err(AppError::not_found("There is no such act.", "没有这项操作。")),
    }
}

async fn page(
    visit: &Visit,
    id: &DraftId,
    published: bool,
    notice: String,
    fields: &Fields,
    errors: Vec<Problem>,
) -> Answered {
    let (ui, names) = (visit.ui(), Names::of(visit).await?);
    let found = draft_as(visit, id, published).await?;
    let draft = &found.card.draft;
    let rules = draft.kind == DraftKind::Rulebook;
    let has_rules = found.checked.book.is_some();
    let replay = match &found.checked.book {
        Some(book) if !draft.state.is_final() => {
            let replay = visit.app.replay_beside(std::sync::Arc::clone(book), found.base.clone()).await?;
            replay_short(&ui, &replay, found.is_overtaken())
        }
        _ => String::new(),
    };
    let changes = found.differences(ui.locale);
    let consulted = visit.app.draft_consulted(visit.viewer(), id).await?;
    let adoption = match rules && draft.state == DraftState::Published {
        true => Some(visit.app.adoption(visit.viewer(), id).await?),
        false => None,
    };
    let public = draft.state == DraftState::Published || !consulted.consultations.is_empty();
    let effects = visit.app.effect(visit.viewer(), id).await?;
    let history = visit.app.draft_history(visit.viewer(), draft).await?;
    let history =
        history.iter().map(|view| EntryRow::new(&ui, view.index, &view.entry, |id| names.party(id)));
    let may = |act| found.may.contains(&act);
    let as_published = published && found.is_published && may(DraftMay::Publish);
    let page = DraftView {
        id: id.to_string(),
        title: title(&ui, &found.text.title, id),
        state: state(&ui, &found.card),
        summary: ui.text(&found.text.summary).to_owned(),
        facts: facts(&ui, &found),
        outdated: found.outdated,
        rebased: draft.is_rebased(),
        text: found.text.number,
        unpublished: !found.is_published && draft.published().is_some(),
        as_published,
        may_edit: may(DraftMay::Edit),
        // Nobody publishes what the page does not show.
        may_publish: may(DraftMay::Publish) && !as_published,
        may_withdraw: may(DraftMay::Withdraw),
        may_rebase: may(DraftMay::Rebase),
        has_rules,
        replay,
        found: edit::found(&ui, &found.checked),
        compared: rules,
        changes: changes
            .iter()
            .take(MOST_CHANGES)
            .map(|change| change_view(&ui, change, &consulted))
            .collect(),
        clauses: if rules { Vec::new() } else { clauses(&ui, &found.checked.clauses, &consulted) },
        consulting: public.then(|| Consulting::new(&ui, &found, &consulted, adoption.as_ref())),
        adopting: adoption.map(|adoption| adopting::of(visit, &names, &found, &adoption, fields)),
        effect_words: effect_words(&ui, effects.as_ref()),
        effects: effects.map(|effects| effect_rows(&ui, &effects)).unwrap_or_default(),
        history: history.collect(),
        notice,
        errors,
        ui,
    };
    shown(status_of(&page.errors), &page)
}

fn facts(ui: &Ui, found: &Found) -> Vec<(String, String)> {
    let draft = &found.card.draft;
    let mut facts = vec![
        (ui.t("drafting-kind"), ui.word("draft-kind", draft.kind.code())),
        (ui.t("drafting-proposer"), ui.text(&found.card.proposer.name).to_owned()),
        (
            ui.t("drafting-base"),
            draft.base_of(found.text.number).map(ToString::to_string).unwrap_or_default(),
        ),
        (ui.t("drafting-text-number"), ui.num(found.text.number)),
    ];
    if let Some(published) = draft.published() {
        facts.push((ui.t("drafting-published"), ui.moment(published.at)));
        facts.push((
            ui.t("drafting-version"),
            published.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        ));
    }
    if let Some(adoption) = &draft.adoption {
        facts.push((ui.t("drafting-adopted"), ui.moment(adoption.at)));
        facts.push((ui.t("drafting-effect"), ui.moment(adoption.effect)));
        facts.push((ui.t("drafting-reasons"), ui.text(&adoption.reasons).to_owned()));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn change_view(ui: &Ui, change: &ClauseDifference, consulted: &Consulted) -> ChangeView {
    ChangeView {
        id: change.anchor.to_string(),
        tag: change_tag(ui, change.change),
        title: words(&change.title),
        words: flowing(&change.words),
        rules: words(&change.rules),
        voices: consulted::voices(ui, consulted, &change.anchor),
    }
}

fn clauses(ui: &Ui, clauses: &[Clause], consulted: &Consulted) -> Vec<ClauseView> {
    let view = |clause: &Clause| ClauseView {
        id: clause.anchor.to_string(),
        title: ui.text(&clause.title).to_owned(),
        html: ui.text(&clause.html).to_owned(),
        rules: clause.rules.iter().chain(&clause.settings).cloned().collect(),
        voices: consulted::voices(ui, consulted, &clause.anchor),
    };
    clauses.iter().map(view).collect()
}

fn replay_short(ui: &Ui, replay: &Replay, overtaken: bool) -> String {
    let all = replay.replayed();
    if all == 0 {
        return replay::nothing(ui, replay);
    }
    let Some(amended) = &replay.amended else {
        return ui.share("drafting-replay-record", replay.changed(), all);
    };
    let short = ui.share("drafting-replay-short", replay.changed(), all);
    match amended.changed() {
        0 => short,
        changed => {
            // Beside a rulebook that was overtaken, later ones decided too.
            let key = if overtaken { "drafting-amended-others" } else { "drafting-amended" };
            format!("{short} {}", ui.share(key, changed, all))
        }
    }
}

/// What was predicted and what came, with the sentence that says which comparison is which.
fn effect_words(ui: &Ui, effects: Option<&EffectPage>) -> String {
    let Some(EffectPage { predicted, real }) = effects else { return String::new() };
    let (differ, all) = (changed(&predicted.counts), predicted.replayed);
    let how = match predicted.amended {
        Some(_) => "drafting-effect-same",
        None => "drafting-effect-record",
    };
    let mut words = vec![ui.t(how)];
    match &predicted.amended {
        _ if all == 0 => words.push(ui.t("drafting-predicted-none")),
        // What lies between the decisions and the base came before the adoption, whatever was amended since.
        Some(amended) => words.extend([
            ui.share("drafting-predicted", differ, all),
            ui.share("drafting-amended-before", changed(amended), all),
        ]),
        None => words.push(ui.share("drafting-predicted-record", differ, all)),
    }
    words.push(match real {
        Some(real) if real.replayed == 0 => ui.t("drafting-real-none"),
        Some(real) => ui.share("drafting-real", changed(&real.counts), real.replayed),
        None => ui.t("drafting-not-yet"),
    });
    words.join(" ")
}

fn changed(counts: &Differences) -> u64 {
    counts.iter().filter(|(code, _)| *code != Flip::Same.code()).map(|(_, n)| n).sum()
}

fn effect_rows(ui: &Ui, effects: &EffectPage) -> Vec<EffectRow> {
    let cell = |counts: &Differences, code: &str| ui.num(counts.get(code).copied().unwrap_or(0));
    let codes = std::iter::once(Flip::Same).chain(Flip::CHANGES).map(Flip::code);
    let row = |code: &str| EffectRow {
        words: ui.word("flip", code),
        predicted: cell(&effects.predicted.counts, code),
        real: effects.real.as_ref().map(|real| cell(&real.counts, code)).unwrap_or_default(),
    };
    codes.map(row).collect()
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let word = |tag, text: &str| Words { tag, text: text.into() };
    let change = ChangeView {
        id: "share-statistics".into(),
        tag: Tag::new("waiting", ui.t("drafting-both")),
        title: vec![word("", "Statistics")],
        words: vec![word("", "at least "), word("del", "ten"), word("ins", "twenty")],
        rules: vec![word("", "@min_group(\""), word("del", "10"), word("ins", "20"), word("", "\")")],
        voices: vec![crate::pages::consultation::sample_voice(&ui)],
    };
    let page = DraftView {
        errors: vec![Problem::new("effect", "Later")],
        notice: ui.t("drafting-done"),
        id: "d-1".into(),
        title: "Changes".into(),
        state: Tag::new("waiting", ui.word("draft-state", "published")),
        summary: "Why".into(),
        facts: vec![(ui.t("drafting-base"), "decree-809@0123".into())],
        outdated: true,
        rebased: true,
        unpublished: true,
        text: 3,
        as_published: true,
        may_edit: true,
        may_publish: true,
        may_withdraw: true,
        may_rebase: true,
        has_rules: true,
        replay: ui.share("drafting-replay-short", 3, 20),
        found: edit::Findings {
            ui: ui.clone(),
            findings: vec![super::sample_finding(&ui)],
            sound: true,
            share: String::new(),
        },
        compared: true,
        changes: vec![change],
        clauses: vec![ClauseView {
            id: "art-1".into(),
            title: "Article 1".into(),
            html: "<p>Words</p>".into(),
            rules: vec![],
            voices: vec![],
        }],
        consulting: Some(consulted::sample(&ui)),
        adopting: Some(adopting::sample(&ui)),
        effects: vec![EffectRow {
            words: ui.word("flip", "stricter"),
            predicted: "3".into(),
            real: "1".into(),
        }],
        effect_words: ui.share("drafting-predicted", 3, 20),
        history: vec![crate::view::sample_entry(&ui)],
        ui,
    };
    vec![("rule-draft", page.render().unwrap_or_default())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use cogov_model::{Effect, Locale};

    fn effect(same: u64, stricter: u64) -> Effect {
        let counts = Differences::from([("same".to_owned(), same), ("stricter".to_owned(), stricter)]);
        Effect { replayed: same + stricter, amended: Some(counts.clone()), counts, ..Effect::default() }
    }

    #[test]
    fn an_adopted_draft_tells_of_the_amendments_before_its_adoption() {
        for (locale, before, since) in [
            (Locale::En, "before its adoption", "amendments since"),
            (Locale::ZhHans, "通过之前的修订", "此后的修订"),
        ] {
            let ui = crate::ui::sample(locale);
            let told = effect_words(&ui, Some(&EffectPage { predicted: effect(9, 3), real: None }));
            assert!(told.contains(before) && !told.contains(since) && told.contains("12"), "{told}");
        }
    }

    #[test]
    fn no_share_is_told_of_no_decisions() {
        for locale in Locale::ALL {
            let ui = crate::ui::sample(locale);
            assert_eq!(replay_short(&ui, &Replay::default(), false), ui.t("replay-none-yet"));
            let none = EffectPage { predicted: effect(0, 0), real: Some(effect(0, 0)) };
            let told = effect_words(&ui, Some(&none));
            assert!(!told.contains('0'), "{told}");
            assert!(told.contains(&ui.t("drafting-real-none")), "{told}");
        }
    }
}
