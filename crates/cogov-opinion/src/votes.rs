//! The words of the room, and the matrix of votes: participants by statements, the last vote of each pair.
#![allow(
    clippy::indexing_slicing,
    reason = "rows and columns are numbered by this file alone, within the bounds of its vectors"
)]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A participant of one conversation: an opaque number, which means nothing elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Participant(pub u64);

/// A statement that is voted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementId(pub u64);

/// What a participant says of a statement. A pass is a vote: it was seen and neither agreed nor disagreed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vote {
    /// The participant disagrees.
    Disagree,
    /// The participant passes.
    Pass,
    /// The participant agrees.
    Agree,
}

impl Vote {
    /// Agree 1, pass 0, disagree −1: the sign of Polis' exported files, and of this room.
    #[must_use]
    pub const fn number(self) -> i8 {
        match self {
            Self::Agree => 1,
            Self::Pass => 0,
            Self::Disagree => -1,
        }
    }

    /// The vote of a sign; zero is a pass.
    #[must_use]
    pub const fn of_number(number: i8) -> Self {
        match number {
            1.. => Self::Agree,
            0 => Self::Pass,
            _ => Self::Disagree,
        }
    }
}

/// One vote as it was cast. Of two votes of one participant on one statement the one with the greater sequence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cast {
    /// Who.
    pub participant: Participant,
    /// On what.
    pub statement: StatementId,
    /// When, as any number that grows: a ledger index, milliseconds.
    pub sequence: u64,
    /// What.
    pub vote: Vote,
}

/// What a participant declares to be. Classes are counted side by side, each as much as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Class {
    /// A member of the public; also who declared nothing.
    #[default]
    Public,
    /// A scholar.
    Scholar,
    /// A practitioner of the field.
    Practitioner,
    /// Somebody of an entity that the rules bind.
    Regulated,
    /// An official.
    Official,
}

impl Class {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Public, Self::Scholar, Self::Practitioner, Self::Regulated, Self::Official];

    /// Position in [`Class::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word of the class in files and addresses.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Scholar => "scholar",
            Self::Practitioner => "practitioner",
            Self::Regulated => "regulated",
            Self::Official => "official",
        }
    }
}

/// Participants × statements, sparse by rows, with the last vote of each pair.
///
/// Rows are participants by number and columns are statements by number, whatever the order of the casts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Votes {
    participants: Vec<Participant>,
    statements: Vec<StatementId>,
    /// Sequence of each participant's first cast, for the order of rows that Polis keeps.
    first: Vec<u64>,
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<i8>,
    sequences: Vec<u64>,
}

impl Default for Votes {
    /// Nobody and nothing.
    fn default() -> Self {
        Self {
            participants: Vec::new(),
            statements: Vec::new(),
            first: Vec::new(),
            offsets: vec![0],
            columns: Vec::new(),
            values: Vec::new(),
            sequences: Vec::new(),
        }
    }
}

/// One vote in the making: column, sequence, value.
type Cell = (u32, u64, i8);

impl Votes {
    /// The matrix of these casts, over these statements and all others that the casts name.
    #[must_use]
    pub fn new(statements: impl IntoIterator<Item = StatementId>, casts: &[Cast]) -> Self {
        let participants = Numbering::new(std::iter::empty(), casts.iter().map(|cast| cast.participant.0));
        let columns =
            Numbering::new(statements.into_iter().map(|s| s.0), casts.iter().map(|cast| cast.statement.0));
        let mut votes = Self {
            first: vec![u64::MAX; participants.sorted.len()],
            offsets: vec![0; participants.sorted.len() + 1],
            participants: participants.sorted.iter().copied().map(Participant).collect(),
            statements: columns.sorted.iter().copied().map(StatementId).collect(),
            ..Self::default()
        };
        let rows: Vec<u32> = casts.iter().map(|cast| participants.of(cast.participant.0)).collect();
        let mut ends = vec![0_usize; participants.sorted.len() + 1];
        for row in &rows {
            ends[*row as usize + 1] += 1;
        }
        for row in 1..ends.len() {
            ends[row] += ends[row - 1];
        }
        let mut cells: Vec<Cell> = vec![(0, 0, 0); casts.len()];
        let mut next = ends.clone();
        for (cast, row) in casts.iter().zip(rows) {
            let row = row as usize;
            cells[next[row]] = (columns.of(cast.statement.0), cast.sequence, cast.vote.number());
            next[row] += 1;
        }
        for row in 0..participants.sorted.len() {
            votes.first[row] = votes.take_row(&mut cells[ends[row]..ends[row + 1]]);
            votes.offsets[row + 1] = votes.columns.len();
        }
        votes
    }

