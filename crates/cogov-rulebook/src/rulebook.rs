//! A rulebook: read from its texts, then asked.

use crate::cedar::Judge;
use crate::clause::{Clause, Enforcement, EnforcementShare};
use crate::front::{self, Front, Status};
use crate::markdown::{self, BlockKind, Raw, RawClause};
use crate::memo::Memo;
use crate::rules::Rules;
use crate::words::Code;
use crate::workflow::{self, Gathered, Workflow};
use crate::{Document, Problem};
use cogov_model::{ClauseId, Locale, PurposeCode, RulebookVersion, Scheme, Text};
use sha2::{Digest, Sha256};

/// A rulebook that was read and checked. Immutable: a changed text is another version.
#[derive(Debug, Clone)]
pub struct Rulebook {
    pub(crate) version: RulebookVersion,
    pub(crate) title: Text,
    jurisdiction: Text,
    source: Text,
    date: String,
    status: Status,
    preamble: Text,
    clauses: Vec<Clause>,
    workflow: Workflow,
    pub(crate) rules: Rules,
    pub(crate) judge: Judge,
    pub(crate) memo: Memo,
}

impl Rulebook {
    /// Reads a rulebook and, where there is one, its translation.
    ///
    /// # Errors
    /// Every fault that was found, each with its place and what to do; at least one.
    pub fn parse(source: &str, translation: Option<&str>) -> Result<Rulebook, Vec<Problem>> {
        let mut original = markdown::read(source, Document::Original);
        let mut other = translation.map(|text| markdown::read(text, Document::Translation));
        let mut problems = std::mem::take(&mut original.problems);
        if let Some(other) = &mut other {
            problems.append(&mut other.problems);
            problems.extend(compare_anchors(&original, other));
        }
        let (rules, workflow) = compile(&original, &mut problems);
        let fronts = fronts(&original, other.as_ref(), &mut problems);
        problems.sort();
        problems.dedup();
        match (fronts, rules, workflow) {
            (Some(fronts), Some((rules, judge)), Some(workflow)) if problems.is_empty() => {
                let version = version(&fronts.0.id, source, translation)
                    .map_err(|advice| vec![Problem::new(Document::Original, 1, None, advice)])?;
                Ok(Self::assemble(version, fronts, &original, other.as_ref(), workflow, rules, judge))
            }
            _ => Err(problems),
        }
    }

    fn assemble(
        version: RulebookVersion,
        (front, other_front): (Front, Option<Front>),
        original: &Raw,
        other: Option<&Raw>,
        workflow: Workflow,
        rules: Rules,
        judge: Judge,
    ) -> Self {
        let locale = front.locale.unwrap_or_default();
        let both = |a: &str, b: Option<&str>| pair(locale, a, b);
        let of = |pick: fn(&Front) -> &str| both(pick(&front), other_front.as_ref().map(pick));
        let clauses = original.clauses.iter().map(|clause| {
            let twin = other.and_then(|raw| raw.clauses.iter().find(|c| c.anchor == clause.anchor));
            clause_of(clause, twin, locale)
        });
        Self {
            title: of(|front| &front.title),
            jurisdiction: of(|front| &front.jurisdiction),
            source: of(|front| &front.source),
            preamble: both(&original.preamble, other.map(|raw| raw.preamble.as_str())),
            clauses: clauses.collect(),
            date: front.date,
            status: front.status,
            version,
            workflow,
            rules,
            judge,
            memo: Memo::default(),
        }
    }

    /// Its id and the first 16 hex digits of the SHA-256 over both texts.
    #[must_use]
    pub fn version(&self) -> &RulebookVersion {
        &self.version
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// Where it holds.
    #[must_use]
    pub fn jurisdiction(&self) -> &Text {
        &self.jurisdiction
    }

    /// Where its rules come from.
    #[must_use]
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// From when its source holds, as its text says.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// How it stands, as its text says.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The words before its first clause, as HTML that a page may embed.
    #[must_use]
    pub fn preamble(&self) -> &Text {
        &self.preamble
    }

    /// Its clauses, in the order of the text.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// One clause.
    #[must_use]
    pub fn clause(&self, anchor: &ClauseId) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.anchor == *anchor)
    }

    /// Deadlines, approvals and papers.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// How many clauses the engine, the workflow and only people enforce.
    #[must_use]
    pub fn enforcement_share(&self) -> EnforcementShare {
        EnforcementShare::of(&self.clauses)
    }

    /// The fault that a rulebook without a translation has where both languages are wanted.
    #[must_use]
    pub fn untranslated(&self) -> Problem {
        Problem::new(
            Document::Translation,
            1,
            None,
            "the translation is missing: add the words of every clause in the other language",
        )
    }

    /// Compares the categories and purposes that rules name with those in use: a rule about a
    /// category that nothing can have protects nothing.
    #[must_use]
    pub fn check_codes(&self, scheme: &Scheme, purposes: &[PurposeCode]) -> Vec<Problem> {
        let fault = |(code, clause, line): &(Code, ClauseId, usize)| {
            let advice = match code {
                Code::Category(code) if scheme.get(code).is_none() => {
                    format!(
                        "no category of the scheme is called {code}: use one that it has, or add it there"
                    )
                }
                Code::Purpose(code) if !purposes.contains(code) => {
                    format!("no purpose is called {code}: use one of the purpose tree, or add it there")
                }
                _ => return None,
            };
            Some(Problem::in_clause(*line, clause, advice))
        };
        self.rules.named.iter().filter_map(fault).collect()
    }
}

