//! Answers under noise beside the plain governed query (rows without a mask) and protected statistics over groups of ten
//! (asked for the first time and again): 576 groups, count + sum + avg, total ε = 1.
//!
//! `bench_noise DIR ROWS…` writes `DIR/noise-ROWS-PER.parquet` for the peers, and prints one JSON line a measurement:
//! seconds (median of interleaved runs) and median errors of a group. Twice for each size: each row its own
//! person, and each person five rows.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use cogov_engine::noise::SystemRandomness;
use cogov_engine::{Engine, EngineConfig, GrantWorld, MaskKey, NoiseTerms, Source, VolatileMemory};
use cogov_model::{
    Bounds, Column, ColumnRef, Form, Grade, Grant, GrantState, Label, Lane, MinGroup, Party, PartyClass,
    PublicKeys, Purpose, RowScope, SharingAttribute, Table, TablePrivacy, Term, Text, Tier, Timestamp,
    Treatment,
};
use cogov_rulebook::{Ask, AskColumn, Rulebook};
use futures::StreamExt;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};
use parquet::arrow::ArrowWriter;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

const RULEBOOK: &str = "+++\nid = \"bench\"\ntitle = \"Bench\"\n+++\n\n# Bench\n\n## Settings {#settings}\n\nAll.\n\n\
```workflow\nconditional_needs_conditions = true\nnot_shared_needs_law = true\ncatalogue_update_days = 10\n\
catalogue_update_extension_days = 5\ncatalogue_review_days = 2\napplication_needs_legal_basis = true\n\
application_needs_scenario = true\nrequester_head_approves = []\nprovider_head_approves = []\n\
answer_days_unconditional = 1\nanswer_days_conditional = 10\nanswer_extension_days = 10\n\
supplement_requests = 1\nrefusal_needs_reasons = true\ndelivery_days = 20\ncorrection_days = 10\n\
records_years = 3\ngrant_term_months = 12\nsilence_refuses = true\n\
stops_grant = [\"not-yet\", \"expired\", \"revoked\", \"refused\"]\n```\n\n\
## Open {#open}\n\nWords.\n\n```cedar\n@treatment(\"clear\")\npermit (principal, action == Action::\"use\", resource);\n```\n";

const SQL: &str = "select a, b, count(*) as n, sum(v) as s, avg(v) as m from t group by a, b";
const RUNS: usize = 7;
const KEYS: i64 = 24;
const UPPER: i64 = 1000;
const COLUMNS: [&str; 4] = ["person", "a", "b", "v"];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(arguments.next().unwrap_or_else(|| ".".into()));
    let sizes: Vec<usize> = arguments.map(|rows| rows.parse().unwrap()).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for rows in if sizes.is_empty() { vec![1_000_000, 5_000_000] } else { sizes } {
        for per_person in [1, 5] {
            runtime.block_on(measure(&folder, rows, per_person));
        }
    }
}

/// A number that looks like chance, the same on every machine.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 31)
}

fn batch(rows: usize, per_person: usize) -> RecordBatch {
    let all = |f: &dyn Fn(u64) -> i64| Int64Array::from_iter_values((0..rows as u64).map(f));
    let small = |number: u64, most: i64| i64::try_from(number % most.unsigned_abs()).unwrap();
    let columns: [Int64Array; 4] = [
        all(&|r| i64::try_from(mixed(r) % (rows / per_person) as u64).unwrap()),
        all(&|r| small(mixed(r ^ (1 << 40)), KEYS)),
        all(&|r| small(mixed(r ^ (1 << 41)), KEYS)),
        all(&|r| small(mixed(r ^ (1 << 42)), UPPER)),
    ];
    let mut columns = columns;
    // Exactly so many rows a person, spread over the file.
    let persons = (rows / per_person).max(1);
    columns[0] = Int64Array::from_iter_values((0..rows).map(|r| i64::try_from(r % persons).unwrap()));
    let arrays = columns.into_iter().map(|c| Arc::new(c) as arrow::array::ArrayRef);
    RecordBatch::try_from_iter(COLUMNS.into_iter().zip(arrays)).unwrap()
}