    /// Appends a row: for each column the last vote. Returns the sequence of the first cast.
    fn take_row(&mut self, cells: &mut [Cell]) -> u64 {
        cells.sort_unstable();
        let mut first = u64::MAX;
        for (at, (column, sequence, value)) in cells.iter().enumerate() {
            first = first.min(*sequence);
            if cells.get(at + 1).is_none_or(|next| next.0 != *column) {
                self.columns.push(*column);
                self.values.push(*value);
                self.sequences.push(*sequence);
            }
        }
        first
    }

    /// Takes one more cast. Answers whether a vote that counts changed; a cast that is older than the one that is there does not.
    pub fn cast(&mut self, cast: Cast) -> bool {
        let row = match self.participants.binary_search(&cast.participant) {
            Ok(row) => row,
            Err(row) => {
                self.participants.insert(row, cast.participant);
                self.first.insert(row, cast.sequence);
                self.offsets.insert(row, self.offsets[row]);
                row
            }
        };
        self.first[row] = self.first[row].min(cast.sequence);
        let column = self.column_or_new(cast.statement);
        let (start, end) = (self.offsets[row], self.offsets[row + 1]);
        let value = cast.vote.number();
        match self.columns[start..end].binary_search(&column) {
            Ok(at) => {
                let at = start + at;
                let newer = (cast.sequence, value) > (self.sequences[at], self.values[at]);
                let changed = newer && self.values[at] != value;
                if newer {
                    self.sequences[at] = cast.sequence;
                    self.values[at] = value;
                }
                changed
            }
            Err(at) => {
                self.columns.insert(start + at, column);
                self.values.insert(start + at, value);
                self.sequences.insert(start + at, cast.sequence);
                for offset in &mut self.offsets[row + 1..] {
                    *offset += 1;
                }
                true
            }
        }
    }

    fn column_or_new(&mut self, statement: StatementId) -> u32 {
        match self.statements.binary_search(&statement) {
            Ok(column) => column as u32,
            Err(column) => {
                self.statements.insert(column, statement);
                for other in &mut self.columns {
                    if *other as usize >= column {
                        *other += 1;
                    }
                }
                column as u32
            }
        }
    }

    /// Adds a statement on which nobody has voted yet; nothing changes when it is there.
    pub fn add_statement(&mut self, statement: StatementId) {
        self.column_or_new(statement);
    }

    /// Participants by number: the rows.
    #[must_use]
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// Statements by number: the columns.
    #[must_use]
    pub fn statements(&self) -> &[StatementId] {
        &self.statements
    }

    /// The column of a statement.
    #[must_use]
    pub fn column(&self, statement: StatementId) -> Option<usize> {
        self.statements.binary_search(&statement).ok()
    }

    /// How many votes count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nobody has voted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Columns and votes (1, 0, −1) of one row, by column.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> (&[u32], &[i8]) {
        let range = self.offsets[row]..self.offsets[row + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// What the participant of one row says (1, 0, −1) of a statement.
    pub(crate) fn vote(&self, row: usize, statement: StatementId) -> Option<i8> {
        let column = self.column(statement)? as u32;
        let (columns, values) = self.row(row);
        columns.binary_search(&column).ok().map(|at| values[at])
    }

    /// Sequence of the first cast of one row.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn first_sequence(&self, row: usize) -> u64 {
        self.first[row]
    }

    /// Row starts, columns and values of the whole matrix.
    pub(crate) fn parts(&self) -> (&[usize], &[u32], &[i8]) {
        (&self.offsets, &self.columns, &self.values)
    }

    /// All votes that count, by participant and statement.
    pub fn casts(&self) -> impl Iterator<Item = Cast> + '_ {
        self.participants.iter().enumerate().flat_map(move |(row, participant)| {
            (self.offsets[row]..self.offsets[row + 1]).map(move |at| Cast {
                participant: *participant,
                statement: self.statements[self.columns[at] as usize],
                sequence: self.sequences[at],
                vote: Vote::of_number(self.values[at]),
            })
        })
    }
}

/// Sparse numbers to dense ones, in ascending order.
struct Numbering {
    sorted: Vec<u64>,
    dense: HashMap<u64, u32, BuildHasherDefault<Mixing>>,
}

impl Numbering {
    fn new(known: impl Iterator<Item = u64>, seen: impl Iterator<Item = u64>) -> Self {
        let mut dense: HashMap<u64, u32, BuildHasherDefault<Mixing>> = HashMap::default();
        for id in known.chain(seen) {
            dense.entry(id).or_insert(0);
        }
        let mut sorted: Vec<u64> = dense.keys().copied().collect();
        sorted.sort_unstable();
        for (number, id) in sorted.iter().enumerate() {
            dense.insert(*id, number as u32);
        }
        Self { sorted, dense }
    }

    fn of(&self, id: u64) -> u32 {
        self.dense.get(&id).copied().unwrap_or_default()
    }
}

/// A hasher for 64-bit numbers; what it decides is only where an entry lies, never an order.
#[derive(Default)]
struct Mixing(u64);

impl Hasher for Mixing {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = crate::hash::mix(self.0 ^ value);
    }
}
