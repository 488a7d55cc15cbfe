//! The settings that the workflow keeps: deadlines, approvals and papers, each with the clause that sets it.

use crate::Problem;
use crate::markdown::Block;
use cogov_model::{ClauseId, Grant, GrantState, PartyId, Role, SharingAttribute, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days that a setting may count at most: ten years. No law says so; it keeps the dates that follow from the days such
/// that they can be counted and read.
const MOST_DAYS: u32 = 3_650;

/// A setting and the clause it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The clause to cite.
    pub clause: ClauseId,
}

/// Sharing attributes by kind, without their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Any public body may have it.
    Unconditional,
    /// Under conditions.
    Conditional,
    /// Not shared.
    NotShared,
}

impl Sharing {
    /// Every kind.
    pub const ALL: [Sharing; 3] = [Sharing::Unconditional, Sharing::Conditional, Sharing::NotShared];

    /// The code used in rules and files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Sharing::Unconditional => "unconditional",
            Sharing::Conditional => "conditional",
            Sharing::NotShared => "not-shared",
        }
    }
}

impl From<&SharingAttribute> for Sharing {
    fn from(attribute: &SharingAttribute) -> Self {
        match attribute {
            SharingAttribute::Unconditional => Sharing::Unconditional,
            SharingAttribute::Conditional { .. } => Sharing::Conditional,
            SharingAttribute::NotShared { .. } => Sharing::NotShared,
        }
    }
}

/// Why a grant as a whole cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// Its term has not begun.
    NotYet,
    /// Its term is over.
    Expired,
    /// It was ended before its term.
    Revoked,
    /// It was refused from the start.
    Refused,
}

impl Idle {
    /// Every reason.
    pub const ALL: [Idle; 4] = [Idle::NotYet, Idle::Expired, Idle::Revoked, Idle::Refused];

    /// Why the grant cannot be used now, if so.
    #[must_use]
    pub fn of(grant: &Grant, now: Timestamp) -> Option<Idle> {
        match grant.state {
            GrantState::Revoked => Some(Idle::Revoked),
            GrantState::Refused => Some(Idle::Refused),
            GrantState::Active if now < grant.term.from => Some(Idle::NotYet),
            GrantState::Active if !grant.term.holds(now) => Some(Idle::Expired),
            GrantState::Active => None,
        }
    }

    /// The code used in rules and files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Idle::NotYet => "not-yet",
            Idle::Expired => "expired",
            Idle::Revoked => "revoked",
            Idle::Refused => "refused",
        }
    }
}

/// Who approves a change of the rulebook: somebody with a role at a party, written `role@party`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Seat {
    /// The role.
    pub role: Role,
    /// The party.
    pub party: PartyId,
}

