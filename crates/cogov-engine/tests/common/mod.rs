//! A small world of Parquet tables in memory, and grants over it decided by a real rulebook.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use arrow::array::{ArrayRef, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use cogov_engine::{
    Addition, AnswerMemory, Engine, EngineConfig, GrantWorld, MaskKey, MemoryKey, MemoryUnavailable,
    Prepared, QueryError, Source, VolatileMemory,
};
use cogov_model::{
    Column, ColumnRef, DataType, Form, Grade, Grant, GrantState, Label, Lane, Party, PartyClass, Purpose,
    RowScope, SharingAttribute, Table, Term, Text, Tier, Timestamp, Treatment,
};
use cogov_rulebook::{Ask, AskColumn, Permit, Rulebook};
use futures::StreamExt;
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

/// A rulebook that permits everything in clear for every form; what a test wants stricter stands in its grant.
const RULEBOOK: &str = "+++\nid = \"test\"\ntitle = \"Test\"\n+++\n\n# Test\n\n## Settings {#settings}\n\nAll.\n\n\
```workflow\nconditional_needs_conditions = true\nnot_shared_needs_law = true\ncatalogue_update_days = 10\n\
catalogue_update_extension_days = 5\ncatalogue_review_days = 2\napplication_needs_legal_basis = true\n\
application_needs_scenario = true\nrequester_head_approves = []\nprovider_head_approves = []\n\
answer_days_unconditional = 1\nanswer_days_conditional = 10\nanswer_extension_days = 10\n\
supplement_requests = 1\nrefusal_needs_reasons = true\ndelivery_days = 20\ncorrection_days = 10\n\
records_years = 3\ngrant_term_months = 12\nsilence_refuses = true\n\
stops_grant = [\"not-yet\", \"expired\", \"revoked\", \"refused\"]\n```\n\n\
## Open {#open}\n\nWords.\n\n```cedar\n@treatment(\"clear\")\npermit (principal, action == Action::\"use\", resource);\n```\n";

/// A column of a test table: name, values, grade, treatment.
pub struct Col {
    pub name: &'static str,
    pub values: ArrayRef,
    pub grade: Grade,
    pub treatment: Treatment,
}

pub fn col(name: &'static str, values: impl arrow::array::Array + 'static, treatment: Treatment) -> Col {
    Col { name, values: Arc::new(values), grade: Grade::General3, treatment }
}

/// `dataset.table` with its columns, the declared unit, and whether it is granted at all.
pub struct TestTable {
    pub name: &'static str,
    pub columns: Vec<Col>,
    pub unit: Option<&'static str>,
    pub granted: bool,
}

pub fn aggregate(k: u64) -> Treatment {
    Treatment::Aggregate(cogov_model::MinGroup::new(k).unwrap().into())
}

pub fn mask(mask: &str) -> Treatment {
    Treatment::Mask(mask.parse().unwrap())
}

pub struct Tester {
    pub engine: Engine,
    pub world: Arc<GrantWorld>,
    pub sources: Vec<Source>,
    pub store: Arc<dyn ObjectStore>,
    pub spill: tempfile::TempDir,
}

/// A memory that keeps nothing: each question is the first. For tests of everything else.
#[derive(Default)]
struct Forgetful(std::sync::atomic::AtomicU64);

