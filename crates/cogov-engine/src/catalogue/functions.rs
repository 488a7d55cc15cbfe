//! The functions that a catalogue statement may call. None of them reads anything but names.

use super::names::{Names, ROLE, quoted};
use super::types;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use std::{fmt, hash, sync::Arc};

/// Of the evaluator's own functions, those that clients use and that cannot grow without bound.
const BORROWED: &[&str] = &[
    "count",
    "min",
    "max",
    "coalesce",
    "nullif",
    "lower",
    "upper",
    "substring",
    "substr",
    "length",
    "char_length",
    "character_length",
    "octet_length",
    "position",
    "strpos",
    "replace",
    "split_part",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "concat",
    "array_agg",
    "string_agg",
    "bool_and",
    "bool_or",
    "starts_with",
    "left",
    "right",
    "row_number",
];

/// Ours: name, type of the result, and whether it speaks of the session even when no table is named.
const OWN: &[(&str, DataType, bool)] = &[
    ("version", DataType::Utf8, true),
    ("current_schema", DataType::Utf8, true),
    ("current_schemas", DataType::Utf8, true),
    ("current_database", DataType::Utf8, true),
    ("current_catalog", DataType::Utf8, true),
    ("current_user", DataType::Utf8, true),
    ("session_user", DataType::Utf8, true),
    ("user", DataType::Utf8, true),
    ("current_role", DataType::Utf8, true),
    ("current_setting", DataType::Utf8, true),
    ("set_config", DataType::Utf8, true),
    ("pg_backend_pid", DataType::Int32, true),
    ("pg_is_in_recovery", DataType::Boolean, true),
    ("pg_my_temp_schema", DataType::Int32, true),
    ("pg_is_other_temp_schema", DataType::Boolean, true),
    ("pg_client_encoding", DataType::Utf8, true),
    ("to_regclass", DataType::Int32, true),
    ("to_regtype", DataType::Int32, true),
    ("to_regnamespace", DataType::Int32, true),
    ("regclass_name", DataType::Utf8, true),
    ("regtype_name", DataType::Utf8, true),
    ("regother_name", DataType::Utf8, true),
    ("format_type", DataType::Utf8, true),
    ("pg_typeof", DataType::Utf8, false),
    ("quote_ident", DataType::Utf8, false),
    ("like_escaped", DataType::Boolean, false),
    ("array_to_string", DataType::Utf8, false),
    ("array_length", DataType::Int32, false),
    ("pg_get_userbyid", DataType::Utf8, true),
    ("pg_encoding_to_char", DataType::Utf8, true),
    ("pg_table_is_visible", DataType::Boolean, true),
    ("pg_type_is_visible", DataType::Boolean, true),
    ("pg_function_is_visible", DataType::Boolean, true),
    ("has_table_privilege", DataType::Boolean, true),
    ("has_column_privilege", DataType::Boolean, true),
    ("has_any_column_privilege", DataType::Boolean, true),
    ("has_schema_privilege", DataType::Boolean, true),
    ("has_database_privilege", DataType::Boolean, true),
    ("obj_description", DataType::Utf8, true),
    ("col_description", DataType::Utf8, true),
    ("shobj_description", DataType::Utf8, true),
    ("pg_get_expr", DataType::Utf8, true),
    ("pg_get_constraintdef", DataType::Utf8, true),
    ("pg_get_indexdef", DataType::Utf8, true),
    ("pg_get_viewdef", DataType::Utf8, true),
    ("pg_get_partkeydef", DataType::Utf8, true),
    ("pg_get_serial_sequence", DataType::Utf8, true),
    ("pg_relation_is_publishable", DataType::Boolean, true),
    ("pg_relation_size", DataType::Int32, true),
    ("pg_table_size", DataType::Int32, true),
    ("pg_total_relation_size", DataType::Int32, true),
    ("pg_size_pretty", DataType::Utf8, true),
    ("pg_tablespace_location", DataType::Utf8, true),
];

