//! Marks of extracts: a copy is traced through what people do to files, and chance is never taken for a mark.

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::{concat_batches, take_record_batch};
use cogov_engine::MaskKey;
use cogov_engine::extract::{
    Copied, ExtractWriter, FileFormat, Likeness, Marker, Suspect, WatermarkKey, trace,
};
use std::path::Path;
use std::sync::Arc;

const DECISION: u64 = 41;

fn key(grant: u8, decision: u64) -> WatermarkKey {
    WatermarkKey::derive(&MaskKey::new([grant; 32]), decision)
}

fn decoys() -> Vec<WatermarkKey> {
    // Fixed bytes, so that the test is the same on every machine.
    (0..64_u8).map(|n| WatermarkKey::decoy([n ^ 0xA5; 32])).collect()
}

/// A key, a region that repeats, an amount that is mostly zero, and a name.
fn batches(rows: i64) -> Vec<RecordBatch> {
    let batch = |from: i64, to: i64| {
        let columns: [(&str, ArrayRef); 4] = [
            ("id", Arc::new(Int64Array::from_iter_values(from..to))),
            ("region", Arc::new(Int64Array::from_iter_values((from..to).map(|n| n % 3)))),
            (
                "amount",
                Arc::new(Int64Array::from_iter((from..to).map(|n| (n % 5 > 0).then_some(n * 7 % 900)))),
            ),
            (
                "name",
                Arc::new(StringArray::from_iter_values((from..to).map(|n| format!("Person, {}", n % 977)))),
            ),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    };
    (0..rows).step_by(1000).map(|from| batch(from, (from + 1000).min(rows))).collect()
}

/// A marked file, and its sketch.
fn extract(path: &Path, format: FileFormat, rows: i64, key: WatermarkKey) -> Suspect {
    let mut marker = Marker::new(key.clone());
    let batches = batches(rows);
    let metadata = [("cogov.grant".to_owned(), "g".to_owned())];
    let (mut writer, mut bytes) = ExtractWriter::begin(format, &batches[0].schema(), &metadata).unwrap();
    for batch in &batches {
        bytes.extend(writer.batch(&marker.mark(batch).unwrap()).unwrap());
    }
    bytes.extend(writer.end().unwrap());
    std::fs::write(path, bytes).unwrap();
    Suspect { key, sketch: Some(marker.sketch().clone()) }
}

/// The lines of a CSV, changed.
fn edited(path: &Path, edit: impl Fn(Vec<String>) -> Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    let head = lines.next().unwrap();
    let lines = edit(lines.collect());
    std::fs::write(path, std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")).unwrap();
}

fn likeness(path: &Path, suspect: &Suspect) -> Likeness {
    let suspect = Suspect { key: suspect.key.clone(), sketch: suspect.sketch.clone() };
    trace(&Copied::read(path).unwrap(), &[suspect], &decoys())[0]
}

#[test]
fn both_formats_hold_the_same_rows_and_the_mark() {
    let folder = tempfile::tempdir().unwrap();
    for format in FileFormat::ALL {
        let path = folder.path().join(format.code());
        let suspect = extract(&path, format, 20_000, key(1, DECISION));
        let found = likeness(&path, &suspect);
        assert!(found.order > 20.0, "{format:?}: {found:?}");
        assert_eq!(found.share, Some(1.0));
    }
    let file = std::fs::File::open(folder.path().join("parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    assert!(pairs.iter().any(|pair| pair.key == "cogov.grant" && pair.value.as_deref() == Some("g")));
    let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let read = concat_batches(&read[0].schema(), &read).unwrap();
    let ids = read.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
    let order = arrow::compute::sort_to_indices(ids, None, None).unwrap();
    let sorted = take_record_batch(&read, &order).unwrap();
    let stored = batches(20_000);
    let stored = concat_batches(&stored[0].schema(), &stored).unwrap();
    assert_eq!(sorted.columns(), stored.columns(), "no value is changed, no row left out");
}

#[test]
fn copies_are_traced_through_what_people_do_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.csv");
    let change = |edit: &dyn Fn(Vec<String>) -> Vec<String>| {
        let suspect = extract(&path, FileFormat::Csv, 20_000, key(1, DECISION));
        edited(&path, edit);
        likeness(&path, &suspect)
    };
    let third = change(&|lines| lines.into_iter().step_by(3).collect());
    assert!(third.order >= Likeness::CERTAIN, "every third row: {third:?}");
    let middle = change(&|lines| lines[7000..10_000].to_vec());
    assert!(middle.order >= Likeness::CERTAIN, "three thousand rows: {middle:?}");
    assert!(middle.share.unwrap() < 0.3);
    let ids = change(&|lines| lines.iter().map(|line| line.split(',').next().unwrap().to_owned()).collect());
    assert!(ids.order >= Likeness::CERTAIN, "one column: {ids:?}");
    let other = change(&|mut lines| {
        lines.extend((0..5000).map(|n| format!("{},{},x,y", n + 1_000_000, n % 7)));
        lines
    });
    assert!(other.order >= Likeness::CERTAIN, "other rows added: {other:?}");
    let sorted = change(&|mut lines| {
        lines.sort();
        lines
    });
    assert!(sorted.order < Likeness::CERTAIN, "a sorted copy has lost its order: {sorted:?}");
    assert_eq!(sorted.share, Some(1.0), "and still shows that its rows were in the extract");
}

#[test]
fn chance_is_never_taken_for_a_mark() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.csv");
    extract(&path, FileFormat::Csv, 5_000, key(1, DECISION));
    let mut text = String::from("region,step\n");
    (0..5_000).for_each(|n| text.push_str(&format!("{},{}\n", ["a", "b", "c", "d"][n % 4], n % 17)));
    let periodic = folder.path().join("periodic.csv");
    std::fs::write(&periodic, text).unwrap();
    let wrong: Vec<Suspect> =
        (0..150).map(|decision| Suspect { key: key(2, decision), sketch: None }).collect();
    for file in [&path, &periodic] {
        let found = trace(&Copied::read(file).unwrap(), &wrong, &decoys());
        let most = found.iter().map(|likeness| likeness.order).fold(f64::MIN, f64::max);
        assert!(most < Likeness::CERTAIN, "{}: {most}", file.display());
        assert!(most > 0.5, "the statistic does stray by chance");
    }
}

#[test]
fn few_rows_tell_nothing_and_no_file_is_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("few.csv");
    let suspect = extract(&path, FileFormat::Csv, 20, key(1, DECISION));
    assert!(likeness(&path, &suspect).order < Likeness::CERTAIN);
    std::fs::write(&path, "").unwrap();
    assert!(likeness(&path, &suspect).order.abs() < 1e-9);
    std::fs::write(&path, b"PAR1 but not really").unwrap();
    assert!(Copied::read(&path).is_err());
    assert!(Copied::read(&folder.path().join("none")).is_err());
}
