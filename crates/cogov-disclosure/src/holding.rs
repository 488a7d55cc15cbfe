//! Which of many sets hold a row.

use crate::answered::Figure;
use crate::residue::Residue;
use crate::set::QuerySet;

/// Rows of a set that is looked up by row; larger ones are asked one by one. Tables have many small groups and few
/// large ones, so both ways together cost little.
const SMALL: u64 = 4096;

/// The places of sets by the rows that they hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holding {
    /// By row: the places of small sets that hold it.
    small: Vec<Vec<u32>>,
    /// The places of large sets.
    large: Vec<u32>,
}

impl Holding {
    /// Takes in the set at a place.
    pub(crate) fn push(&mut self, place: u32, set: &QuerySet) {
        if set.rows().len() > SMALL {
            self.large.push(place);
            return;
        }
        for row in set.rows() {
            let row = row as usize;
            if self.small.len() <= row {
                self.small.resize_with(row + 1, Vec::new);
            }
            if let Some(places) = self.small.get_mut(row) {
                places.push(place);
            }
        }
    }

    /// The sets among `figures` that hold a row, by place, with how often it stands in each.
    pub(crate) fn of<'a>(
        &'a self,
        figures: &'a [Figure],
        row: u32,
    ) -> impl Iterator<Item = (u32, Residue)> + 'a {
        let small = self.small.get(row as usize).into_iter().flatten();
        let times = move |place: &u32| Some((*place, figures.get(*place as usize)?.set.times(row)));
        small.chain(&self.large).filter_map(times).filter(|(_, times)| !times.is_zero())
    }
}
