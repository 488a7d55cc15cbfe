//! Drawing an answer: exact sums of bounded rows, noise on each, small groups gone, figures with margins.

use super::super::engine::Engine;
use super::figure::{self, Drawn};
use super::measure;
use super::question::Question;
use super::{public, spread, words};
use crate::error::QueryError;
use crate::noise::{BINS, Ladder, NoRandomness, Randomness, Sampler, Scale};
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use cogov_model::{Epsilon, Loss, Rho};
use datafusion::common::ScalarValue;
use futures::StreamExt;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

/// Standard deviations above the least group at which a noisy count is trusted to be of that size: 95 % to one side.
const TRUST: f64 = 1.645;

/// The keys of a group.
pub(super) type Group = Vec<ScalarValue>;

/// Exact sums of a group.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub(super) sums: Vec<i64>,
    pub(super) bins: HashMap<usize, Vec<i64>>,
}

/// The answer of a question with fresh noise.
pub(super) async fn draw(
    question: &Question,
    engine: &Engine,
    randomness: &dyn Randomness,
) -> Result<RecordBatch, QueryError> {
    let rows = rows_of_unit(question, engine).await?;
    let scales = scales(question, rows)?;
    let public = public::groups(question, engine).await?;
    let bounded = must_be_bounded(question, engine).await?;
    let groups = exact(question, engine, bounded, public).await?;
    let mut sampler = Sampler::new(randomness);
    let mut shown = Vec::new();
    for (group, sums) in groups {
        let drawn = noisy(question, &scales, rows, &sums, &mut sampler).map_err(|_| no_randomness())?;
        if let Some(drawn) = drawn {
            shown.push((group, drawn));
        }
    }
    shown.sort_by(|(a, _), (b, _)| order(a, b));
    batch(question, &shown)
}

fn no_randomness() -> QueryError {
    QueryError::new(
        crate::error::ErrorKind::Unavailable,
        "the system gives no random numbers, without which nothing is answered; try again",
        "系统无法提供随机数，因此无法作答；请重试",
    )
}

/// Whether some unit has more rows than it may, so that rows must be left out.
pub(super) async fn must_be_bounded(question: &Question, engine: &Engine) -> Result<bool, QueryError> {
    let plan = &question.plan;
    let mut bounded = false;
    for scanned in &plan.scanned {
        let unit = scanned.table.unit.as_ref().ok_or_else(QueryError::internal)?;
        let spread = spread::of(engine, &plan.planner, scanned.table.raw(), unit.as_str(), None).await?;
        bounded |= spread.is_none_or(|s| s.most > u64::from(scanned.rows) || s.nulls > 0);
    }
    Ok(bounded)
}

/// How many rows one unit has below at most: as declared, times how often public tables that are joined repeat.
pub(super) async fn rows_of_unit(question: &Question, engine: &Engine) -> Result<u32, QueryError> {
    let plan = &question.plan;
    let declared = plan.scanned.iter().map(|scanned| u64::from(scanned.rows));
    let mut rows = declared.fold(1, u64::saturating_mul);
    for fan in &plan.fans {
        rows = rows.saturating_mul(public::repeats(question, engine, fan).await?.max(1));
    }
    u32::try_from(rows).ok().filter(|rows| *rows <= MOST_JOINED).ok_or_else(words::too_many_rows)
}

/// Rows of one unit after joins, beyond which noise would drown every answer.
const MOST_JOINED: u32 = 1_000_000;

/// The noise of each measure. A histogram has two levels, each with half of its part.
pub(super) fn scales(question: &Question, rows: u32) -> Result<Vec<Scale>, QueryError> {
    let measures = &question.plan.measures;
    let Loss { pure, rho, .. } = question.loss();
    let parts = measures.parts(if pure.micros() > 0 { pure.micros() } else { rho.units() });
    let scales = measures.all.iter().zip(parts).map(|(measure, part)| {
        let part = if measure.bin().is_some() { part / 2 } else { part };
        let sensitivity = measure.sensitivity(rows);
        let scale = match pure.micros() > 0 {
            true => Scale::pure(sensitivity, Epsilon::from_micros(part)),
            false => Scale::concentrated(sensitivity, Rho::from_units(part)),
        };
        scale.ok_or_else(words::too_little)
    });
    scales.collect()
}

