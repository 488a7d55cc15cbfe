//! Applications: asking, agreeing, asking once for more, granting, refusing — the way of articles 20 to 22 of Decree 809.
//!
//! Deadlines and approvals come from the workflow blocks of the rulebook in force.

use crate::{
    Actor, App, AppError, ApplicationAct, ApplicationDraft, ApplicationPage, InboxItem, May, PreviewPage,
    PreviewRow,
    applications::may,
    checks::{check_draft, check_lane, check_scope, never, words},
    declared::{check_agreed, check_verification},
    error::{Result, found},
    record::Act,
};
use cogov_model::{
    Application, ApplicationId, ApplicationState, Approval, Clauses, ColumnRef, EntryKind, Grant, GrantId,
    GrantState, Outcome, Party, PartyId, Reason, Role, SharingAttribute, Term, Text, Timestamp, Treatment,
};
use cogov_rulebook::{Ask, Ruling};
use cogov_store::{ApplicationFilter, MaskKey, Page};

impl App {
    /// What the rulebook would say to a draft, column by column. Writes nothing.
    ///
    /// # Errors
    /// When a column does not exist.
    pub async fn preview(&self, actor: &Actor, draft: &ApplicationDraft) -> Result<PreviewPage> {
        let grant = self.as_grant(&actor.party.id, draft, GrantId::new("preview").map_err(never)?);
        self.preview_grant(&actor.party, &grant, &draft.provider).await
    }

    /// Makes an application.
    ///
    /// # Errors
    /// `Invalid` names the first field that is missing or wrong.
    pub async fn apply(&self, actor: &Actor, draft: ApplicationDraft) -> Result<ApplicationId> {
        actor.require(&[Role::Requester])?;
        check_draft(actor, &draft, self.rulebook().workflow().grant_term_months.value)?;
        let page = self.preview(actor, &draft).await?;
        let asked = self.as_grant(&actor.party.id, &draft, GrantId::new("preview").map_err(never)?);
        check_verification(&asked, &self.reach(&asked).await?)?;
        let now = self.clock.now();
        let id = ApplicationId::new(self.new_id("a")?).map_err(never)?;
        let state = if page.requester_head {
            ApplicationState::AwaitingRequesterHead
        } else {
            ApplicationState::Submitted
        };
        let application = Application {
            id: id.clone(),
            requester: actor.party.id.clone(),
            account: actor.account.clone(),
            provider: draft.provider,
            columns: draft.columns,
            scope: draft.scope,
            purpose: draft.purpose,
            form: draft.form,
            lane: draft.lane,
            term: Term { from: now, until: now.plus_days(i64::from(draft.days)) },
            state,
            made_at: now,
            due_at: self.due(now, page.answer_days),
            approvals: Vec::new(),
            asked: None,
            supplied: None,
            reasons: None,
            clauses: Clauses::new(),
            agreed_columns: None,
            conditions: Vec::new(),
            grant: None,
            verification: draft.verification,
        };
        self.store.add_application(&application).await?;
        self.record(
            self.application_act(EntryKind::Application, actor, &application)
                .sealed("purpose", application.purpose.words.en.clone()),
        )
        .await?;
        Ok(id)
    }

