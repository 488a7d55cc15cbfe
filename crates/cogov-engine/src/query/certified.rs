//! By which means a label may fall, and how far: the certified transforms C1 to C3 of `docs/labels.md`.
//!
//! | means | falls | source |
//! |---|---|---|
//! | mask (year, band, prefix, keyed hash) | one grade, never below general 2 | GB/T 43697-2024 annex I, de-identified data; from memory, unverified |
//! | statistic over at least 10 | to general 2 | annex I, statistical data, and the common threshold of 10 of disclosure control; unverified |
//! | statistic over at least k < 10 | one grade, never below general 2 | the same |
//! | statistic over 1 | not: it may be of one person | |
//!
//! Important and core data never fall here: annex I lets fused or large-group statistics grade even higher.
//! Categories never fall.

use cogov_model::{Grade, Label, MinGroup, Treatment};

/// The threshold of disclosure control from which a statistic counts as one (`law.md`: threshold 10).
const STATISTIC: u64 = 10;

fn one_lower(grade: Grade) -> Grade {
    match grade {
        Grade::General4 => Grade::General3,
        Grade::General3 => Grade::General2,
        other => other,
    }
}

/// The label of a column as its treatment at the scan leaves it.
pub(super) fn at_scan(label: &Label, treatment: &Treatment) -> Label {
    match treatment {
        Treatment::Mask(_) => with_grade(label, one_lower(label.grade)),
        _ => label.clone(),
    }
}

/// What a protected statistic leaves of the label of a column that may leave in statistics over `k` only.
pub(super) fn of_statistic(label: &Label, k: MinGroup) -> Label {
    with_grade(label, grade_of_statistic(label.grade, k))
}

fn grade_of_statistic(grade: Grade, k: MinGroup) -> Grade {
    match grade {
        _ if k.get() <= 1 => grade,
        Grade::General3 | Grade::General4 if k.get() >= STATISTIC => Grade::General2,
        other => one_lower(other),
    }
}

fn with_grade(label: &Label, grade: Grade) -> Label {
    Label { categories: label.categories.clone(), grade }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use cogov_model::Mask;

    #[test]
    fn labels_fall_by_the_table_only() {
        let k = |n| MinGroup::new(n).unwrap();
        for grade in Grade::ALL {
            let label = Label::new(["person.name".parse().unwrap()], grade);
            let masked = at_scan(&label, &Treatment::Mask(Mask::Year));
            let counted = of_statistic(&label, k(10));
            for lower in [&masked, &counted, &of_statistic(&label, k(3))] {
                assert!(lower.grade <= grade && lower.categories == label.categories);
                assert!(lower.grade >= grade.min(Grade::General2));
                assert!(grade <= Grade::General4 || lower.grade == grade);
            }
            assert_eq!(at_scan(&label, &Treatment::Clear), label);
            assert_eq!(of_statistic(&label, k(1)), label);
            assert!(grade.rank() <= masked.grade.rank() + 1);
        }
    }
}
