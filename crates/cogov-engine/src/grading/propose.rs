//! From names and content to categories, and from categories, uniqueness and volume to a grade.

use super::content::Content;
use super::names::{self, Cue};
use super::scan::Identifier;
use super::shapes::Shape;
use super::unique::Combination;
use super::words;
use cogov_model::{
    CategoryCode, ColumnName, DataType, Evidence, Finding, Grade, Label, LabelProposal, Scheme, Text,
};
use std::collections::BTreeSet;

/// One column as the proposal sees it.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its name in SQL.
    pub name: &'a ColumnName,
    /// Its header in the file.
    pub header: &'a str,
    /// Its type.
    pub data_type: DataType,
    /// Its values.
    pub content: &'a Content,
}

/// Categories that name and content speak for, before uniqueness and volume.
#[derive(Debug)]
pub struct Draft {
    categories: BTreeSet<CategoryCode>,
    findings: Vec<Finding>,
    quasi: bool,
}

/// A threshold of the scheme, or its default when the scheme does not set it.
pub(super) fn threshold(scheme: &Scheme, name: &str) -> u64 {
    let default = match name {
        "identifying_distinct_permille" => 950,
        "quasi_distinct_permille" => 100,
        "quasi_columns" => 3,
        "unique_rows_raise_permille" => 50,
        "detect_share_permille" => 800,
        // Notices: combinations that single out rows, and identifiers among other words.
        _ => 10,
    };
    scheme.thresholds.get(name).copied().unwrap_or(default)
}

fn reaches(part: u64, whole: u64, permille: u64) -> bool {
    whole > 0 && part.saturating_mul(1000) >= whole.saturating_mul(permille)
}

impl Draft {
    fn add(&mut self, evidence: Evidence, code: &str, words: Text, matched: u64, examined: u64) {
        let category = CategoryCode::new(code).ok();
        self.categories.extend(category.clone());
        self.findings.push(Finding { evidence, category, words, matched, examined });
    }

    fn about_persons(&self) -> bool {
        self.categories.iter().any(|code| code.is_within("person"))
    }
}

const fn identifier_category(kind: Identifier) -> &'static str {
    match kind {
        Identifier::ResidentId => "person.identity",
        Identifier::CreditCode => "enterprise.registration",
        Identifier::Iban | Identifier::BankCard => "person.finance.account",
    }
}

const fn shape_category(shape: Shape) -> Option<&'static str> {
    Some(match shape {
        Shape::Phone => "person.contact.phone",
        Shape::Email => "person.contact.email",
        Shape::PersonName | Shape::NameLike => "person.name",
        Shape::Address => "person.location.address",
        Shape::Organisation => "enterprise.registration",
        Shape::Sex => "person.sex",
        Shape::Coordinates => "person.location.coordinates",
        Shape::Plate => "person.key",
        Shape::OldResidentId => "person.identity",
        Shape::FreeText => "person.text",
        Shape::Network => return None,
    })
}

