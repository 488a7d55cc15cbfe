//! How long the memory of statistics takes to weigh a question as more were answered before: a table of 280,005 persons,
//! groups by ever other columns from 5 to 2,800 values, a minimum of ten. Prints each question's time and cells.

use cogov_disclosure::{
    Answered, Cell, CellShown, Judged, Measure, Rules, Story, TableRows, TableTold, judge,
};
use cogov_model::Aggregation;
use std::{sync::Arc, time::Instant};

const ROWS: u64 = 280_005;
const QUESTIONS: u64 = 40;
const SIZES: [u64; 5] = [5, 51, 300, 850, 2_800];

fn mixed(row: u64, question: u64) -> u64 {
    let z = (row ^ question.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 20
}

/// The cells of one question, the largest first. Each second question counts values that a tenth of the rows lack.
fn cells(question: u64) -> Vec<Cell> {
    let groups = SIZES.get((question % 5) as usize).copied().unwrap_or(5);
    let mut cells: Vec<Cell> =
        (0..groups).map(|_| Cell { rows: vec![Vec::new()], values: vec![Vec::new()] }).collect();
    for row in 0..ROWS {
        // Groups of uneven size, as those of real columns are.
        let at = mixed(row, question) % groups * (mixed(row, question + 1_000) % 3 + 1) / 3;
        let value = if question % 2 == 1 && mixed(row, 7).is_multiple_of(10) { f64::NAN } else { row as f64 };
        if let Some(cell) = cells.get_mut(at as usize) {
            cell.rows.iter_mut().for_each(|rows| rows.push(row as u32));
            cell.values.iter_mut().for_each(|values| values.push(value));
        }
    }
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.rows.first().map_or(0, Vec::len)));
    cells
}

fn main() {
    let Ok(obliged) = serde_json::from_str::<Aggregation>(r#"{"min_group":10}"#) else { return };
    let keys: Vec<u64> = (0..ROWS).collect();
    let Some(rows) = TableRows::of_units(&keys).map(Arc::new) else { return };
    let mut answered = Answered::new(rows.people.clone());
    if !answered.raise(obliged.get()) {
        return;
    }
    let mut tables = vec![TableTold { rows, answered, closed: false }];
    let rules = Rules { obliged, story: Story::default() };
    let measures = [Measure { magnitude: true }];
    for question in 0..QUESTIONS {
        let cells = cells(question);
        let asked: Vec<(&Cell, bool)> = cells.iter().map(|cell| (cell, false)).collect();
        let start = Instant::now();
        let Judged { shown, .. } = judge(&asked, &measures, &rules, &mut tables);
        let rows = shown.iter().filter(|shown| **shown != CellShown::Gone).count();
        let figures = shown.iter().filter(|shown| matches!(shown, CellShown::Row(of) if of == &[true]));
        println!(
            "question {question:2}: {:4} groups, {rows:4} shown, {:4} with a sum, {:7.1} ms{}",
            asked.len(),
            figures.count(),
            start.elapsed().as_secs_f64() * 1000.0,
            if tables.iter().any(|table| table.answered.is_full()) { ", full" } else { "" }
        );
    }
}
