//! A draft and its consultations are one loop: what was asked on which of its texts, what was answered, and which clause
//! changed because of whom. An adopted clause leads back to the contributions behind it.

use crate::{Actor, App, AppError, ConsultationCard, ContributionView, drafting::not_yours, error::Result};
use cogov_model::{
    Answer, AnswerOutcome, ClauseId, ConsultationId, ConsultationState, ConsultedClause, Draft, DraftId,
    DraftKind, DraftState, Locale, PartyClass, Publication, Role, RulebookVersion, Text, Timestamp,
};
use cogov_rulebook::{Clause, Rulebook, Setting};
use cogov_store::{ContributionFilter, Page};
use std::collections::{BTreeMap, BTreeSet};

/// Contributions of one answer that are read with a clause; its own page has all of them.
const SHOWN: u32 = 20;
/// Rulebooks of a lineage that a page looks back at.
const LINEAGE: usize = 100;

/// A draft's clauses as a consultation keeps them.
#[derive(Debug, Clone)]
pub struct DraftSnapshot {
    /// The draft.
    pub id: DraftId,
    /// What it is called.
    pub title: Text,
    /// What it wants to change, and why.
    pub summary: Text,
    /// Which of its texts.
    pub text: u64,
    /// The rulebook that it would be; none for a text without rules.
    pub version: Option<RulebookVersion>,
    /// Its clauses: anchor, title, words and rules.
    pub clauses: Vec<Clause>,
    /// The days for which a consultation on it takes opinions at least, with the clause of the rulebook in force that
    /// says so.
    pub open_days: Option<Setting<u32>>,
}

impl DraftSnapshot {
    /// The clauses as they are consulted on: words, and under them the rules to the letter.
    #[must_use]
    pub fn consulted(&self) -> Vec<ConsultedClause> {
        self.clauses.iter().map(consulted).collect()
    }

    /// Whether it can be consulted on between two moments: a consultation that is too short would count for nothing,
    /// and its dates stay as they are once it is opened.
    ///
    /// # Errors
    /// `Invalid` names the days, the clause and a moment that would do.
    pub(crate) fn check_days(&self, opens: Timestamp, closes: Timestamp) -> Result<()> {
        let Some(days) = self.open_days.as_ref().filter(|days| !lasts(opens, closes, days.value)) else {
            return Ok(());
        };
        let (least, clause) = (days.value, &days.clause);
        // Midnight after it, so that the moments of filling in the form do not matter.
        let enough = opens.plus_days(i64::from(least) + 1).date();
        Err(AppError::invalid(
            "closes",
            format!(
                "A consultation on a change of the rules takes opinions for at least {least} days (clause {clause}): let it close later, for example at {enough}T00:00 UTC."
            ),
            format!(
                "就规则修改征求意见的期限不少于 {least} 日（条款 {clause}）：请推迟截止时间，例如 {enough}T00:00（UTC）。"
            ),
        ))
    }
}

/// A consultation on a draft.
#[derive(Debug, Clone)]
pub struct DraftConsultation {
    /// From when opinions on its text could be given: the later of its opening and the text's publication.
    pub from: Timestamp,
    /// The consultation.
    pub card: ConsultationCard,
    /// The number of the text that it is on.
    pub text: u64,
}

/// An answer that led to the change of a clause, with contributions that it answers.
#[derive(Debug, Clone)]
pub struct Voice {
    /// The consultation.
    pub consultation: ConsultationId,
    /// The answer.
    pub answer: Answer,
    /// The first of the contributions; [`Answer::contributions`] says how many there are.
    pub contributions: Vec<ContributionView>,
}

/// What became of a draft in its consultations.
#[derive(Debug, Clone, Default)]
pub struct Consulted {
    /// The consultations, oldest first.
    pub consultations: Vec<DraftConsultation>,
    /// By clause, the answers that say that they changed it.
    pub voices: BTreeMap<ClauseId, Vec<Voice>>,
    /// Clauses of the published text that are not as they were consulted on, though no answer says so.
    pub unexplained: Vec<ClauseId>,
    /// Clauses that an answer of a concluded one says were changed and that are as it had them, unless the answers of
    /// a later one speak of them.
    pub unkept: Vec<ClauseId>,
}