async fn measure(folder: &std::path::Path, rows: usize, per_person: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let name = format!("noise-{rows}-{per_person}.parquet");
    let data = batch(rows, per_person);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, data.schema(), None).unwrap();
    writer.write(&data).unwrap();
    writer.close().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(folder).unwrap());
    store.put(&Path::from(name.as_str()), bytes.into()).await.unwrap();
    let spill = tempfile::tempdir().unwrap();
    let engine = Engine::new(EngineConfig::new(spill.path()), Arc::clone(&store)).unwrap();
    let plain = world(&name, rows, Treatment::Clear, per_person);
    let k = MinGroup::new(10).unwrap();
    let protected = world(&name, rows, Treatment::Aggregate(cogov_model::Aggregation::over(k)), per_person);
    let epsilon_per_month = "1".parse().unwrap();
    let treatment = Treatment::Noise { min_group: MinGroup::new(1).unwrap(), epsilon_per_month };
    let noisy = world(&name, rows, treatment, per_person);
    let truth = exact(&data);
    let (mut plain_times, mut noisy_times, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let first = run(&engine, &noisy).await.0;
    let statistics = run(&engine, &protected).await.0;
    let statistics_again = run(&engine, &protected).await.0;
    for _ in 0..RUNS {
        plain_times.push(run(&engine, &plain).await.0);
        let (time, answer) = run(&engine, &noisy).await;
        noisy_times.push(time);
        errors.push(error(&answer, &truth));
    }
    let [n, s, m] = [0, 1, 2].map(|i| median(errors.iter().map(|e| e[i]).collect()));
    let (plain, noisy) = (middle(plain_times), middle(noisy_times));
    println!(
        "{{\"rows\":{rows},\"per_person\":{per_person},\"plain\":{:.4},\"noise\":{:.4},\"ratio\":{:.2},\"first\":{:.4},\"statistics\":{:.4},\"again\":{:.4},\"count\":{n:.2},\"sum\":{s:.5},\"avg\":{m:.5}}}",
        plain.as_secs_f64(),
        noisy.as_secs_f64(),
        noisy.as_secs_f64() / plain.as_secs_f64(),
        first.as_secs_f64(),
        statistics.as_secs_f64(),
        statistics_again.as_secs_f64(),
    );
}

/// Prepares, draws where something is asked under noise, and reads every row.
async fn run(engine: &Engine, world: &Arc<GrantWorld>) -> (Duration, RecordBatch) {
    let started = Instant::now();
    let prepared = engine.prepare(world, SQL).await.unwrap();
    for question in prepared.questions() {
        let answer = question.draw(engine, Arc::new(SystemRandomness)).await.unwrap();
        question.fill(&answer).unwrap();
    }
    let mut stream = prepared.execute().unwrap();
    let schema = stream.schema();
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(batch.unwrap());
    }
    let time = started.elapsed();
    (time, arrow::compute::concat_batches(&schema, &batches).unwrap())
}

type Groups = HashMap<(i64, i64), (f64, f64)>;

fn exact(data: &RecordBatch) -> Groups {
    let column = |place: usize| data.column(place).as_primitive::<Int64Type>().values().to_vec();
    let (a, b, v) = (column(1), column(2), column(3));
    let mut groups = Groups::new();
    for row in 0..data.num_rows() {
        let group = groups.entry((a[row], b[row])).or_default();
        group.0 += 1.0;
        group.1 += v[row] as f64;
    }
    groups
}

