//! Verifications (核验): the questions that a verify grant may ask about one identified person, and their answers.
//!
//! A question is declared with the application, agreed with the grant, and never written by who asks it: a counter
//! names the person and the question, and learns yes, no or unknown.

use crate::{ColumnName, ColumnRef, Condition, DatasetId, PredicateId, TableName, Text};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// What is known of one question about one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyAnswer {
    /// The question's conditions hold.
    Yes,
    /// They do not hold.
    No,
    /// The person is not found among the granted rows, more than one person is, or a value is missing.
    Unknown,
}

impl VerifyAnswer {
    /// Every answer.
    pub const ALL: [VerifyAnswer; 3] = [VerifyAnswer::Yes, VerifyAnswer::No, VerifyAnswer::Unknown];

    /// The code used in entries, receipts and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            VerifyAnswer::Yes => "yes",
            VerifyAnswer::No => "no",
            VerifyAnswer::Unknown => "unknown",
        }
    }
}

impl fmt::Display for VerifyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A question that a verify grant may ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    /// Its name, by which it is asked.
    pub id: PredicateId,
    /// The question in words, in both languages.
    pub words: Text,
    /// The conditions on the person's row that must all hold; a `linked` one looks into another granted table.
    pub all: Vec<Condition>,
    /// Whether a person without a row in a linked table has the answer no. Else it is unknown.
    #[serde(default)]
    pub absent_means_no: bool,
}

/// What a verify grant may be asked: who is identified how, and the questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The dataset of the table in which the person is looked up.
    pub dataset: DatasetId,
    /// The table in which the person is looked up.
    pub table: TableName,
    /// The columns of it that identify a person; all of them are given with every question.
    pub subject: Vec<ColumnName>,
    /// The questions.
    pub predicates: Vec<Predicate>,
}

impl Verification {
    /// A question by its name.
    #[must_use]
    pub fn predicate(&self, id: &PredicateId) -> Option<&Predicate> {
        self.predicates.iter().find(|predicate| predicate.id == *id)
    }

    /// The columns that a question looks at: those that identify the person, those of its conditions, and the keys
    /// by which its tables are linked.
    #[must_use]
    pub fn columns(&self, predicate: &Predicate) -> BTreeSet<ColumnRef> {
        let place = (&self.dataset, &self.table);
        let mut columns: BTreeSet<ColumnRef> = self.subject.iter().map(|c| reference(place, c)).collect();
        predicate.all.iter().for_each(|condition| named(place, condition, &mut columns));
        columns
    }
}

fn reference((dataset, table): (&DatasetId, &TableName), column: &ColumnName) -> ColumnRef {
    ColumnRef { dataset: dataset.clone(), table: table.clone(), column: column.clone() }
}

fn named(place: (&DatasetId, &TableName), condition: &Condition, into: &mut BTreeSet<ColumnRef>) {
    match condition {
        Condition::Compare { column, .. } | Condition::In { column, .. } => {
            into.insert(reference(place, column));
        }
        Condition::Any { any } => any.iter().for_each(|inner| named(place, inner, into)),
        Condition::Linked { linked } => {
            let there = (&linked.dataset, &linked.table);
            into.insert(reference(place, &linked.column));
            into.insert(reference(there, &linked.key));
            linked.any.iter().for_each(|inner| named(there, inner, into));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_every_column_it_looks_at() {
        let verification: Verification = serde_json::from_str(
            r#"{"dataset":"registry","table":"persons","subject":["number"],"predicates":[{"id":"helped",
                "words":{"en":"Helped?","zh":"?"},"all":[{"any":[{"column":"fips","op":"=","value":6},
                {"linked":{"column":"recid","dataset":"welfare","table":"benefits","key":"recid",
                 "any":[{"column":"snap","op":">","value":0}]}}]}]}]}"#,
        )
        .unwrap();
        let predicate = verification.predicate(&"helped".parse().unwrap()).unwrap();
        let names: Vec<String> = verification.columns(predicate).iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "registry.persons.fips",
                "registry.persons.number",
                "registry.persons.recid",
                "welfare.benefits.recid",
                "welfare.benefits.snap",
            ]
        );
        assert!(!predicate.absent_means_no);
    }
}
