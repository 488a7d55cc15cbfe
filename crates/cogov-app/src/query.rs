//! The one way of a query: session → decide → prepare → decision on the ledger → execute → release on the ledger.
//!
//! Every door calls it; a door holds no policy.

mod noise;
mod released;

pub(crate) use noise::is_public_column;
pub use noise::{BudgetLeft, NoiseAsk, NoiseReport};
pub(crate) use released::Release;
pub use released::ReleasedRows;

use crate::{Actor, App, AppError, error::Result, memory::PartyMemory, record::Act, recorded::KeptFacts};
use cogov_engine::{GrantWorld, GrantedTable, MaskKey, Param, Prepared, QueryError, ResultColumn, Source};
use cogov_model::{
    Clauses, Condition, Dataset, DatasetId, DatasetState, EntryKind, Grade, Grant, GrantId, Outcome, Party,
    Role, RulebookVersion, Text, Timestamp, Version,
};
use cogov_rulebook::{Ask, AskColumn, Permit, Refusal};
use futures::StreamExt;
use std::{collections::BTreeMap, sync::Arc};

/// Through which door a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The PostgreSQL protocol.
    Pg,
    /// The HTTP API.
    Http,
    /// The workbench page.
    Workbench,
    /// The counter page of a verify grant.
    Counter,
    /// Arrow Flight SQL.
    Flight,
    /// A file that was asked for by HTTP or on a page.
    Extract,
}

impl Door {
    /// The code used on the ledger and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Door::Pg => "pg",
            Door::Http => "http",
            Door::Workbench => "workbench",
            Door::Counter => "counter",
            Door::Flight => "flight",
            Door::Extract => "extract",
        }
    }
}

/// An actor at a grant. Holds no decision: the rulebook in force is asked at every use.
#[derive(Debug, Clone)]
pub struct GrantSession {
    /// Who.
    pub actor: Actor,
    /// Which grant.
    pub grant: GrantId,
    /// How it asks under noise.
    pub noise: NoiseAsk,
}

/// A query that was planned under a permit, not yet decided.
#[derive(Clone)]
pub struct PreparedQuery {
    session: GrantSession,
    grant: Arc<Grant>,
    door: Door,
    sql: Arc<str>,
    params: Vec<Param>,
    basis: Basis,
    prepared: Prepared,
}

/// What a plan rests on. When any of it changes, the plan is made anew before it runs.
#[derive(Clone, PartialEq)]
pub(crate) struct Basis {
    rulebook: RulebookVersion,
    pub(crate) facts: KeptFacts,
    grant: Arc<Grant>,
    datasets: Vec<(DatasetId, u64, Timestamp)>,
}

impl PreparedQuery {
    /// The engine's plan: schema, result columns with labels, parameter types.
    #[must_use]
    pub fn plan(&self) -> &Prepared {
        &self.prepared
    }
}

/// An answer on its way out; its decision is on the ledger.
pub struct Answer {
    /// The decision's index on the ledger.
    pub decision: u64,
    /// The grade of the result.
    pub grade: Grade,
    /// The result's columns with labels and reasons.
    pub columns: Vec<ResultColumn>,
    /// The clauses that decided.
    pub clauses: Clauses,
    /// The rulebook that decided.
    pub rulebook: RulebookVersion,
    /// What it cost of the privacy budget; none when nothing was asked under noise.
    pub noise: Option<NoiseReport>,
    /// What may be missing of it; none where all of it may be shown.
    pub may_miss: Option<Text>,
    /// The rows.
    pub rows: ReleasedRows,
}

/// What a query would do, without running it.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The result's columns with labels, treatments and reasons.
    pub columns: Vec<ResultColumn>,
    /// The grade of the result.
    pub grade: Grade,
    /// The clauses that would decide.
    pub clauses: Clauses,
    /// The rulebook that would decide.
    pub rulebook: RulebookVersion,
    /// What it would cost of the privacy budget, when it was not answered before.
    pub noise: Option<NoiseReport>,
}

