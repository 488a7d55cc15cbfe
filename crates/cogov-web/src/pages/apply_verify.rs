//! The part of the application form that declares questions to be verified ⇄ the application's verification.

use super::apply_form::{self, OPS};
use crate::{
    form::{Fields, Problem},
    ui::Ui,
    view::Choice,
};
use cogov_model::{
    ColumnName, ColumnRef, CompareOp, Condition, Dataset, Form, Linked, Predicate, PredicateId, Text,
    Verification,
};

/// Questions that the form offers.
pub const QUESTIONS: usize = 2;
/// Conditions of each.
const CONDITIONS: usize = 3;

/// A condition of a question.
pub struct ConditionRow {
    /// The columns, and none.
    pub columns: Vec<Choice>,
    /// The comparisons.
    pub ops: Vec<Choice>,
    /// The value.
    pub value: String,
}

/// A question as the form shows it.
pub struct QuestionForm {
    /// The beginning of its fields' names.
    pub key: String,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// Whether all conditions must hold, or any.
    pub how: Vec<Choice>,
    /// Its conditions.
    pub conditions: Vec<ConditionRow>,
}

/// The part of the form.
pub struct VerifyForm {
    /// Whether it is unfolded.
    pub open: bool,
    /// The column that identifies a person.
    pub subject: Vec<Choice>,
    /// The questions.
    pub questions: Vec<QuestionForm>,
}

impl VerifyForm {
    /// As the form's fields stand.
    pub fn new(ui: &Ui, dataset: &Dataset, fields: &Fields) -> Self {
        let question = |number: usize| {
            let key = format!("q{}", number + 1);
            let how = fields.get(&format!("{key}_how")).to_owned();
            let row = |i: usize| {
                let now =
                    |name: &str| fields.all(&format!("{key}_{name}")).nth(i).unwrap_or_default().to_owned();
                ConditionRow {
                    columns: columns(ui, dataset, &now("column")),
                    ops: OPS.iter().map(|op| Choice::new(op.sign(), op.sign(), &now("op"))).collect(),
                    value: now("value"),
                }
            };
            QuestionForm {
                en: fields.get(&format!("{key}_en")).to_owned(),
                zh: fields.get(&format!("{key}_zh")).to_owned(),
                how: vec![
                    Choice::new("all", ui.t("apply-verify-all"), &how),
                    Choice::new("any", ui.t("apply-verify-any"), &how),
                ],
                conditions: (0..CONDITIONS).map(row).collect(),
                key,
            }
        };
        Self {
            open: fields.get("form") == Form::Verify.code(),
            subject: columns(ui, dataset, fields.get("verify_subject")),
            questions: (0..QUESTIONS).map(question).collect(),
        }
    }
}

fn columns(ui: &Ui, dataset: &Dataset, now: &str) -> Vec<Choice> {
    let all = dataset.tables.iter().flat_map(|table| {
        table.columns.iter().map(|c| apply_form::reference(table.name.as_str(), c.name.as_str()))
    });
    let none = Choice::new("", ui.t("apply-scope-none"), now);
    std::iter::once(none).chain(all.map(|name| Choice::new(name.clone(), name, now))).collect()
}

/// The declaration that a form stands for; none in another form of use. What is missing is left to the
/// application to say.
///
/// # Errors
/// The first field that cannot be read.
pub fn read(ui: &Ui, fields: &Fields, dataset: &Dataset) -> Result<Option<Verification>, Problem> {
    if fields.get("form") != Form::Verify.code() {
        return Ok(None);
    }
    let subject = apply_form::resolve(dataset, fields.get("verify_subject"));
    let (subject, _) =
        subject.ok_or_else(|| Problem::new("verify-subject", ui.t("apply-verify-no-subject")))?;
    let mut predicates = Vec::new();
    for number in 1..=QUESTIONS {
        let key = format!("q{number}");
        let all = conditions(ui, fields, dataset, &subject, &key)?;
        let words = Text::new(fields.get(&format!("{key}_en")), fields.get(&format!("{key}_zh")));
        if all.is_empty() && words.is_empty() {
            continue;
        }
        let id = PredicateId::new(format!("question-{number}"));
        let id = id.map_err(|error| Problem::new(&format!("{key}-en"), error.to_string()))?;
        predicates.push(Predicate { id, words, all, absent_means_no: false });
    }
    Ok(Some(Verification {
        dataset: subject.dataset,
        table: subject.table,
        subject: vec![subject.column],
        predicates,
    }))
}