#[async_trait::async_trait]
impl AnswerMemory for Forgetful {
    /// Somebody else each time.
    fn owner(&self) -> String {
        format!("nobody-{}", self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }

    async fn recall(&self, _: &MemoryKey, _: u64) -> Result<Vec<String>, MemoryUnavailable> {
        Ok(Vec::new())
    }

    /// Says yes and keeps nothing.
    async fn remember(&self, _: Vec<Addition>) -> Result<bool, MemoryUnavailable> {
        Ok(true)
    }
}

pub async fn tester(tables: Vec<TestTable>, scope: &str, form: Form) -> Tester {
    tester_with(tables, scope, form, |_| ()).await
}

pub async fn tester_with(
    tables: Vec<TestTable>,
    scope: &str,
    form: Form,
    adjust: impl FnOnce(&mut EngineConfig),
) -> Tester {
    tester_of(tables, scope, form, Arc::new(Forgetful::default()), adjust).await
}

/// A tester whose party is remembered.
pub async fn remembered(tables: Vec<TestTable>, form: Form, memory: &Arc<VolatileMemory>) -> Tester {
    tester_of(tables, "", form, Arc::clone(memory) as Arc<dyn AnswerMemory>, |_| ()).await
}

async fn tester_of(
    tables: Vec<TestTable>,
    scope: &str,
    form: Form,
    memory: Arc<dyn AnswerMemory>,
    adjust: impl FnOnce(&mut EngineConfig),
) -> Tester {
    let spill = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let mut config = EngineConfig::new(spill.path());
    config.target_partitions = 2;
    config.threads = 2;
    adjust(&mut config);
    let engine = Engine::new(config, Arc::clone(&store)).unwrap();
    let mut sources = Vec::new();
    for table in &tables {
        sources.push(put(&store, table).await);
    }
    let scope: RowScope = serde_json::from_str(if scope.is_empty() { "{}" } else { scope }).unwrap();
    let permit = permit(&tables, &scope, form);
    let world = GrantWorld::new(permit, scope, sources.clone(), MaskKey::new([9; 32])).remembering(memory);
    Tester { engine, world: Arc::new(world), sources, store, spill }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap()
}

/// Writes a table in several row groups and pages, so that pruning has something to prune.
async fn put(store: &Arc<dyn ObjectStore>, table: &TestTable) -> Source {
    let batch =
        RecordBatch::try_from_iter(table.columns.iter().map(|c| (c.name, Arc::clone(&c.values)))).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(1000))
        .set_data_page_row_count_limit(128)
        .set_write_batch_size(64)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (dataset, name) = split(table.name);
    let path = format!("{dataset}/{name}-{}.parquet", hex(&bytes));
    store.put(&Path::from(path.as_str()), bytes.into()).await.unwrap();
    Source {
        dataset: dataset.parse().unwrap(),
        table: Table {
            name: name.parse().unwrap(),
            title: Text::default(),
            columns: table.columns.iter().map(model_column).collect(),
            unit: table.unit.map(|unit| unit.parse().unwrap()),
        },
        path,
        rows: batch.num_rows() as u64,
    }
}

/// Objects are named by their content.
fn hex(bytes: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}

pub fn model_column(column: &Col) -> Column {
    Column {
        name: column.name.parse().unwrap(),
        title: Text::default(),
        description: Text::default(),
        data_type: DataType::Text,
        label: label(column.grade),
        reason: Text::default(),
    }
}

fn label(grade: Grade) -> Label {
    match grade {
        Grade::General1 => Label::bottom(),
        grade => Label::new(["person.finance".parse().unwrap()], grade),
    }
}

fn party(id: &str) -> Party {
    Party {
        id: id.parse().unwrap(),
        name: Text::default(),
        class: PartyClass::Government,
        tier: Some(Tier::State),
        region: None,
    }
}

pub fn permit(tables: &[TestTable], scope: &RowScope, form: Form) -> Permit {
    let granted: Vec<(ColumnRef, Label, Treatment)> = tables
        .iter()
        .filter(|t| t.granted)
        .flat_map(|t| {
            let (dataset, table) = split(t.name);
            t.columns.iter().map(move |c| {
                let reference = ColumnRef {
                    dataset: dataset.parse().unwrap(),
                    table: table.parse().unwrap(),
                    column: c.name.parse().unwrap(),
                };
                (reference, label(c.grade), c.treatment)
            })
        })
        .collect();
    let now = Timestamp::from_millis(1_790_000_000_000);
    let grant = Grant {
        id: "test-grant".parse().unwrap(),
        name: Text::default(),
        party: "asker".parse().unwrap(),
        providers: vec!["provider".parse().unwrap()],
        columns: granted.iter().map(|(c, _, _)| c.clone()).collect(),
        conditions: granted.iter().map(|(c, _, t)| (c.clone(), *t)).collect(),
        scope: scope.clone(),
        purpose: Purpose {
            code: "administration.eligibility".parse().unwrap(),
            words: Text::default(),
            legal_basis: Text::same("a law"),
            scenario: Text::same("a test"),
        },
        form,
        lane: Lane::Share,
        term: Term { from: now.plus_days(-1), until: now.plus_days(100) },
        state: GrantState::Active,
        made_at: now,
        application: None,
        verification: None,
    };
    let rulebook = Rulebook::parse(RULEBOOK, None).unwrap_or_else(|p| panic!("{p:#?}"));
    let (asker, provider) = (party("asker"), party("provider"));
    let sharing = SharingAttribute::Unconditional;
    let columns = granted.iter().map(|(column, label, _)| AskColumn {
        column,
        label,
        sharing: &sharing,
        provider: &provider,
    });
    let ask = Ask { grant: &grant, party: &asker, columns: columns.collect(), now };
    rulebook.decide(&ask).unwrap_or_else(|r| panic!("{r:?}"))
}