    /// The applications that concern this person: to act on first, then their party's others.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn inbox(&self, actor: &Actor) -> Result<Vec<InboxItem>> {
        let parties = self.party_map().await?;
        let find =
            |id: &PartyId| parties.get(id).cloned().unwrap_or_else(|| crate::catalogue::unknown_party(id));
        let mut items: Vec<InboxItem> = self
            .applications_of(&actor.party.id)
            .await?
            .into_iter()
            .map(|application| InboxItem {
                requester: find(&application.requester),
                provider: find(&application.provider),
                working_days_left: self.days_left(application.due_at),
                waits_for_me: may(actor, &application)
                    .iter()
                    .any(|act| !matches!(act, May::Withdraw | May::Extend)),
                application,
            })
            .collect();
        items.sort_by_key(|item| {
            (item.application.state.is_final(), !item.waits_for_me, item.application.due_at)
        });
        Ok(items)
    }

    /// An application's page, for the two parties and auditors.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn application(&self, actor: &Actor, id: &ApplicationId) -> Result<ApplicationPage> {
        let (application, _) = self.application_for(actor, id).await?;
        let requester = self.party_or_unknown(&application.requester).await?;
        let grant = self.application_as_grant(&application);
        let preview = self.preview_grant(&requester, &grant, &application.provider).await?;
        Ok(ApplicationPage {
            provider: self.party_or_unknown(&application.provider).await?,
            preview,
            may: may(actor, &application),
            history: self.history(actor, &application).await?,
            due_date: application.due_at.date(),
            working_days_left: self.days_left(application.due_at),
            requester,
            application,
        })
    }

    /// Does something with an application.
    ///
    /// # Errors
    /// `Forbidden` when this person may not, `Conflict` when it was changed in the meantime, `Refused`
    /// when the rulebook would allow nothing of what is granted.
    pub async fn act(&self, actor: &Actor, id: &ApplicationId, act: ApplicationAct) -> Result<Application> {
        let (mut application, revision) = self.application_for(actor, id).await?;
        let wanted = match &act {
            ApplicationAct::ApproveAsHead { .. }
                if application.state == ApplicationState::AwaitingRequesterHead =>
            {
                May::ApproveAsRequesterHead
            }
            ApplicationAct::ApproveAsHead { .. } => May::ApproveAsProviderHead,
            ApplicationAct::Agree { .. } => May::Agree,
            ApplicationAct::AskForMore { .. } => May::AskForMore,
            ApplicationAct::Supply { .. } => May::Supply,
            ApplicationAct::Refuse { .. } => May::Refuse,
            ApplicationAct::Withdraw => May::Withdraw,
            ApplicationAct::Extend { .. } => May::Extend,
        };
        if !may(actor, &application).contains(&wanted) {
            return Err(AppError::forbidden(
                "This step is not yours, or not the next one. Reload the application to see what is open.",
                "此步骤不由您办理，或尚未轮到。请刷新申请页面查看待办事项。",
            ));
        }
        self.apply_act(actor, &mut application, revision, act).await?;
        Ok(application)
    }

    /// Ends a grant before its term, with reasons. The provider may not stop without cause (art. 27).
    ///
    /// # Errors
    /// `Forbidden` when the actor's party provides nothing in it, `Invalid` without reasons.
    pub async fn revoke(&self, actor: &Actor, id: &GrantId, reasons: &str) -> Result<()> {
        actor.require(&[Role::Approver, Role::Head])?;
        let reasons = words(reasons, "reasons")?;
        let held = found(self.store.grant(id).await)?;
        let Some(mut held) = held.filter(|held| held.record.providers.contains(&actor.party.id)) else {
            return Err(AppError::not_found(
                format!("Your party provides no grant {id}."),
                format!("贵方未提供授权 {id}。"),
            ));
        };
        held.record.state = GrantState::Revoked;
        self.store.update_grant(&held.record, held.revision).await?;
        self.engine.forget(id);
        let grant = held.record;
        let act = Act::new(EntryKind::Revocation, Outcome::Done)
            .party(&actor.party.id)
            .party(&grant.party)
            .grant(id)
            .datasets(grant.datasets())
            .by(&actor.account)
            .sealed("reason", reasons.en);
        self.record(act).await?;
        Ok(())
    }

    async fn apply_act(
        &self,
        actor: &Actor,
        application: &mut Application,
        revision: u64,
        act: ApplicationAct,
    ) -> Result<()> {
        match act {
            ApplicationAct::ApproveAsHead { words } => {
                let first = application.state == ApplicationState::AwaitingRequesterHead;
                application.approvals.push(self.approval(actor, Role::Head, words));
                if !first {
                    return self.grant_it(actor, application, revision).await;
                }
                application.state = ApplicationState::Submitted;
                // The provider's time runs from the day on which the application reaches it.
                let days = self.answer_days(application).await?;
                application.due_at = self.due(self.clock.now(), days);
                self.save(actor, application, revision, EntryKind::Approval, None).await
            }
            ApplicationAct::Agree { columns, conditions, words } => {
                self.agree_to(application, columns)?;
                under(application, conditions)?;
                application.approvals.push(self.approval(actor, Role::Approver, words));
                if self.needs_provider_head(application).await? {
                    application.state = ApplicationState::AwaitingProviderHead;
                    return self.save(actor, application, revision, EntryKind::Approval, None).await;
                }
                self.grant_it(actor, application, revision).await
            }
            ApplicationAct::AskForMore { words: asked } => {
                application.asked = Some(words(&asked, "words")?);
                application.state = ApplicationState::AwaitingSupplement;
                self.save(actor, application, revision, EntryKind::AskedForMore, Some(asked)).await
            }
            ApplicationAct::Supply { words: supplied } => {
                application.supplied = Some(words(&supplied, "words")?);
                application.state = ApplicationState::Submitted;
                // The time for the answer starts anew once the papers are complete.
                let days = self.answer_days(application).await?;
                application.due_at = self.due(self.clock.now(), days);
                self.save(actor, application, revision, EntryKind::Supplied, Some(supplied)).await
            }
            ApplicationAct::Refuse { reasons } => {
                application.reasons = Some(words(&reasons, "reasons")?);
                application.clauses =
                    Clauses::from([self.rulebook().workflow().refusal_needs_reasons.clause.clone()]);
                application.state = ApplicationState::Refused;
                self.save(actor, application, revision, EntryKind::Refusal, Some(reasons)).await
            }
            ApplicationAct::Withdraw => {
                application.state = ApplicationState::Withdrawn;
                self.save(actor, application, revision, EntryKind::Application, None).await
            }
            ApplicationAct::Extend { reasons } => {
                application.reasons = Some(words(&reasons, "reasons")?);
                let days = self.rulebook().workflow().answer_extension_days.value;
                application.due_at =
                    Timestamp::from_date(self.calendar.after(application.due_at.date(), days));
                self.save(actor, application, revision, EntryKind::AskedForMore, Some(reasons)).await
            }
        }
    }

    fn agree_to(&self, application: &mut Application, columns: Option<Vec<ColumnRef>>) -> Result<()> {
        let Some(columns) = columns else { return Ok(()) };
        if columns.is_empty() || !columns.iter().all(|column| application.columns.contains(column)) {
            return Err(AppError::invalid(
                "columns",
                "Choose at least one of the columns that were asked for, or refuse with reasons.",
                "请至少选择一个所申请的列，或说明理由予以拒绝。",
            ));
        }
        check_agreed(application.verification.as_ref(), &columns)?;
        application.agreed_columns = Some(columns);
        Ok(())
    }

    /// Turns an agreed application into a grant: both records change together, then the ledger.
    async fn grant_it(&self, actor: &Actor, application: &mut Application, revision: u64) -> Result<()> {
        let now = self.clock.now();
        let length = application.term.until.millis() - application.term.from.millis();
        application.term = Term { from: now, until: now.plus_millis(length) };
        application.state = ApplicationState::Granted;
        let id = GrantId::new(self.new_id("g")?).map_err(never)?;
        let mut grant = self.application_as_grant(application);
        grant.id = id.clone();
        let requester = self.party_or_unknown(&application.requester).await?;
        let preview = self.preview_grant(&requester, &grant, &application.provider).await?;
        if let Some(refusal) = preview.refusal {
            return Err(AppError::Refused {
                reason: refusal.words,
                clauses: refusal.clauses,
                decision: None,
            });
        }
        let clauses: Clauses =
            preview.rows.iter().flat_map(|row| row.ruling.clauses.iter().cloned()).collect();
        application.clauses = clauses.clone();
        application.grant = Some(id.clone());
        let key = MaskKey::new(self.entropy()?);
        self.store.grant_application(application, revision, &grant, &key).await?;
        let act = self
            .application_act(EntryKind::Grant, actor, application)
            .grant(&id)
            .decided_by(self.rulebook().version(), &clauses)
            .fact("until", application.term.until);
        self.record(act).await?;
        Ok(())
    }

    async fn save(
        &self,
        actor: &Actor,
        application: &Application,
        revision: u64,
        kind: EntryKind,
        words: Option<String>,
    ) -> Result<()> {
        self.store.update_application(application, revision).await?;
        let mut act = self.application_act(kind, actor, application);
        if let Some(words) = words {
            act = act.sealed("words", words);
        }
        if !application.clauses.is_empty() {
            act = act.decided_by(self.rulebook().version(), &application.clauses);
        }
        self.record(act).await?;
        Ok(())
    }

    fn application_act(&self, kind: EntryKind, actor: &Actor, application: &Application) -> Act {
        let outcome = match kind {
            EntryKind::Grant => Outcome::Permit,
            EntryKind::Refusal => Outcome::Deny,
            _ => Outcome::Done,
        };
        Act::new(kind, outcome)
            .party(&actor.party.id)
            .party(&application.requester)
            .party(&application.provider)
            .datasets(self.application_as_grant(application).datasets())
            .fact("application", &application.id)
            .fact("state", application.state.code())
            .fact("form", application.form.code())
            .fact("lane", application.lane.code())
            .fact("purpose", &application.purpose.code)
            .by(&actor.account)
    }

    fn approval(&self, actor: &Actor, role: Role, words: String) -> Approval {
        Approval {
            account: actor.account.clone(),
            party: actor.party.id.clone(),
            role,
            at: self.clock.now(),
            words: Text::same(words),
        }
    }

    async fn application_for(&self, actor: &Actor, id: &ApplicationId) -> Result<(Application, u64)> {
        let stored = found(self.store.application(id).await)?.map(|stored| (stored.record, stored.revision));
        let stored = stored.filter(|(application, _)| {
            actor.is(Role::Auditor)
                || [&application.requester, &application.provider].contains(&&actor.party.id)
        });
        stored.ok_or_else(|| {
            AppError::not_found(
                format!("There is no application {id} of yours."),
                format!("您没有申请 {id}。"),
            )
        })
    }

    /// Whether a dataset wants the agreement of the provider's head.
    async fn needs_provider_head(&self, application: &Application) -> Result<bool> {
        let sharing = self.sharing(&self.application_as_grant(application)).await?;
        Ok(self.rulebook().workflow().provider_head(&sharing).value)
    }

    /// Applications that a party made or received.
    async fn applications_of(&self, party: &PartyId) -> Result<Vec<Application>> {
        let asked = ApplicationFilter { requester: Some(party.clone()), ..ApplicationFilter::default() };
        let asked_of = ApplicationFilter { provider: Some(party.clone()), ..ApplicationFilter::default() };
        let mut all = self.list_applications(&asked).await?;
        all.extend(self.list_applications(&asked_of).await?);
        Ok(all)
    }

    /// Applications that wait for somebody.
    pub(crate) async fn open_applications(&self) -> Result<Vec<Application>> {
        self.list_applications(&ApplicationFilter { waiting: Some(true), ..ApplicationFilter::default() })
            .await
    }

    async fn list_applications(&self, filter: &ApplicationFilter) -> Result<Vec<Application>> {
        let mut applications = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.applications(filter, &page).await?;
            applications.extend(found.items.into_iter().map(|item| item.record));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(applications),
            }
        }
    }

    async fn answer_days(&self, application: &Application) -> Result<u32> {
        let sharing = self.sharing(&self.application_as_grant(application)).await?;
        Ok(self.rulebook().workflow().answer_days(&sharing).value)
    }

    /// The strictest sharing attribute among the datasets of a grant.
    async fn sharing(&self, grant: &Grant) -> Result<SharingAttribute> {
        let reach = self.reach(grant).await?;
        let rank = |s: &SharingAttribute| match s {
            SharingAttribute::Unconditional => 0,
            SharingAttribute::Conditional { .. } => 1,
            SharingAttribute::NotShared { .. } => 2,
        };
        let all = reach.datasets.values().map(|(dataset, _)| dataset.sharing.clone());
        Ok(all.max_by_key(rank).unwrap_or(SharingAttribute::Unconditional))
    }

    async fn preview_grant(
        &self,
        requester: &Party,
        grant: &Grant,
        provider: &PartyId,
    ) -> Result<PreviewPage> {
        let reach = self.reach(grant).await?;
        for reference in &grant.columns {
            let column = reach.datasets.get(&reference.dataset).filter(|(d, _)| d.provider == *provider);
            let column = column.and_then(|(d, _)| d.table(&reference.table)?.column(&reference.column));
            if column.is_none() {
                return Err(AppError::invalid(
                    "columns",
                    format!(
                        "{provider} publishes no column {reference}. Choose columns from the dataset's page."
                    ),
                    format!("{provider} 未发布列 {reference}。请从数据集页面选择。"),
                ));
            }
        }
        check_lane(grant, &reach)?;
        check_scope(grant, &reach)?;
        let rulebook = self.rulebook();
        let preview = rulebook.preview(&Ask {
            grant,
            party: requester,
            columns: reach.ask_columns(grant),
            now: self.clock.now(),
        });
        let row = |(reference, ruling): (ColumnRef, Ruling)| {
            let (dataset, _) = reach.datasets.get(&reference.dataset)?;
            let column = dataset.table(&reference.table)?.column(&reference.column)?.clone();
            Some(PreviewRow { reference, column, ruling })
        };
        let sharing = self.sharing(grant).await?;
        Ok(PreviewPage {
            rows: preview.rulings.into_iter().filter_map(row).collect(),
            refusal: preview.refusal.map(Reason::from),
            requester_head: rulebook.workflow().requester_head(&sharing).value,
            provider_head: rulebook.workflow().provider_head(&sharing).value,
            answer_days: rulebook.workflow().answer_days(&sharing).value,
        })
    }

    fn as_grant(&self, party: &PartyId, draft: &ApplicationDraft, id: GrantId) -> Grant {
        let now = self.clock.now();
        Grant {
            id,
            name: draft.purpose.words.clone(),
            party: party.clone(),
            providers: vec![draft.provider.clone()],
            columns: draft.columns.clone(),
            conditions: Vec::<(ColumnRef, Treatment)>::new(),
            scope: draft.scope.clone(),
            purpose: draft.purpose.clone(),
            form: draft.form,
            lane: draft.lane,
            term: Term { from: now, until: now.plus_days(i64::from(draft.days.max(1))) },
            state: GrantState::Active,
            made_at: now,
            application: None,
            verification: draft.verification.clone(),
        }
    }

    /// The grant that an application asks for, or was agreed to in part; its term from now on.
    fn application_as_grant(&self, application: &Application) -> Grant {
        let now = self.clock.now();
        let length = application.term.until.millis() - application.term.from.millis();
        Grant {
            id: application.grant.clone().unwrap_or_else(|| GrantId::provisional(&application.id)),
            name: application.purpose.words.clone(),
            party: application.requester.clone(),
            providers: vec![application.provider.clone()],
            columns: application.agreed_columns.clone().unwrap_or_else(|| application.columns.clone()),
            conditions: application.conditions.clone(),
            scope: application.scope.clone(),
            purpose: application.purpose.clone(),
            form: application.form,
            lane: application.lane,
            term: Term { from: now, until: now.plus_millis(length.max(1)) },
            state: GrantState::Active,
            made_at: now,
            application: Some(application.id.clone()),
            verification: application.verification.clone(),
        }
    }

    fn due(&self, from: Timestamp, working_days: u32) -> Timestamp {
        Timestamp::from_date(self.calendar.after(from.date(), working_days))
    }

    pub(crate) fn days_left(&self, due: Timestamp) -> i64 {
        let (today, due) = (self.clock.now().date(), due.date());
        if due >= today {
            i64::from(self.calendar.between(today, due))
        } else {
            -i64::from(self.calendar.between(due, today))
        }
    }
}

/// Keeps the approver's treatments. They name columns that were asked for; a treatment that lowers nothing is harmless,
/// since the stricter of it and the rulebook's wins at every use.
fn under(application: &mut Application, conditions: Vec<(ColumnRef, Treatment)>) -> Result<()> {
    if !conditions.iter().all(|(column, _)| application.columns.contains(column)) {
        return Err(AppError::invalid(
            "conditions",
            "A treatment names a column that was not asked for. Set treatments on columns of this application only.",
            "处理方式涉及未申请的列。只能为本申请中的列设置处理方式。",
        ));
    }
    application.conditions = conditions;
    Ok(())
}
