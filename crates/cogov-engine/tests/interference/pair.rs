//! Two worlds of a grant, statements put to both, and the report of what differs.

use super::cell::{Shown, image_kind};
use super::copies;
use super::dice::Dice;
use super::dump;
use super::grant::{self, Grant};
use super::observe::{Outcome, Seen, observe, observe_bound, unsigned};
use super::oracle;
use super::params;
use super::query::{Granted, Shop};
use super::statement::{Order, Statement};
use super::worlds::{self, Contents, Layout, World};
use cogov_engine::Engine;
use cogov_model::Form;
use datafusion::prelude::SessionContext;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// The SQLSTATE of data that cannot be read.
const UNREADABLE: &str = "58030 ";

/// How often a statement is put to both worlds again to see whether it ends otherwise by itself; and at most, where it did
/// not.
const RUNS: usize = 40;
const MOST_RUNS: usize = 400;

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The worlds can be told apart.
    Apart,
    /// The rows are not those of plain DataFusion.
    Wrong,
}

/// What a statement gave in both worlds.
#[derive(Debug)]
pub struct Judged {
    pub one: Seen,
    pub other: Seen,
    /// The rows that plain DataFusion gives, where they can be compared.
    pub expected: Option<Vec<String>>,
    /// Whether these are other rows than cogov's under every setting of plain DataFusion.
    wrong: bool,
    /// Whether plain DataFusion gives these and other rows, depending on its settings.
    pub disputed: bool,
    comparable: bool,
    /// What the same statement gave that should be the same: asked again, or with parameters for its literals.
    astray: Option<Vec<String>>,
}

impl Judged {
    pub fn is(&self, finding: Finding) -> bool {
        match finding {
            Finding::Apart => self.comparable && self.one.text != self.other.text,
            Finding::Wrong => self.astray.is_some() || self.wrong,
        }
    }
}

/// Two worlds of a grant, and the tables that the grant shows.
pub struct Pair {
    grant: Grant,
    contents: [Contents; 2],
    worlds: [World; 2],
    pub shop: Shop,
    plain: SessionContext,
    /// Whether the object of a table is gone.
    lost: bool,
}

impl Pair {
    pub async fn new(dice: &mut Dice, engine: &Engine, store: &Arc<dyn ObjectStore>) -> Self {
        let grant = grant::grant(dice);
        let contents = worlds::contents(&grant, dice);
        let layout = Layout::random(dice);
        let rows = worlds::declared(&contents);
        let one = worlds::open(&grant, &contents[0], &rows, layout, engine, store).await;
        let other = worlds::open(&grant, &contents[1], &rows, layout, engine, store).await;
        let shop = shop(&grant, layout);
        let plain = oracle::oracle(&grant, &contents[0], 0);
        Self { grant, contents, worlds: [one, other], shop, plain, lost: false }
    }

    /// What the grant's database shows, where it differs.
    pub async fn catalogues(&self) -> Option<String> {
        let mut shown = Vec::new();
        for world in &self.worlds {
            shown.push(format!("{:?}", world.engine.catalogue(&world.grant).await));
        }
        (shown[0] != shown[1]).then(|| format!("catalogues: {}\n{}", shown[0], shown[1]))
    }

    /// The objects of one table cannot be read any more.
    pub async fn lose(&mut self, store: &Arc<dyn ObjectStore>) {
        self.lost = true;
        for world in &self.worlds {
            store.delete(&Path::from(world.paths[0].as_str())).await.unwrap();
        }
    }

    /// What plain DataFusion gives, where its rows can be compared.
    async fn expected(&self, seen: &Seen, sql: &str, order: Order) -> Option<Vec<String>> {
        if !self.judgeable(seen) || oracle::differs(sql) {
            return None;
        }
        oracle::rows(&self.plain, sql, order).await
    }

