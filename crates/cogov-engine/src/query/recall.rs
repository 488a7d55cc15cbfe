//! The memory of answers as the engine holds it: what was kept is read once and then extended.

use super::faults;
use super::numbered::{File, Unreadable};
use super::objects::{Objects, RawTable};
use crate::error::{ErrorKind, QueryError};
use cogov_disclosure::{
    Addition, AnswerMemory, Answered, Figure, Gone, KeptFigure, MemoryKey, News, Record, Story, TableRows,
    Told,
};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Memories held at most; beyond it the engine reads those again that were not used for longest, which only costs time.
const HELD: usize = 256;

/// Bytes that memories which are held may take where they are kept, all together; in the process they take a little less.
const HELD_BYTES: usize = 512 << 20;

/// Bytes that one memory may take where it is kept: beyond it new figures are refused.
const KEPT: usize = 256 << 20;

/// Statements that one memory may hold.
const STATEMENTS: u64 = 10_000;

/// A memory that was read.
pub(super) struct Loaded {
    object: String,
    /// The column that told persons apart when it was read.
    unit: Option<String>,
    /// Rows of the object.
    count: u32,
    /// The rows of older objects by their numbers here.
    older: BTreeMap<String, Vec<u32>>,
    /// Those that are in no row of the object: kept as long as the memory is, so that no number is given twice.
    gone: Gone,
    pub(super) number: u64,
    bytes: usize,
    pub(super) answered: Answered,
}

impl Loaded {
    /// Whether nothing more may be kept.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes > KEPT || self.number >= STATEMENTS
    }
}

/// A place for one memory. Who holds it is the only one to extend it in this process.
pub(super) type Slot = Arc<tokio::sync::Mutex<Option<Loaded>>>;

/// The memories in use.
#[derive(Default)]
pub(super) struct Recollections {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Each with the turn in which it was last used.
    slots: HashMap<(String, MemoryKey), (u64, Slot)>,
    turn: u64,
}

impl Recollections {
    pub(super) fn slot(&self, owner: String, about: &MemoryKey) -> Slot {
        let mut held = self.held.lock();
        held.turn += 1;
        let turn = held.turn;
        let (used, slot) = held.slots.entry((owner, about.clone())).or_default();
        *used = turn;
        let slot = Arc::clone(slot);
        held.make_room();
        slot
    }
}

impl Held {
    /// Lets go of what was not used for longest. Who uses one still has it; the store decides who was first.
    fn make_room(&mut self) {
        let bytes = |slot: &Slot| slot.try_lock().ok()?.as_ref().map(|loaded| loaded.bytes);
        let mut by_use: Vec<(u64, usize)> =
            self.slots.values().map(|(used, slot)| (*used, bytes(slot).unwrap_or(0))).collect();
        by_use.sort_unstable_by_key(|(used, _)| std::cmp::Reverse(*used));
        let mut all = 0;
        let fits = by_use.iter().take(HELD).take_while(|(_, bytes)| {
            all += bytes;
            all <= HELD_BYTES
        });
        let oldest = fits.last().map_or(self.turn, |(used, _)| *used);
        self.slots.retain(|_, (used, _)| *used >= oldest);
    }
}

/// What a memory is read with.
pub(super) struct Reader<'a> {
    pub(super) objects: &'a Objects,
    pub(super) memory: &'a dyn AnswerMemory,
    pub(super) about: &'a MemoryKey,
    pub(super) raw: &'a RawTable,
    pub(super) unit: Option<&'a str>,
    pub(super) rows: &'a TableRows,
}

impl Reader<'_> {
    /// The memory up to now: what the slot holds, and what was kept since.
    pub(super) async fn read(&self, held: Option<Loaded>) -> Result<Loaded, QueryError> {
        let object = self.raw.path().to_owned();
        let held = held.filter(|held| held.object == object && held.unit.as_deref() == self.unit);
        let mut loaded = held.unwrap_or_else(|| Loaded {
            answered: Answered::new(self.rows.people.clone()),
            object,
            unit: self.unit.map(str::to_owned),
            count: self.rows.count,
            older: BTreeMap::new(),
            gone: Gone::default(),
            number: 0,
            bytes: 0,
        });
        let texts = self.memory.recall(self.about, loaded.number).await.map_err(|_| unavailable())?;
        for text in texts {
            let record = Record::read(&text).ok_or_else(unavailable)?;
            let objects = record.gone.values().map(|(object, _)| object).chain([&record.object]);
            for object in objects {
                if *object != loaded.object && !loaded.older.contains_key(object) {
                    self.older(object, &mut loaded).await?;
                }
            }
            loaded.take(&record).ok_or_else(unavailable)?;
            loaded.number += 1;
            loaded.bytes += text.len();
        }
        Ok(loaded)
    }

    /// Takes in the rows of an older object by the numbers of this one.
    async fn older(&self, object: &str, loaded: &mut Loaded) -> Result<(), QueryError> {
        let raw = self.objects.open(object, 0).await?;
        let old = told(&raw, self.raw, self.unit).await?;
        let here = told(self.raw, &raw, self.unit).await?;
        let renumbered = self.rows.renumber(&old, &here, &mut loaded.gone).ok_or_else(unavailable)?;
        loaded.answered.meet(renumbered.gone);
        loaded.older.insert(object.to_owned(), renumbered.numbers);
        Ok(())
    }
}

