//! Adoption: the approvals that the rulebook in force prescribes, a date of effect, and what it then really changes.

use crate::{
    Actor, App, AppError, Hindrance,
    consulted::{hindrances, may_consult},
    draft_base::not_published_again,
    drafting::{DraftMay, draft_act, writes},
    error::Result,
    replay::Again,
};
use chrono::NaiveDate;
use cogov_model::{
    Approval, ClauseId, Clauses, Draft, DraftId, DraftKind, DraftState, Effect, EntryKind, Timestamp,
};
use cogov_rulebook::{Counts, Replay, Rulebook, Seat, Setting};
use cogov_store::RulebookText;
use std::{collections::BTreeMap, sync::Arc};

/// One approval that the rulebook prescribes, and who gave it.
#[derive(Debug, Clone)]
pub struct SeatView {
    /// Who must approve.
    pub seat: Seat,
    /// Only when the change cannot wait.
    pub urgent: bool,
    /// The clause that says so.
    pub clause: ClauseId,
    /// Who did.
    pub given: Option<Approval>,
}

/// What stands between a draft and its adoption.
#[derive(Debug, Clone)]
pub struct AdoptionPage {
    /// The prescribed approvals.
    pub seats: Vec<SeatView>,
    /// The first day on which it may be adopted, with the clause that says so.
    pub adoptable_from: Option<(Timestamp, ClauseId)>,
    /// Whether that day is still to come.
    pub too_early: bool,
    /// The first day on which it may take effect, if it were adopted now.
    pub effect_from: Option<(Timestamp, ClauseId)>,
    /// Whether the rulebook knows changes that cannot wait.
    pub may_be_urgent: bool,
    /// What its consultations leave to be done before it may be adopted.
    pub hindrances: Vec<Hindrance>,
}

/// How a draft is adopted.
#[derive(Debug, Clone, Default)]
pub struct AdoptionRequest {
    /// The first day on which it holds, UTC; as soon as may be when absent.
    pub effect: Option<NaiveDate>,
    /// Whether it cannot wait.
    pub urgent: bool,
    /// Why; needed when it cannot wait.
    pub reasons: String,
    /// The text that is meant, by its number; the published one when absent.
    pub text: Option<u64>,
}

/// What a rulebook was predicted to change, and what it changed.
#[derive(Debug, Clone)]
pub struct EffectPage {
    /// Predicted at adoption, over the decisions until then, beside the rulebook that it branches from.
    pub predicted: Effect,
    /// What the decisions since it is in force would have been under the same one; none before it is.
    pub real: Option<Effect>,
}