fn conditions(
    ui: &Ui,
    fields: &Fields,
    dataset: &Dataset,
    subject: &ColumnRef,
    key: &str,
) -> Result<Vec<Condition>, Problem> {
    let (columns, ops, values) = (format!("{key}_column"), format!("{key}_op"), format!("{key}_value"));
    let rows = fields.all(&columns).zip(fields.all(&ops)).zip(fields.all(&values));
    let mut all = Vec::new();
    for (i, ((column, sign), value)) in rows.enumerate() {
        let Some((column, kind)) = apply_form::resolve(dataset, column) else { continue };
        let field = format!("{key}-value-{}", i + 1);
        let value = apply_form::scalar(kind, value);
        let value = value
            .ok_or_else(|| Problem::new(&field, ui.with("apply-bad-value", "column", &column.column)))?;
        let op = OPS.into_iter().find(|op| op.sign() == sign).unwrap_or(CompareOp::Eq);
        let test = Condition::Compare { column: column.column.clone(), op, value };
        let there =
            if column.table == subject.table { Some(test) } else { linked(dataset, subject, &column, test) };
        all.push(there.ok_or_else(|| Problem::new(&field, ui.t("apply-verify-no-link")))?);
    }
    let any = fields.get(&format!("{key}_how")) == "any" && all.len() > 1;
    Ok(if any { vec![Condition::Any { any: all }] } else { all })
}

/// A condition on another table of the dataset, through the units that both tables declare.
fn linked(dataset: &Dataset, subject: &ColumnRef, column: &ColumnRef, test: Condition) -> Option<Condition> {
    let unit = |table| -> Option<ColumnName> { dataset.table(table)?.unit.clone() };
    Some(Condition::Linked {
        linked: Linked {
            column: unit(&subject.table)?,
            dataset: dataset.id.clone(),
            table: column.table.clone(),
            key: unit(&column.table)?,
            any: vec![test],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::apply::sample_dataset;
    use cogov_model::Locale;

    #[test]
    fn questions_are_read_and_belong_to_verification_only() {
        let (ui, dataset) = (crate::ui::sample(Locale::En), sample_dataset());
        let text = "form=verify&verify_subject=units.fips&q1_en=Poor%3F&q1_zh=%E8%B4%AB%3F&q1_how=any\
                    &q1_column=units.wages&q1_op=%3C&q1_value=10&q1_column=units.wages&q1_op=%3D&q1_value=11\
                    &q1_column=&q1_op=%3D&q1_value=";
        let read_it = |text: &str| read(&ui, &Fields::parse(text.as_bytes()), &dataset);
        let verification = read_it(text).unwrap().unwrap();
        assert_eq!((verification.subject.len(), verification.predicates.len()), (1, 1));
        let question = &verification.predicates[0];
        assert_eq!(question.all[0].to_string(), "(wages < 10 or wages = 11)");
        assert_eq!(question.words.zh, "贫?");
        assert_eq!(read_it(&text.replace("form=verify", "form=rows")).unwrap(), None);
        let without = read_it(&text.replace("units.fips", "")).unwrap_err();
        assert_eq!(without.field, "verify-subject");
        assert_eq!(read_it(&text.replace("=11", "=x")).unwrap_err().field, "q1-value-2");
    }
}
