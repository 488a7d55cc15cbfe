//! Writers of the export's files.

use super::{Comment, ExportError, Summary, TimedCast, date_time};
use crate::picture::Picture;
use crate::tally::Counts;
use crate::votes::{Class, Participant, StatementId};
use crate::{Conversation, Verdict};
use std::collections::BTreeMap;
use std::io::Write;

/// Writes `comments.csv`: each statement with its words and everybody's votes, by number.
///
/// # Errors
/// When the file cannot be written.
pub fn comments(out: impl Write, comments: &[Comment], picture: &Picture) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "timestamp",
        "datetime",
        "comment-id",
        "author-id",
        "agrees",
        "disagrees",
        "moderated",
        "comment-body",
    ])?;
    for comment in sorted(comments) {
        let total = picture.statement(comment.id).map(|view| view.total).unwrap_or_default();
        csv.write_record([
            comment.created.to_string(),
            date_time(comment.created),
            comment.id.0.to_string(),
            comment.author.0.to_string(),
            total.agree.to_string(),
            total.disagree.to_string(),
            comment.moderated.to_string(),
            comment.body.clone(),
        ])?;
    }
    Ok(csv.flush()?)
}

fn sorted(comments: &[Comment]) -> Vec<&Comment> {
    let mut sorted: Vec<&Comment> = comments.iter().collect();
    sorted.sort_by_key(|comment| comment.id);
    sorted
}

/// Writes `votes.csv`: every vote that was cast, also those that later ones replaced, by statement, participant and time.
///
/// # Errors
/// When the file cannot be written.
pub fn votes(out: impl Write, casts: &[TimedCast]) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["timestamp", "datetime", "comment-id", "voter-id", "vote"])?;
    let mut sorted: Vec<&TimedCast> = casts.iter().collect();
    sorted.sort_by_key(|timed| (timed.cast.statement, timed.cast.participant, timed.cast.sequence));
    for timed in sorted {
        csv.write_record([
            timed.at.to_string(),
            date_time(timed.at),
            timed.cast.statement.0.to_string(),
            timed.cast.participant.0.to_string(),
            timed.cast.vote.number().to_string(),
        ])?;
    }
    Ok(csv.flush()?)
}

/// Writes `participants-votes.csv`: the matrix, a row per participant with its group. `comments` says who wrote statements.
///
/// # Errors
/// When the file cannot be written.
pub fn participants_votes(
    out: impl Write,
    conversation: &Conversation,
    comments: &[Comment],
    picture: &Picture,
) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(out);
    let votes = conversation.votes();
    let heading = ["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree"];
    let ids = votes.statements().iter().map(|id| id.0.to_string());
    csv.write_record(heading.into_iter().map(str::to_owned).chain(ids))?;
    let mut written: BTreeMap<Participant, usize> = BTreeMap::new();
    for comment in comments {
        *written.entry(comment.author).or_default() += 1;
    }
    for (row, participant) in votes.participants().iter().enumerate() {
        let (columns, values) = votes.row(row);
        let count = |wanted: i8| values.iter().filter(|value| **value == wanted).count().to_string();
        let group = picture.position(*participant).and_then(|position| position.group);
        let mut record = vec![
            participant.0.to_string(),
            group.map(|group| group.to_string()).unwrap_or_default(),
            written.get(participant).copied().unwrap_or_default().to_string(),
            values.len().to_string(),
            count(1),
            count(-1),
        ];
        let mut cast = columns.iter().zip(values).peekable();
        for column in 0..votes.statements().len() {
            let here = cast.next_if(|(at, _)| **at as usize == column);
            record.push(here.map(|(_, value)| value.to_string()).unwrap_or_default());
        }
        csv.write_record(record)?;
    }
    Ok(csv.flush()?)
}

/// Writes `summary.csv`: keys and values.
///
/// # Errors
/// When the file cannot be written.
pub fn summary(out: impl Write, summary: &Summary) -> Result<(), ExportError> {
    let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
    csv.write_record(["topic", &summary.topic])?;
    csv.write_record(["url", &summary.url])?;
    for (key, value) in [
        ("views", summary.views),
        ("voters", summary.voters),
        ("voters-in-conv", summary.placed),
        ("commenters", summary.commenters),
        ("comments", summary.comments),
        ("groups", summary.groups),
    ] {
        csv.write_record([key, &value.to_string()])?;
    }
    csv.write_record(["conversation-description", &summary.description])?;
    Ok(csv.flush()?)
}

/// Writes `comment-groups.csv`: votes on each statement in all and by group (a, b, …).
///
/// # Errors
/// When the file cannot be written.
pub fn comment_groups(out: impl Write, comments: &[Comment], picture: &Picture) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(out);
    let mut heading: Vec<String> =
        ["comment-id", "comment", "total-votes", "total-agrees", "total-disagrees", "total-passes"]
            .map(str::to_owned)
            .to_vec();
    let groups = picture.groups.as_ref().map_or(0, Vec::len);
    for letter in ('a'..='z').take(groups) {
        heading
            .extend(["votes", "agrees", "disagrees", "passes"].map(|what| format!("group-{letter}-{what}")));
    }
    csv.write_record(heading)?;
    for comment in sorted(comments) {
        let Some(view) = picture.statement(comment.id) else { continue };
        let mut record = vec![comment.id.0.to_string(), comment.body.clone()];
        for counts in std::iter::once(&view.total).chain(&view.groups) {
            record.extend(fields(counts));
        }
        csv.write_record(record)?;
    }
    Ok(csv.flush()?)
}

fn fields(counts: &Counts) -> [String; 4] {
    [counts.seen(), counts.agree, counts.disagree, counts.pass].map(|count| count.to_string())
}

/// Writes `results.csv`: for each statement votes by declared class, what is shared across groups and classes, how sure that
/// is, and in which lists it stands.
///
/// # Errors
/// When the file cannot be written.
pub fn results(out: impl Write, picture: &Picture) -> Result<(), ExportError> {
    let mut csv = csv::Writer::from_writer(out);
    let mut heading: Vec<String> = [
        "comment-id",
        "across-groups",
        "across-classes",
        "bridging",
        "rejected",
        "spread",
        "priority",
        "lists",
        "groups",
    ]
    .map(str::to_owned)
    .to_vec();
    for class in Class::ALL {
        heading.extend(
            ["votes", "agrees", "disagrees", "passes"].map(|what| format!("{}-{what}", class.code())),
        );
    }
    csv.write_record(heading)?;
    let stable = picture.grouping.verdict == Verdict::Stable;
    for view in &picture.statements {
        let mut record = vec![view.id.0.to_string()];
        record.extend(
            [
                view.across_groups,
                view.across_classes,
                view.bridging.0,
                view.rejected.0,
                view.spread,
                view.priority,
            ]
            .map(|value| format!("{value:.6}")),
        );
        record.push(lists(picture, view.id));
        record.push(if stable { view.groups.len().to_string() } else { "no stable groups".to_owned() });
        for counts in &view.classes {
            record.extend(fields(counts));
        }
        csv.write_record(record)?;
    }
    Ok(csv.flush()?)
}

fn lists(picture: &Picture, id: StatementId) -> String {
    let lists =
        [("bridging", &picture.bridging), ("rejected", &picture.rejected), ("divisive", &picture.divisive)];
    let names: Vec<&str> = lists.iter().filter(|(_, ids)| ids.contains(&id)).map(|(name, _)| *name).collect();
    names.join(" ")
}
