//! The policy of the benchmark, read from the file that every contestant's policy is made from.

use crate::common::{TestTable, col, mask};
use anyhow::{Context as _, Result};
use arrow::array::new_empty_array;
use cogov_engine::Source;
use cogov_model::{RowScope, Table, Text, Treatment};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;
use std::{collections::BTreeMap, fs::File, path::Path};

/// What the benchmark's grant holds.
#[derive(Debug, Deserialize)]
pub struct Policy {
    /// By the name of a table.
    pub tables: BTreeMap<String, Rules>,
}

/// The rules of one table. What is not named is shown as it is.
#[derive(Debug, Default, Deserialize)]
pub struct Rules {
    /// Masks by column, as a rulebook writes them.
    #[serde(default)]
    pub masks: BTreeMap<String, String>,
    /// Columns that do not exist for the asker.
    #[serde(default)]
    pub withheld: Vec<String>,
    /// A column and the values of it that the asker's rows have.
    pub rows: Option<In>,
}

/// Rows whose column has one of these values.
#[derive(Debug, Deserialize)]
pub struct In {
    /// The column.
    pub column: String,
    /// Its values, as JSON literals.
    pub values: Vec<toml::Value>,
}

impl Policy {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} is missing", path.display()))?;
        Ok(toml::from_str(&text)?)
    }

    /// The tables as a grant names them, and where their data lies.
    pub fn tables(&self, data: &Path) -> Result<(Vec<TestTable>, Vec<Source>)> {
        let (mut tables, mut sources) = (Vec::new(), Vec::new());
        for (name, rules) in &self.tables {
            let file = format!("{name}.parquet");
            let opened = File::open(data.join(&file)).with_context(|| format!("{file} is missing"))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(opened)?;
            let table = rules.table(name, builder.schema());
            let columns = table.columns.iter().map(crate::common::model_column).collect();
            sources.push(Source {
                dataset: "tpch".parse().map_err(anyhow::Error::msg)?,
                table: Table {
                    name: name.parse().map_err(anyhow::Error::msg)?,
                    title: Text::default(),
                    columns,
                    unit: None,
                },
                path: file,
                rows: u64::try_from(builder.metadata().file_metadata().num_rows())?,
            });
            tables.push(table);
        }
        Ok((tables, sources))
    }

    /// The row filters as a grant's scope.
    pub fn scope(&self) -> Result<RowScope> {
        let conditions = self.tables.iter().filter_map(|(name, rules)| {
            let rows = rules.rows.as_ref()?;
            let condition = serde_json::json!([{ "column": rows.column, "values": rows.values }]);
            Some((format!("tpch.{name}"), condition))
        });
        let all: serde_json::Map<String, serde_json::Value> = conditions.collect();
        Ok(serde_json::from_value(all.into())?)
    }
}

impl Rules {
    fn table(&self, name: &str, schema: &arrow::datatypes::Schema) -> TestTable {
        let column = |field: &std::sync::Arc<arrow::datatypes::Field>| {
            let name = field.name().as_str();
            let treatment = match self.masks.get(name) {
                Some(words) => mask(words),
                None if self.withheld.iter().any(|w| w == name) => Treatment::Withhold,
                None => Treatment::Clear,
            };
            let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
            let mut column = col(name, arrow::array::NullArray::new(0), treatment);
            column.values = new_empty_array(field.data_type());
            column
        };
        TestTable {
            name: Box::leak(format!("tpch.{name}").into_boxed_str()),
            columns: schema.fields().iter().map(column).collect(),
            unit: None,
            granted: true,
        }
    }
}