impl App {
    /// Opens a grant for an actor.
    ///
    /// # Errors
    /// `NotFound` when the actor's party holds no such grant (also when another party does), `Refused`
    /// when it may not be used now; a refusal is on the ledger before it is returned.
    pub async fn grant_session(&self, actor: &Actor, grant: &GrantId) -> Result<GrantSession> {
        actor.require(&[Role::Analyst])?;
        let session = GrantSession { actor: actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        let grant = self.held_grant(&session).await?;
        self.world(&session, &Arc::new(grant), "connect").await?;
        Ok(session)
    }

    /// The database that the grant is: its tables and columns under the rulebook in force.
    ///
    /// # Errors
    /// As `grant_session`.
    pub async fn grant_catalogue(&self, session: &GrantSession) -> Result<Vec<GrantedTable>> {
        let grant = Arc::new(self.held_grant(session).await?);
        let (world, _) = self.world(session, &grant, "catalogue").await?;
        let tables = self.engine.catalogue(&world).await;
        tables.map_err(|error| AppError::Query { error, decision: None })
    }

    /// Plans a query. Nothing is executed; a refusal is on the ledger before it is returned.
    ///
    /// # Errors
    /// `Refused` and `Query`.
    pub async fn prepare(&self, session: &GrantSession, sql: &str, door: Door) -> Result<PreparedQuery> {
        let grant = Arc::new(self.held_grant(session).await?);
        let (world, basis) = self.world(session, &grant, door.code()).await?;
        match self.engine.prepare(&world, sql).await {
            Ok(prepared) => Ok(PreparedQuery {
                session: session.clone(),
                grant,
                door,
                sql: sql.into(),
                params: Vec::new(),
                basis,
                prepared,
            }),
            Err(error) => Err(self.refuse_query(session, &basis, &world, (sql, door), error, None).await),
        }
    }

    /// Puts values in the place of `$1` and so on. A refusal is on the ledger before it is returned.
    ///
    /// # Errors
    /// When a value does not fit its parameter, or the query is refused with it.
    pub async fn bind(&self, query: &PreparedQuery, params: &[Param]) -> Result<PreparedQuery> {
        match query.prepared.bind(params).await {
            Ok(prepared) => Ok(PreparedQuery { prepared, params: params.to_vec(), ..query.clone() }),
            Err(error) => {
                let world = query.prepared.world();
                let PreparedQuery { session, basis, sql, door, .. } = query;
                Err(self.refuse_query(session, basis, world, (sql, *door), error, None).await)
            }
        }
    }

    /// Writes the decision durably, then lets the rows flow. The rulebook is asked again, so that a
    /// prepared statement never outlives an amendment.
    ///
    /// # Errors
    /// `Unavailable` when the ledger cannot be written: no byte leaves.
    pub async fn run(&self, query: PreparedQuery) -> Result<Answer> {
        let query = self.still_permitted(query).await?;
        let noise = self.settle(&query).await?;
        let plan = &query.prepared;
        let act = Act::new(EntryKind::Decision, Outcome::Permit)
            .party(&query.session.actor.party.id)
            .grant(&query.grant.id)
            .datasets(query.grant.datasets())
            .decided_by(plan.rulebook(), plan.clauses())
            .fact("door", query.door.code())
            .fact("form", query.grant.form.code())
            .fact("purpose", &query.grant.purpose.code)
            .fact("grade", plan.grade())
            .fact("columns", plan.columns().len())
            .decided_on(&query.basis.facts)
            .sealed("used", query.basis.facts.used(plan.sources()))
            .by(&query.session.actor.account)
            .sealed("sql", query.sql.as_ref());
        let act =
            if query.params.is_empty() { act } else { act.sealed("params", format!("{:?}", query.params)) };
        let act = query.grant.providers.iter().fold(act, Act::party);
        let act = noise.iter().fold(act, |act, noise| {
            act.fact("epsilon", noise.cost.unwrap_or_default()).fact("mechanism", noise.mechanism)
        });
        let decision = self.record(act).await?;
        self.note_release(&query, decision).await;
        let mut stream =
            plan.execute().map_err(|error| AppError::Query { error, decision: Some(decision) })?;
        // Whether protected statistics may be shown is known once they are collected: before the first row.
        let first = match plan.has_protected_statistics() {
            false => None,
            true => match stream.next().await {
                Some(Err(error)) => return Err(self.refuse_answer(&query, error, decision).await),
                first => Some(first),
            },
        };
        Ok(Answer {
            decision,
            grade: plan.grade(),
            columns: plan.columns().to_vec(),
            clauses: plan.clauses().clone(),
            rulebook: plan.rulebook().clone(),
            noise,
            may_miss: plan.may_miss(),
            rows: ReleasedRows::new(first, stream, self.clone(), &query, decision),
        })
    }

    /// Plans, decides and answers in one.
    ///
    /// # Errors
    /// As its parts.
    pub async fn query(
        &self,
        actor: &Actor,
        grant: &GrantId,
        sql: &str,
        params: &[Param],
        door: Door,
    ) -> Result<Answer> {
        let session = GrantSession { actor: actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        self.query_in(&session, sql, params, door).await
    }

    /// Plans, decides and answers in one, in a session.
    ///
    /// # Errors
    /// As its parts.
    pub async fn query_in(
        &self,
        session: &GrantSession,
        sql: &str,
        params: &[Param],
        door: Door,
    ) -> Result<Answer> {
        session.actor.require(&[Role::Analyst])?;
        let mut query = self.prepare(session, sql, door).await?;
        if !params.is_empty() {
            query = self.bind(&query, params).await?;
        }
        self.run(query).await
    }

    /// Labels, treatments and clauses of a query without running it.
    ///
    /// # Errors
    /// As `prepare`.
    pub async fn explain(
        &self,
        actor: &Actor,
        grant: &GrantId,
        sql: &str,
        door: Door,
    ) -> Result<Explanation> {
        let session = GrantSession { actor: actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        self.explain_in(&session, sql, door).await
    }

    /// Labels, treatments and clauses of a query without running it, in a session.
    ///
    /// # Errors
    /// As `prepare`.
    pub async fn explain_in(&self, session: &GrantSession, sql: &str, door: Door) -> Result<Explanation> {
        session.actor.require(&[Role::Analyst])?;
        let query = self.prepare(session, sql, door).await?;
        let noise = self.quote(&query).await?;
        let plan = query.plan();
        Ok(Explanation {
            columns: plan.columns().to_vec(),
            grade: plan.grade(),
            clauses: plan.clauses().clone(),
            rulebook: plan.rulebook().clone(),
            noise,
        })
    }

    /// The grant, when the actor's party holds it: others do not learn that it exists.
    pub(crate) async fn held_grant(&self, session: &GrantSession) -> Result<Grant> {
        self.still_analyst(&session.actor).await?;
        let id = &session.grant;
        let grant = self.find_grant(id).await?.filter(|grant| grant.party == session.actor.party.id);
        grant.ok_or_else(|| {
            AppError::not_found(format!("Your party holds no grant {id}."), format!("贵方没有授权 {id}。"))
        })
    }

    /// The grant's data under the rulebook in force.
    pub(crate) async fn world(
        &self,
        session: &GrantSession,
        grant: &Arc<Grant>,
        door: &str,
    ) -> Result<(Arc<GrantWorld>, Basis)> {
        let reach = self.reach(grant).await?;
        let rulebook = self.rulebook();
        let now = self.clock.now();
        let facts = self.keep_facts(grant, &session.actor.party, &reach, now).await?;
        let decided = decide(&rulebook, grant, &session.actor.party, &reach, now);
        let permit = match decided {
            Ok(permit) => permit,
            Err(refusal) => {
                let rulebook = rulebook.version().clone();
                return Err(self
                    .refuse_use(session, (grant.as_ref(), &facts), door, &rulebook, refusal)
                    .await);
            }
        };
        let basis = Basis {
            rulebook: rulebook.version().clone(),
            facts,
            grant: grant.clone(),
            datasets: reach.datasets.values().map(|(d, _)| (d.id.clone(), d.version, d.changed_at)).collect(),
        };
        let key = MaskKey::new(*self.store.mask_key(&grant.id).await?.bytes());
        let terms = Self::noise_terms(&reach, &session.noise);
        let memory = PartyMemory::new(&self.store, &session.actor.party.id);
        let world = GrantWorld::new(permit, grant.scope.clone(), reach.sources, key).with_noise(terms);
        Ok((Arc::new(world.remembering(Arc::new(memory))), basis))
    }

    /// Every table that the grant or its scope names, in the current published version.
    pub(crate) async fn reach(&self, grant: &Grant) -> Result<Reach> {
        let mut wanted: Vec<DatasetId> = grant.datasets();
        for condition in grant.scope.0.values().flatten() {
            linked_datasets(condition, &mut wanted);
        }
        wanted.sort();
        wanted.dedup();
        let mut reach = Reach { datasets: BTreeMap::new(), sources: Vec::new() };
        for id in wanted {
            let Some(dataset) = self.find_dataset(&id).await? else { continue };
            if dataset.state != DatasetState::Published {
                continue;
            }
            let Some(version) = self.find_version(&id, dataset.version).await? else { continue };
            let provider = self.party_or_unknown(&dataset.provider).await?;
            reach.sources.extend(sources(&dataset, &version));
            reach.datasets.insert(id, (dataset, provider));
        }
        self.reach_keys(&mut reach).await?;
        Ok(reach)
    }

    /// Decides again, and plans again when the rulebook, the grant or a dataset changed since.
    async fn still_permitted(&self, query: PreparedQuery) -> Result<PreparedQuery> {
        let grant = Arc::new(self.held_grant(&query.session).await?);
        let (_, basis) = self.world(&query.session, &grant, query.door.code()).await?;
        if query.basis == basis {
            return Ok(query);
        }
        let again = self.prepare(&query.session, &query.sql, query.door).await?;
        if query.params.is_empty() { Ok(again) } else { self.bind(&again, &query.params).await }
    }

    async fn refuse_use(
        &self,
        session: &GrantSession,
        (grant, facts): (&Grant, &KeptFacts),
        door: &str,
        rulebook: &RulebookVersion,
        refusal: Refusal,
    ) -> AppError {
        let act = Act::new(EntryKind::Decision, Outcome::Deny)
            .party(&session.actor.party.id)
            .grant(&grant.id)
            .datasets(grant.datasets())
            .decided_by(rulebook, &refusal.clauses)
            .fact("door", door)
            .fact("form", grant.form.code())
            .fact("purpose", &grant.purpose.code)
            .decided_on(facts)
            .by(&session.actor.account)
            .sealed("reason", refusal.reason.en.clone());
        match self.record(grant.providers.iter().fold(act, Act::party)).await {
            Ok(index) => {
                AppError::Refused { reason: refusal.reason, clauses: refusal.clauses, decision: Some(index) }
            }
            Err(error) => error,
        }
    }

    /// A query that was decided and then not answered: a refusal is an entry of its own that follows the decision.
    async fn refuse_answer(&self, query: &PreparedQuery, error: QueryError, decision: u64) -> AppError {
        let (basis, world) = (&query.basis, query.prepared.world());
        let asked = (&*query.sql, query.door);
        match self.refuse_query(&query.session, basis, world, asked, error, Some(decision)).await {
            AppError::Query { error, decision: None } => AppError::Query { error, decision: Some(decision) },
            refused => refused,
        }
    }

    /// A query that the engine does not answer. Refusals go on the ledger; a typing error does not.
    async fn refuse_query(
        &self,
        session: &GrantSession,
        basis: &Basis,
        world: &GrantWorld,
        (sql, door): (&str, Door),
        error: QueryError,
        decided: Option<u64>,
    ) -> AppError {
        if !matches!(error.sqlstate(), "42501" | "0A000") {
            return AppError::Query { error, decision: None };
        }
        let grant = &basis.grant;
        let act = Act::new(EntryKind::Decision, Outcome::Deny)
            .party(&session.actor.party.id)
            .grant(&grant.id)
            .datasets(grant.datasets())
            .decided_by(world.permit().rulebook(), error.clauses())
            .fact("door", door.code())
            .fact("form", grant.form.code())
            .fact("purpose", &grant.purpose.code)
            .fact("refused_by", "engine")
            .decided_on(&basis.facts)
            .by(&session.actor.account)
            .sealed("sql", sql)
            .sealed("reason", error.reason().en.clone());
        let act = decided.into_iter().fold(act, Act::follows);
        match self.record(grant.providers.iter().fold(act, Act::party)).await {
            Ok(index) => AppError::Query { error, decision: Some(index) },
            Err(unavailable) => unavailable,
        }
    }
}

/// The datasets behind a grant.
pub(crate) struct Reach {
    /// Datasets with their providers.
    pub(crate) datasets: BTreeMap<DatasetId, (Dataset, Party)>,
    /// Their tables.
    pub(crate) sources: Vec<Source>,
}

impl Reach {
    /// What the rulebook is asked about each column that still exists.
    pub(crate) fn ask_columns<'a>(&'a self, grant: &'a Grant) -> Vec<AskColumn<'a>> {
        let ask = |reference: &'a cogov_model::ColumnRef| {
            let (dataset, provider) = self.datasets.get(&reference.dataset)?;
            let column = dataset.table(&reference.table)?.column(&reference.column)?;
            Some(AskColumn { column: reference, label: &column.label, sharing: &dataset.sharing, provider })
        };
        grant.columns.iter().filter_map(ask).collect()
    }
}

fn decide(
    rulebook: &cogov_rulebook::Rulebook,
    grant: &Grant,
    party: &Party,
    reach: &Reach,
    now: cogov_model::Timestamp,
) -> std::result::Result<Permit, Refusal> {
    rulebook.decide(&Ask { grant, party, columns: reach.ask_columns(grant), now })
}

fn sources(dataset: &Dataset, version: &Version) -> Vec<Source> {
    let source = |table: &cogov_model::Table| {
        let object = version.tables.iter().find(|object| object.name == table.name)?;
        Some(Source {
            dataset: dataset.id.clone(),
            table: table.clone(),
            path: object.path.clone(),
            rows: object.rows,
        })
    };
    dataset.tables.iter().filter_map(source).collect()
}

pub(crate) fn linked_datasets(condition: &Condition, into: &mut Vec<DatasetId>) {
    match condition {
        Condition::Linked { linked } => {
            into.push(linked.dataset.clone());
            linked.any.iter().for_each(|inner| linked_datasets(inner, into));
        }
        Condition::Any { any } => any.iter().for_each(|inner| linked_datasets(inner, into)),
        Condition::Compare { .. } | Condition::In { .. } => {}
    }
}
