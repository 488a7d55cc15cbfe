//! Parquet files that lie: no byte of damage brings the process down or a half table into the storage.
use super::support::{import_bytes, rows};
use cogov_engine::import::ImportError;
use cogov_model::DataType;
use datafusion::arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Int32Array, ListArray, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::parquet::arrow::ArrowWriter;
use std::sync::Arc;

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[tokio::test]
async fn types_become_ours_without_loss() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i", Arc::new(Int32Array::from(vec![Some(1), None]))),
        ("f", Arc::new(Float32Array::from(vec![0.5, 1.0]))),
        ("d", Arc::new(Decimal128Array::from(vec![12345, 5]).with_precision_and_scale(9, 2).unwrap())),
        ("wide", Arc::new(Decimal128Array::from(vec![1, 2]).with_precision_and_scale(30, 2).unwrap())),
        ("day", Arc::new(Date32Array::from(vec![0, 1]))),
        ("t", Arc::new(TimestampNanosecondArray::from(vec![1_000_000, 2_000_000]).with_timezone("UTC"))),
        ("s", Arc::new(StringArray::from(vec!["007", "x"]))),
    ];
    let (store, imported) = import_bytes(parquet(columns)).await.unwrap();
    let types: Vec<_> = imported.profile.columns.iter().map(|c| c.data_type).collect();
    use DataType::{Date, Integer, Real, Text, Timestamp};
    assert_eq!(types, [Integer, Real, Real, Text, Date, Timestamp, Text]);
    assert_eq!(
        rows(&store, &imported).await[0],
        ["1", "0.5", "123.45", "0.01", "1970-01-01", "1970-01-01T00:00:00.001", "007"]
    );
}

#[tokio::test]
async fn what_a_table_cannot_hold_is_named() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
    let error = import_bytes(parquet(vec![("nested", Arc::new(list))])).await.unwrap_err();
    assert!(matches!(&error, ImportError::Type { column, .. } if column == "nested"), "{error}");
    let error =
        import_bytes(parquet(vec![("u", Arc::new(UInt64Array::from(vec![u64::MAX])))])).await.unwrap_err();
    assert!(matches!(&error, ImportError::Type { column, .. } if column == "u"), "{error}");
    assert!(!error.to_string().contains("18446744073709551615"), "{error}");
    let none = parquet(vec![("s", Arc::new(StringArray::from(Vec::<&str>::new())))]);
    assert!(matches!(import_bytes(none).await, Err(ImportError::NoRows)));
}

#[tokio::test]
async fn one_long_value_that_repeats_does_not_fill_the_memory() {
    let long = "x".repeat(900_000);
    let column: ArrayRef = Arc::new(StringArray::from(vec![long.as_str(); 400]));
    let (_, imported) = import_bytes(parquet(vec![("s", column)])).await.unwrap();
    assert_eq!(imported.profile.rows, 400);
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(2 << 20)]));
    assert!(matches!(
        import_bytes(parquet(vec![("s", column)])).await,
        Err(ImportError::Limit { what: "a value", .. })
    ));
}

#[tokio::test]
async fn damage_at_any_place_is_an_error_or_harmless() {
    std::panic::set_hook(Box::new(|_| {}));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new((0..500).collect::<Int32Array>())),
        ("s", Arc::new((0..500).map(|i| Some(format!("value {}", i % 7))).collect::<StringArray>())),
    ];
    let whole = parquet(columns);
    let (mut failed, mut passed) = (0, 0);
    for at in (0..whole.len()).rev().step_by(if whole.len() > 4_000 { 7 } else { 3 }) {
        for flip in [0xff, 0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            match import_bytes(bytes).await {
                Ok((_, imported)) => {
                    assert_eq!(imported.profile.rows, 500, "at {at}");
                    passed += 1;
                }
                Err(error) => {
                    assert!(error.is_input(), "at {at}: {error}");
                    failed += 1;
                }
            }
        }
    }
    for cut in (4..whole.len()).step_by(97) {
        assert!(import_bytes(&whole[..cut]).await.is_err(), "cut at {cut}");
    }
    assert!(failed > 50, "{failed} of {} were noticed", failed + passed);
}
