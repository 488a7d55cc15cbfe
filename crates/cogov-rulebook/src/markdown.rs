//! The Markdown of a rulebook, taken apart: front matter, parts, clauses and their fenced blocks.

use crate::{Document, Problem, html};
use cogov_model::ClauseId;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};
use std::{collections::BTreeSet, ops::Range};

/// What a fenced block of a clause holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    /// Cedar policies.
    Cedar,
    /// Settings that the workflow keeps, as TOML.
    Workflow,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub kind: BlockKind,
    pub text: String,
    /// The line of its first character.
    pub line: usize,
}

/// A clause as one text has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawClause {
    pub anchor: ClauseId,
    pub title: String,
    /// The heading of the part it stands in; empty before the first part.
    pub part: String,
    /// The words as Markdown, without heading and blocks.
    pub markdown: String,
    /// The words as HTML without raw HTML.
    pub html: String,
    pub blocks: Vec<Block>,
    pub line: usize,
}

/// A text taken apart.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// The TOML between the `+++` lines.
    pub front: String,
    pub front_line: usize,
    /// The words between the front matter and the first clause, as safe HTML.
    pub preamble: String,
    pub clauses: Vec<RawClause>,
    pub problems: Vec<Problem>,
}

pub(crate) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS);

/// Takes a text apart. Faults stand in the result beside what could be read.
pub(crate) fn read(source: &str, document: Document) -> Raw {
    let mut reader = Reader { source, document, part: String::new(), open: None, raw: Raw::default() };
    let mut events = Parser::new_ext(source, OPTIONS).into_offset_iter();
    while let Some((event, range)) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, id, .. }) => {
                let title = text_until(&mut events, |end| matches!(end, TagEnd::Heading(_)));
                reader.heading(level, id.as_deref(), title, range);
            }
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::PlusesStyle)) => {
                reader.raw.front_line = line_of(source, range.start) + 1;
                reader.raw.front = text_until(&mut events, |end| matches!(end, TagEnd::MetadataBlock(_)));
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                let line = line_of(source, range.start) + 1;
                let text = text_until(&mut events, |end| matches!(end, TagEnd::CodeBlock));
                reader.block(&kind, text, line, range);
            }
            _ => {}
        }
    }
    reader.finish()
}

fn text_until<'a>(
    events: &mut impl Iterator<Item = (Event<'a>, Range<usize>)>,
    is_end: impl Fn(&TagEnd) -> bool,
) -> String {
    let mut text = String::new();
    for (event, _) in events {
        match event {
            Event::End(end) if is_end(&end) => break,
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim_end().to_owned()
}

/// The line of a byte, counted from 1.
pub(crate) fn line_of(source: &str, offset: usize) -> usize {
    1 + source.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// What is being read: a clause, or the words under the title of a part.
struct Open {
    clause: Option<RawClause>,
    /// Where words begin that were not taken yet.
    from: usize,
}

struct Reader<'s> {
    source: &'s str,
    document: Document,
    part: String,
    open: Option<Open>,
    raw: Raw,
}

impl Reader<'_> {
    /// `#` is the title of the document or of a part; deeper headings are clauses.
    fn heading(&mut self, level: HeadingLevel, id: Option<&str>, title: String, range: Range<usize>) {
        self.close(range.start);
        let line = line_of(self.source, range.start);
        if level == HeadingLevel::H1 {
            self.part = title;
            self.open = Some(Open { clause: None, from: range.end });
            return;
        }
        let Some(id) = id else {
            return self.problem(
                line,
                None,
                format!("the clause {title:?} has no anchor: end its heading with {{#some-anchor}}"),
            );
        };
        match ClauseId::new(id) {
            Ok(anchor) => {
                if title.is_empty() {
                    self.problem(
                        line,
                        Some(&anchor),
                        "the clause has no title: write one before its anchor".into(),
                    );
                }
                let part = self.part.clone();
                let (markdown, html, blocks) = (String::new(), String::new(), Vec::new());
                let clause = RawClause { anchor, title, part, markdown, html, blocks, line };
                self.open = Some(Open { clause: Some(clause), from: range.end });
            }
            Err(error) => {
                self.problem(line, None, format!("the anchor of {title:?} cannot be used: {error}"))
            }
        }
    }

    fn block(&mut self, kind: &str, text: String, line: usize, range: Range<usize>) {
        let kind = match kind.split_whitespace().next() {
            Some("cedar") => BlockKind::Cedar,
            Some("workflow") => BlockKind::Workflow,
            // An example for readers: it stays in the words.
            Some("text") => return,
            // A misspelt fence must not turn a rule into mere words.
            _ => {
                let advice = "a fenced block is a rule, a setting or an example: begin it with ```cedar, ```workflow or ```text";
                let anchor = self.anchor();
                return self.problem(line - 1, anchor.as_ref(), advice.into());
            }
        };
        self.take_words(range.start, range.end);
        let anchor = self.anchor();
        if self.document == Document::Translation {
            return self.problem(
                line,
                anchor.as_ref(),
                "a translation holds words only: keep the rule in the rulebook and remove it here".into(),
            );
        }
        match self.open.as_mut().and_then(|open| open.clause.as_mut()) {
            Some(clause) => clause.blocks.push(Block { kind, text, line }),
            None => self.problem(
                line,
                None,
                "the rule stands outside every clause: put it under a heading with an anchor".into(),
            ),
        }
    }

    /// The clause that is being read.
    fn anchor(&self) -> Option<ClauseId> {
        self.open.as_ref().and_then(|open| open.clause.as_ref()).map(|clause| clause.anchor.clone())
    }

    fn problem(&mut self, line: usize, clause: Option<&ClauseId>, advice: String) {
        self.raw.problems.push(Problem::new(self.document, line, clause, advice));
    }

    /// Adds the words before `until` to the open clause and goes on reading at `from`.
    fn take_words(&mut self, until: usize, from: usize) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let words = self.source.get(open.from..until).unwrap_or_default().trim();
        open.from = from;
        match open.clause.as_mut() {
            Some(clause) if !words.is_empty() => {
                if !clause.markdown.is_empty() {
                    clause.markdown.push_str("\n\n");
                }
                clause.markdown.push_str(words);
            }
            None if self.raw.clauses.is_empty() => self.raw.preamble.push_str(&html::safe(words, OPTIONS)),
            _ => {}
        }
    }

    fn close(&mut self, at: usize) {
        self.take_words(at, at);
        if let Some(mut clause) = self.open.take().and_then(|open| open.clause) {
            clause.html = html::safe(&clause.markdown, OPTIONS);
            if clause.markdown.is_empty() {
                let (line, anchor) = (clause.line, clause.anchor.clone());
                self.problem(
                    line,
                    Some(&anchor),
                    "the clause has no words: say what it means in a sentence".into(),
                );
            }
            self.raw.clauses.push(clause);
        }
    }

    fn finish(mut self) -> Raw {
        self.close(self.source.len());
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = self
            .raw
            .clauses
            .iter()
            .filter(|clause| !seen.insert(&clause.anchor))
            .map(|clause| (clause.line, clause.anchor.clone()))
            .collect();
        for (line, anchor) in twice {
            self.problem(line, Some(&anchor), "the anchor stands twice: give this clause its own".into());
        }
        self.raw
    }
}
