//! The key of a mark: from the grant's own key and the decision, so that nothing more need be kept.

use crate::MaskKey;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Separates these keys from every other use of the grant's key.
const DOMAIN: &[u8] = b"cogov.watermark.v1";

/// A hash of a value's text.
pub(super) type ValueHash = [u8; 32];

/// The key of one extract's mark. Wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct WatermarkKey(Zeroizing<[u8; 32]>);

impl WatermarkKey {
    /// HMAC-SHA-256 under the grant's key over `cogov.watermark.v1` and the decision's index, big-endian.
    #[must_use]
    pub fn derive(grant: &MaskKey, decision: u64) -> Self {
        // HMAC takes a key of any length, so this cannot fail; were it to, the key would be of no grant.
        let mut key = Zeroizing::new([0; 32]);
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(grant.bytes()) {
            mac.update(DOMAIN);
            mac.update(&decision.to_be_bytes());
            key.copy_from_slice(&mac.finalize().into_bytes());
        }
        Self(key)
    }

    /// A key from 32 random bytes: a decoy, to learn what chance gives.
    #[must_use]
    pub fn decoy(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Where a value stands in this key's order: the first 8 bytes of SHA-256 over key and hash.
    pub(super) fn rank(&self, value: &ValueHash) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.0.as_slice());
        hash.update(value);
        first_eight(&hash.finalize())
    }

    /// By which column a block is sorted; `columns` stands for the whole row.
    pub(super) fn choice(&self, block: u64, columns: usize) -> usize {
        let mut hash = Sha256::new();
        hash.update(b"block");
        hash.update(self.0.as_slice());
        hash.update(block.to_be_bytes());
        let choices = u64::try_from(columns).unwrap_or(u64::MAX - 1) + 1;
        usize::try_from(first_eight(&hash.finalize()) % choices).unwrap_or(0)
    }
}

impl fmt::Debug for WatermarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatermarkKey(…)")
    }
}

fn first_eight(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The hash of a value's canonical text: numbers by their value however they are written, texts trimmed.
pub(super) fn value_hash(text: &str) -> ValueHash {
    let text = text.trim();
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    match number {
        // Zero has two signs and one meaning.
        Some(number) => Sha256::digest(format!("n{}", if number == 0.0 { 0.0 } else { number })).into(),
        None => Sha256::digest(format!("t{text}")).into(),
    }
}

/// The hash of a whole row.
pub(super) fn row_hash<'a>(values: impl IntoIterator<Item = &'a ValueHash>) -> ValueHash {
    values.into_iter().fold(Sha256::new(), |hash, value| hash.chain_update(value)).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_grant_and_decision_and_values_do_not_by_writing() {
        let (a, b) = (MaskKey::new([1; 32]), MaskKey::new([2; 32]));
        let keys = [WatermarkKey::derive(&a, 1), WatermarkKey::derive(&a, 2), WatermarkKey::derive(&b, 1)];
        let value = value_hash("x");
        let ranks: std::collections::BTreeSet<u64> = keys.iter().map(|key| key.rank(&value)).collect();
        assert_eq!(ranks.len(), 3);
        assert_eq!(WatermarkKey::derive(&a, 1).rank(&value), keys[0].rank(&value));
        for same in ["1", "1.0", " 1 ", "1e0", "01"] {
            assert_eq!(value_hash(same), value_hash("1"), "{same}");
        }
        assert_eq!(value_hash("-0"), value_hash("0"));
        assert_ne!(value_hash("NaN"), value_hash("0"));
        assert_ne!(value_hash(""), value_hash("0"));
        assert!((0..100).all(|block| keys[0].choice(block, 3) <= 3));
        assert!((0..4).all(|wanted| (0..100).any(|block| keys[0].choice(block, 3) == wanted)));
    }
}
