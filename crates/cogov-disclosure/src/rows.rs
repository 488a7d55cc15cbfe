//! The rows of a table's file by number: which row a key means, and which person stands behind it.

use crate::answered::People;
use std::collections::HashMap;

/// The rows of one file.
#[derive(Debug)]
pub struct TableRows {
    /// Rows in the file.
    pub count: u32,
    /// Whether keys are of whole rows, because the unit repeats or there is none.
    pub by_content: bool,
    /// Whether persons are rows, because no unit is declared.
    pub without_unit: bool,
    first: HashMap<u64, u32>,
    /// Rows that are all alike, by key.
    alike: HashMap<u64, Vec<u32>>,
    /// Who stands behind them.
    pub people: People,
    /// The person of a unit, by the unit's hash.
    units: HashMap<u64, u32>,
}

impl TableRows {
    /// The rows of a file whose unit has these keys, in file order. None where a unit repeats, so that it does not tell
    /// rows apart, or where there are too many rows to number.
    #[must_use]
    pub fn by_unit(units: &[u64]) -> Option<Self> {
        let mut rows = Self::of_keys(units)?;
        rows.alike.is_empty().then_some(())?;
        rows.people.count = u64::from(rows.count);
        rows.units.clone_from(&rows.first);
        Some(rows)
    }

    /// The rows of a file whose whole rows have these keys, in file order; persons are those of the unit's keys, or the
    /// rows themselves where no unit is declared. None where there are too many to number.
    #[must_use]
    pub fn by_content(contents: &[u64], units: Option<&[u64]>) -> Option<Self> {
        let mut rows = Self::of_keys(contents)?;
        (rows.by_content, rows.without_unit) = (true, units.is_none());
        rows.people.count = u64::from(rows.count);
        if let Some(units) = units {
            let persons = Self::of_keys(units)?.first;
            rows.people.count = persons.len() as u64;
            let person = |(row, key): (u32, &u64)| persons.get(key).map(|person| (row, *person));
            rows.people.of_row = (0_u32..).zip(units).filter_map(person).collect();
            rows.units = persons;
        }
        Some(rows)
    }

    fn of_keys(keys: &[u64]) -> Option<Self> {
        let count = u32::try_from(keys.len()).ok()?;
        let mut first = HashMap::with_capacity(keys.len());
        let mut alike: HashMap<u64, Vec<u32>> = HashMap::new();
        for (row, key) in (0_u32..).zip(keys) {
            let earlier = *first.entry(*key).or_insert(row);
            if earlier != row {
                alike.entry(*key).or_insert_with(|| vec![earlier]).push(row);
            }
        }
        let people = People::default();
        let units = HashMap::new();
        Some(Self { count, by_content: false, without_unit: false, first, alike, people, units })
    }

    /// The rows that keys mean, each key as often as it stands there. None for a key of no row.
    pub fn rows(&self, keys: &[u64]) -> Option<Vec<u32>> {
        if self.alike.is_empty() {
            return keys.iter().map(|key| self.first.get(key).copied()).collect();
        }
        // Rows that are alike stand under the same conditions, so they always come together.
        let mut seen: HashMap<u64, usize> = HashMap::new();
        let each = |key: &u64| match self.alike.get(key) {
            None => self.first.get(key).copied(),
            Some(alike) => {
                let turn = seen.entry(*key).or_default();
                *turn += 1;
                alike.get((*turn - 1) % alike.len()).copied()
            }
        };
        keys.iter().map(each).collect()
    }

    /// How many persons stand behind rows, which are given with repeats.
    pub fn persons(&self, set: &crate::set::QuerySet) -> u64 {
        self.people.behind(set.rows())
    }

    /// For each row of an older file its number here: the row of the same unit and content; otherwise that of a row
    /// that is gone, of a person who is known here by the same unit, or there, or stands alone.
    pub fn renumber(&self, old: &Told, here: &Told, gone: &mut Gone) -> Option<Renumbered> {
        let mut found: HashMap<(u64, u64), Vec<u32>> = HashMap::new();
        for (row, key) in (0_u32..).zip(here.units.iter().copied().zip(here.contents.iter().copied())) {
            found.entry(key).or_default().push(row);
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
                    let person = match self.units.get(&unit) {
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
