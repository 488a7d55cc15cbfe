//! One witness of a memory: for every independent set that was answered one row of the table, its seat, such that
//! the answers and all values outside the seats leave the values on the seats fixed, and nothing else.
//!
//! It is an LU decomposition by rows: the remainder of set j, `v_j`, is set j less multiples of earlier
//! remainders, zero on the earlier seats and not on its own.

use crate::answered::Figure;
use crate::holding::Holding;
use crate::residue::Residue;
use crate::set::QuerySet;

/// Sparse numbers by position, in its order.
type Sparse = Vec<(u32, Residue)>;

/// A number for each position. Elimination fills in, so that most are not zero where it matters.
type Dense = Vec<Residue>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    seats: Vec<u32>,
    /// By remainder: from which later sets it was taken away, and how often.
    lower: Vec<Sparse>,
    /// By remainder: its values on its own seat (first) and on later seats.
    upper: Vec<Sparse>,
    marks: Vec<Residue>,
}

/// What is left of a set when the answered sets are taken away as far as the seats tell.
#[derive(Debug, Clone)]
pub(crate) struct Remainder {
    /// Multiples of remainders that were taken away, by position.
    taken: Sparse,
    mark: Residue,
}

impl Remainder {
    /// Whether nothing is left: the set is a combination of answered ones.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.mark.is_zero()
    }

    pub(crate) const fn entries(&self) -> usize {
        self.taken.len()
    }

    /// Its value on a row, from the row's column and how often the row stands in the set.
    fn on(&self, column: &Dense, own: Residue) -> Residue {
        let value = |position: &u32| column.get(*position as usize).copied().unwrap_or_default();
        self.taken.iter().fold(own, |left, (at, multiple)| left.minus(multiple.times(value(at))))
    }
}

/// The answered sets, and where to look up which hold a row.
#[derive(Clone, Copy)]
pub(crate) struct Sets<'a> {
    pub(crate) figures: &'a [Figure],
    pub(crate) holding: &'a Holding,
}

fn at(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl Base {
    pub(crate) fn seats(&self) -> &[u32] {
        &self.seats
    }

    /// Takes the answered sets away from a set, whose values on the seats are given by position.
    pub(crate) fn remainder(
        &self,
        on_seats: impl IntoIterator<Item = (u32, Residue)>,
        mark: Residue,
    ) -> Remainder {
        let Some(mut values) = self.spread(on_seats) else { return Remainder { taken: Vec::new(), mark } };
        let (mut taken, mut mark) = (Vec::new(), mark);
        for (position, upper) in self.upper.iter().enumerate() {
            let value = values.get(position).copied().unwrap_or_default();
            let Some((_, own)) = upper.first().filter(|_| !value.is_zero()) else { continue };
            let multiple = value.times(own.inverse());
            take_away(&mut values, upper, multiple);
            let its_mark = self.marks.get(position).copied().unwrap_or_default();
            mark = mark.minus(multiple.times(its_mark));
            taken.push((at(position), multiple));
        }
        Remainder { taken, mark }
    }

    /// Numbers by position; none when all are zero.
    fn spread(&self, some: impl IntoIterator<Item = (u32, Residue)>) -> Option<Dense> {
        let mut values = Dense::new();
        for (position, value) in some {
            if values.is_empty() {
                values.resize(self.seats.len(), Residue::ZERO);
            }
            if let Some(place) = values.get_mut(position as usize) {
                *place = value;
            }
        }
        (!values.is_empty()).then_some(values)
    }

    /// The values of the remainders on a row.
    fn column(&self, sets: &Sets<'_>, row: u32) -> Dense {
        let Some(mut values) = self.spread(sets.holding.of(sets.figures, row)) else { return Dense::new() };
        for (position, lower) in self.lower.iter().enumerate() {
            let value = values.get(position).copied().unwrap_or_default();
            if !value.is_zero() {
                take_away(&mut values, lower, value);
            }
        }
        values
    }

    /// The remainder's value on a row.
    pub(crate) fn value(&self, sets: &Sets<'_>, set: &QuerySet, remainder: &Remainder, row: u32) -> Residue {
        if remainder.taken.is_empty() {
            return set.times(row);
        }
        remainder.on(&self.column(sets, row), set.times(row))
    }

    /// The answered sets that a remainder rests on, by position, with the multiples of the sets themselves.
    pub(crate) fn reached(&self, remainder: &Remainder) -> Sparse {
        let Some(mut multiples) = self.spread(remainder.taken.iter().copied()) else { return Sparse::new() };
        for (position, lower) in self.lower.iter().enumerate().rev() {
            let later = |at: &u32| multiples.get(*at as usize).copied().unwrap_or_default();
            let less = lower.iter().fold(Residue::ZERO, |sum, (at, taken)| sum.plus(taken.times(later(at))));
            if let Some(multiple) = multiples.get_mut(position) {
                *multiple = multiple.minus(less);
            }
        }
        let all = (0_u32..).zip(multiples);
        all.filter(|(_, multiple)| !multiple.is_zero()).collect()
    }

    /// Takes a set in, with a seat on which its remainder is not zero. Returns how many numbers were added.
    pub(crate) fn push(&mut self, sets: &Sets<'_>, set: &QuerySet, remainder: Remainder, seat: u32) -> usize {
        let column = self.column(sets, seat);
        let own = remainder.on(&column, set.times(seat));
        let here = at(self.seats.len());
        let mut added = remainder.taken.len() + 1;
        for (upper, value) in self.upper.iter_mut().zip(column) {
            if !value.is_zero() {
                upper.push((here, value));
                added += 1;
            }
        }
        for (earlier, multiple) in remainder.taken {
            if let Some(lower) = self.lower.get_mut(earlier as usize) {
                lower.push((here, multiple));
            }
        }
        self.seats.push(seat);
        self.lower.push(Vec::new());
        self.upper.push(vec![(here, own)]);
        self.marks.push(remainder.mark);
        added
    }
}

/// Takes a multiple of sparse numbers away.
fn take_away(values: &mut Dense, some: &Sparse, multiple: Residue) {
    for (position, number) in some {
        if let Some(value) = values.get_mut(*position as usize) {
            *value = value.minus(multiple.times(*number));
        }
    }
}
