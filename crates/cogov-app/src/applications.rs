//! Applications as pages and doors hold them: the draft, the preview, the inbox, and who may do what next.

use crate::{Actor, EntryView};
use chrono::NaiveDate;
use cogov_model::{
    Application, ApplicationState, Column, ColumnRef, Form, Lane, Party, PartyId, Purpose, Reason, Role,
    RowScope, Treatment, Verification,
};
use cogov_rulebook::Ruling;

/// An application as its form holds it.
#[derive(Debug, Clone)]
pub struct ApplicationDraft {
    /// Whose data.
    pub provider: PartyId,
    /// Which columns.
    pub columns: Vec<ColumnRef>,
    /// Which rows.
    pub scope: RowScope,
    /// What for.
    pub purpose: Purpose,
    /// How.
    pub form: Form,
    /// By which lane.
    pub lane: Lane,
    /// For how many days from the grant.
    pub days: u32,
    /// The questions, in the form of verification.
    pub verification: Option<Verification>,
}

/// What the rulebook says to one column of an application.
#[derive(Debug, Clone)]
pub struct PreviewRow {
    /// Which column.
    pub reference: ColumnRef,
    /// What it holds.
    pub column: Column,
    /// Treatment, clauses, reason.
    pub ruling: Ruling,
}

/// What the rulebook would say to an application.
#[derive(Debug, Clone)]
pub struct PreviewPage {
    /// Column by column.
    pub rows: Vec<PreviewRow>,
    /// Why all of it would be refused, if it would.
    pub refusal: Option<Reason>,
    /// Whether the requester's head must agree before the provider sees it.
    pub requester_head: bool,
    /// Whether the provider's head must agree after the approver.
    pub provider_head: bool,
    /// Working days within which the provider must answer.
    pub answer_days: u32,
}

/// Something that somebody may do with an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Agree as the requester's head.
    ApproveAsRequesterHead,
    /// Agree, in whole or in part.
    Agree,
    /// Agree as the provider's head.
    ApproveAsProviderHead,
    /// Ask once for what is missing.
    AskForMore,
    /// Supply what was asked for.
    Supply,
    /// Refuse with reasons.
    Refuse,
    /// Take it back.
    Withdraw,
    /// Extend the deadline once, with reasons.
    Extend,
}

/// An act on an application.
#[derive(Debug, Clone)]
pub enum ApplicationAct {
    /// A head agrees, for the side they are on.
    ApproveAsHead {
        /// Words for the record.
        words: String,
    },
    /// The approver agrees.
    Agree {
        /// To these columns only; to all when absent.
        columns: Option<Vec<ColumnRef>>,
        /// Under these treatments on top of the rulebook's, where they are stricter.
        conditions: Vec<(ColumnRef, Treatment)>,
        /// Words for the record.
        words: String,
    },
    /// The approver asks once for what is missing.
    AskForMore {
        /// One list of everything that is missing.
        words: String,
    },
    /// The requester supplies it.
    Supply {
        /// The answer.
        words: String,
    },
    /// The approver refuses.
    Refuse {
        /// Why.
        reasons: String,
    },
    /// The requester takes it back.
    Withdraw,
    /// The approver extends the deadline.
    Extend {
        /// Why.
        reasons: String,
    },
}

/// An application in somebody's inbox.
#[derive(Debug, Clone)]
pub struct InboxItem {
    /// The application.
    pub application: Application,
    /// Who asks.
    pub requester: Party,
    /// Who provides.
    pub provider: Party,
    /// Working days left until the answer is due; negative when overdue.
    pub working_days_left: i64,
    /// Whether this person can move it on now.
    pub waits_for_me: bool,
}

/// An application's page.
#[derive(Debug, Clone)]
pub struct ApplicationPage {
    /// The application.
    pub application: Application,
    /// Who asks.
    pub requester: Party,
    /// Who provides.
    pub provider: Party,
    /// What the rulebook in force says to it now.
    pub preview: PreviewPage,
    /// What this person may do.
    pub may: Vec<May>,
    /// What happened so far, from the ledger.
    pub history: Vec<EntryView>,
    /// The day by which the answer is due.
    pub due_date: NaiveDate,
    /// Working days left until then; negative when overdue.
    pub working_days_left: i64,
}

/// What a person may do with an application in its present state.
pub(crate) fn may(actor: &Actor, application: &Application) -> Vec<May> {
    use ApplicationState as State;
    let asks = actor.party.id == application.requester;
    let provides = actor.party.id == application.provider;
    let mut acts = Vec::new();
    let mut add = |condition: bool, act: May| {
        if condition {
            acts.push(act)
        }
    };
    match application.state {
        State::AwaitingRequesterHead => add(asks && actor.is(Role::Head), May::ApproveAsRequesterHead),
        State::Submitted => {
            let approver = provides && actor.is(Role::Approver);
            add(approver, May::Agree);
            add(approver && application.asked.is_none(), May::AskForMore);
            add(approver, May::Refuse);
            add(approver && application.reasons.is_none(), May::Extend);
        }
        State::AwaitingSupplement => add(asks && actor.is_any(&[Role::Requester, Role::Head]), May::Supply),
        State::AwaitingProviderHead => {
            let head = provides && actor.is(Role::Head);
            add(head, May::ApproveAsProviderHead);
            add(head || (provides && actor.is(Role::Approver)), May::Refuse);
        }
        State::Granted | State::Refused | State::Withdrawn => {}
    }
    if !application.state.is_final() {
        add(asks && actor.is_any(&[Role::Requester, Role::Head]), May::Withdraw);
    }
    acts
}
