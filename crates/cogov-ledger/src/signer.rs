//! Who signs checkpoints.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer as _, SigningKey};
use signed_note::{StandardSigner, is_key_name_valid, key_id, new_ed25519_verifier_key};

/// Signs the text of checkpoints with an Ed25519 key: a file, a hardware module, a service.
pub trait Signer: Send + Sync + 'static {
    /// The verifier key in the text form of C2SP signed-note, `<name>+<id>+<base64>`. Its name is the ledger's origin
    /// unless another one is set.
    fn verifier_key(&self) -> &str;

    /// The Ed25519 signature of `text`.
    ///
    /// # Errors
    /// When the key cannot be used now.
    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError>;
}

/// Why nothing can be signed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The key's name is not allowed in signed notes.
    #[error("the key name {0:?} is not usable: it must not be empty or hold spaces or `+`")]
    Name(String),
    /// The key file could not be read or made.
    #[error("the key file {} cannot be used: {reason}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file holds no key, or one with another name. Its content is not shown.
    #[error("the key file {} does not hold a signing key named {name}; restore it, or move it away to begin a new ledger", .path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// The name that was expected.
        name: String,
    },
    /// Signing failed, or what came back is not a signature by the stated key.
    #[error("signing failed: {0}")]
    Sign(String),
}

/// A signing key in a file that only its owner can read.
pub struct FileSigner {
    key: SigningKey,
    verifier_key: String,
}

impl std::fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSigner").field("verifier_key", &self.verifier_key).finish_non_exhaustive()
    }
}

impl FileSigner {
    /// Reads the key named `name` from `path`, or makes it there with mode 0600 on first start. The file holds one line
    /// `PRIVATE+KEY+<name>+<id>+<base64>`.
    ///
    /// # Errors
    /// [`SignerError`] when the name is not allowed, the file cannot be used, or it holds something else.
    pub fn open(path: &Path, name: &str) -> Result<Self, SignerError> {
        if !is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(SignerError::Name(name.to_owned()));
        }
        let failed =
            |error: io::Error| SignerError::File { path: path.to_owned(), reason: error.to_string() };
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(text.trim_end(), name)
                .ok_or_else(|| SignerError::Key { path: path.to_owned(), name: name.to_owned() }),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path, name).map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    fn create(path: &Path, name: &str) -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let this = Self::from_seed(&seed, name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Written under another name first: a torn key file would lock the ledger out for good.
        let draft = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(this.private_line(name).as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(this)
    }

    fn from_seed(seed: &[u8; 32], name: &str) -> Self {
        let key = SigningKey::from_bytes(seed);
        let verifier_key = new_ed25519_verifier_key(name, &key.verifying_key());
        Self { key, verifier_key }
    }

    fn parse(text: &str, name: &str) -> Option<Self> {
        StandardSigner::new(text).ok()?;
        let rest = text.strip_prefix("PRIVATE+KEY+")?.strip_prefix(name)?.strip_prefix('+')?;
        let key = BASE64_STANDARD.decode(rest.split_once('+')?.1).ok()?;
        let seed: &[u8; 32] = key.get(1..)?.try_into().ok()?;
        Some(Self::from_seed(seed, name))
    }

    fn private_line(&self, name: &str) -> String {
        const ED25519: u8 = 1;
        let public = [&[ED25519], self.key.verifying_key().as_bytes().as_slice()].concat();
        let private = [&[ED25519], self.key.to_bytes().as_slice()].concat();
        format!("PRIVATE+KEY+{name}+{:08x}+{}\n", key_id(name, &public), BASE64_STANDARD.encode(private))
    }
}

impl Signer for FileSigner {
    fn verifier_key(&self) -> &str {
        &self.verifier_key
    }

    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError> {
        let signature = self.key.try_sign(text).map_err(|error| SignerError::Sign(error.to_string()))?;
        Ok(signature.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/ledger.key");
        let first = FileSigner::open(&path, "cogov.example/demo").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = FileSigner::open(&path, "cogov.example/demo").unwrap();
        assert_eq!(first.verifier_key(), second.verifier_key());
        assert_eq!(first.sign(b"x").unwrap(), second.sign(b"x").unwrap());
    }

    #[test]
    fn refusals_do_not_show_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        FileSigner::open(&path, "a").unwrap();
        let secret = fs::read_to_string(&path).unwrap();
        assert!(matches!(FileSigner::open(&path, "b"), Err(SignerError::Key { .. })));
        fs::write(&path, &secret[..secret.len() - 9]).unwrap();
        let error = FileSigner::open(&path, "a").unwrap_err();
        assert!(matches!(error, SignerError::Key { .. }));
        assert!(!format!("{error} {error:?}").contains(&secret[30..50]));
        for name in ["", "a b", "a+b", "a\nb"] {
            assert!(matches!(FileSigner::open(&path, name), Err(SignerError::Name(_))));
        }
    }
}