impl Tester {
    /// The same engine and store with other tables, as after an import: what was there stays readable.
    pub async fn next_version(&self, tables: Vec<TestTable>, memory: &Arc<VolatileMemory>) -> Tester {
        self.next_version_as(tables, Form::Aggregate, memory).await
    }

    /// The same under a grant of another form.
    pub async fn next_version_as(
        &self,
        tables: Vec<TestTable>,
        form: Form,
        memory: &Arc<VolatileMemory>,
    ) -> Tester {
        let scope: RowScope = serde_json::from_str("{}").unwrap();
        let mut sources = Vec::new();
        for table in &tables {
            sources.push(put(&self.store, table).await);
        }
        let permit = permit(&tables, &scope, form);
        let world = GrantWorld::new(permit, scope, sources.clone(), MaskKey::new([9; 32]));
        let world = Arc::new(world.remembering(Arc::clone(memory) as Arc<dyn AnswerMemory>));
        let (engine, store) = (self.engine.clone(), Arc::clone(&self.store));
        Tester { engine, world, sources, store, spill: tempfile::tempdir().unwrap() }
    }

    pub async fn prepare(&self, sql: &str) -> Result<Prepared, QueryError> {
        self.engine.prepare(&self.world, sql).await
    }

    pub async fn batches(&self, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
        let mut stream = self.prepare(sql).await?.execute()?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// The rows as texts, in order, columns joined by `|`, null as `∅`.
    pub async fn rows(&self, sql: &str) -> Result<Vec<String>, QueryError> {
        Ok(self.batches(sql).await?.iter().flat_map(texts).collect())
    }

    /// The rows of a query that must work.
    pub async fn ok(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.unwrap_or_else(|e| panic!("{sql}\n{e:?}"))
    }

    /// Queries that must give these rows; all that do not are told.
    pub async fn gives(&self, cases: &[(&str, &[&str])]) {
        let mut wrong = Vec::new();
        for (sql, expected) in cases {
            match self.rows(sql).await {
                Ok(rows) if rows == *expected => (),
                other => wrong.push(format!("{sql}\n  {other:?}\n  not {expected:?}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The error of a query that must not.
    pub async fn fails(&self, sql: &str) -> QueryError {
        match self.rows(sql).await {
            Ok(rows) => panic!("{sql}\nanswered {rows:?}"),
            Err(error) => error,
        }
    }

    /// The SQLSTATE of a query that must fail.
    pub async fn state(&self, sql: &str) -> &'static str {
        self.fails(sql).await.sqlstate()
    }
}

pub fn texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let columns: Vec<_> =
        batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|c| c.value(row).to_string()).collect::<Vec<_>>().join("|"))
        .collect()
}

pub const MB: usize = 1 << 20;

/// `rows` rows with a distinct text of 100 characters each.
pub async fn wide(rows: i64, memory: usize, seconds: u64) -> Tester {
    let word = |i: i64| format!("{i:0>100}");
    let table = TestTable {
        name: "data.wide",
        columns: vec![
            col("id", arrow::array::Int64Array::from_iter_values(0..rows), Treatment::Clear),
            col("word", arrow::array::StringArray::from_iter_values((0..rows).map(word)), Treatment::Clear),
        ],
        unit: None,
        granted: true,
    };
    tester_with(vec![table], "", Form::Rows, |config| {
        config.query_memory = memory;
        config.total_memory = 2 * memory;
        config.query_time = std::time::Duration::from_secs(seconds);
        config.max_spill = 2 << 30;
    })
    .await
}
