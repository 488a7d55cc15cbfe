//! The raw files of the demo world: what each department would bring, written into the home's spool.

use super::{
    registry::{self, Unit},
    world::DemoTable,
};
use anyhow::{Context, Result, bail};
use arrow::{
    array::{Array, Int32Array, Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The survey file.
const SURVEY: &str = "cps.parquet";

/// Makes the raw file of a table; the caller removes it after the import, unless it lies in the demo folder.
pub fn prepare(folder: &Path, spool: &Path, name: &str, table: &DemoTable) -> Result<PathBuf> {
    match table.from.as_str() {
        SURVEY => cut(&folder.join(SURVEY), &spool.join(format!("{name}.parquet")), table),
        "registry" => invent(&folder.join(SURVEY), &spool.join(format!("{name}.csv"))),
        file if file.ends_with(".csv") => {
            let copy = spool.join(format!("{name}.csv"));
            std::fs::copy(folder.join(file), &copy).with_context(|| format!("{file} cannot be read"))?;
            Ok(copy)
        }
        other => bail!("a table's rows cannot come from {other:?}"),
    }
}

/// Takes a table's columns out of the survey file, under their own names.
fn cut(survey: &Path, path: &Path, table: &DemoTable) -> Result<PathBuf> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(open(survey)?).context("the survey file is no Parquet")?;
    let schema = reader.schema().clone();
    let mut positions = Vec::new();
    for column in &table.column {
        let source = column.source.as_deref().unwrap_or(column.column.name.as_str());
        positions
            .push(schema.index_of(source).with_context(|| format!("the survey has no column {source}"))?);
    }
    let mask = ProjectionMask::roots(reader.parquet_schema(), positions.iter().copied());
    // A projection keeps the file's order; the table's own order is put back below.
    let mut sorted = positions.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let order: Vec<usize> = positions.iter().filter_map(|p| sorted.iter().position(|s| s == p)).collect();
    let fields: Vec<Field> = table
        .column
        .iter()
        .zip(&positions)
        .map(|(column, position)| {
            schema.field(*position).as_ref().clone().with_name(column.column.name.as_str())
        })
        .collect();
    let renamed = Arc::new(Schema::new(fields));
    let mut writer = ArrowWriter::try_new(File::create(path)?, renamed.clone(), None)?;
    for batch in reader.with_projection(mask).with_batch_size(65_536).build()? {
        let batch = batch?.project(&order)?;
        writer.write(&RecordBatch::try_new(renamed.clone(), batch.columns().to_vec())?)?;
    }
    writer.close()?;
    Ok(path.to_path_buf())
}

/// Writes the invented civil registry of the survey's units.
fn invent(survey: &Path, path: &Path) -> Result<PathBuf> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record([
        "recid",
        "fips",
        "name",
        "identity_number",
        "birth_date",
        "sex",
        "phone",
        "address",
        "email",
    ])?;
    for person in registry::persons(registry::SEED, units(survey)?) {
        writer.write_record([
            &person.recid.to_string(),
            &person.region.to_string(),
            &person.name,
            &person.identity_number,
            &person.birth_date.iso(),
            person.sex.code(),
            &person.phone,
            &person.address,
            &person.email,
        ])?;
    }
    writer.flush()?;
    Ok(path.to_path_buf())
}

/// Key, age and region of every unit of the survey.
fn units(survey: &Path) -> Result<Vec<Unit>> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(open(survey)?).context("the survey file is no Parquet")?;
    let schema = reader.schema().clone();
    let names = ["RECID", "age_head", "fips"];
    let positions = names.map(|name| schema.index_of(name));
    let mut roots = Vec::new();
    for position in positions {
        roots.push(position?);
    }
    let mask = ProjectionMask::roots(reader.parquet_schema(), roots);
    let mut units = Vec::new();
    for batch in reader.with_projection(mask).with_batch_size(65_536).build()? {
        let batch = batch?;
        let [recid, age, region] = names.map(|name| whole_numbers(&batch, name));
        for ((recid, age), region) in recid?.into_iter().zip(age?).zip(region?) {
            units.push(Unit {
                recid: u32::try_from(recid)?,
                age: u8::try_from(age)?,
                region: u8::try_from(region)?,
            });
        }
    }
    Ok(units)
}

fn whole_numbers(batch: &RecordBatch, name: &str) -> Result<Vec<i64>> {
    let column = batch.column_by_name(name).with_context(|| format!("the survey has no column {name}"))?;
    let any = column.as_any();
    match column.data_type() {
        DataType::Int32 => {
            any.downcast_ref::<Int32Array>().map(|a| a.values().iter().map(|v| i64::from(*v)).collect())
        }
        DataType::Int64 => any.downcast_ref::<Int64Array>().map(|a| a.values().to_vec()),
        _ => None,
    }
    .with_context(|| format!("{name} is no whole number in the survey"))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("{} cannot be read", path.display()))
}
