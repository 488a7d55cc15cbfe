//! Which noisy sums a question needs, and how its figures are made of them.
//!
//! Each sum is one vector over the groups. The budget is parted among them: a count that only guards the least
//! group gets a quarter of the share of one that is asked for.

use super::below::Below;
use super::print::Printed;
use super::quantise::{Form, Quantise, Range};
use super::{ranges, words};
use crate::error::QueryError;
use crate::noise::Sensitivity;
use cogov_model::{Clauses, Epsilon, Rho};
use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, sum};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, ScalarUDF, lit, when};

use super::super::total;

/// The name of the bin in the plan of a histogram.
pub(super) const BIN: &str = "bin";

/// A vector of sums.
#[derive(Debug, Clone)]
pub(super) struct Measure {
    kind: Kind,
    weight: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Rows.
    Rows,
    /// Rows in which it has a value.
    Values(Expr),
    /// Different units.
    Units(Expr),
    /// Values as bounded whole numbers.
    Sum(Expr, Form, Range),
    /// Values by bins.
    Bins(Expr, Range),
}

/// How a figure is made of measures, by their places.
#[derive(Debug, Clone, Copy)]
pub(super) enum Figure {
    /// The count itself.
    Count(usize),
    /// A sum of shares of the greater bound.
    Whole { sum: usize, range: Range },
    /// A sum: distances from the middle, and the count of values times the middle.
    Sum { sum: usize, count: usize, range: Range },
    /// An average.
    Average { sum: usize, count: usize, range: Range },
    /// A variance, or its root.
    Spread { sum: usize, squares: usize, count: usize, range: Range, sample: bool, root: bool },
    /// A quantile.
    Quantile { bins: usize, share: f64, range: Range },
}

/// Every measure of a question and its figures. The first measure counts rows.
#[derive(Debug, Clone)]
pub(super) struct Measures {
    pub(super) all: Vec<Measure>,
    pub(super) figures: Vec<Figure>,
}

const ASKED: u64 = 4;
const GUARD: u64 = 1;

/// What is asked, before it is known which sums serve it best.
struct Asked {
    name: String,
    value: Option<Expr>,
    distinct: bool,
    share: f64,
}

impl Measures {
    /// Reads the aggregates of a question.
    ///
    /// # Errors
    /// When noise cannot answer one of them, or bounds are not declared.
    pub(super) fn read(values: &[Expr], below: &Below, clauses: &Clauses) -> Result<Self, QueryError> {
        let asked: Vec<Asked> = values.iter().map(|v| asked(v, below)).collect::<Result<_, _>>()?;
        let mut all = Self { all: vec![Measure { kind: Kind::Rows, weight: GUARD }], figures: Vec::new() };
        let mut figures: Vec<Option<Figure>> = Vec::new();
        for one in &asked {
            figures.push(if one.name == "sum" { None } else { Some(all.figure(one, below, clauses)?) });
        }
        // Sums last: they are had for nothing where an average of the same is asked for.
        for (one, figure) in asked.iter().zip(&mut figures) {
            if figure.is_none() {
                *figure = Some(all.sum(one, below, clauses)?);
            }
        }
        all.figures = figures.into_iter().flatten().collect();
        Ok(all)
    }

    fn place(&mut self, kind: Kind, weight: u64) -> usize {
        if let Some(place) = self.all.iter().position(|m| m.kind == kind) {
            if let Some(measure) = self.all.get_mut(place) {
                measure.weight = measure.weight.max(weight);
            }
            return place;
        }
        self.all.push(Measure { kind, weight });
        self.all.len() - 1
    }

    /// The count of values of an expression.
    fn values(&mut self, value: &Expr, range: Option<Range>) -> usize {
        match range {
            Some(range) if range.complete => self.place(Kind::Rows, ASKED),
            _ => self.place(Kind::Values(value.clone()), ASKED),
        }
    }

