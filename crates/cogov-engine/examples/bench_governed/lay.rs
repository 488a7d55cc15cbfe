//! The tables as `cogov import` lays them out; every contestant that reads Parquet reads these.

use anyhow::{Context as _, Result};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Where the tables are, laid out as since the change that it is named after.
const FOLDER: &str = "laid-out-without-vain-dictionaries";

/// Lays the tables of a folder out in one beside it, once.
pub fn out(data: &Path) -> Result<PathBuf> {
    let folder = data.join(FOLDER);
    let complete = folder.join("complete");
    if complete.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "parquet") {
            let name = path.file_name().context("a file without a name")?;
            table(&path, &folder.join(name))?;
        }
    }
    fs::write(complete, "")?;
    Ok(folder)
}

fn table(from: &Path, to: &Path) -> Result<()> {
    let mut batches =
        ParquetRecordBatchReaderBuilder::try_new(File::open(from)?)?.with_batch_size(8192).build()?;
    let first = batches.next().context("an empty table")??;
    let properties = cogov_engine::import::layout(&first);
    let mut writer = ArrowWriter::try_new(File::create(to)?, first.schema(), Some(properties))?;
    writer.write(&first)?;
    for batch in batches {
        writer.write(&batch?)?;
    }
    writer.close()?;
    Ok(())
}
