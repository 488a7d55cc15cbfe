//! What one party was answered about one table, and whether one more figure may be.
//!
//! Every figure is a sum over a set of rows. What can be computed from all of them is the space that their sets
//! span. A new set is allowed only when afterwards, still, *k* disjoint groups of persons exist, each with as many
//! rows as there are independent sets, such that the figures determine the rows of each group only jointly with
//! everything outside it. By Edmonds' theorem on disjoint bases of a matroid that is the same as: for every set D of
//! persons the independent figures about D alone are at most |D| / k. With one figure it is the minimum group; with
//! several it rules out every difference, tracker and linear combination that isolates fewer than k persons, and bounds
//! what least squares can learn of anyone to one k-th of the variance.
//!
//! The groups are searched greedily and kept as a certificate: a set whose extension is not found is not
//! answered, though sometimes it could be.

use crate::base::{Base, Remainder, Sets};
use crate::digest::Digest;
use crate::holding::Holding;
use crate::residue::Residue;
use crate::set::QuerySet;
use crate::story::Story;
use roaring::RoaringBitmap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Numbers that the certificates of one memory may hold: about 64 MB.
const ENTRIES: usize = 4 << 20;

/// Independent figures that are always remembered; beyond them one for every `SPREAD`·k persons is.
const FIGURES: u64 = 64;

/// See [`FIGURES`]. With it random sets leave a person's value where the best constant guess leaves it: the share of
/// its variance that least squares explains is at most 1 / (`SPREAD`·k).
const SPREAD: u64 = 4;

/// Rows that are tried as a seat, of the set and of what tells it from a near one, before the remainder is computed on
/// all.
const TRIES: u64 = 8;

/// Figures among which a certificate is searched anew.
const SEARCHED: usize = 2000;

/// Rows that may be walked to compute one remainder on all of them.
const WALK: u64 = 16 << 20;

/// Who stands behind the rows of a table.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Persons of the table.
    pub count: u64,
    /// The person of each row of the file; nothing where it is the row's own number.
    pub of_row: Arc<[u32]>,
    /// The person of a row that is no longer in the file, where it is not the row's own number.
    pub of_gone: HashMap<u32, u32>,
}

impl People {
    /// The person behind a row.
    #[must_use]
    pub fn of(&self, row: u32) -> u32 {
        let here = || self.of_row.get(row as usize).copied();
        // Rows that are gone have numbers beyond those of the file.
        if self.of_gone.is_empty() {
            return here().unwrap_or(row);
        }
        here().or_else(|| self.of_gone.get(&row).copied()).unwrap_or(row)
    }

    /// Whether at least so many persons stand behind rows.
    pub(crate) fn are_behind(&self, rows: &RoaringBitmap, least: u64) -> bool {
        if self.of_row.is_empty() && self.of_gone.is_empty() {
            return rows.len() >= least;
        }
        let mut met = HashSet::new();
        least == 0 || rows.iter().any(|row| met.insert(self.of(row)) && met.len() as u64 >= least)
    }
}

/// An answered set.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The number in which it came.
    pub id: u32,
    /// The rows that it adds up.
    pub set: QuerySet,
    /// How it was asked for.
    pub story: Story,
}

/// Whether a figure may be shown.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It follows from what was answered.
    Known,
    /// It may, once this is taken in.
    New(Extension),
    /// It would tell of fewer than k persons.
    Hidden,
    /// Perhaps it may, but the certificate has to be searched anew.
    Tight,
    /// There is no room to remember it.
    Full,
}

/// A figure with its place in every certificate.
#[derive(Debug)]
pub(crate) struct Extension {
    figure: Figure,
    seats: Vec<(Remainder, u32)>,
}

/// The memory about one table.
#[derive(Debug, Clone)]
pub struct Answered {
    pub(crate) people: People,
    figures: Vec<Figure>,
    holding: Holding,
    bases: Vec<Base>,
    /// Persons who have a seat.
    taken: RoaringBitmap,
    /// Rows that are seats: of which base, at which position.
    seats: HashMap<u32, (u32, u32)>,
    /// The same rows as a set: a small set of rows meets few of many seats.
    seat_rows: RoaringBitmap,
    by_mark: HashMap<Residue, Vec<usize>>,
    hidden: HashSet<Digest>,
    entries: usize,
}

impl Answered {
    /// A memory of nothing.
    #[must_use]
    pub fn new(people: People) -> Self {
        Self {
            people,
            figures: Vec::new(),
            holding: Holding::default(),
            bases: Vec::new(),
            taken: RoaringBitmap::new(),
            seats: HashMap::new(),
            seat_rows: RoaringBitmap::new(),
            by_mark: HashMap::new(),
            hidden: HashSet::new(),
            entries: 0,
        }
    }

