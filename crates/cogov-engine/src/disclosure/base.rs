//! One witness of a memory: for every independent set that was answered one row of the table, its seat, such that
//! the answers and all values outside the seats leave the values on the seats fixed, and nothing else.
//!
//! It is an LU decomposition by rows: the remainder of set j, `v_j`, is set j less multiples of earlier
//! remainders, zero on the earlier seats and not on its own.

use super::prime::Prime;
use super::set::QuerySet;
use std::collections::BTreeMap;

/// Sparse numbers by position.
type Sparse = Vec<(u32, Prime)>;

#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    seats: Vec<u32>,
    /// By set: which multiples of earlier remainders were taken away.
    lower: Vec<Sparse>,
    /// By remainder: its values on its own seat (first) and on later seats.
    upper: Vec<Sparse>,
    marks: Vec<Prime>,
}

/// What is left of a set when the answered sets are taken away as far as the seats tell.
#[derive(Debug, Clone)]
pub(super) struct Remainder {
    /// Multiples of remainders that were taken away, by position.
    taken: Sparse,
    mark: Prime,
}

impl Remainder {
    /// Whether nothing is left: the set is a combination of answered ones.
    pub(super) const fn is_nothing(&self) -> bool {
        self.mark.is_zero()
    }

    pub(super) const fn entries(&self) -> usize {
        self.taken.len()
    }
}

fn at(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl Base {
    pub(super) fn seats(&self) -> &[u32] {
        &self.seats
    }

    /// Takes the answered sets away from a set, whose values on the seats are given by position.
    pub(super) fn remainder(
        &self,
        on_seats: impl IntoIterator<Item = (u32, Prime)>,
        mark: Prime,
    ) -> Remainder {
        let mut values: BTreeMap<u32, Prime> = on_seats.into_iter().collect();
        let (mut taken, mut mark) = (Vec::new(), mark);
        while let Some((position, value)) = values.pop_first() {
            let Some(upper) = self.upper.get(position as usize).filter(|_| !value.is_zero()) else {
                continue;
            };
            let own = upper.first().map_or(Prime::ZERO, |(_, own)| *own);
            let multiple = value.times(own.inverse());
            for (later, remainder) in upper.iter().skip(1) {
                let value = values.entry(*later).or_default();
                *value = value.minus(multiple.times(*remainder));
            }
            let its_mark = self.marks.get(position as usize).copied().unwrap_or_default();
            mark = mark.minus(multiple.times(its_mark));
            taken.push((position, multiple));
        }
        Remainder { taken, mark }
    }

    /// The values of the earlier remainders on a row: of those that `wanted` reaches, or of all.
    fn column(&self, sets: &[&QuerySet], row: u32, wanted: Option<&Remainder>) -> BTreeMap<u32, Prime> {
        let needed = wanted.map(|remainder| self.reached(remainder));
        let positions: Box<dyn Iterator<Item = u32>> = match &needed {
            Some(needed) => Box::new(needed.keys().copied()),
            None => Box::new(0..at(self.seats.len())),
        };
        let mut values = BTreeMap::new();
        for position in positions {
            let mut value = sets.get(position as usize).map_or(Prime::ZERO, |set| set.times(row));
            for (earlier, multiple) in self.lower.get(position as usize).into_iter().flatten() {
                if let Some(known) = values.get(earlier) {
                    value = value.minus(multiple.times(*known));
                }
            }
            if !value.is_zero() {
                values.insert(position, value);
            }
        }
        values
    }

    /// The remainder's value on a row.
    pub(super) fn value(&self, sets: &[&QuerySet], set: &QuerySet, remainder: &Remainder, row: u32) -> Prime {
        let own = set.times(row);
        if remainder.taken.is_empty() {
            return own;
        }
        let column = self.column(sets, row, Some(remainder));
        remainder.taken.iter().fold(own, |value, (position, multiple)| {
            value.minus(multiple.times(column.get(position).copied().unwrap_or_default()))
        })
    }

    /// The answered sets that a remainder rests on, by position, with the multiples of the sets themselves.
    pub(super) fn reached(&self, remainder: &Remainder) -> BTreeMap<u32, Prime> {
        let mut open: BTreeMap<u32, Prime> = remainder.taken.iter().copied().collect();
        let mut all = BTreeMap::new();
        while let Some((position, multiple)) = open.pop_last() {
            for (earlier, taken) in self.lower.get(position as usize).into_iter().flatten() {
                let value = open.entry(*earlier).or_default();
                *value = value.minus(multiple.times(*taken));
            }
            all.insert(position, multiple);
        }
        all
    }

    /// Takes a set in, with a seat on which its remainder is not zero. Returns how many numbers were added.
    pub(super) fn push(
        &mut self,
        sets: &[&QuerySet],
        set: &QuerySet,
        remainder: Remainder,
        seat: u32,
    ) -> usize {
        let column = self.column(sets, seat, None);
        let own = self.value(sets, set, &remainder, seat);
        let here = at(self.seats.len());
        for (earlier, value) in &column {
            if let Some(upper) = self.upper.get_mut(*earlier as usize) {
                upper.push((here, *value));
            }
        }
        let added = column.len() + remainder.taken.len() + 1;
        self.seats.push(seat);
        self.lower.push(remainder.taken);
        self.upper.push(vec![(here, own)]);
        self.marks.push(remainder.mark);
        added
    }
}