/// What a draft's consultations leave to be done before it may be adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// The consultation of this title is not concluded.
    UnderWay(Text),
    /// The rulebook prescribes a consultation and none was concluded.
    NotConsulted(ClauseId),
    /// The last consultation, of this title, takes opinions for fewer days than the rulebook prescribes.
    TooShort {
        /// What it is called.
        title: Text,
        /// The days, with the clause that says so.
        days: Setting<u32>,
    },
    /// Clauses changed after the consultation without an answer that says so.
    Unexplained(Vec<ClauseId>),
    /// Answers promise changes of clauses that did not change.
    Unkept(Vec<ClauseId>),
}

impl Hindrance {
    /// Whether it stands in the way of a change: what cannot wait waits for a consultation under way only.
    #[must_use]
    pub const fn holds(&self, urgent: bool) -> bool {
        matches!(self, Hindrance::UnderWay(_)) || !urgent
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> Text {
        let list = |clauses: &[ClauseId], by: &str| {
            clauses.iter().map(ToString::to_string).collect::<Vec<_>>().join(by)
        };
        match self {
            Hindrance::UnderWay(title) => Text::new(
                format!(
                    "The consultation “{}” on this draft is not concluded: every contribution must have its answer first.",
                    title.en
                ),
                format!("就该草案进行的征求意见“{}”尚未办结：须先逐条答复。", title.zh),
            ),
            Hindrance::NotConsulted(clause) => Text::new(
                format!(
                    "A consultation on this draft must be concluded before it is adopted (clause {clause})."
                ),
                format!("须就该草案征求意见并办结，方可通过（条款 {clause}）。"),
            ),
            Hindrance::TooShort { title, days } => Text::new(
                format!(
                    "The consultation “{}” does not count: it takes opinions for fewer than {} days (clause {}). Once it is concluded, open another that lasts as long.",
                    title.get(Locale::En),
                    days.value,
                    days.clause
                ),
                format!(
                    "征求意见“{}”的期限不足 {} 日（条款 {}），不予计入。办结之后，请另行发起期限足够的征求意见。",
                    title.get(Locale::ZhHans),
                    days.value,
                    days.clause
                ),
            ),
            Hindrance::Unexplained(clauses) => Text::new(
                format!(
                    "These clauses changed after the consultation, and no answer says so: {}. Consult on the new text, or publish them as they were.",
                    list(clauses, ", ")
                ),
                format!(
                    "以下条款在征求意见之后作了修改，但没有任何答复说明：{}。请就新文本征求意见，或按原文公布。",
                    list(clauses, "、")
                ),
            ),
            Hindrance::Unkept(clauses) => Text::new(
                format!(
                    "Answers say that these clauses were changed, and the published text does not: {}. Change them and publish.",
                    list(clauses, ", ")
                ),
                format!(
                    "答复称以下条款已修改，但已公布的文本并未修改：{}。请修改后公布。",
                    list(clauses, "、")
                ),
            ),
        }
    }
}

/// How a clause of a rulebook came to be as it is: a draft that changed it, and because of whom.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The draft.
    pub draft: DraftId,
    /// What it is called.
    pub title: Text,
    /// When it was adopted.
    pub adopted: Timestamp,
    /// The answers that led to the change, with contributions.
    pub voices: Vec<Voice>,
}

/// Why a rulebook's clauses are as they are, newest change first.
pub type Origins = BTreeMap<ClauseId, Vec<Origin>>;

impl App {
    /// What a consultation keeps of a published draft: the clauses of its published text.
    ///
    /// # Errors
    /// `Forbidden` for others than its proposer's drafters, heads and administrators, `Conflict` when it is not
    /// published.
    pub async fn draft_for_consultation(&self, actor: &Actor, id: &DraftId) -> Result<DraftSnapshot> {
        actor.require(&CONSULTERS)?;
        let draft = self.seen_draft(Some(actor), id).await?.record;
        if !may_consult(actor, &draft) {
            return Err(not_yours());
        }
        let published = draft.published().filter(|_| draft.state == DraftState::Published);
        let published = published.ok_or_else(|| {
            AppError::conflict("The draft is not open: publish it first.", "该草案未处于公开状态：请先公布。")
        })?;
        Ok(DraftSnapshot {
            id: draft.id.clone(),
            title: draft.title.clone(),
            summary: draft.summary.clone(),
            text: published.text,
            version: published.version.clone(),
            clauses: self.draft_clauses(&draft, published.text).await?,
            open_days: prescribed_days(&self.rulebook(), draft.kind).cloned(),
        })
    }

