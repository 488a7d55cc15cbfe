//! The cells of one statement before they are shown: which are, which figures of them are, and what is remembered.

use crate::answered::{Answered, Extension, Verdict};
use crate::digest::Digest;
use crate::rows::TableRows;
use crate::set::QuerySet;
use crate::shares::Shares;
use crate::story::Story;
use cogov_model::Aggregation;
use std::sync::Arc;

/// A cell: a group with the rows that stand in it.
#[derive(Debug, Default)]
pub struct Cell {
    /// For each table below, the number of its row for each joined row.
    pub rows: Vec<Vec<u32>>,
    /// For each measure, a number for each joined row; NaN is none.
    pub values: Vec<Vec<f64>>,
}

/// A figure of each cell that has an argument.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Whether it is a sum or is made of sums, and not a count.
    pub magnitude: bool,
}

/// What the statement obliges.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The least group, dominance and p %.
    pub obliged: Aggregation,
    /// How it asks.
    pub story: Story,
}

/// A table below the statement, with the memory about it.
pub struct TableTold {
    /// Its rows by number.
    pub rows: Arc<TableRows>,
    /// What was answered about it.
    pub answered: Answered,
    /// Whether nothing more may be kept of it: then nothing new is shown.
    pub closed: bool,
}

/// What is shown of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellShown {
    /// The group is no row: it is small, or how large it is would tell of few. Which of both is not told, since the
    /// first is so of other people than the second.
    Gone,
    /// The group is a row; by measure, whether its figure stands there. Counts of all do.
    Row(Vec<bool>),
}

/// The outcome for a statement.
#[derive(Debug)]
pub struct Judged {
    /// What is shown of each cell.
    pub shown: Vec<CellShown>,
    /// What is new, by table.
    pub news: Vec<News>,
}

/// What a statement adds to the memory about a table.
#[derive(Debug)]
pub struct News {
    /// The number of its first new figure.
    pub from: u32,
    /// The sets that were hidden newly.
    pub hidden: Vec<Digest>,
    /// Whether earlier figures have other seats now.
    pub reordered: bool,
}

/// How often one statement may search a certificate anew.
const SEARCHES: usize = 16;

/// What becomes of a table's memory.
enum Change {
    Nothing,
    Taken(Extension),
    Replaced(Box<Answered>),
}

/// Weighs the cells, in the order given; earlier ones are preferred.
pub fn judge(
    cells: &[(&Cell, bool)],
    measures: &[Measure],
    rules: &Rules,
    tables: &mut [TableTold],
) -> Judged {
    let news =
        |table: &TableTold| News { from: table.answered.next_id(), hidden: Vec::new(), reordered: false };
    let news = tables.iter().map(news).collect();
    let mut court = Court { rules, tables, news, taken: 0, searches: SEARCHES };
    let mut shown = vec![CellShown::Gone; cells.len()];
    let mut open = vec![true; cells.len()];
    // What was hidden may follow from cells that came after it. It would be shown to who asks again, so it is now.
    let mut taken = None;
    while taken != Some(court.taken) {
        taken = Some(court.taken);
        for (((cell, concentrated), shown), open) in cells.iter().zip(&mut shown).zip(&mut open) {
            if !concentrated && *open {
                (*shown, *open) = court.cell(cell, measures);
            }
        }
    }
    Judged { shown, news: court.news }
}

struct Court<'a> {
    rules: &'a Rules,
    tables: &'a mut [TableTold],
    news: Vec<News>,
    /// Figures that were taken in.
    taken: usize,
    searches: usize,
}