impl TryFrom<String> for Seat {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} says not who approves: write role@party, such as head@authority");
        let (role, party) = text.split_once('@').ok_or_else(wrong)?;
        let role = serde_json::from_value(serde_json::Value::String(role.to_owned())).map_err(|_| wrong())?;
        Ok(Self { role, party: party.parse().map_err(|_| wrong())? })
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)* ; $($(#[$may_doc:meta])* $may:ident: $may_type:ty,)*) => {
        /// The settings of a rulebook that the workflow keeps. Days are working days.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Workflow {
            $($(#[$doc])* pub $name: Setting<$type>,)*
            $($(#[$may_doc])* pub $may: Option<Setting<$may_type>>,)*
            idle: BTreeMap<Idle, ClauseId>,
        }

        /// One workflow block: any of the settings.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            $(#[serde(default)] $name: Option<$type>,)*
            $(#[serde(default)] $may: Option<$may_type>,)*
            #[serde(default)]
            stops_grant: Vec<Idle>,
        }

        /// Settings as they are found.
        #[derive(Debug, Default)]
        pub(crate) struct Gathered {
            $($name: Option<Setting<$type>>,)*
            $($may: Option<Setting<$may_type>>,)*
            idle: BTreeMap<Idle, ClauseId>,
        }

        impl Gathered {
            fn merge(&mut self, keys: Keys, clause: &ClauseId, problem: &mut impl FnMut(String)) {
                $(once(&mut self.$name, keys.$name, stringify!($name), clause, problem);)*
                $(once(&mut self.$may, keys.$may, stringify!($may), clause, problem);)*
                for idle in keys.stops_grant {
                    if let Some(first) = self.idle.insert(idle, clause.clone()) {
                        problem(format!("clause {first} already says why a grant that is {} stops: keep one", idle.code()));
                    }
                }
            }

            /// The whole workflow.
            ///
            /// # Errors
            /// The names of the settings that no clause sets.
            pub(crate) fn finish(self) -> Result<Workflow, Vec<String>> {
                let mut missing = Vec::new();
                $(if self.$name.is_none() { missing.push(stringify!($name).to_owned()); })*
                missing.extend(
                    Idle::ALL
                        .into_iter()
                        .filter(|idle| !self.idle.contains_key(idle))
                        .map(|idle| format!("stops_grant = [\"{}\"]", idle.code())),
                );
                match ($(self.$name,)*) {
                    ($(Some($name),)*) if missing.is_empty() => {
                        Ok(Workflow { $($name,)* $($may: self.$may,)* idle: self.idle })
                    }
                    _ => Err(missing),
                }
            }
        }
    };
}

settings! {
    /// Working days to answer an application for unconditionally shared data.
    answer_days_unconditional: u32,
    /// Working days to answer an application for conditionally shared data.
    answer_days_conditional: u32,
    /// Working days that the answer may be put off, once, with the authority's consent and notice.
    answer_extension_days: u32,
    /// How often the provider may ask for what is missing.
    supplement_requests: u32,
    /// Whether a refusal must give reasons.
    refusal_needs_reasons: bool,
    /// Working days from consent to delivery.
    delivery_days: u32,
    /// Working days in which the authority reviews and publishes a catalogue entry.
    catalogue_review_days: u32,
    /// Working days to bring a catalogue entry up to date after a change.
    catalogue_update_days: u32,
    /// Further working days for that, with consent.
    catalogue_update_extension_days: u32,
    /// Working days to verify, correct and answer a reported error.
    correction_days: u32,
    /// Years for which records of use are kept.
    records_years: u32,
    /// The sharing attributes for which the requester's head must agree.
    requester_head_approves: Vec<Sharing>,
    /// The sharing attributes for which the provider's head must agree.
    provider_head_approves: Vec<Sharing>,
    /// Whether a dataset that is not shared must name the law that says so.
    not_shared_needs_law: bool,
    /// Whether conditional sharing must list scope and purpose.
    conditional_needs_conditions: bool,
    /// Whether an application must name its legal basis.
    application_needs_legal_basis: bool,
    /// Whether an application must describe its scenario.
    application_needs_scenario: bool,
    /// The longest term of a grant, in months.
    grant_term_months: u32,
    /// Whether what no clause allows is refused; must be true. Its clause is cited then.
    silence_refuses: bool,
    // What a rulebook may leave out.
    ;
    /// How many questions a verify grant may ask a day. Where no clause says so, none.
    verify_questions_a_day: u32,
    /// How many of them may have the answer unknown, so that nobody searches for numbers that exist.
    verify_unknown_a_day: u32,
    /// Who must approve a change of the rulebook. Without it, rules change by replacing the file only.
    change_approvals: Vec<Seat>,
    /// Who must approve besides when a change cannot wait. Without it, none can be urgent.
    change_urgent_approvals: Vec<Seat>,
    /// Calendar days for which the text that is adopted has been published at least.
    change_published_days: u32,
    /// Whether a consultation on a draft must be concluded before the draft is adopted.
    change_consulted: bool,
    /// Calendar days for which such a consultation takes opinions at least, on a text that is published; a shorter one
    /// does not count. Without a clause that prescribes a consultation it binds nobody.
    change_consulted_days: u32,
    /// Calendar days between adoption and effect at least.
    change_notice_days: u32,
}

/// A value whose size may matter.
trait Counted {
    /// The number that it is; none where it is none.
    fn number(&self) -> Option<u32> {
        None
    }
}

impl Counted for bool {}

impl<T> Counted for Vec<T> {}

impl Counted for u32 {
    fn number(&self) -> Option<u32> {
        Some(*self)
    }
}

/// Whether a setting of this name counts days, as `answer_days_conditional` does.
fn counts_days(name: &str) -> bool {
    name.split('_').any(|word| word == "days")
}

/// Takes a setting in, which only one clause may set.
fn once<T: Counted>(
    place: &mut Option<Setting<T>>,
    value: Option<T>,
    name: &str,
    clause: &ClauseId,
    problem: &mut impl FnMut(String),
) {
    let Some(value) = value else { return };
    if let Some(days) = value.number().filter(|days| counts_days(name) && *days > MOST_DAYS) {
        problem(format!(
            "{name} = {days} is too many: a setting counts {MOST_DAYS} days at most, so that the dates that follow from it can be read"
        ));
    }
    match place {
        Some(first) => problem(format!("{name} is already set by clause {}: keep one", first.clause)),
        None => *place = Some(Setting { value, clause: clause.clone() }),
    }
}

impl Workflow {
    /// Working days to answer an application for data of this sharing attribute. Data that is not
    /// shared is answered like conditional data: the answer is a refusal with reasons.
    #[must_use]
    pub fn answer_days(&self, sharing: &SharingAttribute) -> &Setting<u32> {
        match Sharing::from(sharing) {
            Sharing::Unconditional => &self.answer_days_unconditional,
            Sharing::Conditional | Sharing::NotShared => &self.answer_days_conditional,
        }
    }

    /// Whether the requester's own head must agree before the provider sees the application.
    #[must_use]
    pub fn requester_head(&self, sharing: &SharingAttribute) -> Setting<bool> {
        contains(&self.requester_head_approves, sharing)
    }

    /// Whether the provider's head must agree after the approver.
    #[must_use]
    pub fn provider_head(&self, sharing: &SharingAttribute) -> Setting<bool> {
        contains(&self.provider_head_approves, sharing)
    }

    /// The days for which the consultation that a change needs takes opinions at least, where it needs one.
    #[must_use]
    pub fn consultation_days(&self) -> Option<&Setting<u32>> {
        let prescribed = self.change_consulted.as_ref().is_some_and(|setting| setting.value);
        self.change_consulted_days.as_ref().filter(|_| prescribed)
    }

    /// The clause that stops a grant in this state.
    #[must_use]
    pub fn stops(&self, idle: Idle) -> &ClauseId {
        self.idle.get(&idle).unwrap_or(&self.silence_refuses.clause)
    }

    /// The clause cited when no clause allows a use.
    #[must_use]
    pub fn silence(&self) -> &ClauseId {
        &self.silence_refuses.clause
    }
}

fn contains(kinds: &Setting<Vec<Sharing>>, sharing: &SharingAttribute) -> Setting<bool> {
    Setting { value: kinds.value.contains(&Sharing::from(sharing)), clause: kinds.clause.clone() }
}

/// Adds a workflow block to what was gathered so far.
pub(crate) fn gather(gathered: &mut Gathered, clause: &ClauseId, block: &Block) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |advice: String| problems.push(Problem::in_clause(block.line, clause, advice));
    match toml::from_str::<Keys>(&block.text) {
        Ok(keys) if keys.silence_refuses == Some(false) => {
            problem("silence_refuses must be true: what no clause allows is always refused".into());
        }
        Ok(keys) => gathered.merge(keys, clause, &mut problem),
        Err(error) => problem(format!("the workflow block cannot be read: {}", error.message())),
    }
    problems
}
