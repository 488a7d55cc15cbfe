//! Drafts: branch the rulebook in force or begin another text, write with checks, publish, take back.

use crate::{
    Actor, App, AppError, Checked, EntryView, draft_acts,
    error::{Result, found},
    record::Act,
};
use cogov_model::{
    Clauses, Draft, DraftId, DraftKind, DraftState, DraftText, EntryKind, Locale, Outcome, Party, Role,
    RulebookVersion, Text,
};
use cogov_rulebook::{ClauseDifference, Rulebook};
use cogov_store::{EntryFilter, Page, Revised};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Characters of a title and of a summary at most.
const TITLE: usize = 160;
const SUMMARY: usize = 4000;

/// What a draft's words are changed to.
#[derive(Debug, Clone, Default)]
pub struct DraftWords {
    /// What it is called.
    pub title: Text,
    /// What it wants to change, and why.
    pub summary: Text,
    /// The text in the language of the rules.
    pub original: String,
    /// The same clauses in the other language.
    pub translation: String,
}

/// A draft in a list.
#[derive(Debug, Clone)]
pub struct DraftCard {
    /// The draft.
    pub draft: Draft,
    /// Its state, with the clock.
    pub state: &'static str,
    /// Who proposes it.
    pub proposer: Party,
}

/// What somebody may do with a draft now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftMay {
    /// Change its texts.
    Edit,
    /// Publish its newest text.
    Publish,
    /// Open a consultation on its published text.
    Consult,
    /// Take it back.
    Withdraw,
    /// Branch anew from the rulebook that is in force now, keeping the texts.
    Rebase,
    /// Give one of the prescribed approvals.
    Approve,
    /// Adopt it.
    Adopt,
}

/// A draft's page.
#[derive(Debug, Clone)]
pub struct PolicyDraftPage {
    /// The draft with its place in the list.
    pub card: DraftCard,
    /// Its revision: hand it back with a change.
    pub revision: u64,
    /// The text that this person reads: the newest for its writers, the published one for others.
    pub text: DraftText,
    /// Whether that text is the one that everybody reads: what is approved and adopted.
    pub is_published: bool,
    /// What is found in it.
    pub checked: Checked,
    /// The rulebook that this text branches from.
    pub base: Option<Arc<Rulebook>>,
    /// Whether another rulebook is in force, or coming, than the one it branches from.
    pub outdated: bool,
    /// What this person may do.
    pub may: Vec<DraftMay>,
}

impl PolicyDraftPage {
    /// Whether rulebooks may have decided that came after the base of this text: those that overtook it, and the draft
    /// itself once it is adopted. What the base decides otherwise than was recorded then comes of more than the
    /// amendments before it.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        let draft = &self.card.draft;
        self.outdated || draft.state.is_final() || draft.base_of(self.text.number) != draft.base.as_ref()
    }

    /// How it differs from what it branches from, clause by clause, in the words of a language.
    #[must_use]
    pub fn differences(&self, locale: Locale) -> Vec<ClauseDifference> {
        match (&self.base, &self.checked.book) {
            (Some(base), Some(book)) => base.differences(book, locale),
            _ => Vec::new(),
        }
    }
}

impl App {
    /// Branches the rulebook in force: a draft with its texts, to be changed.
    ///
    /// # Errors
    /// `Forbidden` for those who draft nothing.
    pub async fn branch_rulebook(&self, actor: &Actor) -> Result<DraftId> {
        actor.require(&[Role::Drafter])?;
        let base = self.newest_rulebook().await?;
        let name = base.title.clone();
        let words = DraftWords {
            title: Text::new(format!("Changes to: {}", name.en), format!("修改：{}", name.zh)),
            summary: Text::default(),
            original: base.en,
            translation: base.zh,
        };
        self.begin(actor, DraftKind::Rulebook, Some(base.version), Locale::En, words).await
    }

    /// Begins another policy text, split into clauses by its own headings and article numbers.
    ///
    /// # Errors
    /// `Invalid` when the title or the text cannot be used.
    pub async fn begin_text(&self, actor: &Actor, title: &str, text: &str) -> Result<DraftId> {
        actor.require(&[Role::Drafter])?;
        let original = cogov_rulebook::split(text).map_err(|error| split_error(&error))?;
        // What the text is written in decides which side of both languages it stands on.
        let chinese = original.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
        let locale = if chinese * 5 > original.chars().count() { Locale::ZhHans } else { Locale::En };
        let title = match locale {
            Locale::En => Text::new(title, ""),
            Locale::ZhHans => Text::new("", title),
        };
        let words = DraftWords { title, summary: Text::default(), original, translation: String::new() };
        self.begin(actor, DraftKind::Text, None, locale, words).await
    }

