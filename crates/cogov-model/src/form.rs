//! How data is used (form), by which way it flows (lane) and what for (purpose).

use crate::{PurposeCode, Text};
use serde::{Deserialize, Serialize};

/// The form of use (使用方式), least revealing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Yes, no or unknown to a declared question about one identified person.
    Verify,
    /// Statistics only.
    Aggregate,
    /// Rows, online.
    Rows,
    /// A file.
    Extract,
}

impl Form {
    /// Every form.
    pub const ALL: [Form; 4] = [Form::Verify, Form::Aggregate, Form::Rows, Form::Extract];

    /// The code used in rules and files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Form::Verify => "verify",
            Form::Aggregate => "aggregate",
            Form::Rows => "rows",
            Form::Extract => "extract",
        }
    }
}

/// The lane (通道) data flows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Between public bodies (共享).
    Share,
    /// Authorised operation for the economy (授权运营).
    Operate,
    /// To society (开放).
    Open,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Lane; 3] = [Lane::Share, Lane::Operate, Lane::Open];

    /// The code used in rules and files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Lane::Share => "share",
            Lane::Operate => "operate",
            Lane::Open => "open",
        }
    }
}

/// What the data is used for (用途): a code in the purpose tree, the requester's words and the legal basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// The code.
    pub code: PurposeCode,
    /// The requester's own words.
    pub words: Text,
    /// The law or duty that the use rests on.
    pub legal_basis: Text,
    /// The scenario: in which procedure or service the data is used.
    pub scenario: Text,
}
