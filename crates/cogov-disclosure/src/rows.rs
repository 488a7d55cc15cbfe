//! The rows of a table's file by number, in the order of the file, and which person stands behind each.

use crate::answered::People;
use std::collections::HashMap;

/// The rows of one file.
#[derive(Debug)]
pub struct TableRows {
    /// Rows in the file.
    pub count: u32,
    /// Whether a unit may have several rows: it repeats, or none is declared.
    pub several: bool,
    /// Whether persons are rows, because no unit is declared.
    pub without_unit: bool,
    /// Who stands behind them.
    pub people: People,
}

impl TableRows {
    /// The rows of a file whose unit has these keys, in file order. None where there are too many to number.
    #[must_use]
    pub fn of_units(units: &[u64]) -> Option<Self> {
        let mut rows = Self::without_unit(units.len())?;
        rows.without_unit = false;
        let mut order: Vec<(u64, u32)> = units.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let persons = order.chunk_by(|(one, _), (other, _)| one == other);
        rows.people.count = persons.clone().count() as u64;
        rows.several = rows.people.count < u64::from(rows.count);
        if rows.several {
            let mut of_row = vec![0; units.len()];
            // A person's number is that of the first row.
            for same in persons {
                let Some((_, person)) = same.first() else { continue };
                for (_, row) in same {
                    of_row.get_mut(*row as usize).into_iter().for_each(|place| *place = *person);
                }
            }
            rows.people.of_row = of_row.into();
        }
        Some(rows)
    }

    /// So many rows of a file without a declared unit: persons are the rows. None where there are too many to number.
    #[must_use]
    pub fn without_unit(count: usize) -> Option<Self> {
        let count = u32::try_from(count).ok()?;
        let people = People { count: u64::from(count), ..People::default() };
        Some(Self { count, several: true, without_unit: true, people })
    }

    /// Whether at least so many persons stand behind the rows of a set.
    pub(crate) fn are_behind(&self, set: &crate::set::QuerySet, least: u64) -> bool {
        self.people.are_behind(set.rows(), least)
    }

    /// For each row of an older file its number here: the row of the same unit and content; otherwise that of a row
    /// that is gone, of a person who is known here by the same unit, or there, or stands alone.
    pub fn renumber(&self, old: &Told, here: &Told, gone: &mut Gone) -> Option<Renumbered> {
        let mut found: HashMap<(u64, u64), Vec<u32>> = HashMap::new();
        let mut persons: HashMap<u64, u32> = HashMap::new();
        for (row, (unit, content)) in
            (0_u32..).zip(here.units.iter().copied().zip(here.contents.iter().copied()))
        {
            found.entry((unit, content)).or_default().push(row);
            persons.entry(unit).or_insert_with(|| self.people.of(row));
        }
        found.values_mut().for_each(|rows| rows.reverse());
        let mut turns: HashMap<(u64, u64), usize> = HashMap::new();
        let mut renumbered =
            Renumbered { numbers: Vec::with_capacity(old.units.len()), gone: HashMap::new() };
        for (unit, content) in old.units.iter().copied().zip(old.contents.iter().copied()) {
            if let Some(row) = found.get_mut(&(unit, content)).and_then(Vec::pop) {
                renumbered.numbers.push(row);
                continue;
            }
            let turn = turns.entry((unit, content)).or_default();
            let known = gone.numbers.entry((old.columns, unit, content)).or_default();
            let number = match known.get(*turn) {
                Some(number) => *number,
                None => {
                    let number = gone.next.max(self.count);
                    gone.next = number.checked_add(1)?;
                    known.push(number);
                    let person = match persons.get(&unit) {
                        _ if self.without_unit => number,
                        Some(person) => *person,
                        None => *gone.persons.entry(unit).or_insert(number),
                    };
                    renumbered.gone.insert(number, person);
                    number
                }
            };
            *turn += 1;
            renumbered.numbers.push(number);
        }
        Some(renumbered)
    }
}

/// Rows of older files that are not in this one, over all of them: each has one number, which nothing else has.
#[derive(Debug, Default)]
pub struct Gone {
    /// By the columns that were compared, unit and content: as many as stood in one file at most.
    numbers: HashMap<(u64, u64, u64), Vec<u32>>,
    /// The person of a unit that is not in this file.
    persons: HashMap<u64, u32>,
    next: u32,
}

/// By row: a hash of the unit (zero without one) and of the content.
#[derive(Debug)]
pub struct Told {
    /// By row: the unit.
    pub units: Vec<u64>,
    /// By row: the content.
    pub contents: Vec<u64>,
    /// A hash of the columns that the content is of.
    pub columns: u64,
}

/// An older file's rows by the numbers of a newer one.
#[derive(Debug)]
pub struct Renumbered {
    /// By row of the older file: its number.
    pub numbers: Vec<u32>,
    /// Rows that are gone or changed and were not met before, with the person behind each.
    pub gone: HashMap<u32, u32>,
}
