//! Moderation: hiding with a public reason, merging duplicates without losing a supporter. Nothing is deleted.

use super::{About, HostTurn, Likeness, MODERATORS, open::not_yours, said, similar};
use crate::{
    Actor, App, AppError,
    error::{Result, found},
};
use cogov_model::{
    Consultation, ConsultationEvent, ConsultationId, ContributionKind, EntryKind, Moderation, Standing,
};
use cogov_store::{ContributionFilter, Page};

/// Statements that are compared for likeness at most, the newest first.
const COMPARED: u32 = 1_000;

impl App {
    /// Hides, merges or restores a contribution. The reason is public and on the ledger.
    ///
    /// # Errors
    /// `Forbidden` for others than the host's moderators, `Invalid` without a reason, `Conflict` when the
    /// contribution's standing does not allow it.
    pub async fn moderate(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        number: u64,
        moderation: Moderation,
        reason: &str,
    ) -> Result<u64> {
        let (turn, consultation) = self.moderator_turn(actor, id).await?;
        let reason = said(reason, "reason", 1_000)?;
        self.check_moderation(id, number, moderation).await?;
        let about = About::of_host(&consultation, self.clock.now());
        let mut facts =
            vec![("contribution", number.to_string()), ("moderation", moderation.code().to_owned())];
        match moderation {
            Moderation::Hide { because } => facts.push(("because", because.code().to_owned())),
            Moderation::Merge { into } => facts.push(("into", into.to_string())),
            Moderation::Restore => {}
        }
        let event = ConsultationEvent::Moderated { contribution: number, moderation, reason };
        self.record_in_turn(turn, EntryKind::Moderation, &about, &event, &facts).await
    }

    /// The turn of somebody of the host to moderate or to answer, and the consultation as it is then.
    pub(crate) async fn moderator_turn(
        &self,
        actor: &Actor,
        id: &ConsultationId,
    ) -> Result<(HostTurn, Consultation)> {
        actor.require(&MODERATORS)?;
        let turn = self.host_turn().await?;
        let consultation = self.consultation_record(id).await?;
        require_moderator(actor, &consultation)?;
        if consultation.conclusion.is_some() {
            return Err(AppError::conflict("This consultation is concluded.", "该征求意见已办结。"));
        }
        Ok((turn, consultation))
    }

    /// Statements that may say the same, for moderators.
    ///
    /// # Errors
    /// `Forbidden` for others.
    pub async fn likenesses(&self, actor: &Actor, id: &ConsultationId) -> Result<Vec<Likeness>> {
        let consultation = self.consultation_record(id).await?;
        require_moderator(actor, &consultation)?;
        let filter = ContributionFilter {
            kind: Some(ContributionKind::Statement),
            shown: true,
            newest: true,
            ..ContributionFilter::default()
        };
        let found = self.store.contributions(id, &filter, &Page::first(COMPARED)).await?.items;
        let statements: Vec<(u64, &str)> = found
            .iter()
            .rev()
            .map(|found| (found.contribution.number, found.contribution.words.as_str()))
            .collect();
        Ok(similar::alike(&statements))
    }

    async fn check_moderation(&self, id: &ConsultationId, number: u64, moderation: Moderation) -> Result<()> {
        let contribution = self.contribution_or_missing(id, number).await?;
        let stays = |en: &str, zh: &str| Err(AppError::conflict(en, zh));
        match moderation {
            Moderation::Restore if contribution.standing == Standing::Shown => {
                stays("It is shown already.", "该意见已在展示。")
            }
            Moderation::Restore => Ok(()),
            _ if contribution.standing != Standing::Shown => {
                stays("It is hidden or merged already: restore it first.", "该意见已隐藏或合并：请先恢复。")
            }
            Moderation::Hide { .. } if self.has_merged(id, number).await? => stays(
                "Others were merged into it: restore those first, so that no supporter is lost.",
                "已有观点并入其中：请先恢复，以免丢失支持者。",
            ),
            Moderation::Hide { .. } => Ok(()),
            Moderation::Merge { into } => {
                let other = self.contribution_or_missing(id, into).await?;
                let both = [&contribution, &other].iter().all(|c| c.kind == ContributionKind::Statement);
                if number == into || !both || other.standing != Standing::Shown {
                    return stays(
                        "Only two different statements that are shown can be merged.",
                        "只能合并两条正在展示的不同观点。",
                    );
                }
                Ok(())
            }
        }
    }

    async fn has_merged(&self, id: &ConsultationId, number: u64) -> Result<bool> {
        Ok(self.store.is_merged_into(id, number).await?)
    }

    pub(crate) async fn contribution_or_missing(
        &self,
        id: &ConsultationId,
        number: u64,
    ) -> Result<cogov_model::Contribution> {
        let found = found(self.store.contribution(id, number).await)?.map(|found| found.contribution);
        found.ok_or_else(|| {
            AppError::not_found(
                format!("There is no contribution {number} in this consultation."),
                format!("本次征求意见中没有第 {number} 条意见。"),
            )
        })
    }
}

pub(crate) fn require_moderator(actor: &Actor, consultation: &Consultation) -> Result<()> {
    actor.require(&MODERATORS)?;
    if actor.party.id == consultation.host { Ok(()) } else { Err(not_yours()) }
}