/// Groups by their keys, those without a value last.
pub(super) fn order(a: &[ScalarValue], b: &[ScalarValue]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let by_value = match (a.is_null(), b.is_null()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        };
        if by_value != Ordering::Equal {
            return by_value;
        }
    }
    Ordering::Equal
}

/// Exact sums by group: of every public group, or of every group that there is.
pub(super) async fn exact(
    question: &Question,
    engine: &Engine,
    bounded: bool,
    public: Option<Vec<Group>>,
) -> Result<HashMap<Group, Sums>, QueryError> {
    let plan = &question.plan;
    let count = plan.measures.all.len();
    let empty = Sums { sums: vec![0; count], bins: HashMap::new() };
    let is_public = public.is_some();
    let mut groups: HashMap<Group, Sums> =
        public.unwrap_or_default().into_iter().map(|group| (group, empty.clone())).collect();
    let histograms = plan.measures.all.iter().enumerate().filter(|(_, m)| m.bin().is_some());
    let histograms: Vec<Option<usize>> = histograms.map(|(place, _)| Some(place)).collect();
    for bins in std::iter::once(None).chain(histograms) {
        let sums = plan.sums(bounded, bins)?;
        let mut rows = spread::start(engine, &plan.planner, sums).await?;
        while let Some(batch) = rows.next().await {
            let batch = Summed::new(&batch?, plan.keys.len(), count)?;
            for row in 0..batch.rows {
                let group = batch.group(row)?;
                let sums = match groups.get_mut(&group) {
                    Some(sums) => sums,
                    None if is_public => continue,
                    None => groups.entry(group).or_insert_with(|| empty.clone()),
                };
                batch.add(row, bins, sums);
            }
        }
    }
    Ok(groups)
}

/// A batch of exact sums.
struct Summed {
    rows: usize,
    keys: Vec<ArrayRef>,
    bin: Option<Int64Array>,
    /// By the place of the measure.
    sums: Vec<Option<Int64Array>>,
}

impl Summed {
    fn new(batch: &RecordBatch, keys: usize, measures: usize) -> Result<Self, QueryError> {
        let column = |name: &str| -> Result<Option<Int64Array>, QueryError> {
            let Some(array) = batch.column_by_name(name) else { return Ok(None) };
            let array = cast(array, &DataType::Int64).map_err(|_| QueryError::internal())?;
            Ok(Some(array.as_primitive::<Int64Type>().clone()))
        };
        let key =
            |place| batch.column_by_name(&measure::key(place)).cloned().ok_or_else(QueryError::internal);
        Ok(Self {
            rows: batch.num_rows(),
            keys: (0..keys).map(key).collect::<Result<_, _>>()?,
            bin: column(measure::BIN)?,
            sums: (0..measures).map(|place| column(&measure::name(place))).collect::<Result<_, _>>()?,
        })
    }

    fn group(&self, row: usize) -> Result<Group, QueryError> {
        let value = |array: &ArrayRef| ScalarValue::try_from_array(array, row);
        self.keys.iter().map(value).collect::<Result<_, _>>().map_err(|_| QueryError::internal())
    }

    fn add(&self, row: usize, bins: Option<usize>, into: &mut Sums) {
        if let (Some(place), Some(bin)) = (bins, &self.bin) {
            // A value that is missing lies in no bin.
            if bin.is_valid(row)
                && let Ok(bin) = usize::try_from(bin.value(row))
                && let Some(Some(count)) = self.sums.get(place)
                && let Some(slot) = into.bins.entry(place).or_insert_with(|| vec![0; BINS]).get_mut(bin)
            {
                *slot += count.value(row);
            }
            return;
        }
        for (slot, sums) in into.sums.iter_mut().zip(&self.sums) {
            if let Some(sums) = sums.as_ref().filter(|sums| sums.is_valid(row)) {
                *slot = slot.saturating_add(sums.value(row));
            }
        }
    }
}