    /// Puts a statement to both worlds, and to plain DataFusion.
    pub async fn judge(&self, statement: &Statement) -> Judged {
        let (sql, order) = (statement.sql(), statement.order);
        let one = observe(&self.worlds[0], &sql, order).await;
        let mut other = observe(&self.worlds[1], &sql, order).await;
        // Now the plan is kept; two at once must not meet in it.
        let mut astray = None;
        if sql.len().is_multiple_of(3) && !one.protected && !self.lost {
            let again = || observe(&self.worlds[0], &sql, order);
            let (first, second) = tokio::join!(again(), again());
            let strange = [first, second].into_iter().find(|again| again.text != one.text);
            astray = strange.map(|again| vec![again.text]);
        }
        if let Some([bound, elsewhere]) = self.bound(&sql, order, &one).await {
            if bound.text != elsewhere.text {
                let text = format!(
                    "with parameters\n{}\n--- and in the other world\n{}",
                    bound.text, elsewhere.text
                );
                other = Seen { text, ..elsewhere };
            } else if bound.answered() && one.answered() && bound.rows != one.rows {
                astray = Some(bound.rows);
            }
        }
        if let Some([copy, elsewhere]) = self.copied(&sql, order, &one).await {
            let mut held = one.rows.clone();
            held.sort();
            if copy != elsewhere {
                let text = format!("a copy of {}, elsewhere one of {} bytes", size(&copy), size(&elsewhere));
                other = Seen { text, ..other };
            } else if !copy.is_empty() && copies::rows_of(&copy) != held {
                astray = Some(copies::rows_of(&copy));
            }
        }
        let expected = self.expected(&one, &sql, order).await;
        let disagrees =
            expected.as_ref().is_some_and(|expected| *expected != oracle::plain(one.rows.clone(), order));
        let disputed = disagrees && self.another_agrees(&one, &sql, order).await;
        // A scan that finds in the footer that no row can be asked for reads no more of the object. That it need not
        // read shows only once objects are gone, and then not as a value.
        let read = |seen: &Seen| seen.outcome == Outcome::Failed && seen.text.contains(UNREADABLE);
        let comparable = !self.lost || (read(&one) && read(&other));
        let wrong = disagrees && !disputed;
        let mut judged = Judged { one, other, expected, wrong, disputed, comparable, astray };
        if self.is_race(&judged, &sql, order).await {
            (judged.comparable, judged.astray) = (false, None);
        }
        judged
    }

    /// Whether what ended in an error ends so in some runs only, in one world and in the other. Which rows meet in a batch
    /// above a join is a matter of threads, and AND looks at the right side of all of them or of few. What a withheld row
    /// changes it changes in every run.
    async fn is_race(&self, judged: &Judged, sql: &str, order: Order) -> bool {
        let failed = |seen: &Seen| seen.outcome == Outcome::Failed;
        let found = judged.is(Finding::Apart) || judged.astray.is_some();
        // Of rows that differ in the sign of a zero, a limit cuts off these or those.
        let (one, other) = (&judged.one.rows, &judged.other.rows);
        let signs = one != other && unsigned(&one.join("|")) == unsigned(&other.join("|"));
        if !found || !(failed(&judged.one) || failed(&judged.other) || judged.astray.is_some() || signs) {
            return false;
        }
        let mut ends = [HashSet::new(), HashSet::new()];
        for run in 0..MOST_RUNS {
            if run >= RUNS && (ends[0].len() > 1 || ends[1].len() > 1) {
                break;
            }
            for (world, ends) in self.worlds.iter().zip(&mut ends) {
                ends.insert(observe(world, sql, order).await.text);
            }
        }
        ends[0] == ends[1] && ends[0].len() > 1
    }

    /// The copies that may be taken away of an answer whose rows have one order, in each world.
    async fn copied(&self, sql: &str, order: Order, seen: &Seen) -> Option<[Vec<Vec<u8>>; 2]> {
        if !sql.len().is_multiple_of(4) || !seen.answered() || self.lost || order == Order::Free {
            return None;
        }
        // Which of two rows comes first that differ in the sign of a zero, or before a limit, is a matter of threads.
        let zero = |row: &String| unsigned(row).split('|').any(|field| field == "0.0");
        if seen.rows.iter().any(zero) {
            return None;
        }
        // One that ends in an error has no bytes.
        let one = copies::copies(&self.worlds[0], sql).await.unwrap_or_default();
        let other = copies::copies(&self.worlds[1], sql).await.unwrap_or_default();
        Some([one, other])
    }

