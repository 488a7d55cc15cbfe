//! A sample of the demo's survey.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A tax unit of the survey. `wages`, `above` and `covered` are the secrets.
#[derive(Debug, Clone)]
pub struct Person {
    pub serial: i64,
    pub fips: i64,
    pub band: i64,
    pub wages: i64,
    /// 1 when its wages are above the median of the whole survey.
    pub above: i64,
    /// 1 when it has health cover for low incomes.
    pub covered: i64,
}

/// Every `step`-th unit of the survey, `count` of them.
pub fn people(count: usize, step: usize) -> Vec<Person> {
    let path = format!("{}/../../demo/cps.parquet", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap();
    let mut all: Vec<Vec<i64>> = vec![Vec::new(); 4];
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for (into, name) in all.iter_mut().zip(["fips", "agi_bin", "e00200", "mcaid_ben"]) {
            let column = cast(batch.column_by_name(name).unwrap(), &DataType::Int64).unwrap();
            let column = column.as_primitive::<Int64Type>();
            into.extend((0..column.len()).map(|row| column.value(row)));
        }
    }
    let median = {
        let mut wages = all[2].clone();
        wages.sort_unstable();
        wages[wages.len() / 2]
    };
    let person = |(serial, row): (i64, usize)| Person {
        serial,
        fips: all[0][row],
        band: all[1][row],
        wages: all[2][row],
        above: i64::from(all[2][row] > median),
        covered: i64::from(all[3][row] > 0),
    };
    (0..).zip((0..all[0].len()).step_by(step)).take(count).map(person).collect()
}