    /// The person behind a row.
    pub(crate) fn person(&self, row: u32) -> u32 {
        self.people.of(row)
    }

    /// Takes in who stands behind rows that are no longer in the file.
    pub fn meet(&mut self, gone: HashMap<u32, u32>) {
        self.people.of_gone.extend(gone);
    }

    /// The independent sets that were answered, in the order of the certificate.
    #[must_use]
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// The rows on which a figure, given by its place, has its seats: one a group of the certificate.
    #[must_use]
    pub fn seats_of(&self, figure: usize) -> Vec<u32> {
        self.bases.iter().filter_map(|base| base.seats().get(figure).copied()).collect()
    }

    /// The number of the next figure.
    pub fn next_id(&self) -> u32 {
        u32::try_from(self.figures.len()).unwrap_or(u32::MAX)
    }

    /// How many groups the certificate has: the greatest k that was asked for.
    pub fn groups(&self) -> u64 {
        self.bases.len() as u64
    }

    /// Raises the certificate to at least `k` groups. False when what was answered leaves no room for that.
    pub fn raise(&mut self, k: u64) -> bool {
        while (self.bases.len() as u64) < k {
            let index = self.bases.len();
            self.bases.push(Base::default());
            for position in 0..self.figures.len() {
                let Some(figure) = self.figures.get(position).cloned() else { return false };
                let on_seats = self.on_seats(&figure.set, index);
                let Some(base) = self.bases.get(index) else { return false };
                let remainder = base.remainder(on_seats, figure.set.mark());
                let near = self.beside(&figure.set, position);
                let nobody = RoaringBitmap::new();
                let Ok(seat) = self.seat(base, (&figure.set, &near), &remainder, &nobody) else {
                    self.bases.truncate(index);
                    return false;
                };
                self.take_seat(index, position, &figure.set, remainder, seat);
            }
        }
        true
    }

