//! Two worlds of one grant that differ only in what the grant withholds.
//!
//! Withheld: the values of withheld columns, the rows outside the scope and how many there are, what masks hide, and
//! the rows of a table that a scope links to. Not varied: what keyed hashes are of (equal values show), the declared
//! unit where statistics count by it, and protected values in tables of at least k rows, on which statistics
//! legitimately depend. The number of rows of a whole object is public (`Source::rows`), and the planner joins by it:
//! both worlds declare the same, however many rows are outside the scope in truth.

use super::cell::{Cell, Kind, Shown, array, twin};
use super::common::{Col, TestTable, aggregate, mask, model_column, permit};
use super::dice::Dice;
use super::grant::{Grant, LINKS, Link, Table};
use arrow::array::RecordBatch;
use cogov_engine::{Engine, GrantWorld, MaskKey, Source, VolatileMemory};
use cogov_model::{Form, Grade, RowScope, Text, Treatment};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many worlds there are, each with a memory of its own.
static ASKERS: AtomicU64 = AtomicU64::new(0);

/// The numbers of rows that both worlds declare: of each table, and of the links.
pub fn declared(both: &[Contents; 2]) -> Vec<u64> {
    let [one, other] = both;
    let most = |(a, b): (usize, usize)| a.max(b) as u64;
    let of = |contents: &Contents| -> Vec<usize> {
        contents.tables.iter().map(Vec::len).chain([contents.links.len()]).collect()
    };
    of(one).into_iter().zip(of(other)).map(most).collect()
}

/// The rows of every table of a world, with those outside the scope among them.
#[derive(Debug, Clone)]
pub struct Contents {
    pub tables: Vec<Vec<Vec<Cell>>>,
    pub links: Vec<Link>,
}

/// Two contents of which the grant shows the same.
pub fn contents(grant: &Grant, dice: &mut Dice) -> [Contents; 2] {
    let links = links(dice);
    let mut both = links.clone().map(|links| Contents { tables: Vec::new(), links });
    for table in &grant.tables {
        let visible = visible(table, &links[0], dice);
        // Over fewer rows than its threshold no statistic may show anything of a protected value.
        let few = |k: u64| (visible.len() as u64) < k;
        let statistics = grant.form == Form::Aggregate || table.threshold().is_some();
        let free = |field: &super::grant::Field| match field.shown {
            Shown::Statistic(k) if few(k) => Shown::Withheld,
            Shown::Withheld if statistics && table.unit == Some(field.name) => Shown::Clear,
            other => other,
        };
        let treatments: Vec<Shown> = table.fields.iter().map(free).collect();
        let twins: Vec<Vec<Cell>> =
            visible.iter().map(|row| twin_of(table, row, &treatments, &links[1], dice)).collect();
        let [one, other] = &mut both;
        one.tables.push(among_hidden(table, visible, &links[0], dice));
        other.tables.push(among_hidden(table, twins, &links[1], dice));
    }
    both
}

/// Links that grant the same keys in both worlds at every level, whatever else they hold.
fn links(dice: &mut Dice) -> [Vec<Link>; 2] {
    let granted: Vec<Link> = (0..6).map(|_| (Cell::Int(dice.between(-3, 12)), Cell::Int(9))).collect();
    let junk = |dice: &mut Dice| {
        let mut all = granted.clone();
        for _ in 0..dice.below(8) {
            let at = dice.below(all.len() + 1);
            let level = if dice.percent(20) { Cell::Null } else { Cell::Int(dice.between(-3, 0)) };
            all.insert(at, (Cell::Int(dice.between(-3, 12)), level));
        }
        all
    };
    [junk(dice), junk(dice)]
}

fn visible(table: &Table, links: &[Link], dice: &mut Dice) -> Vec<Vec<Cell>> {
    let wanted = if dice.percent(8) { 0 } else { 4 + dice.below(13) };
    let mut rows = Vec::new();
    for _ in 0..wanted * 20 {
        let row = table.row(dice);
        if table.grants(&row, links) && rows.len() < wanted {
            rows.push(row);
        }
    }
    rows
}

fn twin_of(table: &Table, row: &[Cell], shown: &[Shown], links: &[Link], dice: &mut Dice) -> Vec<Cell> {
    for _ in 0..12 {
        let cells = table.fields.iter().zip(row).zip(shown);
        let other: Vec<Cell> =
            cells.map(|((field, cell), shown)| twin(cell, field.kind, *shown, dice)).collect();
        if table.grants(&other, links) {
            return other;
        }
    }
    // The columns that the scope looks at stay; the rest may differ.
    let cells = table.fields.iter().zip(row).zip(shown).enumerate();
    cells
        .map(|(at, ((field, cell), shown))| match table.is_scoped_by(at) {
            true => cell.clone(),
            false => twin(cell, field.kind, *shown, dice),
        })
        .collect()
}