    /// A draft's consultations, and which clause changed because of whom.
    ///
    /// # Errors
    /// `NotFound` when there is no such draft, or none that this person may see.
    pub async fn draft_consulted(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<Consulted> {
        let draft = self.seen_draft(viewer, id).await?.record;
        self.consulted_on(&draft).await
    }

    /// Why the clauses of a rulebook are as they are, back to the one that shipped.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn clause_origins(&self, version: &RulebookVersion) -> Result<Origins> {
        let drafts: BTreeMap<RulebookVersion, Draft> = self
            .drafts(None)
            .await?
            .into_iter()
            .filter(|card| card.draft.adoption.is_some())
            .filter_map(|card| Some((card.draft.published()?.version.clone()?, card.draft)))
            .collect();
        let mut origins = Origins::new();
        let mut next = Some(version.clone());
        for _ in 0..LINEAGE {
            let Some(draft) = next.as_ref().and_then(|version| drafts.get(version)) else { break };
            self.add_origins(&mut origins, draft).await?;
            next.clone_from(&draft.base);
        }
        Ok(origins)
    }

    async fn add_origins(&self, origins: &mut Origins, draft: &Draft) -> Result<()> {
        let Some(adoption) = &draft.adoption else { return Ok(()) };
        let mut voices = self.consulted_on(draft).await?.voices;
        let published = draft.published().and_then(|published| published.version.clone());
        let (mut books, versions) = (Vec::new(), [draft.base.clone(), published]);
        for version in versions.iter().flatten() {
            books.extend(self.book(version).await?);
        }
        let changed = match &books[..] {
            [base, book] => base.compare(book),
            _ => Vec::new(),
        };
        let changed: BTreeSet<ClauseId> =
            changed.into_iter().map(|change| change.anchor).chain(voices.keys().cloned()).collect();
        for clause in changed {
            let origin = Origin {
                draft: draft.id.clone(),
                title: draft.title.clone(),
                adopted: adoption.at,
                voices: voices.remove(&clause).unwrap_or_default(),
            };
            origins.entry(clause).or_default().push(origin);
        }
        Ok(())
    }

    /// The consultation on a draft that is not concluded.
    pub(crate) async fn consultation_under_way(&self, id: &DraftId) -> Result<Option<ConsultationId>> {
        let all = self.store.consultations_on(id).await?;
        let open = all.into_iter().find(|found| found.consultation.conclusion.is_none());
        Ok(open.map(|found| found.consultation.id))
    }

    pub(crate) async fn consulted_on(&self, draft: &Draft) -> Result<Consulted> {
        let mut all = Consulted::default();
        let mut concluded = Vec::new();
        for found in self.store.consultations_on(&draft.id).await? {
            let id = found.consultation.id.clone();
            let text = found.consultation.draft.as_ref().and_then(|reference| Some(reference.parts()?.1));
            let card = self.consultation_card(found).await?;
            let mut named = BTreeSet::new();
            for voice in self.voices(&id).await? {
                if let AnswerOutcome::Change { clause, .. } = &voice.answer.outcome {
                    named.insert(clause.clone());
                    all.voices.entry(clause.clone()).or_default().push(voice);
                }
            }
            let text = text.unwrap_or_default();
            let published = draft.publications.iter().find(|published| published.text == text);
            if card.state == ConsultationState::Concluded {
                concluded.push(Held {
                    id,
                    named,
                    base: published.and_then(|published| published.base.clone()),
                });
            }
            let opens = card.consultation.opens;
            let from = published.map_or(opens, |published| opens.max(published.at));
            all.consultations.push(DraftConsultation { from, card, text });
        }
        if let Some(published) = draft.published() {
            self.compare_answers(draft, published, &concluded, &mut all).await?;
        }
        Ok(all)
    }

