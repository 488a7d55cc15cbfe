//! What a draft branches from: the rulebook that will hold in the end, and taking it as the base when another came.

use crate::{Actor, App, AppError, error::Result};
use cogov_model::{Draft, DraftId, DraftText, RulebookVersion, Text, Timestamp};
use cogov_store::Revised;

/// The rulebook that will hold in the end.
pub(crate) struct NewestRulebook {
    pub version: RulebookVersion,
    pub title: Text,
    pub en: String,
    pub zh: String,
}

impl App {
    /// Says that a draft now branches from the rulebook that is in force, or comes last: its writer has seen what
    /// changed meanwhile. The words on the other base are a text of their own, with the next number: they may take back
    /// what changed, so that whoever read and approved the one before has not read this one. What is published stays on
    /// the base that it had, and is approved and adopted by nobody until the new text is published.
    ///
    /// # Errors
    /// As `save_draft`, `Conflict` for a text that branches from no rulebook.
    pub async fn rebase_draft(&self, actor: &Actor, id: &DraftId) -> Result<()> {
        let _turn = self.draft_turn().await?;
        let Revised { record: mut draft, revision } = self.written_by(actor, id).await?;
        if draft.base.is_none() {
            return Err(AppError::conflict(
                "Only a draft of the rulebook branches from one.",
                "只有规则草案才有所依据的规则。",
            ));
        }
        let newest = self.newest_rulebook().await?.version;
        if draft.base.as_ref() == Some(&newest) {
            return Ok(());
        }
        let last = self.text_of(&draft, draft.text).await?;
        let (account, at) = (actor.account.clone(), self.clock.now());
        let new = DraftText { number: draft.text + 1, account, at, ..last };
        draft.rebase(newest);
        draft.text = new.number;
        self.store.update_draft(&draft, revision, Some(&new)).await?;
        Ok(())
    }

    /// From when the rulebook holds that will hold in the end.
    pub(crate) async fn last_comes(&self) -> Result<Timestamp> {
        Ok(self.store.rulebooks().await?.first().map(|text| text.in_force).unwrap_or_default())
    }

    /// The text of the rulebook that will hold in the end: the last one that was adopted.
    pub(crate) async fn newest_rulebook(&self) -> Result<NewestRulebook> {
        let text = self.store.rulebooks().await?.into_iter().next();
        let text = text.ok_or_else(|| AppError::not_found("There is no rulebook.", "没有规则。"))?;
        let book = self.book(&text.version).await?;
        let title = book.map(|book| book.title().clone()).unwrap_or_default();
        Ok(NewestRulebook { version: text.version, title, en: text.en, zh: text.zh })
    }

    /// Whether another rulebook is in force, or coming, than the one that a draft's newest text branches from.
    pub(crate) async fn is_outdated(&self, draft: &Draft) -> Result<bool> {
        if draft.state.is_final() {
            return Ok(false);
        }
        Ok(match &draft.base {
            Some(base) => self.newest_rulebook().await?.version != *base,
            None => false,
        })
    }
}

/// Why a draft is neither approved nor adopted that took another base since it was published.
pub(crate) fn not_published_again() -> AppError {
    AppError::conflict(
        "This draft took another rulebook as its base since it was published, and on that base the same words may change something else. It is approved and adopted once its drafter has published it again; approvals that were given before do not count.",
        "该草案公布之后改以另一规则为依据，同样的文字在新的依据上可能带来不同的修改。须由起草人重新公布后方可批准和通过；此前的批准不计。",
    )
}