    /// The statement with its literals as parameters, which must be alike in both worlds: what it gives in each.
    async fn bound(&self, sql: &str, order: Order, literal: &Seen) -> Option<[Seen; 2]> {
        if !sql.len().is_multiple_of(5) || literal.protected || self.lost {
            return None;
        }
        let (sql, params) = params::parametrised(sql)?;
        let one = observe_bound(&self.worlds[0], &sql, &params, order).await;
        let other = observe_bound(&self.worlds[1], &sql, &params, order).await;
        Some([one, other])
    }

    /// Whether plain DataFusion gives the same rows under other settings.
    async fn another_agrees(&self, seen: &Seen, sql: &str, order: Order) -> bool {
        let rows = oracle::plain(seen.rows.clone(), order);
        for way in oracle::OTHERS {
            let plain = oracle::oracle(&self.grant, &self.contents[0], way);
            if oracle::rows(&plain, sql, order).await.is_some_and(|other| other == rows) {
                return true;
            }
        }
        false
    }

    /// A finding with the smallest statement found that still shows it.
    pub async fn report(&self, finding: Finding, statement: &Statement) -> String {
        let mut best = statement.clone();
        let mut judged = self.judge(&best).await;
        'smaller: loop {
            for other in best.smaller() {
                let now = self.judge(&other).await;
                if now.is(finding) {
                    (best, judged) = (other, now);
                    continue 'smaller;
                }
            }
            break;
        }
        let (sql, described, order) = (best.sql(), self.described(), best.order);
        match finding {
            Finding::Apart => {
                format!("{described}\n{sql}\n--- one\n{}\n--- other\n{}", judged.one.text, judged.other.text)
            }
            Finding::Wrong => {
                let (rows, expected) =
                    (judged.one.rows, judged.astray.or(judged.expected).unwrap_or_default());
                format!(
                    "{described}\n{sql}\n{order:?}\n--- cogov\n{}\n--- plain, or itself with parameters or again\n{}",
                    rows.join("\n"),
                    expected.join("\n")
                )
            }
        }
    }

    /// A statement and its rows, value by value, for another engine to judge, or that it raised; none where it was
    /// refused, or rests on protected statistics, of which no other engine knows.
    pub async fn answer(&self, judged: &Judged, statement: &Statement) -> Option<Value> {
        if self.lost || judged.one.outcome == Outcome::Refused || !self.plain(&judged.one) {
            return None;
        }
        if judged.one.outcome == Outcome::Failed {
            return Some(dump::raised(&statement.sql()));
        }
        Some(dump::answer(&self.worlds[0], &statement.sql(), statement.order).await)
    }

    fn judgeable(&self, seen: &Seen) -> bool {
        seen.answered() && self.plain(seen)
    }

    /// Whether another engine may know the answer.
    fn plain(&self, seen: &Seen) -> bool {
        !seen.protected && self.grant.form == Form::Rows
    }

    /// The prepared tables with answers over them, as one line of JSON.
    pub fn dump(&self, name: &str, answers: Vec<Value>) -> String {
        json!({"pair": name, "tables": dump::tables(&self.grant, &self.contents[0]), "answers": answers})
            .to_string()
    }

    fn described(&self) -> String {
        let mut words = format!("{:?}", self.grant.form);
        for (at, table) in self.grant.tables.iter().enumerate() {
            words.push_str(&format!("\n{table:?}"));
            for contents in &self.contents {
                words.push_str("\n  world");
                for row in &contents.tables[at] {
                    let mark = if table.grants(row, &contents.links) { ' ' } else { '-' };
                    words.push_str(&format!("\n {mark} {row:?}"));
                }
            }
        }
        words
    }
}

fn size(files: &[Vec<u8>]) -> usize {
    files.iter().map(Vec::len).sum()
}

fn shop(grant: &Grant, layout: Layout) -> Shop {
    let tables = grant.tables.iter().map(|table| {
        let (mut columns, mut protected, mut withheld) = (Vec::new(), Vec::new(), Vec::new());
        for field in &table.fields {
            match field.shown {
                Shown::Withheld => withheld.push(field.name),
                Shown::Statistic(_) => protected.push((field.name, field.kind)),
                shown => columns.push((field.name, image_kind(field.kind, shown))),
            }
        }
        Granted { name: table.name, columns, protected, withheld }
    });
    Shop { tables: tables.collect(), statistics: grant.form == Form::Aggregate, whole: layout.is_whole() }
}