/// Whether a statement may call a function of this name.
pub(super) fn is_listed(name: &str) -> bool {
    BORROWED.contains(&name) || OWN.iter().any(|(own, ..)| *own == name)
}

/// Whether a function speaks of the session or the catalogue.
pub(super) fn is_session(name: &str) -> bool {
    OWN.iter().any(|(own, _, session)| *own == name && *session)
}

/// Makes our functions known to a context.
pub(super) fn register(context: &SessionContext, names: &Arc<Names>) {
    for (name, returns, _) in OWN {
        context.register_udf(ScalarUDF::new_from_impl(Native {
            name,
            returns: returns.clone(),
            names: names.clone(),
            signature: Signature::variadic_any(Volatility::Stable),
            nullary: Signature::nullary(Volatility::Stable),
        }));
    }
}

/// One of our functions: from the texts of its arguments to the text of its result.
struct Native {
    name: &'static str,
    returns: DataType,
    names: Arc<Names>,
    signature: Signature,
    nullary: Signature,
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Native {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Native {}

impl hash::Hash for Native {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// Functions that are called without arguments.
const NULLARY: &[&str] = &[
    "version",
    "current_schema",
    "current_database",
    "current_catalog",
    "current_user",
    "session_user",
    "user",
    "current_role",
    "pg_backend_pid",
    "pg_is_in_recovery",
    "pg_my_temp_schema",
    "pg_client_encoding",
];

impl ScalarUDFImpl for Native {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        if NULLARY.contains(&self.name) { &self.nullary } else { &self.signature }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let texts: Vec<ArrayRef> = args
            .args
            .iter()
            .map(|value| {
                let array = value.to_array(rows)?;
                // What has no text form, such as a list, counts as unknown.
                Ok(cast(&array, &DataType::Utf8).unwrap_or_else(|_| Arc::new(StringArray::new_null(rows))))
            })
            .collect::<Result<_>>()?;
        let result: StringArray = (0..rows)
            .map(|row| {
                let row: Vec<Option<&str>> = texts.iter().map(|column| text(column, row)).collect();
                answer(&self.names, self.name, &row)
            })
            .collect();
        Ok(ColumnarValue::Array(cast(&result, &self.returns)?))
    }
}

fn text(column: &ArrayRef, row: usize) -> Option<&str> {
    let column = column.as_string_opt::<i32>()?;
    (row < column.len() && !column.is_null(row)).then(|| column.value(row))
}

fn oid(argument: Option<&str>) -> Option<i32> {
    argument?.trim().parse().ok()
}

fn answer(names: &Names, name: &str, args: &[Option<&str>]) -> Option<String> {
    let first = args.first().copied().flatten();
    let second = args.get(1).copied().flatten();
    let truth = |truth: bool| Some(truth.to_string());
    match name {
        "version" => Some(format!("PostgreSQL {} (cogov)", names.server_version)),
        "current_schema" => Some(names.schemas().first().map_or("public", String::as_str).to_owned()),
        "current_schemas" => Some(format!("{{{}}}", names.schemas().join(","))),
        "current_database" | "current_catalog" => Some(names.database.clone()),
        "current_user" | "session_user" | "user" | "current_role" => Some(names.user.clone()),
        "current_setting" => setting(names, first?),
        // Settings of the session are changed by SET; this answers what was asked and changes nothing.
        "set_config" => second.map(str::to_owned),
        "pg_client_encoding" | "pg_encoding_to_char" => Some("UTF8".to_owned()),
        "pg_backend_pid" | "pg_my_temp_schema" => Some("0".to_owned()),
        "pg_is_in_recovery" | "pg_is_other_temp_schema" | "pg_relation_is_publishable" => truth(false),
        "to_regclass" => names.find(first?).map(|oid| oid.to_string()),
        "to_regtype" => types::by_name(first?).map(|found| found.oid.to_string()),
        "to_regnamespace" => {
            Some(names.schema_oid(first?)).filter(|oid| *oid != 0).map(|oid| oid.to_string())
        }
        "regclass_name" => names.written(oid(first)?).or_else(|| first.map(str::to_owned)),
        "regtype_name" => Some(types::title(oid(first)?)),
        "regother_name" => first.map(str::to_owned),
        "format_type" => Some(types::title(oid(first)?)),
        "quote_ident" => first.map(quoted),
        "like_escaped" => {
            let escape = args.get(2).copied().flatten().and_then(|text| text.chars().next());
            truth(like(first?, second?, escape))
        }
        "pg_get_userbyid" => {
            Some(if oid(first)? == ROLE { names.user.clone() } else { format!("unknown (OID={})", first?) })
        }
        "pg_table_is_visible" => truth(names.is_visible(oid(first)?)),
        "pg_type_is_visible" | "pg_function_is_visible" => truth(true),
        "has_table_privilege"
        | "has_column_privilege"
        | "has_any_column_privilege"
        | "has_schema_privilege"
        | "has_database_privilege" => {
            let privilege = args.last().copied().flatten()?.to_ascii_uppercase();
            truth(["SELECT", "USAGE", "CONNECT"].contains(&privilege.trim()))
        }
        "obj_description" => {
            names.table(oid(first)?).map(|table| table.comment.clone()).filter(|c| !c.is_empty())
        }
        "col_description" => column_comment(names, oid(first)?, second?),
        _ => None,
    }
}

/// `text LIKE pattern ESCAPE escape`: which prefixes of the pattern fit which prefixes of the text, row by row.
fn like(text: &str, pattern: &str, escape: Option<char>) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut fits = vec![false; text.len() + 1];
    if let Some(first) = fits.first_mut() {
        *first = true;
    }
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        let (sign, plain) =
            if Some(sign) == escape { (signs.next().unwrap_or(sign), true) } else { (sign, false) };
        let before = fits.clone();
        let mut any = false;
        for (place, now) in fits.iter_mut().enumerate() {
            let (here, last) = (before.get(place).copied(), place.checked_sub(1));
            any |= here.unwrap_or(false);
            *now = match (sign, plain, last) {
                ('%', false, _) => any,
                (_, _, None) => false,
                ('_', false, Some(last)) => before.get(last).copied().unwrap_or(false),
                (_, _, Some(last)) => {
                    before.get(last).copied().unwrap_or(false) && text.get(last) == Some(&sign)
                }
            };
        }
    }
    fits.last().copied().unwrap_or(false)
}

