//! Parameters of a statement: `$1`, `$2`, ….

use crate::error::{ErrorKind, QueryError};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;

/// The value of a parameter. A text is read as the type that the statement gives the parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(String),
    /// A day, in days since 1970-01-01.
    Date(i32),
    /// A moment in UTC, in microseconds since 1970-01-01.
    Timestamp(i64),
}

/// The types of a plan's parameters in order; none where the statement does not tell.
///
/// # Errors
/// When parameters are not numbered from `$1` on.
pub(super) fn types(plan: &LogicalPlan) -> Result<Vec<Option<DataType>>, QueryError> {
    let known = plan.get_parameter_types().map_err(|e| super::faults::planning(&e))?;
    let mut all: Vec<(usize, Option<DataType>)> = Vec::new();
    for (id, data_type) in known {
        let number = id.strip_prefix('$').and_then(|n| n.parse().ok()).filter(|n| (1..=1000).contains(n));
        all.push((number.ok_or_else(misnumbered)?, data_type));
    }
    let count = all.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let mut types = vec![None; count];
    for (number, data_type) in all {
        if let Some(slot) = types.get_mut(number - 1) {
            *slot = data_type;
        }
    }
    Ok(types)
}

/// The values in the types of their parameters.
///
/// # Errors
/// When there are too few or too many, or one does not read as its type.
pub(super) fn values(params: &[Param], types: &[Option<DataType>]) -> Result<Vec<ScalarValue>, QueryError> {
    if params.len() != types.len() {
        let (want, got) = (types.len(), params.len());
        return Err(wrong(
            &format!("the statement has {want} parameters, and {got} values were given"),
            &format!("语句有 {want} 个参数，却给出 {got} 个值"),
        ));
    }
    let typed = params.iter().zip(types).enumerate().map(|(index, (param, data_type))| {
        typed(param, data_type.as_ref()).ok_or_else(|| {
            let number = index + 1;
            wrong(
                &format!("the value of ${number} does not read as the type that the statement gives it"),
                &format!("参数 ${number} 的值与语句要求的类型不符"),
            )
        })
    });
    typed.collect()
}

fn typed(param: &Param, data_type: Option<&DataType>) -> Option<ScalarValue> {
    let natural = match param {
        Param::Null => return ScalarValue::try_from(data_type.unwrap_or(&DataType::Utf8)).ok(),
        Param::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Param::Int(value) => ScalarValue::Int64(Some(*value)),
        Param::Real(value) => ScalarValue::Float64(Some(*value)),
        Param::Text(value) => ScalarValue::Utf8(Some(value.clone())),
        Param::Date(days) => ScalarValue::Date32(Some(*days)),
        Param::Timestamp(micros) => ScalarValue::TimestampMicrosecond(Some(*micros), None),
    };
    match data_type {
        None => Some(natural),
        Some(to) => natural.cast_to(to).ok().filter(|value| !value.is_null()),
    }
}

fn misnumbered() -> QueryError {
    wrong("parameters are written $1, $2 and so on, up to $1000", "参数应写作 $1、$2 等，最多 $1000")
}

fn wrong(en: &str, zh: &str) -> QueryError {
    QueryError::new(ErrorKind::Parameters, en, zh)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn values_take_the_types_of_their_parameters() {
        let types = [Some(DataType::Int64), Some(DataType::Date32), None];
        let text = |t: &str| Param::Text(t.into());
        let values = values(&[text("5"), text("2020-01-02"), Param::Null], &types).unwrap();
        assert_eq!(values[0], ScalarValue::Int64(Some(5)));
        assert_eq!(values[1], ScalarValue::Date32(Some(18263)));
        assert!(values[2].is_null());
        let error = super::values(&[text("secret"), text("2020-01-02"), Param::Null], &types).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Parameters);
        assert!(!error.to_string().contains("secret"));
        assert!(super::values(&[], &types).is_err());
    }
}
