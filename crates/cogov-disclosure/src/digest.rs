//! Short names of texts and sets: equal for equal ones for ever, since they are kept, and nobody finds two with one name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// 24 bytes make 32 letters; two texts with one name cost 2⁹⁶ trials.
const BYTES: usize = 24;

/// The first 192 bits of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; BYTES]);

impl Digest {
    /// Of a text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self::of([text.as_bytes()])
    }

    /// Of the parts of one message.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        parts.into_iter().for_each(|part| hasher.update(part));
        let mut bytes = [0; BYTES];
        bytes.iter_mut().zip(hasher.finalize()).for_each(|(byte, hashed)| *byte = hashed);
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read)
    }
}

/// Reads a digest, or a name of 64 bits as the first versions kept them: it stays what it was, and nothing that is asked
/// now has it, so that those answers count as asked in other words.
struct Read;

impl Read {
    fn first<E: Error>(number: u64) -> Result<Digest, E> {
        let mut bytes = [0; BYTES];
        bytes.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(byte, of)| *byte = of);
        Ok(Digest(bytes))
    }
}

impl Visitor<'_> for Read {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest in base64")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Digest, E> {
        Self::first(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Digest, E> {
        if let Ok(number) = text.parse() {
            return Self::first(number);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Digest).ok_or_else(|| E::custom("no digest"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_is_kept_as_a_text_and_first_ones_are_read() {
        let digest = Digest::of_text("a");
        // FIPS 180-4: the SHA-256 of "a" begins with ca978112ca1bbdca.
        assert!(hex(&digest).starts_with("ca978112ca1bbdca"));
        let all = BTreeMap::from([(digest, vec![Digest::of_text("b"), Digest::of_text("c")])]);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<BTreeMap<Digest, Vec<Digest>>>(&text).unwrap(), all);
        let first = r#"{"18446744073709551615": [7, 8]}"#;
        let first: BTreeMap<Digest, Vec<Digest>> = serde_json::from_str(first).unwrap();
        assert!(first.iter().all(|(key, of)| hex(key).ends_with("00ffffffffffffffff") && of[0] != of[1]));
        assert!(serde_json::from_str::<Digest>("\"abc\"").is_err());
    }

    fn hex(digest: &Digest) -> String {
        digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
