//! A question under noise: what it computes, what it costs, and how it is known again.

use super::super::engine::Engine;
use super::super::world::GrantWorld;
use super::super::{faults, run, total};
use super::below::{Below, Fan, Rules, Scanned};
use super::drawn::Slot;
use super::measure::{self, Measures};
use super::print::Printed;
use super::terms::NoiseTerms;
use super::{draw, public, words};
use crate::error::QueryError;
use crate::noise::Randomness;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use cogov_model::{Clauses, DatasetId, Delta, Epsilon, Loss, PublicKeys, Rho};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many figures are made of one aggregate call, at most: more would only drown each other.
const MOST_FIGURES: usize = 64;

/// A key of the groups.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) expr: Expr,
    /// Its public values; none when it is released by threshold.
    pub(super) public: Option<PublicKeys>,
    pub(super) data_type: DataType,
}

/// A question before it is known how many share the statement's ε.
pub(super) struct Draft {
    pub(super) plan: Plan,
    pub(super) slot: Arc<Slot>,
}

/// What is computed.
pub(super) struct Plan {
    /// Rows below, and the same with rows beyond a unit's share left out.
    pub(super) below: (LogicalPlan, LogicalPlan),
    pub(super) scanned: Vec<Scanned>,
    pub(super) fans: Vec<Fan>,
    pub(super) keys: Vec<Key>,
    pub(super) measures: Measures,
    pub(super) rules: Rules,
    pub(super) planner: Arc<SessionState>,
}

/// A question under noise.
pub struct Question {
    pub(super) plan: Plan,
    pub(super) world: Arc<GrantWorld>,
    slot: Arc<Slot>,
    loss: Loss,
    fingerprint: String,
}

impl Draft {
    pub(super) fn new(
        node: &Aggregate,
        below: Below,
        measures: Measures,
        rules: Rules,
        planner: Arc<SessionState>,
    ) -> Result<Self, QueryError> {
        if measures.figures.len() > MOST_FIGURES {
            return Err(words::too_many_groups(MOST_FIGURES));
        }
        let mut keys = Vec::new();
        for (place, expr) in node.group_expr.iter().enumerate() {
            if matches!(expr, Expr::GroupingSet(_)) {
                return Err(words::shape());
            }
            let total = total::totalise(expr, below.plain.schema())?;
            let public = match total.clone().unalias() {
                Expr::Column(column) => below.known(&column).and_then(|known| known.keys.clone()),
                _ => None,
            };
            let field = node.schema.field(place);
            let data_type = run::plain_type(field.data_type());
            keys.push(Key { expr: total.unalias(), public, data_type });
        }
        let slot = Slot::new(schema(node, &keys));
        let Below { plain, bounded, scanned, fans, .. } = below;
        let plan = Plan { below: (plain, bounded), scanned, fans, keys, measures, rules, planner };
        Ok(Self { plan, slot })
    }
}

/// Keys, figures, then the margin of each figure.
fn schema(node: &Aggregate, keys: &[Key]) -> SchemaRef {
    let mut fields: Vec<Field> = Vec::new();
    for (place, field) in node.schema.fields().iter().enumerate() {
        fields.push(Field::new(format!("c{place}"), run::plain_type(field.data_type()), true));
    }
    for place in keys.len()..node.schema.fields().len() {
        fields.push(Field::new(margin(place), DataType::Float64, true));
    }
    Arc::new(Schema::new(fields))
}

/// The name of the margin of the figure at a place.
pub(super) fn margin(place: usize) -> String {
    format!("margin{place}")
}

/// Parts the statement's ε among its questions.
pub(super) fn priced(
    drafts: Vec<Draft>,
    terms: &NoiseTerms,
    world: &Arc<GrantWorld>,
) -> Result<Vec<Arc<Question>>, QueryError> {
    let Some(month) = drafts.iter().map(|d| d.plan.rules.month).min() else { return Ok(Vec::new()) };
    let asked = terms.epsilon(month);
    if asked > month {
        let clauses = drafts.iter().flat_map(|d| d.plan.rules.clauses.iter().cloned()).collect();
        return Err(words::beyond_month(asked, month, clauses));
    }
    let parts = u64::try_from(drafts.len()).unwrap_or(u64::MAX);
    let part = Epsilon::from_micros(asked.micros() / parts);
    drafts.into_iter().map(|draft| Question::new(draft, part, world, terms).map(Arc::new)).collect()
}

impl Question {
    fn new(
        draft: Draft,
        epsilon: Epsilon,
        world: &Arc<GrantWorld>,
        terms: &NoiseTerms,
    ) -> Result<Self, QueryError> {
        let Draft { plan, slot } = draft;
        let delta = if plan.secret_keys() { Delta::PER_ANSWER } else { Delta::default() };
        let rho = Rho::within(epsilon);
        let loss = match plan.measures.prefers_laplace(epsilon, rho) {
            true => Loss { pure: epsilon, rho: Rho::default(), delta },
            false => Loss { pure: Epsilon::default(), rho, delta },
        };
        let fingerprint = fingerprint(&plan, &slot.schema(), loss, world, terms)?;
        Ok(Self { plan, world: Arc::clone(world), slot, loss, fingerprint })
    }

    /// What tells the same question on the same data under the same rules again: 64 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What it costs.
    #[must_use]
    pub const fn loss(&self) -> Loss {
        self.loss
    }

    /// The ε that it promises by itself.
    #[must_use]
    pub fn epsilon(&self) -> Epsilon {
        self.loss.epsilon()
    }

    /// What the rulebook lets the grant spend in a month on columns like these.
    #[must_use]
    pub const fn epsilon_per_month(&self) -> Epsilon {
        self.plan.rules.month
    }

