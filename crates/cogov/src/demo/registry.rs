//! The civil registry of the demo world: one invented person for the head of each tax unit.
//!
//! **Nothing here is about anybody.** Names, identity numbers, days of birth, telephone numbers, addresses
//! and e-mail addresses are drawn from a fixed seed. Only the age and the region come from the survey
//! that the demo world stands on, so that the registry joins with the departments' tables by `recid`.
//!
//! What keeps the invention apart from real people:
//! - identity numbers have the form and the check digit of GB 11643, but the division code begins with
//!   `99`, which GB/T 2260 gives to no place;
//! - telephone numbers begin with `+999`, a country code that is assigned to nobody;
//! - e-mail addresses end in `.example`, which RFC 2606 keeps free.
//!
//! A row depends on the seed and its own unit only, never on order or on other rows: the same registry
//! comes out of any part of the file, on every machine.

/// The seed of the demo world.
pub const SEED: u64 = 0x00C0_604D_E301_2025;

/// Ages are counted at the end of this year, the last year of the survey.
pub const REFERENCE_YEAR: u16 = 2014;

/// What the survey knows of a tax unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// The unit's key, counted from 1; no two units share one.
    pub recid: u32,
    /// The head's age in years as the survey writes it: 80 stands for 80 to 84, 85 for 85 and more.
    pub age: u8,
    /// The region's code, 1 to 99.
    pub region: u8,
}

/// The sex that a registry row states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// 女.
    Female,
    /// 男.
    Male,
}

impl Sex {
    /// The code in the table.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Sex::Female => "female",
            Sex::Male => "male",
        }
    }
}

/// A day of birth in the Gregorian calendar. 29 February is never drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BirthDate {
    /// The year.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day, 1 to 31.
    pub day: u8,
}

impl BirthDate {
    /// `YYYY-MM-DD`.
    #[must_use]
    pub fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// One row of `registry.persons`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The key that all the departments' tables share.
    pub recid: u32,
    /// The region's code.
    pub region: u8,
    /// The full name: in Chinese characters, in pinyin, or of another tradition.
    pub name: String,
    /// 18 characters with a valid check digit (GB 11643); unique over all rows.
    pub identity_number: String,
    /// The day of birth, in agreement with the age and the identity number.
    pub birth_date: BirthDate,
    /// The sex, in agreement with the identity number.
    pub sex: Sex,
    /// The telephone number; unique over all rows.
    pub phone: String,
    /// The postal address.
    pub address: String,
    /// The e-mail address; unique over all rows.
    pub email: String,
}

/// The registry rows of these units, in their order.
pub fn persons<I>(seed: u64, units: I) -> impl Iterator<Item = Person>
where
    I: IntoIterator<Item = Unit>,
{
    units.into_iter().map(move |unit| person(seed, unit))
}

/// The registry row of one unit.
#[must_use]
pub fn person(seed: u64, unit: Unit) -> Person {
    let mut draw = SplitMix64::of(seed, unit.recid);
    let sex = if draw.below(2) == 0 { Sex::Female } else { Sex::Male };
    let birth_date = birth_date(&mut draw, unit);
    let (name, handle) = name(&mut draw, sex);
    Person {
        recid: unit.recid,
        region: unit.region,
        identity_number: identity_number(unit, birth_date, sex),
        birth_date,
        sex,
        phone: phone(unit),
        address: address(&mut draw, unit.region),
        email: format!("{handle}{}@{}.example", unit.recid, draw.pick(MAIL_HOSTS)),
        name,
    }
}

/// Sebastiano Vigna's SplitMix64: 64 bits of state, one addition and one mixing a number.
struct SplitMix64(u64);

impl SplitMix64 {
    const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

