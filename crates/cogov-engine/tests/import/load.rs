//! The file that ships: what its import finds, and how long it takes.

use super::support::{categories, column, plan, root, sink};
use cogov_engine::grading::invented_sample;
use cogov_engine::import::{ImportSource, import};
use cogov_model::{Evidence, Grade, Table, TableName};
use object_store::memory::InMemory;
use std::{collections::BTreeSet, sync::Arc, time::Instant};

#[tokio::test]
async fn the_survey_file_is_imported_whole_and_graded() {
    let started = Instant::now();
    let store = Arc::new(InMemory::new());
    let source = ImportSource::Path(root().join("demo/cps.parquet"));
    let imported = import(source, plan(), sink(&store), |_| {}).await.unwrap();
    println!("280,005 rows of 68 columns in {:?}, {} bytes", started.elapsed(), imported.version.bytes);
    assert_eq!(
        (imported.profile.rows, imported.profile.columns.len(), imported.profile.rejected),
        (280_005, 68, 0)
    );
    let key = column(&imported, "recid");
    assert_eq!(categories(key), ["person.key"]);
    let near = key.distinct.abs_diff(280_005) < 280_005 / 20;
    assert!(near && !key.distinct_exact, "{}", key.distinct);
    // The volume rule of the scheme: sensitive personal information of 100,000 persons.
    assert_eq!(column(&imported, "blind_head").proposal.label.grade, Grade::Important);
    assert_eq!(column(&imported, "age_head").proposal.label.grade, Grade::General3);
    let alone = |c: &&cogov_model::ColumnProfile| {
        c.proposal.findings.iter().any(|f| f.evidence == Evidence::Uniqueness)
    };
    assert!(imported.profile.columns.iter().filter(alone).count() >= 2, "quasi-identifiers are noticed");
}

#[tokio::test]
async fn an_invented_sample_has_the_shape_and_none_of_the_values() {
    let store = Arc::new(InMemory::new());
    let source = ImportSource::Path(root().join("demo/heldout/people.csv"));
    let imported = import(source, plan(), sink(&store), |_| {}).await.unwrap();
    let table = Table {
        name: TableName::new("people").unwrap(),
        title: Default::default(),
        columns: imported.columns(),
        unit: None,
    };
    let sample = invented_sample(&table, 20, 7);
    assert_eq!(sample, invented_sample(&table, 20, 7), "the same seed gives the same sample");
    assert!(sample.len() == 20 && sample.iter().all(|row| row.len() == table.columns.len()));
    let real: BTreeSet<String> =
        super::support::rows(&store, &imported).await.into_iter().flatten().collect();
    for (column, value) in sample.iter().flat_map(|row| table.columns.iter().zip(row)) {
        let telling = value.chars().count() > 6 && column.data_type == cogov_model::DataType::Text;
        assert!(!telling || !real.contains(value), "{}: {value}", column.name);
        assert!(cogov_engine::grading::find_identifiers(value).is_empty(), "{}: {value}", column.name);
    }
}

#[tokio::test]
async fn the_same_rows_as_csv_give_the_same_table() {
    use datafusion::arrow::csv::WriterBuilder;
    use datafusion::parquet::arrow::ArrowWriter;
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = std::fs::File::open(root().join("demo/cps.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_limit(20_000).build().unwrap();
    let mut csv = WriterBuilder::new().with_header(true).build(Vec::new());
    let mut parquet = Vec::new();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    let mut writer = ArrowWriter::try_new(&mut parquet, batches[0].schema(), None).unwrap();
    for batch in &batches {
        csv.write(batch).unwrap();
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
    let csv = csv.into_inner();
    let started = Instant::now();
    let (_, from_csv) = super::support::import_bytes(csv).await.unwrap();
    println!("20,000 rows of 68 columns of CSV in {:?}", started.elapsed());
    let (_, from_parquet) = super::support::import_bytes(parquet).await.unwrap();
    assert_eq!(from_csv.version.sha256, from_parquet.version.sha256);
}