    /// Compares what the concluded consultations named as changed, oldest first, with what changed since each.
    async fn compare_answers(
        &self,
        draft: &Draft,
        published: &Publication,
        concluded: &[Held],
        all: &mut Consulted,
    ) -> Result<()> {
        let Some(last) = concluded.last() else { return Ok(()) };
        let now = by_anchor(self.draft_clauses(draft, published.text).await?.iter().map(consulted));
        let mut changed = self.changed_since(&last.id, &now).await?;
        if let (Some(then), Some(base)) = (&last.base, &published.base)
            && then != base
        {
            // What another rulebook changed meanwhile is no change of the draft where the draft has it too, and is one where
            // the draft takes it back in the words that were consulted on.
            let (then, base) = (self.clauses_in(draft, then).await?, self.clauses_in(draft, base).await?);
            for anchor in
                then.keys().chain(base.keys()).filter(|anchor| then.get(*anchor) != base.get(*anchor))
            {
                match now.get(anchor) == base.get(anchor) {
                    true => changed.remove(anchor),
                    false => changed.insert(anchor.clone()),
                };
            }
        }
        all.unexplained = changed.difference(&last.named).cloned().collect();
        let (mut unkept, mut later) = (BTreeSet::<ClauseId>::new(), BTreeSet::<ClauseId>::new());
        for Held { id, named, .. } in concluded.iter().rev() {
            if named.is_empty() {
                continue;
            }
            let changed = self.changed_since(id, &now).await?;
            unkept.extend(named.difference(&changed).filter(|clause| !later.contains(*clause)).cloned());
            later.extend(named.iter().cloned());
        }
        all.unkept = unkept.into_iter().collect();
        Ok(())
    }

    /// The answers that led to a change, with contributions. An answer that no contribution has any more is nobody's.
    async fn voices(&self, id: &ConsultationId) -> Result<Vec<Voice>> {
        let mut voices = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.answers(id, &page).await?;
            for answer in found.items {
                if answer.contributions > 0 && matches!(answer.outcome, AnswerOutcome::Change { .. }) {
                    let filter =
                        ContributionFilter { answer: Some(answer.number), ..ContributionFilter::default() };
                    let contributions =
                        self.contributions(None, id, &filter, &Page::first(SHOWN)).await?.items;
                    voices.push(Voice { consultation: id.clone(), answer, contributions });
                }
            }
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(voices),
            }
        }
    }

    /// Clauses that are not as a consultation had them.
    async fn changed_since(
        &self,
        consultation: &ConsultationId,
        after: &BTreeMap<ClauseId, ConsultedClause>,
    ) -> Result<BTreeSet<ClauseId>> {
        let before = self.store.consultation_text(consultation).await?;
        let before = by_anchor(before.into_iter().map(|counted| counted.clause));
        let anchors: BTreeSet<&ClauseId> = before.keys().chain(after.keys()).collect();
        let changed = anchors.into_iter().filter(|anchor| before.get(*anchor) != after.get(*anchor));
        Ok(changed.cloned().collect())
    }

    /// The clauses of a rulebook that was adopted, as they would be consulted on.
    async fn clauses_in(
        &self,
        draft: &Draft,
        version: &RulebookVersion,
    ) -> Result<BTreeMap<ClauseId, ConsultedClause>> {
        let kept = self.store.rulebooks().await?.into_iter().find(|text| text.version == *version);
        let Some(text) = kept else { return Ok(BTreeMap::new()) };
        let checked = self.check_texts(draft.kind, Locale::En, &text.en, &text.zh).await;
        Ok(by_anchor(checked.clauses.iter().map(consulted)))
    }

    async fn draft_clauses(&self, draft: &Draft, text: u64) -> Result<Vec<Clause>> {
        let text = self.store.draft_text(&draft.id, text).await?;
        let checked = self.check_texts(draft.kind, draft.locale, &text.original, &text.translation).await;
        Ok(checked.clauses)
    }

    /// The clauses of the published text of the draft that a consultation is about: answers may name those that it
    /// did not have yet.
    pub(crate) async fn clauses_of_draft(&self, id: &ConsultationId) -> Result<Vec<Clause>> {
        let reference = self.consultation_record(id).await?.draft.and_then(|reference| reference.parts());
        let Some((draft, _)) = reference else { return Ok(Vec::new()) };
        let Some(draft) = crate::error::found(self.store.draft(&draft).await)? else { return Ok(Vec::new()) };
        match draft.record.published() {
            Some(published) => self.draft_clauses(&draft.record, published.text).await,
            None => Ok(Vec::new()),
        }
    }
}

