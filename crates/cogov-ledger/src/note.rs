//! Statements that the ledger's key signs besides checkpoints, as C2SP signed-note: receipts.
//!
//! Checkpoints and statements share one key and can never be taken for each other: a statement begins with a line of
//! its own kind and must not read as a checkpoint, which is checked before signing and again when reading.

use signed_note::{Note, Signature, StandardVerifier, Verifier, VerifierList};

use crate::signer::{Signer, SignerError};
use crate::{Ledger, LedgerError};

/// Why a text is not an acceptable statement.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// The verifier key is not one.
    #[error("the verifier key is malformed: expected <name>+<id>+<base64> as at /ledger/key")]
    Key,
    /// Not a signed note of the expected kind.
    #[error("it is not a signed statement of the kind {0}")]
    Malformed(String),
    /// No signature by this key, or a false one.
    #[error("it is not signed by the key {0}, or was changed after it was signed")]
    NotSigned(String),
}

impl Ledger {
    /// Signs a statement with the ledger's key. `kind` is its first line, `lines` the rest; none may hold a line break.
    ///
    /// # Errors
    /// [`LedgerError::Signer`] when the lines do not make a statement or the signer fails.
    pub fn sign_statement(&self, kind: &str, lines: &[String]) -> Result<String, LedgerError> {
        sign(kind, lines, self.signer())
    }
}

fn sign(kind: &str, lines: &[String], signer: &dyn Signer) -> Result<String, LedgerError> {
    let failed = |what: &str| LedgerError::Signer(SignerError::Sign(what.to_owned()));
    let whole = std::iter::once(kind).chain(lines.iter().map(String::as_str));
    if whole.clone().any(|line| line.is_empty() || line.chars().any(char::is_control)) {
        return Err(failed("a line of the statement is empty or has control characters"));
    }
    let text: String = whole.flat_map(|line| [line, "\n"]).collect();
    if is_checkpoint(text.as_bytes()) {
        return Err(failed("the statement reads as a checkpoint"));
    }
    let key = signer.verifier_key();
    let verifier =
        StandardVerifier::new(key).map_err(|_| failed("the signer's verifier key is malformed"))?;
    let signature = signer.sign(text.as_bytes())?;
    let signature = Signature::new(verifier.name().to_owned(), verifier.key_id(), signature.to_vec());
    let note = signature.and_then(|signature| Note::new(text.as_bytes(), &[signature]));
    let note = note.map_err(|_| failed("the statement cannot be a signed note"))?.to_bytes();
    let note = String::from_utf8(note).map_err(|_| failed("the statement is no text"))?;
    read_statement(&note, kind, key).map_err(|_| failed("the signature does not match the signer's key"))?;
    Ok(note)
}

/// Reads a statement of a kind and checks its signature with the verifier key `key`: the lines after the first.
///
/// # Errors
/// [`NoteError`] when the key or the text is malformed, of another kind, or not signed by this key.
pub fn read_statement(note: &str, kind: &str, key: &str) -> Result<Vec<String>, NoteError> {
    let malformed = || NoteError::Malformed(kind.to_owned());
    let verifier = StandardVerifier::new(key.trim_end()).map_err(|_| NoteError::Key)?;
    let name = format!("{}+{:08x}", verifier.name(), verifier.key_id());
    let parsed = Note::from_bytes(note.as_bytes()).map_err(|_| malformed())?;
    if is_checkpoint(parsed.text()) {
        return Err(malformed());
    }
    let text = String::from_utf8(parsed.text().to_vec()).map_err(|_| malformed())?;
    let mut lines = text.lines().map(str::to_owned);
    if lines.next().as_deref() != Some(kind) {
        return Err(malformed());
    }
    let known = VerifierList::new(vec![Box::new(verifier)]);
    match parsed.verify(&known) {
        Ok((signed, _)) if !signed.is_empty() => Ok(lines.collect()),
        _ => Err(NoteError::NotSigned(name)),
    }
}

fn is_checkpoint(text: &[u8]) -> bool {
    tlog_tiles::Checkpoint::from_bytes(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, FileSigner};

    const KIND: &str = "cogov.test/v1";

    #[test]
    fn a_statement_reads_back_and_no_change_passes() {
        let dir = tempfile::tempdir().unwrap();
        let signer = FileSigner::open(&dir.path().join("k"), "cogov.example/demo").unwrap();
        let lines = vec!["answer yes".to_owned(), "index 7".to_owned()];
        let note = sign(KIND, &lines, &signer).unwrap();
        let key = signer.verifier_key();
        assert_eq!(read_statement(&note, KIND, key).unwrap(), lines);
        let changed = note.replace("answer yes", "answer no");
        assert!(matches!(read_statement(&changed, KIND, key), Err(NoteError::NotSigned(_))));
        assert!(matches!(read_statement(&note, "cogov.other/v1", key), Err(NoteError::Malformed(_))));
        let other = FileSigner::open(&dir.path().join("o"), "cogov.example/demo").unwrap();
        assert!(matches!(read_statement(&note, KIND, other.verifier_key()), Err(NoteError::NotSigned(_))));
    }

    #[test]
    fn statements_and_checkpoints_are_never_taken_for_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let signer = FileSigner::open(&dir.path().join("k"), "cogov.example/demo").unwrap();
        let root = "A".repeat(43) + "=";
        let as_checkpoint = sign("cogov.example/demo", &["5".to_owned(), root], &signer);
        assert!(as_checkpoint.is_err(), "a statement that reads as a checkpoint is not signed");
        let note = sign(KIND, &["index 5".to_owned()], &signer).unwrap();
        assert!(Checkpoint::verify(note.as_bytes(), signer.verifier_key()).is_err());
        assert!(sign(KIND, &["a\nb".to_owned()], &signer).is_err());
        assert!(sign(KIND, &[String::new()], &signer).is_err());
    }
}