/// The rows of an object by unit and by the content of the columns that both objects have.
async fn told(raw: &RawTable, other: &RawTable, unit: Option<&str>) -> Result<Told, QueryError> {
    let unreadable = |_: Unreadable| faults::unreadable();
    let open = || raw.open();
    let file = File { open: &open, schema: raw.schema_ref(), rows: raw.stored_rows() };
    let (ours, theirs) = (raw.schema_ref(), other.schema_ref());
    let mut names: Vec<&str> = Vec::new();
    let mut alike = true;
    for field in ours.fields() {
        if let Ok(other) = theirs.field_with_name(field.name()) {
            alike &= other.data_type() == field.data_type();
            names.push(field.name());
        }
    }
    names.sort_unstable();
    let units = match unit {
        Some(unit) => file.keys(&[unit]).await.map_err(unreadable)?,
        None => Vec::new(),
    };
    // With other types the contents cannot be compared: then a person's row is taken for the same.
    let contents = match alike && !names.is_empty() {
        true => file.keys(&names).await.map_err(unreadable)?,
        false if unit.is_some() => vec![0; units.len()],
        false => return Err(unavailable()),
    };
    let units = if unit.is_some() { units } else { vec![0; contents.len()] };
    let mut hasher = DefaultHasher::new();
    (&names, alike).hash(&mut hasher);
    Ok(Told { units, contents, columns: hasher.finish() })
}

impl Loaded {
    /// Takes a record in. None when it does not fit.
    fn take(&mut self, record: &Record) -> Option<()> {
        let Self { object, count, older, answered, .. } = self;
        let at = |of: &str, row: u32| match of == object {
            true => (row < *count).then_some(row),
            false => older.get(of)?.get(row as usize).copied(),
        };
        let number = |row: u32| {
            let place = || record.gone.get(&row).and_then(|(of, row)| at(of, *row));
            at(&record.object, row).or_else(place)
        };
        let numbers = |rows: &Vec<u32>| rows.iter().map(|row| number(*row)).collect::<Option<Vec<u32>>>();
        if record.order.is_none() {
            answered.raise(record.groups).then_some(())?;
        }
        let mut figures = Vec::new();
        for (id, kept) in (answered.next_id()..).zip(&record.figures) {
            let figure = Figure { id, set: kept.set(number)?, story: record.story.clone() };
            figures.push((figure, numbers(&kept.seats)?));
        }
        match &record.order {
            None => {
                figures.into_iter().try_for_each(|(f, seats)| answered.take_on(f, &seats).then_some(()))?;
            }
            Some(order) => {
                let here = |(id, seats): &(u32, Vec<u32>)| Some((*id, numbers(seats)?));
                let order = order.iter().map(here).collect::<Option<Vec<_>>>()?;
                let figures = figures.into_iter().map(|(figure, _)| figure).collect();
                *answered = answered.reordered(figures, record.groups, &order)?;
            }
        }
        if record.object == *object {
            record.hidden.iter().for_each(|mark| answered.hide(*mark));
        }
        Some(())
    }

    /// Where rows stood that are in the object no more. None when one never stood anywhere.
    fn places(&self, rows: impl Iterator<Item = u32>) -> Option<BTreeMap<u32, (String, u32)>> {
        let wanted: BTreeSet<u32> = rows.filter(|row| *row >= self.count).collect();
        let mut places = BTreeMap::new();
        if wanted.is_empty() {
            return Some(places);
        }
        for (object, numbers) in &self.older {
            for (row, number) in (0_u32..).zip(numbers).filter(|(_, number)| wanted.contains(number)) {
                places.entry(*number).or_insert_with(|| (object.clone(), row));
            }
        }
        (places.len() == wanted.len()).then_some(places)
    }
}

/// What a statement adds about one table; none when it adds nothing.
pub(super) fn addition(
    about: &MemoryKey,
    loaded: &Loaded,
    story: &Story,
    news: News,
) -> Result<Option<Addition>, QueryError> {
    let answered = &loaded.answered;
    let mut new: Vec<(usize, &Figure)> =
        answered.figures().iter().enumerate().filter(|(_, figure)| figure.id >= news.from).collect();
    new.sort_by_key(|(_, figure)| figure.id);
    let kept = new.into_iter().map(|(at, figure)| KeptFigure::new(figure, answered.seats_of(at)));
    let figures = kept.collect::<Option<Vec<_>>>().ok_or_else(QueryError::internal)?;
    if figures.is_empty() && news.hidden.is_empty() {
        return Ok(None);
    }
    let seats = || answered.figures().iter().enumerate().map(|(at, f)| (f.id, answered.seats_of(at)));
    let order: Option<Vec<(u32, Vec<u32>)>> = news.reordered.then(|| seats().collect());
    let sitting = figures.iter().map(|kept| &kept.seats).chain(order.iter().flatten().map(|(_, rows)| rows));
    let gone = loaded.places(sitting.flatten().copied()).ok_or_else(QueryError::internal)?;
    let record = Record {
        object: loaded.object.clone(),
        groups: answered.groups(),
        story: story.clone(),
        figures,
        hidden: news.hidden,
        order,
        gone,
    };
    let text = record.write().ok_or_else(QueryError::internal)?;
    Ok(Some(Addition { about: about.clone(), number: loaded.number + 1, text }))
}

impl Loaded {
    /// Notes that an addition was kept.
    pub(super) fn kept(&mut self, addition: &Addition) {
        self.number = addition.number;
        self.bytes += addition.text.len();
    }
}

pub(super) fn unavailable() -> QueryError {
    QueryError::new(
        ErrorKind::Unavailable,
        "what this party was answered before cannot be read or written now, so no new statistic is shown; try again later",
        "目前无法读取或写入该主体此前的统计应答记录，因此不提供新的统计；请稍后重试",
    )
}
