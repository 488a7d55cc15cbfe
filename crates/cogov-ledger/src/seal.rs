//! Salted hashes that stand in public entries in place of what only the parties may read.

use sha2::{Digest, Sha256};

/// Separates these hashes from every other use of SHA-256.
const DOMAIN: &[u8] = b"cogov.seal.v1";

/// The commitment to `text` that a public entry carries, as 64 lowercase hex digits.
///
/// Construction: `SHA-256( len(D) || D || len(salt) || salt || len(text) || text )` where `D` is the ASCII string
/// `cogov.seal.v1`, every `len` is a big-endian 64-bit count of bytes, `salt` is 16 bytes and `text` is UTF-8. Whoever is
/// given the salt and the text can recompute it; without the salt a guess at the text cannot be tested.
///
/// ```
/// let salt = [7; 16];
/// assert_eq!(cogov_ledger::seal(salt, "SELECT 1"), cogov_ledger::seal(salt, "SELECT 1"));
/// assert_ne!(cogov_ledger::seal(salt, "SELECT 1"), cogov_ledger::seal([8; 16], "SELECT 1"));
/// ```
#[must_use]
pub fn seal(salt: [u8; 16], text: &str) -> String {
    let mut hash = Sha256::new();
    for part in [DOMAIN, &salt, text.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_documented_construction() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&13u64.to_be_bytes());
        bytes.extend_from_slice(b"cogov.seal.v1");
        bytes.extend_from_slice(&16u64.to_be_bytes());
        bytes.extend_from_slice(&[9; 16]);
        bytes.extend_from_slice(&6u64.to_be_bytes());
        bytes.extend_from_slice("数据".as_bytes());
        assert_eq!(seal([9; 16], "数据"), hex::encode(Sha256::digest(bytes)));
    }
}