    async fn begin(
        &self,
        actor: &Actor,
        kind: DraftKind,
        base: Option<RulebookVersion>,
        locale: Locale,
        words: DraftWords,
    ) -> Result<DraftId> {
        check_words(&words)?;
        let now = self.clock.now();
        let draft = Draft {
            id: DraftId::new(self.new_id("d")?)
                .map_err(|error| AppError::invalid("id", error.to_string(), ""))?,
            kind,
            title: words.title,
            summary: words.summary,
            proposer: actor.party.id.clone(),
            account: actor.account.clone(),
            locale,
            base,
            state: DraftState::Writing,
            made_at: now,
            text: 1,
            publications: Vec::new(),
            approvals: Vec::new(),
            adoption: None,
            entry: None,
        };
        let first = DraftText {
            number: 1,
            title: draft.title.clone(),
            summary: draft.summary.clone(),
            original: words.original,
            translation: words.translation,
            account: actor.account.clone(),
            at: now,
        };
        self.store.add_draft(&draft, &first).await?;
        Ok(draft.id)
    }

    /// Saves a draft's words; they become its newest text. What it is called and why are part of a text: once one is
    /// published, everybody reads the published ones until another is. Returns its new revision.
    ///
    /// # Errors
    /// `Forbidden` for others than its proposer's drafters, `Conflict` when somebody else saved in between.
    pub async fn save_draft(
        &self,
        actor: &Actor,
        id: &DraftId,
        revision: u64,
        words: DraftWords,
    ) -> Result<u64> {
        check_words(&words)?;
        let _turn = self.draft_turn().await?;
        let mut draft = self.written_by(actor, id).await?.record;
        let last = self.text_of(&draft, draft.text).await?;
        let same = (&last.original, &last.translation) == (&words.original, &words.translation)
            && (&last.title, &last.summary) == (&words.title, &words.summary);
        if draft.publications.is_empty() {
            (draft.title, draft.summary) = (words.title.clone(), words.summary.clone());
        }
        let new = DraftText {
            number: draft.text + 1,
            title: words.title,
            summary: words.summary,
            original: words.original,
            translation: words.translation,
            account: actor.account.clone(),
            at: self.clock.now(),
        };
        if same {
            return Ok(self.store.update_draft(&draft, revision, None).await?);
        }
        draft.text = new.number;
        Ok(self.store.update_draft(&draft, revision, Some(&new)).await?)
    }