    /// The clauses that put it under noise.
    #[must_use]
    pub const fn clauses(&self) -> &Clauses {
        &self.plan.rules.clauses
    }

    /// The datasets whose privacy it spends.
    #[must_use]
    pub fn datasets(&self) -> BTreeSet<DatasetId> {
        self.plan.scanned.iter().map(|s| s.table.dataset.clone()).collect()
    }

    /// The mechanism, for the record.
    #[must_use]
    pub const fn mechanism(&self) -> &'static str {
        match (self.loss.pure.micros() > 0, self.loss.delta.units() > 0) {
            (true, false) => "discrete-laplace",
            (true, true) => "discrete-laplace+threshold",
            (false, false) => "discrete-gaussian",
            (false, true) => "discrete-gaussian+threshold",
        }
    }

    /// Refuses what can be known to have no answer before anything is paid: too little ε, more groups or rows of a
    /// unit than there may be, keys that are not there. It reads public tables only.
    pub(in crate::query) async fn check(&self, engine: &Engine) -> Result<(), QueryError> {
        let rows = draw::rows_of_unit(self, engine).await?;
        draw::scales(self, rows)?;
        public::keys(self, engine).await.map(drop)
    }

    /// Computes the answer with fresh noise, as bytes to keep. To be called only after its cost was taken off the
    /// budget; the bytes are to be kept before anything of them is shown.
    ///
    /// # Errors
    /// When the query fails, or there are no random bytes.
    pub async fn draw(
        self: &Arc<Self>,
        engine: &Engine,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Vec<u8>, QueryError> {
        let (me, engine_here) = (Arc::clone(self), engine.clone());
        let work = async move {
            let batch = draw::draw(&me, &engine_here, randomness.as_ref()).await?;
            encode(&batch)
        };
        engine.on_threads(work).await
    }

    /// Puts a kept answer in its place.
    ///
    /// # Errors
    /// When the bytes are no answer to it.
    pub fn fill(&self, answer: &[u8]) -> Result<(), QueryError> {
        self.slot.fill(decode(answer)?)
    }

    /// The schema of its answer.
    pub(super) fn schema(&self) -> SchemaRef {
        self.slot.schema()
    }
}

impl Plan {
    /// Whether some key is not public.
    pub(super) fn secret_keys(&self) -> bool {
        self.keys.iter().any(|key| key.public.is_none())
    }

    /// The plan that adds up, over rows below: of one histogram when a bin is given, else of every other measure.
    pub(super) fn sums(&self, bounded: bool, bins: Option<usize>) -> Result<LogicalPlan, QueryError> {
        let (plain, with_limit) = &self.below;
        let below = if bounded { with_limit.clone() } else { plain.clone() };
        let keys = self.keys.iter().enumerate();
        let mut groups: Vec<Expr> = keys.map(|(i, key)| key.expr.clone().alias(measure::key(i))).collect();
        let measures = self.measures.all.iter().enumerate();
        let wanted = measures.filter(|(place, m)| match bins {
            Some(bins) => bins == *place,
            None => m.bin().is_none(),
        });
        let mut sums = Vec::new();
        for (place, measure) in wanted {
            groups.extend(measure.bin());
            sums.push(measure.aggregate().alias(measure::name(place)));
        }
        let plan =
            LogicalPlanBuilder::from(below).aggregate(groups, sums).and_then(LogicalPlanBuilder::build);
        plan.map_err(|e| faults::planning(&e))
    }
}

/// Everything that an answer depends on: the plan as it is printed whatever its names, the objects that the tables lie in, the rows of the
/// grant, units and what else is declared, the rulebook, and the loss.
fn fingerprint(
    plan: &Plan,
    schema: &SchemaRef,
    loss: Loss,
    world: &GrantWorld,
    terms: &NoiseTerms,
) -> Result<String, QueryError> {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    };
    add("cogov noise 2");
    let below = Printed::new(&plan.below.0)?;
    add(&below.rows);
    for measure in &plan.measures.all {
        add(&measure.print(&below)?);
    }
    // Which figures are made of them, in which order and types.
    add(&format!("{:?} {:?}", plan.measures.figures, schema.fields()));
    for key in &plan.keys {
        add(&format!("{} {:?}", below.expr(&key.expr)?, key.public));
    }
    for source in world.sources() {
        add(&format!("{}.{} {}", source.dataset, source.table.name, source.path));
    }
    let json = |value: Result<String, serde_json::Error>| value.map_err(|_| QueryError::internal());
    add(&json(serde_json::to_string(world.scope()))?);
    for ((dataset, table), declared) in &terms.declared {
        add(&format!("{dataset}.{table} {}", json(serde_json::to_string(declared))?));
    }
    for scanned in &plan.scanned {
        // Whose rows are bounded: with another unit the answer promises something else.
        add(&format!("{:?} {}", scanned.table.unit, scanned.rows));
        for column in scanned.table.columns.iter() {
            add(&format!("{} {}", column.column.name, column.ruling.treatment));
        }
    }
    add(world.permit().rulebook().as_str());
    add(&format!("{} {} {}", loss.pure, loss.rho.units(), loss.delta.units()));
    Ok(hex::encode(hash.finalize()))
}

fn encode(batch: &RecordBatch) -> Result<Vec<u8>, QueryError> {
    let mut bytes = Vec::new();
    let written = (|| {
        let mut writer = arrow::ipc::writer::StreamWriter::try_new(&mut bytes, &batch.schema())?;
        writer.write(batch)?;
        writer.finish()
    })();
    written.map_err(|_| QueryError::internal())?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<RecordBatch, QueryError> {
    let read = arrow::ipc::reader::StreamReader::try_new(bytes, None);
    let batch = read.ok().and_then(|mut reader| reader.next()).and_then(Result::ok);
    batch.ok_or_else(QueryError::internal)
}