fn pair(locale: Locale, original: &str, other: Option<&str>) -> Text {
    let other = other.unwrap_or_default();
    match locale {
        Locale::En => Text::new(original, other),
        Locale::ZhHans => Text::new(other, original),
    }
}

fn clause_of(raw: &RawClause, twin: Option<&RawClause>, locale: Locale) -> Clause {
    let both = |pick: fn(&RawClause) -> &str| pair(locale, pick(raw), twin.map(pick));
    let texts = |kind| raw.blocks.iter().filter(move |b| b.kind == kind).map(|b| b.text.clone());
    let rules: Vec<_> = texts(BlockKind::Cedar).collect();
    let settings: Vec<_> = texts(BlockKind::Workflow).collect();
    Clause {
        anchor: raw.anchor.clone(),
        title: both(|c| &c.title),
        part: both(|c| &c.part),
        markdown: both(|c| &c.markdown),
        html: both(|c| &c.html),
        enforcement: Enforcement::of(!rules.is_empty(), !settings.is_empty()),
        rules,
        settings,
    }
}

fn version(id: &str, source: &str, translation: Option<&str>) -> Result<RulebookVersion, String> {
    let mut hash = Sha256::new();
    // The length keeps the border between the two texts from moving.
    hash.update((source.len() as u64).to_be_bytes());
    hash.update(source.as_bytes());
    hash.update(translation.unwrap_or_default().as_bytes());
    let digits = hex::encode(hash.finalize());
    let digits = digits.get(..16).unwrap_or(&digits);
    RulebookVersion::new(format!("{id}@{digits}")).map_err(|error| error.to_string())
}

/// Rules and settings of every clause.
fn compile(raw: &Raw, problems: &mut Vec<Problem>) -> (Option<(Rules, Judge)>, Option<Workflow>) {
    let mut rules = match Rules::new().and_then(|rules| Ok((rules, Judge::new()?))) {
        Ok(made) => made,
        Err(advice) => {
            problems.push(Problem::new(
                Document::Original,
                1,
                None,
                format!("the schema is broken: {advice}"),
            ));
            return (None, None);
        }
    };
    let mut gathered = Gathered::default();
    for clause in &raw.clauses {
        for block in &clause.blocks {
            problems.extend(match block.kind {
                BlockKind::Cedar => rules.0.add(&clause.anchor, block),
                BlockKind::Workflow => workflow::gather(&mut gathered, &clause.anchor, block),
            });
        }
    }
    problems.extend(rules.0.validate());
    let workflow = gathered.finish().map_err(|missing| {
        let advice = format!("no clause sets {}: add each to a workflow block", missing.join(", "));
        problems.push(Problem::new(Document::Original, 1, None, advice));
    });
    (Some(rules), workflow.ok())
}

fn fronts(
    original: &Raw,
    other: Option<&Raw>,
    problems: &mut Vec<Problem>,
) -> Option<(Front, Option<Front>)> {
    let mut read = |raw: &Raw, document| {
        let fault = |advice| Problem::new(document, raw.front_line.max(1), None, advice);
        front::read(&raw.front).map_err(|advice| problems.push(fault(advice))).ok()
    };
    let first = read(original, Document::Original);
    let second = other.map(|raw| read(raw, Document::Translation));
    match (first, second) {
        (Some(first), None) => Some((first, None)),
        (Some(first), Some(Some(second))) if first.id == second.id => Some((first, Some(second))),
        (Some(first), Some(Some(_))) => {
            let advice = format!("the translation has another id: write id = {:?}", first.id);
            problems.push(Problem::new(Document::Translation, 1, None, advice));
            None
        }
        _ => None,
    }
}

fn compare_anchors(original: &Raw, other: &Raw) -> Vec<Problem> {
    let has = |raw: &Raw, anchor: &ClauseId| raw.clauses.iter().any(|c| c.anchor == *anchor);
    let missing = original.clauses.iter().filter(|c| !has(other, &c.anchor)).map(|c| {
        let advice = "the translation lacks this clause: add its words there under the same anchor";
        Problem::in_clause(c.line, &c.anchor, advice)
    });
    let extra = other.clauses.iter().filter(|c| !has(original, &c.anchor)).map(|c| {
        let advice = "the rulebook has no clause of this anchor: remove it here or correct the anchor";
        Problem::new(Document::Translation, c.line, Some(&c.anchor), advice)
    });
    missing.chain(extra).collect()
}