impl Court<'_> {
    /// What is shown of a cell, and whether more may be once other figures are taken in.
    fn cell(&mut self, cell: &Cell, measures: &[Measure]) -> (CellShown, bool) {
        let everybody = |_: usize| true;
        let Some(members) = self.sets(cell, everybody).filter(|members| self.enough(members)) else {
            return (CellShown::Gone, false);
        };
        if !self.may(&members) {
            return (CellShown::Gone, true);
        }
        let figures =
            measures.iter().enumerate().map(|(at, measure)| self.figure(cell, at, *measure, &members));
        let figures: Vec<bool> = figures.collect();
        let open = !figures.iter().all(|shown| *shown);
        (CellShown::Row(figures), open)
    }

    fn figure(&mut self, cell: &Cell, at: usize, measure: Measure, members: &[QuerySet]) -> bool {
        let Some(values) = cell.values.get(at) else { return false };
        // Where everybody has a value the contributors are the members, who may be shown.
        if values.iter().any(|value| value.is_nan()) {
            let counted = |row: usize| values.get(row).is_some_and(|value| !value.is_nan());
            let Some(contributors) = self.sets(cell, counted) else { return false };
            if !self.enough(&contributors) || (contributors != members && !self.may(&contributors)) {
                return false;
            }
        }
        let alone = self.rules.obliged.get() <= 1;
        alone || !measure.magnitude || (0..self.tables.len()).all(|table| self.balanced(cell, table, values))
    }

    /// Whether no few persons of a table make up a figure, and not everybody has the same value.
    fn balanced(&self, cell: &Cell, table: usize, values: &[f64]) -> bool {
        let Some((told, rows)) = self.tables.get(table).zip(cell.rows.get(table)) else { return false };
        let of_persons = rows.iter().zip(values).filter(|(_, value)| !value.is_nan());
        let shares = Shares::new(of_persons.map(|(row, value)| (told.answered.person(*row), *value)));
        !shares.is_uniform() && !shares.is_dominated(&self.rules.obliged)
    }

    /// The sets of a cell's rows that count, one a table.
    fn sets(&self, cell: &Cell, counts: impl Fn(usize) -> bool) -> Option<Vec<QuerySet>> {
        let counting = |rows: &Vec<u32>| {
            let rows = rows.iter().enumerate().filter(|(row, _)| counts(*row));
            QuerySet::new(rows.map(|(_, row)| *row).collect())
        };
        cell.rows.iter().map(counting).collect()
    }

    fn enough(&self, sets: &[QuerySet]) -> bool {
        let k = self.rules.obliged.get();
        sets.iter().zip(self.tables.iter()).all(|(set, table)| table.rows.are_behind(set, k))
    }

    /// Whether a figure over these sets may be shown; if so it is taken in.
    fn may(&mut self, sets: &[QuerySet]) -> bool {
        if self.rules.obliged.get() <= 1 {
            return true;
        }
        let mut verdicts = Vec::new();
        for (at, set) in sets.iter().enumerate() {
            let Some(table) = self.tables.get(at) else { return false };
            match table.answered.weigh(set, &self.rules.story) {
                Verdict::Known => verdicts.push(Change::Nothing),
                // That there is no room says nothing of the set, and what becomes of it is kept nowhere: it is as if it were small.
                Verdict::Full => return false,
                Verdict::New(_) | Verdict::Tight | Verdict::Hidden if table.closed => return false,
                Verdict::New(extension) => verdicts.push(Change::Taken(extension)),
                Verdict::Tight => match self.searched(at, set) {
                    Some(anew) => verdicts.push(Change::Replaced(Box::new(anew))),
                    None => {
                        self.hide(at, set);
                        return false;
                    }
                },
                Verdict::Hidden => {
                    self.hide(at, set);
                    return false;
                }
            }
        }
        for ((table, news), verdict) in self.tables.iter_mut().zip(&mut self.news).zip(verdicts) {
            match verdict {
                Change::Nothing => {}
                Change::Taken(extension) => {
                    table.answered.take(extension);
                    self.taken += 1;
                }
                Change::Replaced(anew) => {
                    table.answered = *anew;
                    news.reordered = true;
                    self.taken += 1;
                }
            }
        }
        true
    }

    /// The memory of a table with one more set, where its certificate is found anew and not too often.
    fn searched(&mut self, at: usize, set: &QuerySet) -> Option<Answered> {
        if self.searches == 0 {
            return None;
        }
        self.searches -= 1;
        self.tables.get(at)?.answered.searched_anew(set, &self.rules.story)
    }

    fn hide(&mut self, at: usize, set: &QuerySet) {
        let Some((table, news)) = self.tables.get_mut(at).zip(self.news.get_mut(at)) else { return };
        if !table.answered.is_settled(set) {
            let digest = set.digest();
            table.answered.hide(digest);
            news.hidden.push(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cogov_model::MinGroup;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

        #[test]
        fn asking_again_shows_no_more_and_no_less(
            k in 2..5_u64,
            all in proptest::collection::vec(proptest::collection::vec(0..14_u32, 3..14), 2..12),
        ) {
            let rules = Rules { obliged: Aggregation::over(MinGroup::new(k).unwrap()), story: Story::default() };
            let rows = TableRows::without_unit(14).unwrap();
            let mut answered = Answered::new(rows.people.clone());
            assert!(answered.raise(k));
            let mut tables = [TableTold { rows: Arc::new(rows), answered, closed: false }];
            let all: Vec<Cell> = all.into_iter().map(|rows| Cell { rows: vec![rows], values: Vec::new() }).collect();
            let cells: Vec<(&Cell, bool)> = all.iter().map(|cell| (cell, false)).collect();
            let first = judge(&cells, &[], &rules, &mut tables).shown;
            let again = judge(&cells, &[], &rules, &mut tables);
            prop_assert_eq!(first, again.shown);
            prop_assert!(again.news[0].hidden.is_empty());
        }
    }
}