/// Noise on the sums of a group; none when it is too small to show.
fn noisy(
    question: &Question,
    scales: &[Scale],
    rows: u32,
    sums: &Sums,
    sampler: &mut Sampler<'_>,
) -> Result<Option<Vec<Drawn>>, NoRandomness> {
    let plan = &question.plan;
    let Some(counts) = scales.first() else { return Ok(None) };
    let noisy = |scale: &Scale, sum: i64, sampler: &mut Sampler<'_>| scale.noisy(i128::from(sum), sampler);
    // The first measure counts rows: it guards the least group, and the keys that are not public.
    let count = noisy(counts, sums.sums.first().copied().unwrap_or(0), sampler)?;
    if count < least(question, counts, rows) {
        return Ok(None);
    }
    let mut drawn = vec![Drawn::Sum(count, counts.sigma())];
    for (place, (measure, scale)) in plan.measures.all.iter().zip(scales).enumerate().skip(1) {
        drawn.push(if measure.bin().is_some() {
            let bins = sums.bins.get(&place).map(Vec::as_slice).unwrap_or_default();
            Drawn::Bins(Ladder::new(bins, |bin| noisy(scale, bin, sampler))?, scale.sigma())
        } else {
            Drawn::Sum(noisy(scale, sums.sums.get(place).copied().unwrap_or(0), sampler)?, scale.sigma())
        });
    }
    Ok(Some(drawn))
}

/// The noisy count of rows from which a group is shown.
///
/// At least so many that there are `k` units with 95 %; where keys are not public, also so many that a group
/// which a single unit makes is shown with a probability below δ: one unit makes at most `rows` groups.
fn least(question: &Question, scale: &Scale, rows: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let k = question.plan.rules.k.get() as f64;
    let rows = f64::from(rows);
    let guard = k * rows + TRUST * scale.sigma();
    let delta = question.loss().delta.units();
    if delta == 0 {
        return guard;
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let delta = delta as f64 * 1e-15;
    guard.max(rows + scale.exceeded(delta / rows))
}

fn batch(question: &Question, shown: &[(Group, Vec<Drawn>)]) -> Result<RecordBatch, QueryError> {
    let schema = question.schema();
    let keys = question.plan.keys.len();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut margins: Vec<ArrayRef> = Vec::new();
    for place in 0..keys {
        let wanted = schema.field(place).data_type();
        let values = shown.iter().filter_map(|(group, _)| group.get(place).cloned()).collect::<Vec<_>>();
        columns.push(match values.is_empty() {
            true => arrow::array::new_empty_array(wanted),
            false => ScalarValue::iter_to_array(values)
                .and_then(|array| Ok(cast(&array, wanted)?))
                .map_err(|_| QueryError::internal())?,
        });
    }
    for (place, figure) in question.plan.measures.figures.iter().enumerate() {
        let wanted = schema.field(keys + place).data_type();
        let all: Vec<figure::Shown> = shown.iter().map(|(_, drawn)| figure::show(figure, drawn)).collect();
        let values = all.iter().map(|shown| shown.map(|(value, _)| rounded(value, wanted)));
        let values: ArrayRef = Arc::new(values.collect::<Float64Array>());
        columns.push(cast(&values, wanted).map_err(|_| QueryError::internal())?);
        margins.push(Arc::new(all.iter().map(|s| s.map(|(_, m)| readable(m))).collect::<Float64Array>()));
    }
    columns.extend(margins);
    RecordBatch::try_new(schema, columns).map_err(|_| QueryError::internal())
}

/// A margin rounded up to three digits: more would only look exact.
fn readable(margin: f64) -> f64 {
    if !(margin.is_finite() && margin > 0.0) {
        return margin;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a number of digits")]
    let places = 2 - margin.log10().floor() as i32;
    let scale = 10_f64.powi(places.abs());
    if places >= 0 { (margin * scale).ceil() / scale } else { (margin / scale).ceil() * scale }
}

/// Whole where the column is of whole numbers.
fn rounded(value: f64, data_type: &DataType) -> f64 {
    let value = if data_type.is_unsigned_integer() { value.max(0.0) } else { value };
    if data_type.is_integer() { value.round() } else { value }
}