/// Median errors of a group: of the count as it is, of sum and average as a share.
fn error(answer: &RecordBatch, truth: &Groups) -> [f64; 3] {
    let whole =
        |name: &str| answer.column_by_name(name).unwrap().as_primitive::<Int64Type>().values().to_vec();
    let real = |name: &str| {
        let column = arrow::compute::cast(answer.column_by_name(name).unwrap(), &DataType::Float64).unwrap();
        column.as_primitive::<Float64Type>().values().to_vec()
    };
    let (a, b, n, s, m) = (whole("a"), whole("b"), real("n"), real("s"), real("m"));
    let mut errors = [Vec::new(), Vec::new(), Vec::new()];
    for row in 0..answer.num_rows() {
        let (count, sum) = truth[&(a[row], b[row])];
        errors[0].push((n[row] - count).abs());
        errors[1].push((s[row] - sum).abs() / sum);
        errors[2].push((m[row] - sum / count).abs() / (sum / count));
    }
    errors.map(median)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn world(path: &str, rows: usize, treatment: Treatment, per_person: usize) -> Arc<GrantWorld> {
    let label = Label::new(["person.finance".parse().unwrap()], Grade::General3);
    let columns: Vec<Column> = COLUMNS.iter().map(|name| column(name, &label)).collect();
    let reference = |name: &str| ColumnRef {
        dataset: "d".parse().unwrap(),
        table: "t".parse().unwrap(),
        column: name.parse().unwrap(),
    };
    let references: Vec<ColumnRef> = COLUMNS.iter().map(|name| reference(name)).collect();
    let now = Timestamp::from_millis(1_790_000_000_000);
    let grant = grant(&references, treatment, now);
    let party = |id: &str| Party {
        id: id.parse().unwrap(),
        name: Text::default(),
        class: PartyClass::Government,
        tier: Some(Tier::State),
        region: None,
    };
    let (asker, provider, sharing) = (party("asker"), party("provider"), SharingAttribute::Unconditional);
    let asked = references.iter().map(|column| AskColumn {
        column,
        label: &label,
        sharing: &sharing,
        provider: &provider,
    });
    let ask = Ask { grant: &grant, party: &asker, columns: asked.collect(), now };
    let permit = Rulebook::parse(RULEBOOK, None).unwrap().decide(&ask).unwrap();
    let table = Table {
        name: "t".parse().unwrap(),
        title: Text::default(),
        columns,
        unit: Some("person".parse().unwrap()),
    };
    let source = Source { dataset: "d".parse().unwrap(), table, path: path.to_owned(), rows: rows as u64 };
    let terms = NoiseTerms {
        declared: BTreeMap::from([(("d".parse().unwrap(), "t".parse().unwrap()), declared(per_person))]),
        epsilon: Some("1".parse().unwrap()),
        without_margins: false,
    };
    Arc::new(
        GrantWorld::new(permit, RowScope::default(), vec![source], MaskKey::new([9; 32]))
            .with_noise(terms)
            .remembering(Arc::new(VolatileMemory::new("bench"))),
    )
}

fn column(name: &str, label: &Label) -> Column {
    Column {
        name: name.parse().unwrap(),
        title: Text::default(),
        description: Text::default(),
        data_type: cogov_model::DataType::Integer,
        label: label.clone(),
        reason: Text::default(),
    }
}

fn grant(columns: &[ColumnRef], treatment: Treatment, now: Timestamp) -> Grant {
    Grant {
        id: "bench".parse().unwrap(),
        name: Text::default(),
        party: "asker".parse().unwrap(),
        providers: vec!["provider".parse().unwrap()],
        columns: columns.to_vec(),
        conditions: columns.iter().map(|c| (c.clone(), treatment)).collect(),
        scope: RowScope::default(),
        purpose: Purpose {
            code: "statistics".parse().unwrap(),
            words: Text::default(),
            legal_basis: Text::same("a law"),
            scenario: Text::same("a benchmark"),
        },
        form: if treatment == Treatment::Clear { Form::Rows } else { Form::Aggregate },
        lane: Lane::Share,
        term: Term { from: now.plus_days(-1), until: now.plus_days(100) },
        state: GrantState::Active,
        made_at: now,
        application: None,
        verification: None,
    }
}

fn declared(per_person: usize) -> TablePrivacy {
    let bounds =
        Bounds { lower: "0".parse().unwrap(), upper: UPPER.to_string().parse().unwrap(), complete: true };
    let keys = || PublicKeys::Values((0..KEYS).map(|key| key.to_string()).collect());
    TablePrivacy {
        rows_per_unit: u32::try_from(per_person).unwrap(),
        bounds: BTreeMap::from([("v".parse().unwrap(), bounds)]),
        keys: BTreeMap::from([("a".parse().unwrap(), keys()), ("b".parse().unwrap(), keys())]),
    }
}