    fn figure(&mut self, asked: &Asked, below: &Below, clauses: &Clauses) -> Result<Figure, QueryError> {
        let Some(value) = &asked.value else { return Ok(Figure::Count(self.place(Kind::Rows, ASKED))) };
        if asked.name == "count" {
            return self.count(asked, value, below);
        }
        if asked.distinct {
            return Err(words::distinct());
        }
        let range = bounded(value, below, clauses)?;
        Ok(match asked.name.as_str() {
            "avg" => {
                let count = self.values(value, Some(range));
                Figure::Average { sum: self.centred(value, range), count, range }
            }
            "var" | "var_pop" | "stddev" | "stddev_pop" => {
                let count = self.values(value, Some(range));
                let squares = self.place(Kind::Sum(value.clone(), Form::Square, range), ASKED);
                let (sample, root) = (!asked.name.ends_with("_pop"), asked.name.starts_with("stddev"));
                Figure::Spread { sum: self.centred(value, range), squares, count, range, sample, root }
            }
            "median" | "approx_median" | "percentile_cont" => {
                let bins = self.place(Kind::Bins(value.clone(), range), ASKED);
                Figure::Quantile { bins, share: asked.share, range }
            }
            other => return Err(words::function(other)),
        })
    }

    fn centred(&mut self, value: &Expr, range: Range) -> usize {
        self.place(Kind::Sum(value.clone(), Form::Centred, range), ASKED)
    }

    fn count(&mut self, asked: &Asked, value: &Expr, below: &Below) -> Result<Figure, QueryError> {
        if !asked.distinct {
            let range = ranges::of(value, below);
            return Ok(Figure::Count(self.values(value, range)));
        }
        let Expr::Column(column) = value.clone().unalias() else { return Err(words::distinct()) };
        if !below.known(&column).is_some_and(|known| known.unit) {
            return Err(words::distinct());
        }
        let one_row = below.fans.is_empty() && below.scanned.iter().all(|s| s.rows == 1);
        let kind = if one_row { Kind::Rows } else { Kind::Units(value.clone()) };
        Ok(Figure::Count(self.place(kind, ASKED)))
    }

    fn sum(&mut self, asked: &Asked, below: &Below, clauses: &Clauses) -> Result<Figure, QueryError> {
        let value = asked.value.as_ref().ok_or_else(QueryError::internal)?;
        if asked.distinct {
            return Err(words::distinct());
        }
        let range = bounded(value, below, clauses)?;
        let counts = match range.complete {
            true => Kind::Rows,
            false => Kind::Values(value.clone()),
        };
        let counted = self.all.iter().position(|m| m.kind == counts && m.weight == ASKED);
        Ok(match counted {
            // A count of the same rows is there: distances from the middle are at most half as sensitive.
            Some(count) => Figure::Sum { sum: self.centred(value, range), count, range },
            None => {
                Figure::Whole { sum: self.place(Kind::Sum(value.clone(), Form::Whole, range), ASKED), range }
            }
        })
    }

    /// The part that each measure gets of an amount in whole units.
    pub(super) fn parts(&self, units: u64) -> Vec<u64> {
        let whole: u64 = self.all.iter().map(|m| m.weight).sum::<u64>().max(1);
        let part = |weight: u64| u128::from(units) * u128::from(weight) / u128::from(whole);
        self.all.iter().map(|m| u64::try_from(part(m.weight)).unwrap_or(u64::MAX)).collect()
    }

    /// Whether Laplace noise is the smaller one for what is asked, when the whole may cost so much. It is for few sums,
    /// since ε of each is the whole by their number; Gaussian noise grows with the root of it only.
    pub(super) fn prefers_laplace(&self, epsilon: Epsilon, rho: Rho) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a comparison of widths")]
        let (whole, asked) = (self.all.iter().map(|m| m.weight).sum::<u64>() as f64, ASKED as f64);
        #[expect(clippy::cast_precision_loss, reason = "a comparison of widths")]
        let (epsilon, rho) = (epsilon.micros() as f64 / 1e6, rho.units() as f64 / Rho::ONE as f64);
        let laplace = 2_f64.sqrt() * whole / (asked * epsilon);
        laplace <= (whole / (2.0 * asked * rho)).sqrt()
    }
}

impl Measure {
    /// The aggregate that computes it without noise.
    pub(super) fn aggregate(&self) -> Expr {
        match &self.kind {
            Kind::Rows | Kind::Bins(..) => count(lit(1_i64)),
            Kind::Values(value) => count(value.clone()),
            Kind::Units(unit) => count_distinct(unit.clone()),
            Kind::Sum(value, form, range) => sum(quantised(value, *form, *range)),
        }
    }