    const fn sets(&self) -> Sets<'_> {
        Sets { figures: self.figures.as_slice(), holding: &self.holding }
    }

    /// A set's values on the seats of one base.
    fn on_seats(&self, set: &QuerySet, base: usize) -> Vec<(u32, Residue)> {
        let met = set.rows() & &self.seat_rows;
        let on = |row: u32| {
            let (of, position) = self.seats.get(&row)?;
            (*of as usize == base).then(|| (*position, set.times(row)))
        };
        met.iter().filter_map(on).collect()
    }

    /// Whether a set of at least k persons may be answered.
    pub(crate) fn weigh(&self, set: &QuerySet, story: &Story) -> Verdict {
        // What was answered stays answered, whatever was asked about the same rows since.
        let equal = self.alike(set);
        let mut equal = equal.peekable();
        if equal.peek().is_some() {
            let fine = equal.all(|figure| figure.story.tells_no_more(story));
            return if fine { Verdict::Known } else { Verdict::Hidden };
        }
        let mut on_seats = self.on_all_seats(set).into_iter();
        let Some((base, first)) = self.bases.first().zip(on_seats.next()) else { return Verdict::Hidden };
        let first = base.remainder(first, set.mark());
        if first.is_nothing() {
            let parts = base.reached(&first);
            let stories = parts.iter().filter_map(|(at, _)| self.figures.get(*at as usize)).map(|f| &f.story);
            let fine = Story::one_table(stories.chain([story]));
            return if fine { Verdict::Known } else { Verdict::Hidden };
        }
        if self.is_hidden(set) {
            return Verdict::Hidden;
        }
        if self.is_full() {
            return Verdict::Full;
        }
        let mut remainders = vec![first];
        let others = self.bases.get(1..).unwrap_or_default();
        remainders.extend(others.iter().zip(on_seats).map(|(base, rows)| base.remainder(rows, set.mark())));
        let more: usize = remainders.iter().map(Remainder::entries).sum();
        if self.entries + more > ENTRIES {
            return Verdict::Full;
        }
        self.extension(set, story, remainders)
    }

    fn remainders(&self, set: &QuerySet) -> Vec<Remainder> {
        let all = self.bases.iter().zip(self.on_all_seats(set));
        all.map(|(base, on_seats)| base.remainder(on_seats, set.mark())).collect()
    }

    /// A set's values on the seats of each base.
    fn on_all_seats(&self, set: &QuerySet) -> Vec<Vec<(u32, Residue)>> {
        let mut on_seats: Vec<Vec<(u32, Residue)>> = vec![Vec::new(); self.bases.len()];
        for row in set.rows() & &self.seat_rows {
            if let Some((base, position)) = self.seats.get(&row)
                && let Some(values) = on_seats.get_mut(*base as usize)
            {
                values.push((*position, set.times(row)));
            }
        }
        on_seats
    }

    /// Whether there is no room for another figure, whichever it is.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let figures = self.figures.len() as u64;
        let k = self.groups().max(1);
        figures >= FIGURES.max(self.people.count / (SPREAD * k)) || self.entries >= ENTRIES
    }

    fn extension(&self, set: &QuerySet, story: &Story, remainders: Vec<Remainder>) -> Verdict {
        let (mut sitting, near) = (RoaringBitmap::new(), self.beside(set, self.figures.len()));
        let mut seats = Vec::new();
        for (base, remainder) in self.bases.iter().zip(remainders) {
            match self.seat(base, (set, &near), &remainder, &sitting) {
                Ok(seat) => {
                    sitting.insert(self.people.of(seat));
                    seats.push((remainder, seat));
                }
                Err(rows) => return self.without_seat(rows),
            }
        }
        let figure = Figure { id: self.next_id(), set: set.clone(), story: story.clone() };
        Verdict::New(Extension { figure, seats })
    }

    /// What a set is that found no seat on the rows that make the difference: too few persons do, or they sit
    /// elsewhere.
    fn without_seat(&self, rows: Vec<u32>) -> Verdict {
        let persons: HashSet<u32> = rows.into_iter().map(|row| self.people.of(row)).collect();
        let enough = persons.len() as u64 >= self.groups() && self.figures.len() < SEARCHED;
        if enough { Verdict::Tight } else { Verdict::Hidden }
    }

    /// The memory with one more set, its certificate searched anew: smaller sets first, since what larger ones add to
    /// them is then all that they need. None when none is found.
    pub fn searched_anew(&self, set: &QuerySet, story: &Story) -> Option<Self> {
        let mut figures = self.figures.clone();
        figures.push(Figure { id: self.next_id(), set: set.clone(), story: story.clone() });
        figures.sort_by_key(|figure| (figure.set.len(), figure.id));
        let mut anew = self.emptied();
        for figure in figures {
            let remainders = anew.remainders(&figure.set);
            let Verdict::New(mut extension) = anew.extension(&figure.set, &figure.story, remainders) else {
                return None;
            };
            extension.figure.id = figure.id;
            anew.take(extension);
        }
        Some(anew)
    }

    fn emptied(&self) -> Self {
        let mut empty = Self::new(self.people.clone());
        empty.bases = vec![Base::default(); self.bases.len()];
        empty.hidden = self.hidden.clone();
        empty
    }

    /// The memory with more figures in the given order, on these seats in so many groups. None when they do not fit.
    pub fn reordered(&self, more: Vec<Figure>, groups: u64, order: &[(u32, Vec<u32>)]) -> Option<Self> {
        let mut by_id: HashMap<u32, Figure> =
            self.figures.iter().cloned().chain(more).map(|figure| (figure.id, figure)).collect();
        let mut anew = self.emptied();
        anew.bases = vec![Base::default(); usize::try_from(groups).ok()?];
        for (id, seats) in order {
            anew.take_on(by_id.remove(id)?, seats).then_some(())?;
        }
        by_id.is_empty().then_some(anew)
    }

    /// Rows that are in one only of this set and the answered set that has most in common with it: those who have a
    /// value are most of a group, and what tells them apart from the group are the others.
    fn beside(&self, set: &QuerySet, until: usize) -> RoaringBitmap {
        let rows = set.rows();
        let some = rows.select(u32::try_from(rows.len() / 2).unwrap_or(0));
        let holding = some.into_iter().flat_map(|row| self.holding.of(&self.figures, row));
        let earlier = holding.filter(|(place, _)| (*place as usize) < until);
        let sets = earlier.filter_map(|(place, _)| Some(self.figures.get(place as usize)?.set.rows()));
        let nearest = sets.max_by_key(|other| (rows.intersection_len(other), std::cmp::Reverse(other.len())));
        nearest.map(|other| other ^ rows).unwrap_or_default()
    }

    /// A row on which the remainder is not zero, of a person who has no seat yet. Without one, all rows on which it is
    /// not zero, or none when finding them would take too long.
    fn seat(
        &self,
        base: &Base,
        (set, near): (&QuerySet, &RoaringBitmap),
        remainder: &Remainder,
        sitting: &RoaringBitmap,
    ) -> Result<u32, Vec<u32>> {
        let open = |row: u32| {
            let person = self.people.of(row);
            !self.taken.contains(person) && !sitting.contains(person)
        };
        // Multiples of the golden ratio spread evenly, so that seats do not crowd in one place.
        let begin = sitting.len() * TRIES;
        let spaced = |rows: &RoaringBitmap, i: u64| {
            let part = u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            rows.select(u32::try_from((part * u128::from(rows.len())) >> 64).unwrap_or(0))
        };
        let mut spaced =
            (begin..begin + TRIES).flat_map(|i| [spaced(set.rows(), i), spaced(near, i)]).flatten();
        let fits = |row: &u32| open(*row) && !base.value(&self.sets(), set, remainder, *row).is_zero();
        if let Some(seat) = spaced.find(fits) {
            return Ok(seat);
        }
        let rows = self.everywhere(base, set, remainder);
        rows.iter().copied().find(|row| open(*row)).ok_or(rows)
    }

    /// Every row on which the remainder is not zero; none when that would take too long.
    fn everywhere(&self, base: &Base, set: &QuerySet, remainder: &Remainder) -> Vec<u32> {
        let parts = base.reached(remainder);
        let parts: Vec<(&QuerySet, Residue)> = parts
            .into_iter()
            .filter_map(|(at, multiple)| Some((&self.figures.get(at as usize)?.set, multiple)))
            .collect();
        if parts.iter().map(|(set, _)| set.len()).sum::<u64>() > WALK {
            return Vec::new();
        }
        let last = parts.iter().map(|(part, _)| *part).chain([set]).filter_map(|set| set.rows().max()).max();
        let mut values = vec![Residue::ZERO; last.map_or(0, |last| last as usize + 1)];
        let mut add = |set: &QuerySet, multiple: Option<Residue>| {
            for row in set.levels().iter().flatten() {
                if let Some(value) = values.get_mut(row as usize) {
                    *value = match multiple {
                        None => value.plus(Residue::new(1)),
                        Some(multiple) => value.minus(multiple),
                    };
                }
            }
        };
        add(set, None);
        for (part, multiple) in parts {
            add(part, Some(multiple));
        }
        let rows = (0_u32..).zip(values).filter(|(_, value)| !value.is_zero());
        rows.map(|(row, _)| row).collect()
    }

    fn take_seat(&mut self, base: usize, position: usize, set: &QuerySet, remainder: Remainder, seat: u32) {
        let sets = Sets { figures: &self.figures, holding: &self.holding };
        if let Some(base) = self.bases.get_mut(base) {
            self.entries += base.push(&sets, set, remainder, seat);
        }
        self.taken.insert(self.people.of(seat));
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.seats.insert(seat, (place(base), place(position)));
        self.seat_rows.insert(seat);
    }

    /// Takes a figure in.
    pub(crate) fn take(&mut self, extension: Extension) {
        let Extension { figure, seats } = extension;
        let position = self.figures.len();
        for (base, (remainder, seat)) in seats.into_iter().enumerate() {
            self.take_seat(base, position, &figure.set, remainder, seat);
        }
        self.holding.push(u32::try_from(position).unwrap_or(u32::MAX), &figure.set);
        self.by_mark.entry(figure.set.mark()).or_default().push(position);
        self.figures.push(figure);
    }

    /// Takes a figure in on the seats that it had when it was answered. False when they do not fit.
    pub fn take_on(&mut self, figure: Figure, seats: &[u32]) -> bool {
        if seats.len() < self.bases.len() {
            return false;
        }
        let remainders = self.remainders(&figure.set);
        let seats: Vec<(Remainder, u32)> = remainders.into_iter().zip(seats.iter().copied()).collect();
        let sets = self.sets();
        let value = |base: &Base, remainder, seat| base.value(&sets, &figure.set, remainder, seat);
        let fits =
            self.bases.iter().zip(&seats).all(|(base, (rest, seat))| !value(base, rest, *seat).is_zero());
        if fits {
            self.take(Extension { figure, seats });
        }
        fits
    }

    /// Remembers that a set was hidden, so that the same question gets the same answer.
    pub fn hide(&mut self, set: Digest) {
        self.hidden.insert(set);
    }

    /// Whether a set was hidden.
    fn is_hidden(&self, set: &QuerySet) -> bool {
        !self.hidden.is_empty() && self.hidden.contains(&set.digest())
    }

    /// The answered figures of the same set.
    fn alike(&self, set: &QuerySet) -> impl Iterator<Item = &Figure> {
        let places = self.by_mark.get(&set.mark()).into_iter().flatten();
        places.filter_map(|at| self.figures.get(*at)).filter(|figure| figure.set == *set)
    }

    /// Whether what becomes of a set is settled: it was hidden, or it was answered and then asked in other words. Whether
    /// it is asked as before is another matter, which tells nothing new.
    pub(crate) fn is_settled(&self, set: &QuerySet) -> bool {
        self.alike(set).next().is_some() || self.is_hidden(set)
    }
}

#[cfg(test)]
mod tests;
