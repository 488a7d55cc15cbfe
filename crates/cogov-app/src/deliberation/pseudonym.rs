//! Who somebody is in one consultation: a keyed hash of consultation and account, and a name made from it.
//! Without the node's key nobody can tell which keys of two consultations belong to the same account.

use cogov_model::{AccountName, ConsultationId, ParticipantKey, Text};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Separates these hashes from every other use of the key.
const DOMAIN: &[u8] = b"cogov.participant.v1";

/// The node's key for pseudonyms. It does not print itself.
#[derive(Clone)]
pub(crate) struct PseudonymKey([u8; 32]);

impl std::fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

impl PseudonymKey {
    /// From 64 hex digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// HMAC-SHA-256 over domain, consultation and account, each preceded by its length.
    pub(crate) fn participant(
        &self,
        consultation: &ConsultationId,
        account: &AccountName,
    ) -> Option<ParticipantKey> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [DOMAIN, consultation.as_str().as_bytes(), account.as_str().as_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        ParticipantKey::new(hex::encode(mac.finalize().into_bytes())).ok()
    }
}

const FIRST: [(&str, &str); 32] = [
    ("Amber", "琥珀"),
    ("Azure", "碧蓝"),
    ("Brisk", "轻快"),
    ("Calm", "安静"),
    ("Cedar", "雪松"),
    ("Clear", "清亮"),
    ("Coral", "珊瑚"),
    ("Crisp", "爽朗"),
    ("Dusky", "薄暮"),
    ("Early", "清晨"),
    ("Fair", "晴和"),
    ("Frosty", "霜白"),
    ("Gentle", "温和"),
    ("Golden", "金色"),
    ("Green", "青翠"),
    ("Hazel", "榛色"),
    ("Ivory", "象牙"),
    ("Jade", "翡翠"),
    ("Keen", "敏锐"),
    ("Lively", "活泼"),
    ("Misty", "薄雾"),
    ("Noble", "端正"),
    ("Olive", "橄榄"),
    ("Plain", "朴素"),
    ("Quiet", "沉静"),
    ("Russet", "赤褐"),
    ("Silver", "银色"),
    ("Steady", "稳健"),
    ("Sunny", "明朗"),
    ("Swift", "迅捷"),
    ("Tidal", "潮汐"),
    ("Warm", "和暖"),
];

const SECOND: [(&str, &str); 32] = [
    ("Badger", "獾"),
    ("Bunting", "鹀"),
    ("Carp", "鲤"),
    ("Crane", "鹤"),
    ("Curlew", "杓鹬"),
    ("Deer", "鹿"),
    ("Dove", "鸽"),
    ("Eagle", "鹰"),
    ("Egret", "白鹭"),
    ("Finch", "雀"),
    ("Fox", "狐"),
    ("Goose", "雁"),
    ("Hare", "野兔"),
    ("Heron", "苍鹭"),
    ("Ibis", "鹮"),
    ("Jay", "松鸦"),
    ("Kestrel", "红隼"),
    ("Lark", "云雀"),
    ("Lynx", "猞猁"),
    ("Magpie", "喜鹊"),
    ("Marten", "貂"),
    ("Otter", "水獭"),
    ("Owl", "鸮"),
    ("Panda", "熊猫"),
    ("Plover", "鸻"),
    ("Raven", "渡鸦"),
    ("Robin", "知更鸟"),
    ("Seal", "海豹"),
    ("Swan", "天鹅"),
    ("Tern", "燕鸥"),
    ("Turtle", "龟"),
    ("Wren", "鹪鹩"),
];

/// The name that others read: two words and four digits from the key.
pub(crate) fn name(key: &ParticipantKey) -> Text {
    let digits: Vec<usize> =
        key.as_str().chars().take(8).filter_map(|c| c.to_digit(16)).map(|d| d as usize).collect();
    let number = |from: usize, count: usize| {
        digits.iter().skip(from).take(count).fold(0_usize, |sum, digit| sum * 16 + digit)
    };
    let pick = |list: &'static [(&'static str, &'static str); 32], at: usize| {
        list.get(at % 32).copied().unwrap_or(("", ""))
    };
    let (first, second) = (pick(&FIRST, number(0, 2)), pick(&SECOND, number(2, 2)));
    let code = number(4, 4) % 10_000;
    Text::new(format!("{} {} {code:04}", first.0, second.0), format!("{}{} {code:04}", first.1, second.1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn one_account_has_another_key_and_name_in_every_consultation() {
        let node = PseudonymKey::from_hex(&"07".repeat(32)).unwrap();
        let other = PseudonymKey::from_hex(&"08".repeat(32)).unwrap();
        let (ann, bo) = ("ann".parse().unwrap(), "bo".parse().unwrap());
        let keys: BTreeSet<_> =
            (0..100).map(|n| node.participant(&format!("c-{n}").parse().unwrap(), &ann).unwrap()).collect();
        assert_eq!(keys.len(), 100);
        let c = "c-1".parse().unwrap();
        assert_eq!(node.participant(&c, &ann), node.participant(&c, &ann));
        assert_ne!(node.participant(&c, &ann), node.participant(&c, &bo));
        assert_ne!(node.participant(&c, &ann), other.participant(&c, &ann));
        // A boundary between consultation and account cannot be moved.
        let moved = node.participant(&"c-1a".parse().unwrap(), &"nn".parse().unwrap());
        assert_ne!(node.participant(&c, &ann), moved);
        let names: BTreeSet<_> = keys.iter().map(|key| name(key).en).collect();
        assert!(names.len() > 95, "names differ: {}", names.len());
        assert!(names.iter().all(|name| name.split(' ').count() == 3));
    }
}
