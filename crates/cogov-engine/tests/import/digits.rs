//! Check digits: round trips, and every single wrong digit noticed.
use cogov_engine::grading::{
    Identifier, bank_card, credit_check, credit_code, find_identifiers, iban, iban_remainder, luhn,
    mask_shape, organisation_check, resident_check, resident_id,
};
use proptest::prelude::*;

fn resident() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec![110_101_u32, 320_105, 440_304, 510_107, 990_001]),
        1930..2020_u32,
        1..=12_u32,
        1..=28_u32,
        0..1000_u32,
    )
        .prop_map(|(region, year, month, day, serial)| {
            let body = format!("{region}{year}{month:02}{day:02}{serial:03}");
            let check = resident_check(body.as_bytes()).unwrap();
            format!("{body}{}", check as char)
        })
}

fn credit() -> impl Strategy<Value = String> {
    ("(91|93|12|51)(110108|440304|990001)", "[0-9A-HJ-NP-RTUWXY]{8}").prop_map(|(head, organisation)| {
        let inner = organisation_check(organisation.as_bytes()).unwrap() as char;
        let body = format!("{head}{organisation}{inner}");
        let check = credit_check(body.as_bytes()).unwrap() as char;
        format!("{body}{check}")
    })
}

fn card() -> impl Strategy<Value = String> {
    "(4[0-9]{14}|62[0-9]{13}|62[0-9]{16}|5[1-5][0-9]{13}|3[47][0-9]{12})"
        .prop_map(|body| (0..10).map(|d| format!("{body}{d}")).find(|card| luhn(card.as_bytes())).unwrap())
}

fn account() -> impl Strategy<Value = String> {
    "(DE[0-9]{18}|GB[A-Z]{4}[0-9]{14}|NL[A-Z]{4}[0-9]{10}|FR[0-9]{10}[0-9A-Z]{11}[0-9]{2})".prop_map(|text| {
        let (country, rest) = text.split_at(2);
        let check = 98 - iban_remainder(format!("{country}00{rest}").as_bytes()).unwrap();
        format!("{country}{check:02}{rest}")
    })
}

/// Every text that differs in one character at `at`, of the same class.
fn wrong(text: &str, at: usize) -> Vec<String> {
    let own = text.as_bytes()[at];
    let class: Vec<u8> = if own.is_ascii_digit() { (b'0'..=b'9').collect() } else { (b'A'..=b'Z').collect() };
    class
        .into_iter()
        .filter(|c| *c != own)
        .map(|c| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = c;
            String::from_utf8(bytes).unwrap()
        })
        .collect()
}

proptest! {
    #[test]
    fn resident_numbers_round_trip_and_no_wrong_digit_passes(text in resident(), at in 0..17_usize) {
        prop_assert!(resident_id(&text));
        prop_assert!(wrong(&text, at).iter().all(|w| !resident_id(w)));
        let sentence = format!("申请人{text},已核实");
        let found = find_identifiers(&sentence);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&sentence[found[0].start..found[0].end], text.as_str());
    }

    #[test]
    fn credit_codes_round_trip_and_no_wrong_character_passes(text in credit(), at in 0..18_usize) {
        prop_assert!(credit_code(&text) || resident_id(&text));
        prop_assert!(wrong(&text, at).iter().all(|w| !credit_code(w)));
        prop_assert!(credit_code(&text.to_lowercase()));
    }

    #[test]
    fn cards_round_trip_and_no_wrong_digit_passes(text in card(), at in 0..15_usize) {
        prop_assert!(bank_card(&text));
        prop_assert!(wrong(&text, at).iter().all(|w| !bank_card(w)));
        if text.len() == 16 {
            let grouped: Vec<&str> = (0..4).map(|i| &text[i * 4..i * 4 + 4]).collect();
            for joint in [" ", "-"] {
                let found = find_identifiers(&format!("card {} ok", grouped.join(joint)));
                prop_assert_eq!(found.iter().map(|f| f.kind).collect::<Vec<_>>(), [Identifier::BankCard]);
            }
        }
    }

    #[test]
    fn ibans_round_trip_and_no_wrong_character_passes(text in account(), at in 4..18_usize) {
        prop_assert!(iban(&text));
        prop_assert!(wrong(&text, at).iter().all(|w| !iban(w)));
        let grouped: Vec<String> = text.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        let found = find_identifiers(&grouped.join(" "));
        prop_assert_eq!(found.iter().map(|f| (f.kind, f.start)).collect::<Vec<_>>(), [(Identifier::Iban, 0)]);
    }

    #[test]
    fn no_text_whatever_brings_the_scanner_down(text in any::<String>()) {
        for found in find_identifiers(&text) {
            prop_assert!(text.get(found.start..found.end).is_some());
        }
        prop_assert!(mask_shape(&text).chars().count() <= 25);
    }

    #[test]
    fn a_mask_keeps_no_letter_and_no_digit(text in "[a-zA-Z0-9一-龥 ,.@-]{0,30}") {
        let shape = mask_shape(&text);
        prop_assert!(shape.chars().all(|c| "Aa9字 ,.@-…".contains(c)), "{shape}");
    }
}

#[test]
fn known_numbers_are_judged_as_the_standards_do() {
    // The examples that the standards and networks publish.
    assert!(resident_id("11010519491231002X") && resident_id("440524188001010014"));
    assert!(!resident_id("110105194912310021") && !resident_id("110105194902310020"));
    assert!(bank_card("4111111111111111") && bank_card("378282246310005") && !bank_card("4111111111111112"));
    assert!(
        iban("GB29NWBK60161331926819") && iban("DE89370400440532013000") && !iban("DE88370400440532013000")
    );
    assert!(credit_code("91350100M000100Y43") && !credit_code("91350100M000100Y44"));
}

#[test]
fn wide_letters_and_glued_prefixes_are_read() {
    let wide = find_identifiers("号码:110105194912310021X 不对,11010519491231002X 对");
    assert_eq!(wide.len(), 1);
    assert_eq!(find_identifiers("ID11010519491231002X").len(), 1);
    assert_eq!(find_identifiers("110105 19491231 002X").len(), 1);
    assert!(find_identifiers("12345678901234567890123456789012345678901234567890").is_empty());
}
