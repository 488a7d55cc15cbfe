//! The memory of answers as the engine holds it: what was kept is read once and then extended.

use super::faults;
use super::objects::{Objects, RawTable};
use crate::disclosure::{
    Addition, AnswerMemory, Answered, Figure, File, KeptFigure, MemoryKey, News, Record, Story, TableRows,
    Told, Unreadable,
};
use crate::error::{ErrorKind, QueryError};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Memories held at most; beyond it the engine reads them again, which only costs time.
const HELD: usize = 256;

/// Bytes that one memory may take where it is kept: beyond it new figures are refused.
const KEPT: usize = 64 << 20;

/// Statements that one memory may hold.
const STATEMENTS: u64 = 10_000;

/// A memory that was read.
pub(super) struct Loaded {
    object: String,
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
    slots: Mutex<HashMap<(String, MemoryKey), Slot>>,
}

impl Recollections {
    pub(super) fn slot(&self, owner: String, about: &MemoryKey) -> Slot {
        let mut slots = self.slots.lock();
        if slots.len() >= HELD {
            // Those in use stay with who holds them; the store decides who was first.
            slots.clear();
        }
        Arc::clone(slots.entry((owner, about.clone())).or_default())
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
        let held = held.filter(|held| held.object == object);
        let mut loaded = held.unwrap_or_else(|| Loaded {
            answered: Answered::new(self.rows.people.clone()),
            object,
            number: 0,
            bytes: 0,
        });
        let texts = self.memory.recall(self.about, loaded.number).await.map_err(|_| unavailable())?;
        let mut older: HashMap<String, Vec<u32>> = HashMap::new();
        let mut next = self.rows.count;
        for text in texts {
            let record = Record::read(&text).ok_or_else(unavailable)?;
            let same = record.object == loaded.object;
            if !same && !older.contains_key(&record.object) {
                let numbers = self.older(&record.object, &mut next, &mut loaded.answered).await?;
                older.insert(record.object.clone(), numbers);
            }
            let numbers = older.get(&record.object).filter(|_| !same);
            take(&mut loaded.answered, &record, numbers).ok_or_else(unavailable)?;
            loaded.number += 1;
            loaded.bytes += text.len();
        }
        Ok(loaded)
    }

    /// The rows of an older object by the numbers of this one.
    async fn older(
        &self,
        object: &str,
        next: &mut u32,
        answered: &mut Answered,
    ) -> Result<Vec<u32>, QueryError> {
        let raw = self.objects.open(object, 0).await?;
        let old = told(&raw, self.raw, self.unit).await?;
        let here = told(self.raw, &raw, self.unit).await?;
        let renumbered = self.rows.renumber(&old, &here, next).ok_or_else(unavailable)?;
        answered.meet(renumbered.gone);
        Ok(renumbered.numbers)
    }
}

/// The rows of an object by unit and by the content of the columns that both objects have.
async fn told(raw: &RawTable, other: &RawTable, unit: Option<&str>) -> Result<Told, QueryError> {
    let unreadable = |_: Unreadable| faults::unreadable();
    let open = || raw.open();
    let file = File { open: &open, schema: raw.schema_ref() };
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
    Ok(Told { units, contents })
}

/// Takes a record into a memory.
fn take(answered: &mut Answered, record: &Record, numbers: Option<&Vec<u32>>) -> Option<()> {
    let number = |row: u32| match numbers {
        None => row,
        Some(numbers) => numbers.get(row as usize).copied().unwrap_or(u32::MAX),
    };
    if record.order.is_none() {
        answered.raise(record.groups).then_some(())?;
    }
    let mut figures = Vec::new();
    for (id, kept) in (answered.next_id()..).zip(&record.figures) {
        let figure = Figure { id, set: kept.set(number)?, story: record.story.clone() };
        figures.push((figure, kept.seats.iter().map(|row| number(*row)).collect::<Vec<u32>>()));
    }
    match &record.order {
        None => figures.into_iter().try_for_each(|(f, seats)| answered.take_on(f, &seats).then_some(()))?,
        Some(order) => {
            let here = |(id, seats): &(u32, Vec<u32>)| (*id, seats.iter().map(|row| number(*row)).collect());
            let order: Vec<(u32, Vec<u32>)> = order.iter().map(here).collect();
            *answered =
                answered.reordered(figures.into_iter().map(|(f, _)| f).collect(), record.groups, &order)?;
        }
    }
    if numbers.is_none() {
        record.hidden.iter().for_each(|mark| answered.hide(*mark));
    }
    Some(())
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
    let order =
        || answered.figures().iter().enumerate().map(|(at, f)| (f.id, answered.seats_of(at))).collect();
    let record = Record {
        object: loaded.object.clone(),
        groups: answered.groups(),
        story: story.clone(),
        figures,
        hidden: news.hidden,
        order: news.reordered.then(order),
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