impl App {
    /// What stands between a draft and its adoption, by the rulebook in force.
    ///
    /// # Errors
    /// `NotFound` when there is no such draft.
    pub async fn adoption(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<AdoptionPage> {
        let draft = self.seen_draft(viewer, id).await?.record;
        self.adoption_page(&self.rulebook(), &draft, self.clock.now()).await
    }

    async fn adoption_page(
        &self,
        rulebook: &Rulebook,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<AdoptionPage> {
        let consulted = self.consulted_on(draft).await?;
        Ok(adoption_page(rulebook, draft, hindrances(rulebook, &consulted), now))
    }

    /// Gives one of the prescribed approvals to a published text, by its number: when another was published since it
    /// was read, nothing is approved.
    ///
    /// # Errors
    /// `Forbidden` when none of the seats that are open is this person's, `Conflict` when it is not the published text, or
    /// the draft took another base since.
    pub async fn approve_draft(&self, actor: &Actor, id: &DraftId, text: u64, words: &str) -> Result<()> {
        let turn = self.draft_turn().await?;
        let draft = self.adoptable(actor, id).await?;
        let rulebook = self.rulebook();
        let seat = open_seat(&rulebook, &draft, actor).ok_or_else(no_seat)?;
        let published = draft.published().filter(|published| published.text == text).ok_or_else(|| {
            AppError::conflict(
                "Another text was published since: read it before you approve it.",
                "此后已公布新的文本：请先阅读再批准。",
            )
        })?;
        let act = draft_act(EntryKind::DraftApproved, &draft)
            .party(&actor.party.id)
            .decided_by(rulebook.version(), &Clauses::from([seat.clause.clone()]))
            .fact("role", seat.seat.role.code())
            .fact("text", text)
            .by(&actor.account)
            .sealed("words", words.trim());
        let act = published.version.iter().fold(act, |act, version| act.fact("adopts", version));
        self.carry_out(turn, act).await.map(|_| ())
    }

    /// Adopts a draft: from its date of effect on, the engine decides by it.
    ///
    /// # Errors
    /// `Forbidden` without a seat, `Conflict` when something prescribed is missing, `Invalid` for a date that is
    /// too early, also before that of what it is built on, or an urgent change without reasons.
    pub async fn adopt_draft(
        &self,
        actor: &Actor,
        id: &DraftId,
        asked: AdoptionRequest,
    ) -> Result<Timestamp> {
        let turn = self.draft_turn().await?;
        let draft = self.adoptable(actor, id).await?;
        let (rulebook, now) = (self.rulebook(), self.clock.now());
        if !holds_a_seat(&rulebook, actor) {
            return Err(no_seat());
        }
        let published = draft.published().map(|published| published.text);
        if asked.text.is_some() && asked.text != published {
            return Err(AppError::conflict(
                "Another text was published since: read it before you adopt it.",
                "此后已公布新的文本：请先阅读再通过。",
            ));
        }
        if self.is_outdated(&draft).await? {
            return Err(AppError::conflict(
                "Another rulebook is in force, or coming, than the one this draft branches from. Its drafter must look at the difference, take the other as its base and publish it again.",
                "现行（或将生效）的规则已不是该草案所依据的版本：起草人须核对差异、更新依据并重新公布。",
            ));
        }
        let page = self.adoption_page(&rulebook, &draft, now).await?;
        let follows = self.last_comes().await?;
        let effect = check(&rulebook, &page, &asked, now, follows)?;
        let (_, book) = self.published_book(&draft).await?;
        if self.book(book.version()).await?.is_some() {
            return Err(AppError::conflict(
                "This very text was in force before: change a word of it, so that the two can be told apart.",
                "该文本此前已经生效：请作出修改，以便区分。",
            ));
        }
        let predicted = self.replay_of(Arc::clone(&book)).await?;
        let clauses: Clauses = page.seats.into_iter().map(|seat| seat.clause).collect();
        let act = draft_act(EntryKind::RulebookAdopted, &draft)
            .party(&actor.party.id)
            .decided_by(rulebook.version(), &clauses)
            .fact("adopts", book.version())
            .fact("effect", effect)
            .fact("urgent", asked.urgent)
            .fact("changed", predicted.changed())
            .fact("replayed", predicted.replayed())
            .by(&actor.account)
            .sealed("predicted", prediction(&effect_of(&predicted, now))?)
            .sealed("reasons", asked.reasons.trim());
        self.carry_out(turn, act).await?;
        self.announce().await?;
        Ok(effect)
    }

    /// What a draft was predicted to change, and what it changed since it is in force.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn effect(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<Option<EffectPage>> {
        let draft = self.seen_draft(viewer, id).await?.record;
        let Some(adoption) = draft.adoption.clone() else { return Ok(None) };
        let version = draft.published().and_then(|published| published.version.clone());
        let (Some(version), Some(base)) = (version, &draft.base) else { return Ok(None) };
        let earlier = self.book(base).await?;
        let real = match earlier.filter(|_| adoption.effect <= self.clock.now()) {
            Some(earlier) => {
                let replay = self.replay_again(Again::Earlier(version, earlier), &self.replaying).await?;
                Some(effect_of(&replay, self.clock.now()))
            }
            None => None,
        };
        Ok(Some(EffectPage { predicted: adoption.predicted, real }))
    }

    /// What somebody may do with a draft now.
    pub(crate) async fn draft_acts(
        &self,
        actor: &Actor,
        draft: &Draft,
        outdated: bool,
    ) -> Result<Vec<DraftMay>> {
        let mut may = Vec::new();
        if draft.state.is_final() {
            return Ok(may);
        }
        if writes(actor, draft) {
            may.push(DraftMay::Edit);
            if outdated {
                may.push(DraftMay::Rebase);
            }
            if draft.published().is_none_or(|published| published.text != draft.text) {
                may.push(DraftMay::Publish);
            }
            may.push(DraftMay::Withdraw);
        }
        if draft.state == DraftState::Published
            && may_consult(actor, draft)
            && self.consultation_under_way(&draft.id).await?.is_none()
        {
            may.push(DraftMay::Consult);
        }
        let published = draft.state == DraftState::Published && !draft.is_rebased();
        if published && draft.kind == DraftKind::Rulebook {
            let rulebook = self.rulebook();
            if open_seat(&rulebook, draft, actor).is_some() {
                may.push(DraftMay::Approve);
            }
            if holds_a_seat(&rulebook, actor) {
                may.push(DraftMay::Adopt);
            }
        }
        Ok(may)
    }

    /// A published draft of the rulebook, on the base that it was published on.
    async fn adoptable(&self, actor: &Actor, id: &DraftId) -> Result<Draft> {
        let draft = self.seen_draft(Some(actor), id).await?.record;
        if draft.kind != DraftKind::Rulebook || draft.state != DraftState::Published {
            return Err(AppError::conflict(
                "Only a published draft of the rulebook is approved and adopted.",
                "只有已公布的规则草案可以批准和通过。",
            ));
        }
        if draft.is_rebased() {
            return Err(not_published_again());
        }
        Ok(draft)
    }

    /// The published text of a draft as the rulebook that it is, checked again.
    pub(crate) async fn published_book(&self, draft: &Draft) -> Result<(RulebookText, Arc<Rulebook>)> {
        let broken = || {
            AppError::conflict(
                "The published text cannot be read as a rulebook any more: publish it again.",
                "已公布的文本无法作为规则读取：请重新公布。",
            )
        };
        let published = draft.published().ok_or_else(broken)?;
        let text = self.store.draft_text(&draft.id, published.text).await?;
        let checked = self.check_texts(draft.kind, draft.locale, &text.original, &text.translation).await;
        let book = checked.book.filter(|book| published.version.as_ref() == Some(book.version()));
        let book = book.ok_or_else(broken)?;
        let kept = RulebookText {
            version: book.version().clone(),
            en: text.original,
            zh: text.translation,
            in_force: self.clock.now(),
        };
        Ok((kept, book))
    }
}

fn no_seat() -> AppError {
    AppError::forbidden(
        "The rulebook in force prescribes who approves, and this is not one of your approvals. One person gives one.",
        "现行规则规定了批准人员，其中没有待您作出的批准；每人只作一项。",
    )
}

/// The seats in the order of the rulebook, each with the approval that fills it. One account fills one seat.
fn seats(rulebook: &Rulebook, draft: &Draft) -> Vec<SeatView> {
    let workflow = rulebook.workflow();
    let of = |setting: &Option<Setting<Vec<Seat>>>, urgent: bool| -> Vec<SeatView> {
        let seats =
            setting.iter().flat_map(|setting| setting.value.iter().map(|seat| (seat, &setting.clause)));
        seats
            .map(|(seat, clause)| SeatView {
                seat: seat.clone(),
                urgent,
                clause: clause.clone(),
                given: None,
            })
            .collect()
    };
    let mut all = of(&workflow.change_approvals, false);
    all.extend(of(&workflow.change_urgent_approvals, true));
    for approval in &draft.approvals {
        let fits = |seat: &&mut SeatView| {
            seat.given.is_none() && seat.seat.role == approval.role && seat.seat.party == approval.party
        };
        if let Some(seat) = all.iter_mut().find(fits) {
            seat.given = Some(approval.clone());
        }
    }
    all
}

fn is_of(seat: &Seat, actor: &Actor) -> bool {
    seat.party == actor.party.id && actor.is(seat.role)
}

fn open_seat(rulebook: &Rulebook, draft: &Draft, actor: &Actor) -> Option<SeatView> {
    if draft.approvals.iter().any(|approval| approval.account == actor.account) {
        return None;
    }
    seats(rulebook, draft).into_iter().find(|seat| seat.given.is_none() && is_of(&seat.seat, actor))
}

fn holds_a_seat(rulebook: &Rulebook, actor: &Actor) -> bool {
    let prescribed = rulebook.workflow().change_approvals.iter();
    prescribed.flat_map(|setting| &setting.value).any(|seat| is_of(seat, actor))
}

fn adoption_page(
    rulebook: &Rulebook,
    draft: &Draft,
    hindrances: Vec<Hindrance>,
    now: Timestamp,
) -> AdoptionPage {
    let workflow = rulebook.workflow();
    let after = |from: Option<Timestamp>, days: &Option<Setting<u32>>| {
        let days = days.as_ref()?;
        Some((from?.plus_days(i64::from(days.value)), days.clause.clone()))
    };
    // The days of the text that is adopted: an earlier one may have said something else.
    let since = draft.published().map(|publication| publication.at);
    let adoptable_from = after(since, &workflow.change_published_days);
    AdoptionPage {
        seats: seats(rulebook, draft),
        too_early: adoptable_from.as_ref().is_some_and(|(from, _)| *from > now),
        adoptable_from,
        effect_from: after(Some(now), &workflow.change_notice_days),
        may_be_urgent: workflow.change_urgent_approvals.is_some(),
        hindrances,
    }
}

/// The moment of effect, when everything prescribed is there.
fn check(
    rulebook: &Rulebook,
    page: &AdoptionPage,
    asked: &AdoptionRequest,
    now: Timestamp,
    follows: Timestamp,
) -> Result<Timestamp> {
    if rulebook.workflow().change_approvals.is_none() {
        return Err(AppError::conflict(
            "The rulebook in force does not say who approves a change: it cannot be changed here.",
            "现行规则没有规定由谁批准修改，因此不能在此修改。",
        ));
    }
    let missing = page.seats.iter().find(|seat| seat.given.is_none() && (asked.urgent || !seat.urgent));
    if let Some(seat) = missing {
        let (role, party) = (seat.seat.role.code(), &seat.seat.party);
        return Err(AppError::conflict(
            format!("The approval of the {role} of {party} is missing (clause {}).", seat.clause),
            format!("缺少 {party} 的 {role} 的批准（条款 {}）。", seat.clause),
        ));
    }
    if let Some(hindrance) = page.hindrances.iter().find(|hindrance| hindrance.holds(asked.urgent)) {
        return Err(AppError::Conflict(hindrance.words()));
    }
    let wanted = asked.effect.map(Timestamp::from_date);
    if asked.urgent {
        if !page.may_be_urgent || asked.reasons.trim().chars().count() < 10 {
            return Err(AppError::invalid(
                "reasons",
                "Say in a sentence why the change cannot wait.",
                "请用一句话说明为何不能等待。",
            ));
        }
        return urgent_effect(wanted, now, follows);
    }
    if let Some((from, clause)) = page.adoptable_from.as_ref().filter(|(from, _)| *from > now) {
        return Err(AppError::conflict(
            format!(
                "The draft must stand open until {} before it is adopted (clause {clause}).",
                from.date()
            ),
            format!("草案须公开至 {} 方可通过（条款 {clause}）。", from.date()),
        ));
    }
    // What it is built on comes first, after the notice that was given of it.
    let earliest = page.effect_from.as_ref().map_or(now, |(from, _)| *from).max(follows);
    match wanted {
        None => Ok(earliest),
        Some(day) if day.date() >= earliest.date() => Ok(day.max(earliest)),
        Some(_) => Err(AppError::invalid(
            "effect",
            format!("The first day on which it may hold is {}.", earliest.date()),
            format!("最早可于 {} 生效。", earliest.date()),
        )),
    }
}

/// The moment of effect of what cannot wait: at once, but never before what it is built on. That is coming with its
/// notice, and a change of it would bring all of it into force early.
fn urgent_effect(wanted: Option<Timestamp>, now: Timestamp, follows: Timestamp) -> Result<Timestamp> {
    let day = wanted.map_or(now, |day| day.max(now));
    if day.date() >= follows.date() {
        return Ok(day.max(follows));
    }
    let first = follows.date();
    Err(AppError::invalid(
        "effect",
        format!(
            "The rulebook that this draft is built on is adopted and holds from {first} on. Not even a change that cannot wait brings it into force before, without its notice: choose {first} or a later day."
        ),
        format!(
            "该草案所依据的规则已经通过，自 {first} 起生效。即使是不能等待的修改，也不得使其提前生效：请选择 {first} 或之后的日期。"
        ),
    ))
}

/// A prediction as the ledger seals it.
fn prediction(effect: &Effect) -> Result<String> {
    serde_json::to_string(effect).map_err(|error| {
        tracing::error!(%error, "a prediction could not be written as JSON");
        AppError::unavailable("The prediction could not be written. Try again.", "无法写入预测结果，请重试。")
    })
}

/// A replay in numbers that are kept.
pub(crate) fn effect_of(replay: &Replay, at: Timestamp) -> Effect {
    let counts = |counts: &Counts| counts.iter().map(|(flip, n)| (flip.code().to_owned(), *n)).collect();
    Effect {
        at,
        decisions: replay.decisions,
        replayed: replay.replayed(),
        counts: counts(&replay.counts),
        by_class: replay.by_class.iter().map(|(class, c)| (class.code().to_owned(), counts(c))).collect(),
        by_dataset: replay
            .by_dataset
            .iter()
            .map(|(id, c)| (id.to_string(), counts(c)))
            .collect::<BTreeMap<_, _>>(),
        amended: replay.amended.as_ref().map(|amended| counts(&amended.counts)),
    }
}
