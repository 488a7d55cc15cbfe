//! Parameters on the wire → parameters of a query.

use super::fault;
use cogov_engine::Param;
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::error::PgWireResult;

/// 2000-01-01, the first day of PostgreSQL's binary dates, in days since 1970-01-01.
const EPOCH_DAYS: i32 = 10_957;
/// The same in microseconds.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The parameters of a bound statement.
pub(super) fn read<S: Clone>(portal: &Portal<S>, server_types: &[Type]) -> PgWireResult<Vec<Param>> {
    let declared = &portal.statement.parameter_types;
    (0..portal.parameter_len())
        .map(|place| {
            let client = declared.get(place).cloned().flatten().filter(|t| *t != Type::UNKNOWN);
            let from = client.or_else(|| server_types.get(place).cloned()).unwrap_or(Type::TEXT);
            let Some(Some(bytes)) = portal.parameters.get(place) else { return Ok(Param::Null) };
            let read = if portal.parameter_format.is_binary(place) {
                binary(&from, bytes)
            } else {
                text(&from, bytes)
            };
            read.ok_or_else(|| {
                fault::error(
                    "22P03",
                    format!("the value of ${} does not read as {}; send it as text", place + 1, from.name()),
                )
            })
        })
        .collect()
}

/// A value in text form. What is not a plain number or truth is left to the engine, which knows the type.
fn text(from: &Type, bytes: &[u8]) -> Option<Param> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = text.trim();
    Some(match *from {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Param::Int(plain.parse().ok()?),
        Type::FLOAT4 | Type::FLOAT8 => Param::Real(plain.parse().ok()?),
        Type::BOOL => Param::Bool(match plain.to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => true,
            "f" | "false" | "n" | "no" | "off" | "0" => false,
            _ => return None,
        }),
        _ => Param::Text(text.to_owned()),
    })
}

fn binary(from: &Type, bytes: &[u8]) -> Option<Param> {
    Some(match *from {
        Type::BOOL => Param::Bool(*bytes.first()? != 0),
        Type::INT2 => Param::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT4 => Param::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::OID => Param::Int(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT8 => Param::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        Type::FLOAT4 => Param::Real(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::FLOAT8 => Param::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::DATE => Param::Date(i32::from_be_bytes(bytes.try_into().ok()?).checked_add(EPOCH_DAYS)?),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            Param::Timestamp(i64::from_be_bytes(bytes.try_into().ok()?).checked_add(EPOCH_MICROS)?)
        }
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
            Param::Text(std::str::from_utf8(bytes).ok()?.to_owned())
        }
        _ => return None,
    })
}

/// A parameter as the catalogue takes it.
pub(super) fn as_text(param: Param) -> Option<String> {
    match param {
        Param::Null => None,
        Param::Bool(truth) => Some(truth.to_string()),
        Param::Int(number) => Some(number.to_string()),
        Param::Real(number) => Some(number.to_string()),
        Param::Text(text) => Some(text),
        Param::Date(number) => Some(number.to_string()),
        Param::Timestamp(number) => Some(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_value_read_alike() {
        assert_eq!(text(&Type::INT4, b"-7"), Some(Param::Int(-7)));
        assert_eq!(binary(&Type::INT4, &(-7_i32).to_be_bytes()), Some(Param::Int(-7)));
        assert_eq!(binary(&Type::FLOAT8, &1.5_f64.to_be_bytes()), text(&Type::FLOAT8, b"1.5"));
        assert_eq!(binary(&Type::DATE, &0_i32.to_be_bytes()), Some(Param::Date(EPOCH_DAYS)));
        assert_eq!(text(&Type::BOOL, b"t"), binary(&Type::BOOL, &[1]));
        assert_eq!(binary(&Type::INT8, b"abc"), None);
        assert_eq!(binary(&Type::DATE, &i32::MAX.to_be_bytes()), None);
        assert_eq!(text(&Type::TEXT, &[0xff]), None);
    }
}
