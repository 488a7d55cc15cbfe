//! Readers of the export's files.

use super::{Comment, ExportError, TimedCast};
use crate::votes::{Cast, Participant, StatementId, Vote};
use std::io::Read;
use std::str::FromStr;

/// A file with named columns.
struct Table<R> {
    csv: csv::Reader<R>,
    heading: csv::StringRecord,
}

impl<R: Read> Table<R> {
    fn open(input: R) -> Result<Self, ExportError> {
        let mut csv = csv::Reader::from_reader(input);
        let heading = csv.headers()?.clone();
        Ok(Self { csv, heading })
    }

    fn column(&self, name: &'static str) -> Result<Column, ExportError> {
        let at = self.heading.iter().position(|heading| heading == name);
        at.map(|at| Column { at, name }).ok_or(ExportError::Column(name))
    }
}

#[derive(Clone, Copy)]
struct Column {
    at: usize,
    name: &'static str,
}

impl Column {
    fn text(self, record: &csv::StringRecord) -> &str {
        record.get(self.at).unwrap_or_default()
    }

    fn number<T: FromStr>(self, record: &csv::StringRecord) -> Result<T, ExportError> {
        let field = self.text(record);
        field.parse().map_err(|_| ExportError::Field {
            line: record.position().map_or(0, csv::Position::line),
            column: self.name,
            field: field.to_owned(),
        })
    }
}

/// Reads `votes.csv`. The order of the lines does not matter; votes of the same moment count in the order of the lines.
///
/// # Errors
/// When it is not such a file.
pub fn read_votes(input: impl Read) -> Result<Vec<TimedCast>, ExportError> {
    let mut table = Table::open(input)?;
    let (time, statement) = (table.column("timestamp")?, table.column("comment-id")?);
    let (participant, vote) = (table.column("voter-id")?, table.column("vote")?);
    let mut casts = Vec::new();
    for record in table.csv.records() {
        let record = record?;
        let at: i64 = time.number(&record)?;
        casts.push(TimedCast {
            cast: Cast {
                participant: Participant(participant.number(&record)?),
                statement: StatementId(statement.number(&record)?),
                sequence: 0,
                vote: Vote::of_number(vote.number(&record)?),
            },
            at,
        });
    }
    let mut order: Vec<usize> = (0..casts.len()).collect();
    order.sort_by_key(|line| casts.get(*line).map(|timed| timed.at));
    for (sequence, line) in order.into_iter().enumerate() {
        if let Some(timed) = casts.get_mut(line) {
            timed.cast.sequence = sequence as u64;
        }
    }
    Ok(casts)
}

/// Reads `comments.csv`.
///
/// # Errors
/// When it is not such a file.
pub fn read_comments(input: impl Read) -> Result<Vec<Comment>, ExportError> {
    let mut table = Table::open(input)?;
    let (time, id) = (table.column("timestamp")?, table.column("comment-id")?);
    let (author, moderated) = (table.column("author-id")?, table.column("moderated")?);
    let body = table.column("comment-body")?;
    let mut comments = Vec::new();
    for record in table.csv.records() {
        let record = record?;
        comments.push(Comment {
            id: StatementId(id.number(&record)?),
            author: Participant(author.number(&record)?),
            created: time.number(&record)?,
            moderated: moderated.number(&record)?,
            body: body.text(&record).to_owned(),
        });
    }
    Ok(comments)
}

/// Reads the groups of `participants-votes.csv`; who has none is left out.
///
/// # Errors
/// When it is not such a file.
pub fn read_groups(input: impl Read) -> Result<Vec<(Participant, u8)>, ExportError> {
    let mut table = Table::open(input)?;
    let (participant, group) = (table.column("participant")?, table.column("group-id")?);
    let mut groups = Vec::new();
    for record in table.csv.records() {
        let record = record?;
        if !group.text(&record).is_empty() {
            groups.push((Participant(participant.number(&record)?), group.number(&record)?));
        }
    }
    Ok(groups)
}