fn setting(names: &Names, name: &str) -> Option<String> {
    let value = match name.to_ascii_lowercase().as_str() {
        "server_version" => names.server_version.clone(),
        "server_version_num" => "150000".to_owned(),
        "server_encoding" | "client_encoding" => "UTF8".to_owned(),
        "standard_conforming_strings" => "on".to_owned(),
        "timezone" => "UTC".to_owned(),
        "search_path" => names.schemas().iter().map(|schema| quoted(schema)).collect::<Vec<_>>().join(", "),
        _ => return None,
    };
    Some(value)
}

fn column_comment(names: &Names, table: i32, number: &str) -> Option<String> {
    let place = number.parse::<usize>().ok()?.checked_sub(1)?;
    let column = names.table(table)?.columns.get(place)?;
    Some(column.comment.clone()).filter(|comment| !comment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_fit_as_in_postgresql() {
        for (text, pattern, fits) in [
            ("pg_toast", "pg/_%", true),
            ("pgxtoast", "pg/_%", false),
            ("revenue", "pg/_%", false),
            ("abc", "a%c", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("", "%", true),
            ("a%", "a/%", true),
            ("ab", "a/%", false),
            ("aXbXc", "%X%X%", true),
        ] {
            assert_eq!(like(text, pattern, Some('/')), fits, "{text} {pattern}");
        }
    }
}