    /// The generator of one row: its state is the seed moved on by the row's key, and mixed once.
    fn of(seed: u64, recid: u32) -> Self {
        let mut start = Self(seed ^ u64::from(recid).wrapping_mul(Self::GAMMA));
        Self(start.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::GAMMA);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound` by multiplication and shift; 0 when the bound is 0.
    fn below(&mut self, bound: u32) -> u32 {
        let wide = u64::from(bound) * (self.next() >> 32);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let bound = u32::try_from(from.len()).unwrap_or(u32::MAX);
        let at = usize::try_from(self.below(bound)).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    }
}

/// How many identity numbers one day of birth in one region has room for: 90 divisions × 500 of each sex.
const NUMBERS_A_DAY: u32 = 90 * 500;

/// The year follows from the age; the day is chosen so that identity numbers never collide: two units
/// with the same division and sequence number differ by a multiple of [`NUMBERS_A_DAY`], and then
/// stand 53 days (or a multiple, below 365 rounds) apart in the year.
fn birth_date(draw: &mut SplitMix64, unit: Unit) -> BirthDate {
    let beyond = match unit.age {
        80 => draw.below(5),
        85.. => draw.below(12),
        _ => 0,
    };
    let age = u16::from(unit.age) + u16::try_from(beyond).unwrap_or(0);
    let (round, place) = (unit.recid / NUMBERS_A_DAY, unit.recid % NUMBERS_A_DAY);
    let mut day = (place.wrapping_mul(2_654_435_761) >> 8).wrapping_add(round * 53) % 365;
    let mut month = 1;
    for length in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    BirthDate { year: REFERENCE_YEAR.saturating_sub(age), month, day: u8::try_from(day + 1).unwrap_or(1) }
}

/// 6 digits of division (`99`, region, division), 8 of birth, 3 of sequence (odd for men), the check digit.
fn identity_number(unit: Unit, born: BirthDate, sex: Sex) -> String {
    // 7,919 is prime to the modulus, so every place within a round gets its own pair.
    let place = (unit.recid % NUMBERS_A_DAY) * 7_919 % NUMBERS_A_DAY;
    let sequence = (place % 500) * 2 + u32::from(sex == Sex::Male);
    let mut number = format!(
        "99{:02}{:02}{:04}{:02}{:02}{sequence:03}",
        unit.region % 100,
        10 + place / 500,
        born.year,
        born.month,
        born.day
    );
    number.push(check_digit(&number));
    number
}

/// The check digit of GB 11643: ISO 7064 MOD 11-2 over the 17 digits before it.
fn check_digit(digits: &str) -> char {
    let sum = digits.chars().filter_map(|c| c.to_digit(10)).fold(0, |p, d| (p + d) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// Eight digits after the region: a permutation of the keys below 100,000,000.
fn phone(unit: Unit) -> String {
    let number = u64::from(unit.recid) * 57_885_161 % 100_000_000;
    format!("+999 {:02} {:04} {:04}", unit.region % 100, number / 10_000, number % 10_000)
}

/// A name and the first part of an e-mail address.
fn name(draw: &mut SplitMix64, sex: Sex) -> (String, String) {
    if draw.below(5) < 2 {
        let first = draw.pick(match sex {
            Sex::Female => WESTERN_FEMALE,
            Sex::Male => WESTERN_MALE,
        });
        let last = draw.pick(WESTERN_LAST);
        return (format!("{first} {last}"), format!("{first}.{last}").to_ascii_lowercase());
    }
    let (family, family_pinyin) = draw.pick(FAMILY);
    let given = match sex {
        Sex::Female => GIVEN_FEMALE,
        Sex::Male => GIVEN_MALE,
    };
    let (one, one_pinyin) = draw.pick(given);
    let (two, two_pinyin) = if draw.below(3) == 0 { ("", "") } else { draw.pick(given) };
    let pinyin = format!("{one_pinyin}{two_pinyin}");
    let handle = format!("{family_pinyin}.{pinyin}");
    if draw.below(3) == 0 {
        (format!("{} {}", capital(family_pinyin), capital(&pinyin)), handle)
    } else {
        (format!("{family}{one}{two}"), handle)
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn address(draw: &mut SplitMix64, region: u8) -> String {
    let (town_zh, town_en) = draw.pick(TOWNS);
    let (street_zh, street_en) = draw.pick(STREETS);
    let (house, flat) = (1 + draw.below(288), 101 + draw.below(6) * 100 + draw.below(4));
    if draw.below(2) == 0 {
        format!("{town_zh}{street_zh}{house}号{flat}室 (邮编 {region:02}-{:04})", draw.below(10_000))
    } else {
        format!("{house} {street_en}, Flat {flat}, {town_en} {region:02}-{:04}", draw.below(10_000))
    }
}

const MAIL_HOSTS: &[&str] = &["post", "letters", "youjian", "harbour-mail", "xinshi"];

#[rustfmt::skip] // a table, not code
const FAMILY: &[(&str, &str)] = &[
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"), ("赵", "zhao"),
    ("黄", "huang"), ("周", "zhou"), ("吴", "wu"), ("徐", "xu"), ("孙", "sun"), ("胡", "hu"), ("朱", "zhu"),
    ("高", "gao"), ("林", "lin"), ("何", "he"), ("郭", "guo"), ("马", "ma"), ("罗", "luo"), ("梁", "liang"),
    ("宋", "song"), ("郑", "zheng"), ("谢", "xie"), ("韩", "han"), ("唐", "tang"), ("冯", "feng"), ("于", "yu"),
    ("董", "dong"), ("萧", "xiao"), ("程", "cheng"), ("曹", "cao"), ("袁", "yuan"), ("邓", "deng"), ("许", "xu"),
    ("傅", "fu"), ("沈", "shen"), ("曾", "zeng"), ("彭", "peng"), ("吕", "lyu"), ("欧阳", "ouyang"), ("司马", "sima"),
];

#[rustfmt::skip] // a table, not code
const GIVEN_FEMALE: &[(&str, &str)] = &[
    ("芳", "fang"), ("娜", "na"), ("敏", "min"), ("静", "jing"), ("丽", "li"), ("艳", "yan"), ("娟", "juan"),
    ("霞", "xia"), ("秀", "xiu"), ("英", "ying"), ("华", "hua"), ("慧", "hui"), ("雪", "xue"), ("梅", "mei"),
    ("兰", "lan"), ("月", "yue"), ("薇", "wei"), ("婷", "ting"), ("琳", "lin"), ("岚", "lan"), ("青", "qing"),
    ("玉", "yu"), ("彤", "tong"), ("宁", "ning"), ("若", "ruo"), ("然", "ran"),
];

#[rustfmt::skip] // a table, not code
const GIVEN_MALE: &[(&str, &str)] = &[
    ("伟", "wei"), ("强", "qiang"), ("磊", "lei"), ("军", "jun"), ("洋", "yang"), ("勇", "yong"), ("杰", "jie"),
    ("涛", "tao"), ("明", "ming"), ("超", "chao"), ("刚", "gang"), ("平", "ping"), ("辉", "hui"), ("鹏", "peng"),
    ("飞", "fei"), ("斌", "bin"), ("波", "bo"), ("浩", "hao"), ("宇", "yu"), ("建", "jian"), ("国", "guo"),
    ("文", "wen"), ("林", "lin"), ("海", "hai"), ("安", "an"), ("睿", "rui"),
];

#[rustfmt::skip] // a table, not code
const WESTERN_FEMALE: &[&str] = &[
    "Alma", "Beatriz", "Clara", "Dalia", "Edith", "Farah", "Greta", "Hanna", "Ines", "Judith", "Kamala", "Lena",
    "Maren", "Nadia", "Olga", "Paloma", "Ruth", "Selma", "Tamar", "Ursula", "Vera", "Wanda", "Yara", "Zofia",
];

#[rustfmt::skip] // a table, not code
const WESTERN_MALE: &[&str] = &[
    "Amos", "Bruno", "Casper", "Diego", "Emil", "Farid", "Gideon", "Hugo", "Ivan", "Jonas", "Kofi", "Leon",
    "Mateo", "Niels", "Omar", "Pavel", "Quentin", "Rafael", "Stefan", "Tomas", "Ulrich", "Viktor", "Walid", "Zoltan",
];

#[rustfmt::skip] // a table, not code
const WESTERN_LAST: &[&str] = &[
    "Abernathy", "Aldana", "Bakker", "Castellan", "Dvorak", "Eriksen", "Falk", "Galloway", "Haddad", "Ibarra",
    "Jansen", "Kowal", "Lindqvist", "Marchetti", "Nakamura", "Okafor", "Pereira", "Quist", "Rosen", "Sandoval",
    "Takacs", "Ueda", "Vance", "Whitlock", "Yilmaz", "Zeller", "Thornbury", "Osei", "Moreau", "Kazantzis",
];

#[rustfmt::skip] // a table, not code
const TOWNS: &[(&str, &str)] = &[
    ("枫桥镇", "Maplebridge"), ("白鹭洲", "Egret Isle"), ("石门县", "Stonegate"), ("新渡口", "Newferry"),
    ("云台区", "Cloudterrace"), ("青湾市", "Greenbay"), ("柳林镇", "Willowgrove"), ("望海区", "Seaview"),
    ("三河口", "Threewaters"), ("松岗", "Pinehill"), ("南埠", "Southquay"), ("古井镇", "Oldwell"),
];

#[rustfmt::skip] // a table, not code
const STREETS: &[(&str, &str)] = &[
    ("枫林路", "Maple Row"), ("学府街", "College Street"), ("和平大道", "Peace Avenue"), ("运河北路", "North Canal Road"),
    ("灯塔巷", "Lighthouse Lane"), ("集市街", "Market Street"), ("桂花弄", "Osmanthus Alley"), ("车站路", "Station Road"),
    ("磨坊街", "Mill Street"), ("银杏大街", "Ginkgo Street"), ("东堤路", "East Embankment"), ("书院里", "Academy Close"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use std::collections::HashSet;

    const REGIONS: [u8; 5] = [1, 6, 36, 48, 56];

    /// As many units as the demo world has, all crowded into few regions and years to provoke collisions.
    fn crowd() -> impl Iterator<Item = Unit> {
        (1..=280_005_u32).map(|recid| {
            let region = REGIONS[usize::try_from(recid % 5).unwrap()];
            Unit { recid, age: [15, 40, 40, 41, 80, 85][usize::try_from(recid / 7 % 6).unwrap()], region }
        })
    }

    /// GB 11643 as the standard writes it, with its table of weights: another way than the module's.
    fn holds_by_weights(number: &str) -> bool {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const CHECKS: &str = "10X98765432";
        let sum: u32 = number.chars().zip(WEIGHTS).map(|(c, w)| c.to_digit(10).unwrap() * w).sum();
        number.len() == 18 && number.chars().nth(17) == CHECKS.chars().nth(usize::try_from(sum % 11).unwrap())
    }

    #[test]
    fn the_check_digit_is_the_one_of_the_standard() {
        // The two examples printed in GB 11643-1999.
        assert_eq!(check_digit("11010519491231002"), 'X');
        assert_eq!(check_digit("44052418800101001"), '4');
    }

    #[test]
    fn identifiers_are_valid_unique_and_agree_with_the_row() {
        let (mut numbers, mut phones, mut mails) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (unit, row) in crowd().zip(persons(SEED, crowd())) {
            let id = &row.identity_number;
            assert!(holds_by_weights(id), "{id}");
            assert_eq!(&id[..4], format!("99{:02}", unit.region));
            assert_eq!(id[6..14], row.birth_date.iso().replace('-', ""));
            assert_eq!(id[16..17].parse::<u8>().unwrap() % 2 == 1, row.sex == Sex::Male);
            let age = REFERENCE_YEAR - row.birth_date.year;
            let top = match unit.age {
                80 => 84,
                85 => 96,
                exact => u16::from(exact),
            };
            assert!((u16::from(unit.age)..=top).contains(&age));
            assert!(row.phone.starts_with("+999 ") && row.email.ends_with(".example"));
            assert!(row.email.is_ascii() && !row.name.trim().is_empty() && !row.address.is_empty());
            numbers.insert(row.identity_number);
            phones.insert(row.phone);
            mails.insert(row.email);
        }
        assert_eq!((numbers.len(), phones.len(), mails.len()), (280_005, 280_005, 280_005));
    }

    #[test]
    fn a_row_depends_on_seed_and_unit_only() {
        let forward: Vec<_> = persons(SEED, crowd().take(500)).collect();
        let mut units: Vec<_> = crowd().take(500).collect();
        units.reverse();
        let mut backward: Vec<_> = persons(SEED, units).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        assert_ne!(forward, persons(SEED + 1, crowd().take(500)).collect::<Vec<_>>());
    }

    #[test]
    fn the_registry_of_the_demo_world_stays_the_same() {
        let first = person(SEED, Unit { recid: 1, age: 52, region: 6 });
        let shown = format!(
            "{}|{}|{}|{}|{}|{}|{}",
            first.name,
            first.identity_number,
            first.birth_date.iso(),
            first.sex.code(),
            first.phone,
            first.address,
            first.email
        );
        assert_eq!(
            shown,
            "曾海|99062519621201839X|1962-12-01|male|+999 06 5788 5161|108 Academy Close, Flat 603, Greenbay 06-9776|zeng.hai1@letters.example"
        );
    }

    #[test]
    fn days_spread_over_the_year_and_names_over_traditions() {
        let rows: Vec<_> = persons(SEED, crowd()).collect();
        let days: HashSet<_> = rows.iter().map(|r| (r.birth_date.month, r.birth_date.day)).collect();
        assert_eq!(days.len(), 365);
        let latin = rows.iter().filter(|r| r.name.is_ascii()).count();
        let women = rows.iter().filter(|r| r.sex == Sex::Female).count();
        assert!((0.5..0.7).contains(&(latin as f64 / rows.len() as f64)));
        assert!((0.49..0.51).contains(&(women as f64 / rows.len() as f64)));
    }
}
