//! Signed tree heads: C2SP tlog-checkpoint inside C2SP signed-note.

use signed_note::{Note, Signature, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::Hash;

use crate::signer::{Signer, SignerError};
use crate::{HashBytes, LedgerError};

/// The extension line of our checkpoints: when it was signed, in Unix milliseconds.
const TIME: &str = "time ";

/// A checkpoint whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the ledger.
    pub origin: String,
    /// Entries it covers.
    pub size: u64,
    /// RFC 6962 root hash over them.
    pub root: HashBytes,
    /// When it was signed, in Unix milliseconds; `None` when another writer left it out.
    pub time: Option<u64>,
    /// The signed note, byte for byte as published.
    pub note: Vec<u8>,
}

/// Why bytes are not an acceptable checkpoint.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The verifier key is not one.
    #[error("the verifier key is malformed: expected <name>+<id>+<base64> as at /ledger/key")]
    Key,
    /// Not a signed note, or not a checkpoint inside.
    #[error("it is not a signed checkpoint")]
    Malformed,
    /// No signature by this key, or a false one.
    #[error("it is not signed by the key {0}")]
    NotSigned(String),
}

impl Checkpoint {
    /// Reads a signed checkpoint and checks its signature with the verifier key `key` (`<name>+<id>+<base64>`).
    ///
    /// # Errors
    /// [`CheckpointError`] when the key or the note is malformed or the signature is not by this key.
    pub fn verify(note: &[u8], key: &str) -> Result<Self, CheckpointError> {
        let verifier = StandardVerifier::new(key.trim_end()).map_err(|_| CheckpointError::Key)?;
        let name = format!("{}+{:08x}", verifier.name(), verifier.key_id());
        let parsed = Note::from_bytes(note).map_err(|_| CheckpointError::Malformed)?;
        let known = VerifierList::new(vec![Box::new(verifier)]);
        let (signed, _) = parsed.verify(&known).map_err(|_| CheckpointError::NotSigned(name.clone()))?;
        if signed.is_empty() {
            return Err(CheckpointError::NotSigned(name));
        }
        let head =
            tlog_tiles::Checkpoint::from_bytes(parsed.text()).map_err(|_| CheckpointError::Malformed)?;
        Ok(Self {
            origin: head.origin().to_owned(),
            size: head.size(),
            root: head.hash().0,
            time: head.extension().lines().find_map(|line| line.strip_prefix(TIME)?.parse().ok()),
            note: note.to_vec(),
        })
    }

    /// Signs a tree head, and checks what the signer made before anyone sees it.
    pub(crate) fn sign(
        origin: &str,
        size: u64,
        root: Hash,
        time: u64,
        signer: &dyn Signer,
    ) -> Result<Self, LedgerError> {
        let failed = |what: &str| LedgerError::Signer(SignerError::Sign(what.to_owned()));
        let head = tlog_tiles::Checkpoint::new(origin, size, root, &format!("{TIME}{time}\n"));
        let text = head.map_err(|_| failed("the origin is not usable"))?.to_bytes();
        let key = signer.verifier_key();
        let verifier =
            StandardVerifier::new(key).map_err(|_| failed("the signer's verifier key is malformed"))?;
        let signature = signer.sign(&text)?;
        let signature = Signature::new(verifier.name().to_owned(), verifier.key_id(), signature.to_vec());
        let note = signature.and_then(|signature| Note::new(&text, &[signature]));
        let note = note.map_err(|_| failed("the origin is not usable"))?.to_bytes();
        Self::verify(&note, key).map_err(|_| failed("the signature does not match the signer's verifier key"))
    }

    /// The root as the tree functions take it.
    pub(crate) fn root_hash(&self) -> Hash {
        Hash(self.root)
    }
}