    /// The drafts that somebody may see, newest first: published ones, and those of their own party.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn drafts(&self, viewer: Option<&Actor>) -> Result<Vec<DraftCard>> {
        let mut cards = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.drafts(&page).await?;
            for draft in found.items.into_iter().map(|item| item.record) {
                if may_see(viewer, &draft) {
                    cards.push(self.draft_card(draft).await?);
                }
            }
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(cards),
            }
        }
    }

    /// A draft in short.
    ///
    /// # Errors
    /// `NotFound` when there is none, or none that this person may see.
    pub async fn draft_card_of(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<DraftCard> {
        let draft = self.seen_draft(viewer, id).await?.record;
        self.draft_card(draft).await
    }

    /// A draft's page, with its newest text for those who write it.
    ///
    /// # Errors
    /// `NotFound` when there is none, or none that this person may see.
    pub async fn policy_draft(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<PolicyDraftPage> {
        let found = self.seen_draft(viewer, id).await?;
        let newest = viewer.is_some_and(|actor| writes(actor, &found.record));
        self.draft_page(viewer, found, newest).await
    }

    /// A draft's page with the published text, for its writers too: who approves reads what is approved. The newest
    /// text where none is published.
    ///
    /// # Errors
    /// As `policy_draft`.
    pub async fn published_draft(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<PolicyDraftPage> {
        let found = self.seen_draft(viewer, id).await?;
        self.draft_page(viewer, found, false).await
    }

    async fn draft_page(
        &self,
        viewer: Option<&Actor>,
        found: Revised<Draft>,
        newest: bool,
    ) -> Result<PolicyDraftPage> {
        let (draft, revision) = (found.record, found.revision);
        let published = draft.published().map(|published| published.text);
        let number = published.filter(|_| !newest).unwrap_or(draft.text);
        let text = self.text_of(&draft, number).await?;
        let checked = self.check_texts(draft.kind, draft.locale, &text.original, &text.translation).await;
        let base = match draft.base_of(text.number) {
            Some(version) => self.book(version).await?,
            None => None,
        };
        let outdated = self.is_outdated(&draft).await?;
        let may = match viewer {
            Some(actor) => self.draft_acts(actor, &draft, outdated).await?,
            None => Vec::new(),
        };
        Ok(PolicyDraftPage {
            card: self.draft_card(draft).await?,
            revision,
            is_published: published == Some(text.number),
            text,
            checked,
            base,
            outdated,
            may,
        })
    }

    /// One of a draft's texts, with what the draft was called and why. Texts of before these were kept with them have
    /// the draft's.
    pub(crate) async fn text_of(&self, draft: &Draft, number: u64) -> Result<DraftText> {
        let mut text = self.store.draft_text(&draft.id, number).await?;
        // No text is saved without a title.
        if text.title.is_empty() {
            (text.title, text.summary) = (draft.title.clone(), draft.summary.clone());
        }
        Ok(text)
    }

    /// Publishes the newest text of a draft, its title and reasons with it, as a change of what it branches from:
    /// everybody reads it, approvals begin anew.
    ///
    /// # Errors
    /// `Invalid` when it has faults.
    pub async fn publish_draft(&self, actor: &Actor, id: &DraftId) -> Result<u64> {
        self.publish_read(actor, id, None).await
    }

    /// The same of the text that somebody read, by its number.
    ///
    /// # Errors
    /// `Conflict` when another was written since.
    pub async fn publish_text(&self, actor: &Actor, id: &DraftId, read: u64) -> Result<u64> {
        self.publish_read(actor, id, Some(read)).await
    }

    async fn publish_read(&self, actor: &Actor, id: &DraftId, read: Option<u64>) -> Result<u64> {
        let turn = self.draft_turn().await?;
        let mut draft = self.written_by(actor, id).await?.record;
        if read.is_some_and(|read| read != draft.text) {
            return Err(AppError::conflict(
                "Another text was written since: read it before you publish it.",
                "此后已有新的文本：请先阅读再公布。",
            ));
        }
        if draft.published().is_some_and(|published| published.text == draft.text) {
            return Err(AppError::conflict(
                "This text is published already: change it first.",
                "这一文本已经公布：请先修改。",
            ));
        }
        let text = self.text_of(&draft, draft.text).await?;
        let checked = self.check_texts(draft.kind, draft.locale, &text.original, &text.translation).await;
        if !checked.faults.is_empty() || checked.clauses.is_empty() {
            return Err(AppError::invalid(
                "original",
                "The text has faults: put them right, then publish.",
                "文本有错误：请先改正，再公布。",
            ));
        }
        // The entry names it as it is called from now on.
        draft.title.clone_from(&text.title);
        let act = draft_act(EntryKind::DraftPublished, &draft)
            .fact("text", draft.text)
            .fact("sha256", digest(&text))
            .fact("summary_sha256", summary_digest(&text))
            .fact("clauses", checked.clauses.len())
            .by(&actor.account);
        // What it changes follows from what it branches from: that is published and approved with it.
        let act = draft.base.iter().fold(act, |act, base| act.fact("base", base));
        let act = match &checked.book {
            Some(book) => act.decided_by(book.version(), &Clauses::new()),
            None => act,
        };
        self.carry_out(turn, act).await
    }

    /// Takes a draft back. It stays readable where it was published.
    ///
    /// # Errors
    /// `Conflict` when it was adopted.
    pub async fn withdraw_draft(&self, actor: &Actor, id: &DraftId) -> Result<()> {
        let turn = self.draft_turn().await?;
        let Revised { record: mut draft, revision } = self.written_by(actor, id).await?;
        if draft.state == DraftState::Published {
            let act = draft_act(EntryKind::DraftWithdrawn, &draft).by(&actor.account);
            return self.carry_out(turn, act).await.map(|_| ());
        }
        draft.state = DraftState::Withdrawn;
        self.store.update_draft(&draft, revision, None).await?;
        Ok(())
    }

    /// The ledger's entries about a draft, oldest first.
    ///
    /// # Errors
    /// When ledger or index cannot be read.
    pub async fn draft_history(&self, viewer: Option<&Actor>, draft: &Draft) -> Result<Vec<EntryView>> {
        let ours = |view: &EntryView| view.entry.facts.get("draft").is_some_and(|id| id == draft.id.as_str());
        let mut views = Vec::new();
        for kind in draft_acts::KINDS {
            let filter =
                EntryFilter { kind: Some(kind), from: Some(draft.made_at), ..EntryFilter::default() };
            let found = self.entries(viewer, &filter, &Page::first(Page::MOST)).await?;
            views.extend(found.items.into_iter().filter(ours));
        }
        views.sort_by_key(|view| view.index);
        Ok(views)
    }

    /// A draft that this person may see.
    pub(crate) async fn seen_draft(&self, viewer: Option<&Actor>, id: &DraftId) -> Result<Revised<Draft>> {
        let draft = found(self.store.draft(id).await)?.filter(|draft| may_see(viewer, &draft.record));
        draft.ok_or_else(|| {
            AppError::not_found(format!("There is no draft {id}."), format!("没有草案 {id}。"))
        })
    }

    /// A draft that is still being worked on and that this person may write.
    pub(crate) async fn written_by(&self, actor: &Actor, id: &DraftId) -> Result<Revised<Draft>> {
        actor.require(&[Role::Drafter])?;
        let draft = self.seen_draft(Some(actor), id).await?;
        if draft.record.proposer != actor.party.id {
            return Err(not_yours());
        }
        if draft.record.state.is_final() {
            return Err(AppError::conflict(
                "The draft is adopted or taken back: begin another one.",
                "该草案已通过或已撤回：请另起草案。",
            ));
        }
        Ok(draft)
    }

    pub(crate) async fn draft_card(&self, draft: Draft) -> Result<DraftCard> {
        Ok(DraftCard {
            state: draft.state_at(self.clock.now()),
            proposer: self.party_or_unknown(&draft.proposer).await?,
            draft,
        })
    }
}

/// Whether somebody is among the writers of a draft.
pub(crate) fn writes(actor: &Actor, draft: &Draft) -> bool {
    actor.is(Role::Drafter) && actor.party.id == draft.proposer
}

fn may_see(viewer: Option<&Actor>, draft: &Draft) -> bool {
    !draft.publications.is_empty() || viewer.is_some_and(|actor| writes(actor, draft))
}

pub(crate) fn not_yours() -> AppError {
    AppError::forbidden(
        "The draft is another party's: only its drafters change it.",
        "该草案属于其他主体：只有其起草人员可以修改。",
    )
}

/// An entry about a draft.
pub(crate) fn draft_act(kind: EntryKind, draft: &Draft) -> Act {
    let title = if draft.title.en.is_empty() { &draft.title.zh } else { &draft.title.en };
    Act::new(kind, Outcome::Done)
        .party(&draft.proposer)
        .fact("draft", &draft.id)
        .fact("title", title)
        .fact("draft_kind", draft.kind.code())
}

/// SHA-256 over both texts; the length keeps the border between them from moving.
fn digest(text: &DraftText) -> String {
    let mut hash = Sha256::new();
    hash.update((text.original.len() as u64).to_be_bytes());
    hash.update(text.original.as_bytes());
    hash.update(text.translation.as_bytes());
    hex::encode(hash.finalize())
}

/// SHA-256 over title and reasons in both languages, each after its length: they are published with the text.
fn summary_digest(text: &DraftText) -> String {
    let mut hash = Sha256::new();
    for words in [&text.title.en, &text.title.zh, &text.summary.en, &text.summary.zh] {
        hash.update((words.len() as u64).to_be_bytes());
        hash.update(words.as_bytes());
    }
    hex::encode(hash.finalize())
}

fn check_words(words: &DraftWords) -> Result<()> {
    if words.title.is_empty() || words.title.en.chars().count().max(words.title.zh.chars().count()) > TITLE {
        return Err(AppError::invalid(
            "title",
            "Name the draft in 1 to 160 characters.",
            "请用 1 至 160 个字符为草案命名。",
        ));
    }
    if words.summary.en.chars().count().max(words.summary.zh.chars().count()) > SUMMARY {
        return Err(AppError::invalid(
            "summary",
            "Say what it changes in at most 4,000 characters.",
            "说明请不超过 4000 个字符。",
        ));
    }
    if words.original.len().max(words.translation.len()) > cogov_rulebook::MOST_BYTES {
        return Err(split_error(&cogov_rulebook::SplitError::TooLong));
    }
    Ok(())
}

fn split_error(error: &cogov_rulebook::SplitError) -> AppError {
    use cogov_rulebook::SplitError;
    let zh = match error {
        SplitError::TooLong => "文本过长：请拆分为几份草案。",
        SplitError::TooMany => "条款过多：请拆分为几份草案。",
        SplitError::Empty => "文本没有内容。",
    };
    AppError::invalid("text", capitalised(&error.to_string()), zh)
}

fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
