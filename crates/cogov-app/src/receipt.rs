//! Receipts of verifications: what the ledger's key signed about one answer, and its check.
//!
//! A receipt is a C2SP signed-note. Its text is one line a fact, `name value`, in a fixed order after the line
//! `cogov.receipt/v1`. Whoever holds it, the ledger's verifier key and nothing else of ours can check it; whoever also
//! knows the person and the salt can check whom it is about.

use crate::{Actor, App, error::Result, journal::leaf_hash};
use cogov_ledger::{NoteError, read_statement, seal};
use cogov_model::{Grade, GrantId, PredicateId, RulebookVersion, VerifyAnswer};

/// The first line of every receipt.
pub(crate) const KIND: &str = "cogov.receipt/v1";

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The ledger's name.
    pub ledger: String,
    /// The entry of the decision.
    pub decision: u64,
    /// RFC 6962 hash of the entry's leaf, hex.
    pub leaf: String,
    /// Under which grant.
    pub grant: GrantId,
    /// Which question.
    pub predicate: PredicateId,
    /// The salted hash of the person, as it stands in the leaf, hex.
    pub subject: String,
    /// The answer.
    pub answer: VerifyAnswer,
    /// When, RFC 3339.
    pub at: String,
    /// Under which rulebook.
    pub rulebook: RulebookVersion,
    /// The grade of the answer.
    pub grade: Grade,
}

/// Why a text is not a receipt of this ledger.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ReceiptError {
    /// Not signed, changed, or of another kind.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Signed, but not the lines of a receipt.
    #[error("it is signed, but it is not a receipt")]
    Lines,
}

impl Receipt {
    /// Reads a receipt and checks its signature with a verifier key.
    ///
    /// # Errors
    /// [`ReceiptError`] when it is not one, or not signed by this key.
    pub fn check(note: &str, key: &str) -> std::result::Result<Self, ReceiptError> {
        // Browsers post line ends as CR LF, and people lose the last one.
        let note = note.replace("\r\n", "\n");
        let note = format!("{}\n", note.trim_end());
        let lines = read_statement(&note, KIND, key)?;
        Self::read(&lines).ok_or(ReceiptError::Lines)
    }

    /// Whether it is about a person, named as [`crate::subject_text`] writes them, under a salt in hex.
    #[must_use]
    pub fn is_about(&self, subject: &str, salt: &str) -> bool {
        let salt: Option<[u8; 16]> = hex::decode(salt.trim()).ok().and_then(|salt| salt.try_into().ok());
        salt.is_some_and(|salt| seal(salt, subject) == self.subject)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        vec![
            format!("ledger {}", self.ledger),
            format!("decision {}", self.decision),
            format!("leaf {}", self.leaf),
            format!("grant {}", self.grant),
            format!("predicate {}", self.predicate),
            format!("subject {}", self.subject),
            format!("answer {}", self.answer),
            format!("time {}", self.at),
            format!("rulebook {}", self.rulebook),
            format!("grade {}", self.grade.code()),
        ]
    }

    fn read(lines: &[String]) -> Option<Self> {
        let mut lines = lines.iter();
        let mut next = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let receipt = Self {
            ledger: next("ledger")?,
            decision: next("decision")?.parse().ok()?,
            leaf: next("leaf")?,
            grant: next("grant")?.parse().ok()?,
            predicate: next("predicate")?.parse().ok()?,
            subject: next("subject")?,
            answer: {
                let code = next("answer")?;
                VerifyAnswer::ALL.into_iter().find(|answer| answer.code() == code)?
            },
            at: next("time")?,
            rulebook: next("rulebook")?.parse().ok()?,
            grade: next("grade")?.parse().ok()?,
        };
        lines.next().is_none().then_some(receipt)
    }
}

/// A receipt beside the entry it names.
#[derive(Debug, Clone)]
pub struct CheckedReceipt {
    /// What it says.
    pub receipt: Receipt,
    /// Whether the ledger's entry is the one it was signed for.
    pub entry_fits: bool,
}

impl App {
    /// Checks a receipt with this ledger's key, and that its entry stands on this ledger unchanged.
    ///
    /// # Errors
    /// [`ReceiptError`] inside when it is no receipt of this ledger; the outer error when the ledger cannot be read.
    pub async fn check_receipt(
        &self,
        viewer: Option<&Actor>,
        note: &str,
    ) -> Result<std::result::Result<CheckedReceipt, ReceiptError>> {
        let receipt = match Receipt::check(note, self.ledger_key()) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Err(error)),
        };
        let entry_fits = match self.entry(viewer, receipt.decision).await {
            Ok(view) => {
                leaf_hash(&view.leaf) == receipt.leaf
                    && view.entry.sealed.get("subject") == Some(&receipt.subject)
                    && view.entry.grant.as_ref() == Some(&receipt.grant)
            }
            Err(crate::AppError::NotFound(_)) => false,
            Err(error) => return Err(error),
        };
        Ok(Ok(CheckedReceipt { receipt, entry_fits }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_reads_back_and_nothing_else_does() {
        let receipt = Receipt {
            ledger: "cogov.example/demo".into(),
            decision: 7,
            leaf: "00".repeat(32),
            grant: "g-1".parse().unwrap(),
            predicate: "helped".parse().unwrap(),
            subject: seal([9; 16], "{}"),
            answer: VerifyAnswer::Unknown,
            at: "2026-11-24T08:00:00.000Z".into(),
            rulebook: "decree-809@0123456789abcdef".parse().unwrap(),
            grade: Grade::General2,
        };
        let lines = receipt.lines();
        assert_eq!(Receipt::read(&lines), Some(receipt.clone()));
        for drop in 0..lines.len() {
            let mut fewer = lines.clone();
            fewer.remove(drop);
            assert_eq!(Receipt::read(&fewer), None);
        }
        let more: Vec<String> = lines.into_iter().chain(["answer yes".to_owned()]).collect();
        assert_eq!(Receipt::read(&more), None);
        assert!(receipt.is_about("{}", &"09".repeat(16)));
        assert!(!receipt.is_about("{ }", &"09".repeat(16)) && !receipt.is_about("{}", "09"));
    }
}