    /// A text that tells measures over a plan apart.
    ///
    /// # Errors
    /// When it is not over the plan.
    pub(super) fn print(&self, below: &Printed<'_>) -> Result<String, QueryError> {
        let range = match &self.kind {
            Kind::Sum(_, _, range) | Kind::Bins(_, range) => Some(range),
            _ => None,
        };
        let bin = self.bin().map(|bin| below.expr(&bin)).transpose()?;
        Ok(format!("{} {bin:?} {range:?} {}", below.expr(&self.aggregate())?, self.weight))
    }

    /// For a histogram, the expression that gives the bin.
    pub(super) fn bin(&self) -> Option<Expr> {
        match &self.kind {
            Kind::Bins(value, range) => Some(quantised(value, Form::Bin, *range).alias(BIN)),
            _ => None,
        }
    }

    /// How far one unit with so many rows can move it.
    pub(super) const fn sensitivity(&self, rows: u32) -> Sensitivity {
        match &self.kind {
            Kind::Rows | Kind::Values(_) | Kind::Bins(..) => Sensitivity::of_rows(rows, 1),
            Kind::Units(_) => Sensitivity::of_units(rows),
            Kind::Sum(_, form, _) => Sensitivity::of_rows(rows, form.most()),
        }
    }
}

fn quantised(value: &Expr, form: Form, range: Range) -> Expr {
    ScalarUDF::from(Quantise::new(form, range)).call(vec![value.clone()])
}

/// The declared range of a value.
fn bounded(value: &Expr, below: &Below, clauses: &Clauses) -> Result<Range, QueryError> {
    let range = ranges::of(value, below);
    let range = range.ok_or_else(|| words::unbounded(&shown(value), clauses.clone()))?;
    // A constant has no middle to be distant from.
    let upper =
        if range.lower < range.upper { range.upper } else { range.lower + range.lower.abs().max(1.0) };
    Ok(Range { upper, ..range })
}

/// An expression by the name of its only column, or by itself.
fn shown(value: &Expr) -> String {
    match value.clone().unalias() {
        Expr::Column(column) => column.name,
        other => other.to_string(),
    }
}

fn asked(value: &Expr, below: &Below) -> Result<Asked, QueryError> {
    let Expr::AggregateFunction(function) = value.clone().unalias() else {
        return Err(QueryError::internal());
    };
    let name = function.func.name().to_owned();
    let schema = below.plain.schema();
    let params = &function.params;
    let argument = params.args.first().ok_or_else(|| words::function(&name))?;
    let share = share(&function, &name)?;
    let condition = params.filter.as_ref().map(|f| total::totalise(f, schema)).transpose()?;
    let constant = total::constant(argument) && name == "count";
    let value = match (constant, condition) {
        (true, None) => None,
        (true, Some(condition)) => Some(conditional(condition, lit(1_i64))?),
        (false, None) => Some(total::totalise(argument, schema)?),
        (false, Some(condition)) => Some(conditional(condition, total::totalise(argument, schema)?)?),
    };
    let value = value.map(Expr::unalias);
    Ok(Asked { name, value, distinct: params.distinct, share })
}

/// FILTER (WHERE …) as a value that is missing elsewhere.
fn conditional(condition: Expr, value: Expr) -> Result<Expr, QueryError> {
    when(condition, value).end().map_err(|e| super::super::faults::planning(&e))
}

/// The share of a quantile.
fn share(function: &AggregateFunction, name: &str) -> Result<f64, QueryError> {
    let params = &function.params;
    if name != "percentile_cont" {
        return match params.args.len() {
            1 => Ok(0.5),
            _ => Err(words::function(name)),
        };
    }
    let Some(Expr::Literal(value, _)) = params.args.get(1) else { return Err(words::function(name)) };
    let Ok(ScalarValue::Float64(Some(share))) = value.cast_to(&arrow::datatypes::DataType::Float64) else {
        return Err(words::function(name));
    };
    let descending = params.order_by.first().is_some_and(|sort| !sort.asc);
    Ok(if descending { 1.0 - share } else { share }.clamp(0.0, 1.0))
}

/// The name of a measure in the inner plan.
pub(super) fn name(place: usize) -> String {
    format!("m{place}")
}

/// The name of a key in the inner plan.
pub(super) fn key(place: usize) -> String {
    format!("g{place}")
}
