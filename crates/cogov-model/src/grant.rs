//! Applications and grants (申请、授权): a request for data, and what it becomes when agreed.

use crate::{
    AccountName, ApplicationId, Clauses, ColumnName, DatasetId, Form, GrantId, Lane, PartyId, Purpose, Role,
    RowScope, TableName, Text, Timestamp, Treatment, Verification,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A column, fully named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ColumnRef {
    /// The dataset.
    pub dataset: DatasetId,
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.dataset, self.table, self.column)
    }
}

/// From when to when a grant may be used: `from` included, `until` excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// The first moment.
    pub from: Timestamp,
    /// The moment at which it has ended.
    pub until: Timestamp,
}

impl Term {
    /// Whether the moment lies in the term.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationState {
    /// The requester's own head has not agreed yet.
    AwaitingRequesterHead,
    /// With the provider.
    Submitted,
    /// The provider asked once for what is missing (article 21); the deadline stands still.
    AwaitingSupplement,
    /// The approver agrees; the provider's head has not yet.
    AwaitingProviderHead,
    /// It became a grant.
    Granted,
    /// Refused with reasons.
    Refused,
    /// Taken back by the requester.
    Withdrawn,
}

impl ApplicationState {
    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            ApplicationState::AwaitingRequesterHead => "awaiting-requester-head",
            ApplicationState::Submitted => "submitted",
            ApplicationState::AwaitingSupplement => "awaiting-supplement",
            ApplicationState::AwaitingProviderHead => "awaiting-provider-head",
            ApplicationState::Granted => "granted",
            ApplicationState::Refused => "refused",
            ApplicationState::Withdrawn => "withdrawn",
        }
    }

    /// Whether nobody has to act any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, ApplicationState::Granted | ApplicationState::Refused | ApplicationState::Withdrawn)
    }
}

/// One person's agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub account: AccountName,
    /// For which party.
    pub party: PartyId,
    /// In which role.
    pub role: Role,
    /// When.
    pub at: Timestamp,
    /// The words given.
    #[serde(default)]
    pub words: Text,
}

/// A request for data (article 20 of Decree 809: legal basis, scenario, scope, mode, term).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Its identifier.
    pub id: ApplicationId,
    /// Who asks.
    pub requester: PartyId,
    /// The account that wrote it.
    pub account: AccountName,
    /// Who provides; every column is of this party's datasets or of linked ones that agreed.
    pub provider: PartyId,
    /// The columns asked for.
    pub columns: Vec<ColumnRef>,
    /// The rows asked for.
    pub scope: RowScope,
    /// What for.
    pub purpose: Purpose,
    /// How.
    pub form: Form,
    /// By which lane.
    pub lane: Lane,
    /// For how long.
    pub term: Term,
    /// Where it stands.
    pub state: ApplicationState,
    /// When it was made.
    pub made_at: Timestamp,
    /// When the answer is due by the rulebook.
    pub due_at: Timestamp,
    /// Agreements so far.
    pub approvals: Vec<Approval>,
    /// What the provider asked for, once.
    #[serde(default)]
    pub asked: Option<Text>,
    /// What the requester answered.
    #[serde(default)]
    pub supplied: Option<Text>,
    /// The reasons of the outcome.
    #[serde(default)]
    pub reasons: Option<Text>,
    /// The clauses of the outcome.
    #[serde(default)]
    pub clauses: Clauses,
    /// The columns the approver agrees to; the whole when absent.
    #[serde(default)]
    pub agreed_columns: Option<Vec<ColumnRef>>,
    /// Treatments that the approver sets on top of the rulebook's; the stricter wins.
    #[serde(default)]
    pub conditions: Vec<(ColumnRef, Treatment)>,
    /// The grant it became.
    #[serde(default)]
    pub grant: Option<GrantId>,
    /// The questions it asks for; only in the form of verification.
    #[serde(default)]
    pub verification: Option<Verification>,
}

/// Where a grant stands. Whether its term holds is asked of the clock, not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    /// It may be used within its term.
    Active,
    /// Ended before its term, with reasons on the ledger.
    Revoked,
    /// Refused from the start: kept so that its refusal can be shown.
    Refused,
}

/// A grant: party × columns × row filter × purpose × form × term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Its identifier; the database name of the PostgreSQL door.
    pub id: GrantId,
    /// What people call it.
    pub name: Text,
    /// Who may use it.
    pub party: PartyId,
    /// Who provides the data.
    pub providers: Vec<PartyId>,
    /// The columns.
    pub columns: Vec<ColumnRef>,
    /// Treatments that the approver set on top; the rulebook's hold too and the stricter wins.
    #[serde(default)]
    pub conditions: Vec<(ColumnRef, Treatment)>,
    /// The rows.
    pub scope: RowScope,
    /// What for.
    pub purpose: Purpose,
    /// How.
    pub form: Form,
    /// By which lane.
    pub lane: Lane,
    /// For how long.
    pub term: Term,
    /// Where it stands.
    pub state: GrantState,
    /// When it was made.
    pub made_at: Timestamp,
    /// The application it came from.
    #[serde(default)]
    pub application: Option<ApplicationId>,
    /// The questions it may ask; only in the form of verification.
    #[serde(default)]
    pub verification: Option<Verification>,
}

impl Grant {
    /// The datasets it reaches, in order, each once.
    #[must_use]
    pub fn datasets(&self) -> Vec<DatasetId> {
        let all: std::collections::BTreeSet<_> = self.columns.iter().map(|c| &c.dataset).collect();
        all.into_iter().cloned().collect()
    }

    /// The state as a word, with the clock: `active`, `not-yet`, `expired`, `revoked` or `refused`.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> &'static str {
        match self.state {
            GrantState::Revoked => "revoked",
            GrantState::Refused => "refused",
            GrantState::Active if now < self.term.from => "not-yet",
            GrantState::Active if !self.term.holds(now) => "expired",
            GrantState::Active => "active",
        }
    }
}