/// The categories of every column, from names and content.
#[must_use]
pub fn draft(scheme: &Scheme, columns: &[Seen<'_>]) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = columns.iter().map(|column| draft_one(scheme, column)).collect();
    let persons = drafts.iter().any(Draft::about_persons);
    places(scheme, columns, &mut drafts);
    for (draft, column) in drafts.iter_mut().zip(columns) {
        let (distinct, _) = column.content.distinct();
        let rows = column.content.rows();
        if persons && draft.categories.is_empty() && births(column) {
            draft.add(
                Evidence::Content,
                "person.birth",
                words::births(),
                rows - column.content.nulls(),
                rows,
            );
        }
        let key = matches!(column.data_type, DataType::Integer | DataType::Text)
            && rows >= 20
            && reaches(distinct, rows, threshold(scheme, "identifying_distinct_permille"));
        if draft.categories.is_empty() && key {
            let code = if persons { "person.key" } else { "technical.key" };
            draft.add(Evidence::Uniqueness, code, words::key(distinct, rows), distinct, rows);
        } else if draft.categories.is_empty() && persons {
            draft.add(Evidence::Floor, "person", words::beside_person(), 0, 0);
        }
    }
    drafts
}

/// Two neighbours whose numbers fit latitude and longitude and are as fine as positions are.
fn places(scheme: &Scheme, columns: &[Seen<'_>], drafts: &mut [Draft]) {
    let share = threshold(scheme, "detect_share_permille");
    let within = |column: &Seen<'_>, most: f64| {
        let (range, examined) = (column.content.range(), column.content.examined());
        column.data_type == DataType::Real
            && examined >= 20
            && reaches(range.fine, examined, share)
            && range.ends.is_some_and(|(least, greatest)| least >= -most && greatest <= most)
    };
    let pair = |a: &Seen<'_>, b: &Seen<'_>| {
        within(a, 90.0) && within(b, 180.0) || within(a, 180.0) && within(b, 90.0)
    };
    let places = (0..columns.len()).filter(|i| match (columns.get(*i), columns.get(i + 1)) {
        (Some(a), Some(b)) => pair(a, b),
        _ => false,
    });
    let mut both: BTreeSet<usize> = BTreeSet::new();
    places.for_each(|i| both.extend([i, i + 1]));
    for (index, draft) in
        drafts.iter_mut().enumerate().filter(|(i, d)| both.contains(i) && d.categories.is_empty())
    {
        let examined = columns.get(index).map_or(0, |c| c.content.examined());
        draft.add(Evidence::Content, "person.location.coordinates", words::positions(), examined, examined);
    }
}

/// Days that lie over more than forty years, the first before 1970: as births do, and few other days in
/// a table about persons.
fn births(column: &Seen<'_>) -> bool {
    column.data_type == DataType::Date
        && column
            .content
            .range()
            .ends
            .is_some_and(|(first, last)| first < 0.0 && last - first > 40.0 * 365.25)
}

fn draft_one(scheme: &Scheme, column: &Seen<'_>) -> Draft {
    let mut draft = Draft { categories: BTreeSet::new(), findings: Vec::new(), quasi: false };
    let cue = names::cue(column.header);
    let business = cue.is_some_and(|c| c.category.as_str() == "enterprise.finance.account");
    for kind in Identifier::ALL {
        if column.content.convincing(kind) {
            let (matched, examined) = (column.content.valid(kind), column.content.examined());
            let code = match identifier_category(kind) {
                "person.finance.account" if business => "enterprise.finance.account",
                code => code,
            };
            draft.add(
                Evidence::Content,
                code,
                words::check_digits(kind, matched, examined),
                matched,
                examined,
            );
        }
    }
    shapes_of(scheme, column, cue, &mut draft);
    if let Some(cue) = cue
        && (!cue.weak || supported(column, cue))
    {
        let title =
            scheme.get(&cue.category).map_or_else(|| Text::same(cue.category.as_str()), |c| c.name.clone());
        draft.quasi = cue.quasi;
        draft.add(Evidence::Name, cue.category.as_str(), words::named(column.header, &title), 0, 0);
    }
    draft
}

/// Shapes that most values have, and contacts that some hold among other words.
fn shapes_of(scheme: &Scheme, column: &Seen<'_>, cue: Option<&Cue>, draft: &mut Draft) {
    let (content, examined) = (column.content, column.content.examined());
    let share = threshold(scheme, "detect_share_permille");
    for shape in Shape::ALL {
        let matched = content.shape(shape);
        let enough = match shape {
            Shape::PersonName => false,
            // Few different names are more likely a list of categories than people, and names of which
            // none is frequent are more likely those of places or things.
            Shape::NameLike => {
                let distinct = content.distinct().0;
                reaches(matched, examined, share)
                    && reaches(content.shape(Shape::PersonName), examined, share / 4)
                    && (distinct >= 50 || reaches(distinct, examined, 500))
            }
            Shape::FreeText => reaches(matched, examined, 300),
            _ => reaches(matched, examined, share),
        };
        let Some(code) = shape_category(shape).filter(|_| enough) else { continue };
        // The address of a registered organisation is public; its cue says so.
        let public = cue.is_some_and(|c| c.category.as_str().starts_with("enterprise."));
        if !(public && matches!(shape, Shape::Address | Shape::NameLike)) {
            draft.add(
                Evidence::Content,
                code,
                words::looks_like(shape, matched, examined),
                matched,
                examined,
            );
        }
    }
    let notice = threshold(scheme, "detect_notice_permille");
    for (shape, matched) in [Shape::Phone, Shape::Email].into_iter().zip(content.contacts()) {
        if let Some(code) = shape_category(shape)
            && matched > 0
            && reaches(matched, examined, notice)
        {
            draft.add(Evidence::Content, code, words::holds(shape, matched, examined), matched, examined);
        }
    }
}

/// Whether some of the content agrees with a weak name.
fn supported(column: &Seen<'_>, cue: &Cue) -> bool {
    let agreeing = Shape::ALL
        .into_iter()
        .filter(|shape| shape_category(*shape) == Some(cue.category.as_str()))
        .map(|shape| column.content.shape(shape))
        .max()
        .unwrap_or(0);
    reaches(agreeing, column.content.examined(), 300)
}

/// The columns that may single persons out together, in the order of the table: at most six, and none in a
/// table that is not about persons.
#[must_use]
pub fn quasi_identifiers(scheme: &Scheme, columns: &[Seen<'_>], drafts: &[Draft]) -> Vec<usize> {
    if !drafts.iter().any(Draft::about_persons) {
        return Vec::new();
    }
    let most = threshold(scheme, "quasi_distinct_permille");
    let mut chosen: Vec<(bool, u64, usize)> = columns
        .iter()
        .zip(drafts)
        .enumerate()
        .filter_map(|(index, (column, draft))| {
            let (distinct, rows) = (column.content.distinct().0, column.content.rows());
            let few = distinct >= 2 && distinct.saturating_mul(1000) <= rows.saturating_mul(most);
            let sex = draft.categories.iter().any(|c| c.as_str() == "person.sex");
            let told = draft.quasi || sex;
            let plain = matches!(column.data_type, DataType::Text | DataType::Integer | DataType::Boolean)
                && (3..=200).contains(&distinct);
            (few && (told || plain) || told && rows >= 20 && distinct >= 2).then_some((told, distinct, index))
        })
        .collect();
    chosen.sort_by_key(|(told, distinct, index)| (!told, u64::MAX - distinct, *index));
    let mut columns: Vec<usize> = chosen.into_iter().take(6).map(|(_, _, index)| index).collect();
    columns.sort_unstable();
    columns
}

/// How many persons the table holds: distinct values of what identifies a person, or else its rows.
#[must_use]
pub fn persons(columns: &[Seen<'_>], drafts: &[Draft]) -> u64 {
    let rows = columns.first().map_or(0, |c| c.content.rows());
    let of = |code: &str| {
        columns
            .iter()
            .zip(drafts)
            .filter(|(_, d)| d.categories.iter().any(|c| c.as_str() == code))
            .map(|(c, _)| c.content.distinct().0)
            .max()
    };
    match of("person.identity").or_else(|| of("person.key")) {
        Some(persons) => persons.min(rows),
        None if drafts.iter().any(Draft::about_persons) => rows,
        None => 0,
    }
}

/// The grade of every column: the highest of its floors, uniqueness and volume.
#[must_use]
pub fn propose(
    scheme: &Scheme,
    columns: &[Seen<'_>],
    drafts: Vec<Draft>,
    combination: Option<&Combination>,
) -> Vec<LabelProposal> {
    let persons = persons(columns, &drafts);
    drafts
        .into_iter()
        .enumerate()
        .map(|(index, mut draft)| {
            let mut grade = floors(scheme, &mut draft);
            if let Some(combination) = combination.filter(|c| c.columns.contains(&index)) {
                grade = grade.max(uniqueness(scheme, columns, combination, &mut draft));
            }
            if draft.about_persons() {
                grade = volume(scheme, persons, grade, &mut draft);
            }
            LabelProposal { label: Label { categories: draft.categories, grade }, findings: draft.findings }
        })
        .collect()
}

fn floors(scheme: &Scheme, draft: &mut Draft) -> Grade {
    let codes: Vec<CategoryCode> = draft.categories.iter().cloned().collect();
    let Some((floor, code)) =
        codes.iter().map(|code| (scheme.floor(code), code)).max_by_key(|(floor, _)| *floor)
    else {
        return Grade::General1;
    };
    let title = scheme.get(code).map_or_else(|| Text::same(code.as_str()), |c| c.name.clone());
    draft.add(Evidence::Floor, code.as_str(), words::floor(&title, floor), 0, 0);
    floor
}

fn uniqueness(scheme: &Scheme, columns: &[Seen<'_>], found: &Combination, draft: &mut Draft) -> Grade {
    let names: Vec<&str> =
        found.columns.iter().filter_map(|i| columns.get(*i)).map(|c| c.name.as_str()).collect();
    let small = threshold(scheme, "small_group_persons");
    let mut words = words::singled_out(&names.join(", "), found.alone, found.small, found.rows, small);
    let raises = reaches(found.small, found.rows, threshold(scheme, "unique_rows_raise_permille"));
    let grade = if raises { Grade::General3 } else { Grade::General1 };
    if raises {
        let raised = words::raised(grade);
        words.en.push_str(&raised.en);
        words.zh.push_str(&raised.zh);
    }
    let finding = Finding {
        evidence: Evidence::Uniqueness,
        category: None,
        words,
        matched: found.small,
        examined: found.rows,
    };
    draft.findings.push(finding);
    grade
}

fn volume(scheme: &Scheme, persons: u64, grade: Grade, draft: &mut Draft) -> Grade {
    let rule = scheme
        .volume
        .iter()
        .filter(|rule| grade >= rule.from_grade && persons >= rule.persons && rule.raise_to > grade)
        .max_by_key(|rule| rule.raise_to);
    let Some(rule) = rule else { return grade };
    let words = words::volume(persons, rule.persons, rule.raise_to);
    draft.findings.push(Finding {
        evidence: Evidence::Volume,
        category: None,
        words,
        matched: persons,
        examined: persons,
    });
    rule.raise_to
}
