//! Findings in words, in both languages. No word of them ever quotes a value.

use super::scan::Identifier;
use super::shapes::Shape;
use cogov_model::{Grade, Text};

/// A share in per cent with one decimal.
fn percent(part: u64, whole: u64) -> String {
    let permille = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    format!("{}.{} %", permille / 10, permille % 10)
}

const fn identifier(kind: Identifier) -> (&'static str, &'static str) {
    match kind {
        Identifier::ResidentId => ("a resident identity number (GB 11643)", "公民身份号码(GB 11643)"),
        Identifier::CreditCode => ("a unified social credit code (GB 32100)", "统一社会信用代码(GB 32100)"),
        Identifier::Iban => ("an IBAN (ISO 13616)", "国际银行账号 IBAN(ISO 13616)"),
        Identifier::BankCard => ("a bank card number (Luhn)", "银行卡号(Luhn 校验)"),
    }
}

const fn shape(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Phone => ("a telephone number", "电话号码"),
        Shape::Email => ("an e-mail address", "电子邮箱"),
        Shape::PersonName | Shape::NameLike => ("a person's name", "人名"),
        Shape::Address => ("a postal address", "地址"),
        Shape::Organisation => ("an organisation's name", "组织名称"),
        Shape::Sex => ("a word for a sex", "性别"),
        Shape::Coordinates => ("a pair of coordinates", "经纬度"),
        Shape::Network => ("a network address", "网络地址"),
        Shape::Plate => ("a vehicle licence plate", "车牌号"),
        Shape::OldResidentId => ("an identity number of the old form", "15 位旧身份号码"),
        Shape::FreeText => ("free text", "自由文本"),
    }
}

pub(super) fn named(header: &str, category: &Text) -> Text {
    let header: String = header.chars().take(40).collect();
    Text::new(
        format!("The column is called “{header}”, which speaks for: {}.", category.en),
        format!("列名“{header}”表明:{}。", category.zh),
    )
}

pub(super) fn check_digits(kind: Identifier, matched: u64, examined: u64) -> Text {
    let (en, zh) = identifier(kind);
    let share = percent(matched, examined);
    Text::new(
        format!("{matched} of {examined} values ({share}) are or hold {en} with a right check digit."),
        format!("{examined} 个值中有 {matched} 个({share})是或者含有校验位正确的{zh}。"),
    )
}

pub(super) fn looks_like(kind: Shape, matched: u64, examined: u64) -> Text {
    let (en, zh) = shape(kind);
    let share = percent(matched, examined);
    Text::new(
        format!("{matched} of {examined} values ({share}) look like {en}."),
        format!("{examined} 个值中有 {matched} 个({share})形如{zh}。"),
    )
}

pub(super) fn holds(kind: Shape, matched: u64, examined: u64) -> Text {
    let (en, zh) = shape(kind);
    let share = percent(matched, examined);
    Text::new(
        format!("{matched} of {examined} values ({share}) hold {en} among other words."),
        format!("{examined} 个值中有 {matched} 个({share})的文字中含有{zh}。"),
    )
}

pub(super) fn floor(category: &Text, grade: Grade) -> Text {
    Text::new(
        format!("The scheme grades “{}” at {} or above.", category.en, grade.code()),
        format!("分类方案规定“{}”不低于{}。", category.zh, grade.zh()),
    )
}

pub(super) fn beside_person() -> Text {
    Text::new(
        "It stands in the same row as what identifies a person, so it is information about that person.",
        "与能够识别自然人的信息同处一行,因此属于该自然人的个人信息。",
    )
}

pub(super) fn births() -> Text {
    Text::new(
        "The days lie over more than forty years beside what identifies a person, as dates of birth do.",
        "日期跨度超过四十年,并与能够识别自然人的信息同处一行,形如出生日期。",
    )
}

pub(super) fn positions() -> Text {
    Text::new(
        "Together with its neighbour, its numbers fit latitude and longitude and are as fine as positions are.",
        "与相邻列一起,数值符合纬度和经度的范围,并且精度与位置坐标相当。",
    )
}

pub(super) fn key(distinct: u64, rows: u64) -> Text {
    let share = percent(distinct, rows);
    Text::new(
        format!("{distinct} distinct values in {rows} rows ({share}): it identifies a row by itself."),
        format!("{rows} 行中有 {distinct} 个不同的值({share}),单独即可识别一行。"),
    )
}

/// What is said of a combination of columns.
pub(super) fn singled_out(columns: &str, alone: u64, small: u64, rows: u64, persons: u64) -> Text {
    let (a, s) = (percent(alone, rows), percent(small, rows));
    Text::new(
        format!("Together, {columns} leave {a} of the rows alone and {s} in groups of fewer than {persons}."),
        format!("{columns}组合后,{a} 的行独一无二,{s} 的行所在的组少于 {persons} 行。"),
    )
}

pub(super) fn raised(grade: Grade) -> Text {
    Text::new(
        format!(" That raises the grade to {}.", grade.code()),
        format!("因此级别提高到{}。", grade.zh()),
    )
}

pub(super) fn volume(persons: u64, rule: u64, grade: Grade) -> Text {
    Text::new(
        format!("About {persons} persons are in the table; from {rule} on the grade is {}.", grade.code()),
        format!("表中约有 {persons} 人;达到 {rule} 人时级别为{}。", grade.zh()),
    )
}
