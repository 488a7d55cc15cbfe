//! Masks: how a value is blurred below the barrier.
//!
//! Year of a date, lower bound of a band, first characters and `…`, keyed hash. Null stays null. A mask that
//! does not fit a column's type has no masked type, and the column is withheld.

use super::planted::{Fault, planted};
use super::world::MaskKey;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringViewBuilder};
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use chrono::{Datelike, NaiveDate};
use cogov_model::Mask;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::hash::{Hash, Hasher};
use std::{collections::HashMap, sync::Arc};

/// The type of a masked column; none when the mask does not fit.
pub(super) fn masked_type(mask: Mask, from: &DataType) -> Option<DataType> {
    let day = matches!(from, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
    let text = matches!(from, DataType::Utf8View);
    let whole =
        from.is_signed_integer() || matches!(from, DataType::UInt8 | DataType::UInt16 | DataType::UInt32);
    match mask {
        Mask::Year if day || text => Some(DataType::Int32),
        Mask::Band(_) if whole => Some(DataType::Int64),
        Mask::Band(_) if matches!(from, DataType::Float32 | DataType::Float64) => Some(DataType::Float64),
        Mask::Prefix(_) if text => Some(DataType::Utf8View),
        Mask::KeyedHash if text || whole || matches!(from, DataType::Date32 | DataType::Boolean) => {
            Some(DataType::Utf8View)
        }
        _ => None,
    }
}

/// One mask as a function of DataFusion's, used in plans of our own only.
#[derive(Debug)]
pub(super) struct MaskFunction {
    mask: Mask,
    key: MaskKey,
    signature: Signature,
}

impl MaskFunction {
    pub(super) fn new(mask: Mask, key: MaskKey) -> Self {
        Self { mask, key, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl PartialEq for MaskFunction {
    fn eq(&self, other: &Self) -> bool {
        self.mask == other.mask && self.key.bytes() == other.key.bytes()
    }
}

impl Eq for MaskFunction {}

impl Hash for MaskFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.mask.hash(state);
    }
}

impl ScalarUDFImpl for MaskFunction {
    fn name(&self) -> &str {
        "cogov_mask"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().and_then(|from| masked_type(self.mask, from)).ok_or_else(super::faults::broken)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let array = arrays.first().ok_or_else(super::faults::broken)?;
        Ok(ColumnarValue::Array(apply(self.mask, &self.key, array)?))
    }
}

/// The masked values of an array.
fn apply(mask: Mask, key: &MaskKey, values: &ArrayRef) -> Result<ArrayRef> {
    match mask {
        Mask::Year => year(values),
        Mask::Band(width) => band(values, width),
        Mask::Prefix(keep) => Ok(prefix(values, keep)),
        Mask::KeyedHash => keyed_hash(values, key),
    }
}

fn year(values: &ArrayRef) -> Result<ArrayRef> {
    if !matches!(values.data_type(), DataType::Utf8View) {
        return Ok(date_part(values, DatePart::Year)?);
    }
    let unreadable = planted(Fault::UnreadableYearTold).then_some(0);
    let years = values.as_string_view().iter().map(|text| text.and_then(|t| year_of(t).or(unreadable)));
    Ok(Arc::new(years.collect::<Int32Array>()))
}

/// The year of a written date: `2001-02-03…`, `2001/02/03`, `20010203`.
fn year_of(text: &str) -> Option<i32> {
    let text = text.trim();
    let part = |end: usize| text.get(..end);
    let day = part(10)
        .and_then(|day| {
            NaiveDate::parse_from_str(day, "%Y-%m-%d")
                .or_else(|_| NaiveDate::parse_from_str(day, "%Y/%m/%d"))
                .ok()
        })
        .or_else(|| part(8).and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok()))?;
    Some(day.year())
}

fn band(values: &ArrayRef, width: u32) -> Result<ArrayRef> {
    if values.data_type().is_floating() {
        let values = cast(values, &DataType::Float64)?;
        let width = f64::from(width);
        // Zero is added for its sign, which told -0.0 from all else in its band. What is no number has bits to itself.
        let lower = |v: f64| if v.is_nan() { f64::NAN } else { (v / width).floor() * width + 0.0 };
        let bands = values.as_primitive::<Float64Type>().unary::<_, Float64Type>(lower);
        return Ok(Arc::new(bands));
    }
    let values = cast(values, &DataType::Int64)?;
    let width = i64::from(width);
    let shift = if planted(Fault::BandRounds) { width / 2 } else { 0 };
    let lower = |v: i64| v.saturating_add(shift).div_euclid(width).checked_mul(width);
    Ok(Arc::new(values.as_primitive::<Int64Type>().unary_opt::<_, Int64Type>(lower)))
}

/// The first characters and `…`, whether or not more follow: the length stays hidden.
fn prefix(values: &ArrayRef, keep: u8) -> ArrayRef {
    let mut out = StringViewBuilder::with_capacity(values.len());
    let mut buffer = String::new();
    for text in values.as_string_view() {
        out.append_option(text.map(|text| {
            buffer.clear();
            buffer.extend(text.chars().take(usize::from(keep)));
            if !planted(Fault::PrefixTellsLength) || text.chars().nth(usize::from(keep)).is_some() {
                buffer.push('…');
            }
            buffer.as_str()
        }));
    }
    Arc::new(out.finish())
}

/// HMAC-SHA-256 of the value as text, first 16 bytes in hex; each distinct value of a batch once.
fn keyed_hash(values: &ArrayRef, key: &MaskKey) -> Result<ArrayRef> {
    let texts = cast(values, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    let key: &[u8] = if planted(Fault::HashWithoutKey) { &[0; 32] } else { key.bytes() };
    let keyed = Hmac::<Sha256>::new_from_slice(key).map_err(|_| super::faults::broken())?;
    let mut known: HashMap<&str, String> = HashMap::new();
    let mut out = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        let Some(text) = text else {
            out.append_null();
            continue;
        };
        let hash = known.entry(text).or_insert_with(|| {
            let mut mac = keyed.clone();
            mac.update(text.as_bytes());
            hex::encode(mac.finalize().into_bytes().get(..16).unwrap_or_default())
        });
        out.append_value(hash);
    }
    Ok(Arc::new(out.finish()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use arrow::array::{Date32Array, Float64Array, Int64Array, StringViewArray};
    use proptest::prelude::*;

    fn key() -> MaskKey {
        MaskKey::new([7; 32])
    }

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<StringViewArray>())
    }

    fn run(mask: &str, values: &ArrayRef) -> ArrayRef {
        let mask = mask.parse().unwrap();
        let out = apply(mask, &key(), values).unwrap();
        assert_eq!(Some(out.data_type().clone()), masked_type(mask, values.data_type()));
        out
    }

    #[test]
    fn years_bands_and_prefixes() {
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), None, Some(-1)]));
        assert_eq!(
            run("year", &days).as_primitive::<arrow::datatypes::Int32Type>().iter().collect::<Vec<_>>(),
            [Some(1970), None, Some(1969)]
        );
        let words = text(&[Some("2001-02-03"), Some("20010203"), Some("no date"), None]);
        assert_eq!(
            run("year", &words).as_primitive::<arrow::datatypes::Int32Type>().iter().collect::<Vec<_>>(),
            [Some(2001), Some(2001), None, None]
        );
        let whole: ArrayRef =
            Arc::new(Int64Array::from(vec![Some(-1), Some(0), Some(999), None, Some(i64::MIN)]));
        assert_eq!(
            run("band:500", &whole).as_primitive::<Int64Type>().iter().collect::<Vec<_>>(),
            [Some(-500), Some(0), Some(500), None, None]
        );
        let real: ArrayRef = Arc::new(Float64Array::from(vec![12.5, 0.0, -0.0, -5e-324, -f64::NAN]));
        let bands: Vec<u64> =
            run("band:5", &real).as_primitive::<Float64Type>().values().iter().map(|v| v.to_bits()).collect();
        assert_eq!(bands, [10.0, 0.0, 0.0, 0.0, f64::NAN].map(f64::to_bits));
        let names = run("prefix:1", &text(&[Some("李小明"), Some(""), None, Some("x")]));
        assert_eq!(
            names.as_string_view().iter().collect::<Vec<_>>(),
            [Some("李…"), Some("…"), None, Some("x…")]
        );
    }

    #[test]
    fn a_keyed_hash_is_hmac_sha_256_and_joins_numbers_with_texts() {
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        mac.update(b"42");
        let expected = hex::encode(&mac.finalize().into_bytes()[..16]);
        let hashes = run("keyed-hash", &text(&[Some("42"), None, Some("42")]));
        assert_eq!(
            hashes.as_string_view().iter().collect::<Vec<_>>(),
            [Some(expected.as_str()), None, Some(expected.as_str())]
        );
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![42]));
        assert_eq!(run("keyed-hash", &numbers).as_string_view().value(0), expected);
        assert_eq!(format!("{:?}", key()), "MaskKey(…)");
    }

    #[test]
    fn masks_that_do_not_fit_have_no_type() {
        assert_eq!(masked_type(Mask::Year, &DataType::Int64), None);
        assert_eq!(masked_type(Mask::Prefix(2), &DataType::Int64), None);
        assert_eq!(masked_type(Mask::Band(5), &DataType::Utf8View), None);
        assert_eq!(masked_type(Mask::KeyedHash, &DataType::Float64), None);
    }

    proptest! {
        #[test]
        fn a_band_holds_its_value(value in -1_000_000_000_000i64..1_000_000_000_000, width in 1u32..1_000_000) {
            let array: ArrayRef = Arc::new(Int64Array::from(vec![value]));
            let low = band(&array, width).unwrap().as_primitive::<Int64Type>().value(0);
            prop_assert!(low <= value && value < low + i64::from(width) && low % i64::from(width) == 0);
        }

        #[test]
        fn a_prefix_tells_only_its_characters(a in "\\PC{3}", b in "\\PC{0,8}", c in "\\PC{0,8}") {
            let both = text(&[Some(&format!("{a}{b}")), Some(&format!("{a}{c}"))]);
            let out = prefix(&both, 3);
            prop_assert_eq!(out.as_string_view().value(0), out.as_string_view().value(1));
        }
    }
}