/// A consultation that is concluded.
struct Held {
    id: ConsultationId,
    /// The clauses that its answers named as changed.
    named: BTreeSet<ClauseId>,
    /// What the text that was consulted on branched from.
    base: Option<RulebookVersion>,
}

/// Who may open a consultation on a draft of their party.
const CONSULTERS: [Role; 3] = [Role::Drafter, Role::Head, Role::Admin];

/// Whether somebody may open a consultation on a draft.
pub(crate) fn may_consult(actor: &Actor, draft: &Draft) -> bool {
    actor.is_any(&CONSULTERS)
        && actor.party.id == draft.proposer
        && actor.party.class == PartyClass::Government
}

/// The days for which a consultation on a draft of this kind takes opinions at least: changes of rules only have any.
fn prescribed_days(rulebook: &Rulebook, kind: DraftKind) -> Option<&Setting<u32>> {
    rulebook.workflow().consultation_days().filter(|_| kind == DraftKind::Rulebook)
}

/// Whether there are so many days between two moments.
fn lasts(from: Timestamp, until: Timestamp, days: u32) -> bool {
    from.plus_days(i64::from(days)) <= until
}

/// What stands in the way of an adoption, by the rulebook in force.
pub(crate) fn hindrances(rulebook: &Rulebook, consulted: &Consulted) -> Vec<Hindrance> {
    let mut all = Vec::new();
    let concluded = |found: &DraftConsultation| found.card.state == ConsultationState::Concluded;
    if let Some(open) = consulted.consultations.iter().find(|found| !concluded(found)) {
        all.push(Hindrance::UnderWay(open.card.consultation.title.clone()));
    }
    let Some(prescribed) = rulebook.workflow().change_consulted.as_ref().filter(|setting| setting.value)
    else {
        return all;
    };
    if !consulted.consultations.iter().any(concluded) && all.is_empty() {
        all.push(Hindrance::NotConsulted(prescribed.clause.clone()));
    }
    // The last one is what the text is compared with. Its dates are known before it closes, so that nobody waits in vain.
    if let (Some(last), Some(days)) =
        (consulted.consultations.last(), rulebook.workflow().consultation_days())
        && !lasts(last.from, last.card.consultation.closes, days.value)
    {
        let title = last.card.consultation.title.clone();
        all.push(Hindrance::TooShort { title, days: days.clone() });
    }
    if !consulted.unexplained.is_empty() {
        all.push(Hindrance::Unexplained(consulted.unexplained.clone()));
    }
    if !consulted.unkept.is_empty() {
        all.push(Hindrance::Unkept(consulted.unkept.clone()));
    }
    all
}

fn by_anchor(clauses: impl Iterator<Item = ConsultedClause>) -> BTreeMap<ClauseId, ConsultedClause> {
    clauses.map(|clause| (clause.anchor.clone(), clause)).collect()
}

/// A clause as it is consulted on: its words, and under them its rules and settings to the letter.
fn consulted(clause: &Clause) -> ConsultedClause {
    let rules = clause.rules.iter().map(|rule| format!("\n\n```cedar\n{}\n```", rule.trim_end()));
    let settings = clause.settings.iter().map(|set| format!("\n\n```workflow\n{}\n```", set.trim_end()));
    let below: String = rules.chain(settings).collect();
    let words =
        |words: &str| if words.is_empty() { String::new() } else { format!("{}{below}", words.trim_end()) };
    ConsultedClause {
        anchor: clause.anchor.clone(),
        title: clause.title.clone(),
        words: Text::new(words(&clause.markdown.en), words(&clause.markdown.zh)),
    }
}