/// The granted rows in their order, with rows outside the scope anywhere between them.
fn among_hidden(table: &Table, rows: Vec<Vec<Cell>>, links: &[Link], dice: &mut Dice) -> Vec<Vec<Cell>> {
    let mut all = rows;
    if table.scope.is_empty() {
        return all;
    }
    for _ in 0..dice.below(14) {
        let copied = (!all.is_empty() && dice.percent(40)).then(|| dice.one(&all));
        let mut row = table.row(dice);
        if let Some(copied) = copied {
            // As a granted row but for the scope, so that it meets it in joins and groups.
            row = copied
                .iter()
                .enumerate()
                .map(|(at, cell)| if at < 2 { row[at].clone() } else { cell.clone() })
                .collect();
        }
        if !table.grants(&row, links) {
            let at = dice.below(all.len() + 1);
            all.insert(at, row);
        }
    }
    all
}

/// How a table is written: rows of a group, and whether with bloom filters.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    group: usize,
    bloom: bool,
}

impl Layout {
    pub fn random(dice: &mut Dice) -> Self {
        Self { group: dice.one(&[2, 5, 1000]), bloom: dice.percent(30) }
    }

    /// Whether every table lies in one group of rows.
    pub fn is_whole(self) -> bool {
        self.group >= 1000
    }
}

/// A world that statements are put to.
pub struct World {
    pub engine: Engine,
    pub grant: Arc<GrantWorld>,
    pub paths: Vec<String>,
}

/// Stores the contents and opens the grant over them.
pub async fn open(
    grant: &Grant,
    contents: &Contents,
    declared: &[u64],
    layout: Layout,
    engine: &Engine,
    store: &Arc<dyn ObjectStore>,
) -> World {
    let tables: Vec<TestTable> =
        grant.tables.iter().zip(&contents.tables).map(|(table, rows)| granted(table, rows)).collect();
    let links = linked(&contents.links);
    let mut sources = Vec::new();
    for (table, rows) in tables.iter().chain([&links]).zip(declared) {
        sources.push(Source { rows: *rows, ..put(store, table, layout).await });
    }
    let scopes: Vec<String> = grant.tables.iter().filter_map(Table::scope_json).collect();
    let scope: RowScope = serde_json::from_str(&format!("{{{}}}", scopes.join(","))).unwrap();
    let permit = permit(&tables, &scope, grant.form);
    let paths = sources.iter().map(|source| source.path.clone()).collect();
    // Worlds share an engine, which keeps what it read of a memory by whose it is.
    let memory = Arc::new(VolatileMemory::new(format!("asker {}", ASKERS.fetch_add(1, Ordering::Relaxed))));
    let world = GrantWorld::new(permit, scope, sources, MaskKey::new(super::cell::KEY)).remembering(memory);
    World { engine: engine.clone(), grant: Arc::new(world), paths }
}

fn granted(table: &Table, rows: &[Vec<Cell>]) -> TestTable {
    let column = |(at, field): (usize, &super::grant::Field)| {
        let cells: Vec<Cell> = rows.iter().map(|row| row[at].clone()).collect();
        let grade = [Grade::General1, Grade::General2, Grade::General3, Grade::General4][at % 4];
        Col {
            name: field.name,
            values: array(field.kind, &cells, false),
            grade,
            treatment: treatment(field.shown),
        }
    };
    let columns = table.fields.iter().enumerate().map(column).collect();
    TestTable { name: table.name, columns, unit: table.unit, granted: true }
}

fn treatment(shown: Shown) -> Treatment {
    match shown {
        Shown::Clear => Treatment::Clear,
        Shown::Year => mask("year"),
        Shown::Band(width) => mask(&format!("band:{width}")),
        Shown::Prefix(keep) => mask(&format!("prefix:{keep}")),
        Shown::Hash => mask("keyed-hash"),
        Shown::Statistic(k) => aggregate(k),
        Shown::Withheld => Treatment::Withhold,
    }
}

fn linked(links: &[Link]) -> TestTable {
    let (keys, levels): (Vec<Cell>, Vec<Cell>) = links.iter().cloned().unzip();
    let col = |name, cells: &[Cell]| Col {
        name,
        values: array(Kind::Int, cells, false),
        grade: Grade::General3,
        treatment: Treatment::Withhold,
    };
    TestTable {
        name: LINKS,
        columns: vec![col("key", &keys), col("level", &levels)],
        unit: None,
        granted: false,
    }
}

/// Writes a table. Its object is named by its content, as in the store, so that a path that leaks tells.
async fn put(store: &Arc<dyn ObjectStore>, table: &TestTable, layout: Layout) -> Source {
    let columns = table.columns.iter().map(|c| (c.name, Arc::clone(&c.values), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(layout.group))
        .set_data_page_row_count_limit(2)
        .set_bloom_filter_enabled(layout.bloom)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (dataset, name) = table.name.split_once('.').unwrap();
    let path = format!("{dataset}/{name}-{:016x}.parquet", digest(&bytes));
    store.put(&Path::from(path.as_str()), bytes.into()).await.unwrap();
    Source {
        dataset: dataset.parse().unwrap(),
        table: cogov_model::Table {
            name: name.parse().unwrap(),
            title: Text::default(),
            columns: table.columns.iter().map(model_column).collect(),
            unit: table.unit.map(|unit| unit.parse().unwrap()),
        },
        path,
        rows: batch.num_rows() as u64,
    }
}

fn digest(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
