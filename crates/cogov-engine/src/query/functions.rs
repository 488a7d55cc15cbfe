//! The functions that a query may call. A function that is not named here does not exist. None of them lowers a
//! label (L12 of `docs/labels.md`).
//!
//! Left out on purpose: what reads the machine or the plan (`version`, `input_file_name`, `arrow_typeof`,
//! `arrow_metadata`), what makes rows or grows without bound (`generate_series`, `repeat`, `lpad`, `rpad`),
//! what makes results not repeatable (`random`, `uuid`), and nested types, which the doors do not speak.

use super::{bounded, nearest};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use std::{collections::HashMap, sync::Arc};

/// Functions of one row, by class.
const SCALARS: &[(&str, &[&str])] = &[
    (
        "choice and nulls: no result but one of the arguments",
        &["coalesce", "nullif", "nvl", "nvl2", "greatest", "least"],
    ),
    (
        "arithmetic: numbers of numbers",
        &[
            "abs",
            "ceil",
            "floor",
            "round",
            "trunc",
            "sqrt",
            "cbrt",
            "power",
            "exp",
            "ln",
            "log",
            "log2",
            "log10",
            "signum",
            "gcd",
            "lcm",
            "factorial",
            "isnan",
            "iszero",
            "nanvl",
            "pi",
            "acos",
            "acosh",
            "asin",
            "asinh",
            "atan",
            "atan2",
            "atanh",
            "cos",
            "cosh",
            "cot",
            "degrees",
            "radians",
            "sin",
            "sinh",
            "tan",
            "tanh",
        ],
    ),
    (
        "text: never longer than its arguments together, save for replacement",
        &[
            "ascii",
            "bit_length",
            "btrim",
            "character_length",
            "chr",
            "concat",
            "concat_ws",
            "contains",
            "ends_with",
            "find_in_set",
            "initcap",
            "left",
            "levenshtein",
            "lower",
            "ltrim",
            "octet_length",
            "overlay",
            "replace",
            "reverse",
            "right",
            "rtrim",
            "split_part",
            "starts_with",
            "strpos",
            "substr",
            "substr_index",
            "to_hex",
            "translate",
            "upper",
        ],
    ),
    (
        "patterns: the engine's regular expressions have no catastrophic case",
        &["regexp_count", "regexp_instr", "regexp_like", "regexp_replace"],
    ),
    (
        "time: the clock of the statement and parts of dates",
        &[
            "current_date",
            "current_time",
            "date_bin",
            "date_part",
            "date_trunc",
            "from_unixtime",
            "make_date",
            "now",
            "to_char",
            "to_date",
            "to_timestamp",
            "to_timestamp_micros",
            "to_timestamp_millis",
            "to_timestamp_nanos",
            "to_timestamp_seconds",
            "to_unixtime",
        ],
    ),
];

/// Functions of many rows. `min`, `max` and the like show single values: of protected columns they are
/// refused by [`is_safe_statistic`].
const AGGREGATES: &[&str] = &[
    "approx_distinct",
    "approx_median",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "string_agg",
    "sum",
    "var",
    "var_pop",
];

/// Functions over windows.
const WINDOWS: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// Statistics of one column in which no single row shows when the group is large enough.
const SAFE_STATISTICS: &[&str] = &["count", "sum", "avg", "var", "var_pop", "stddev", "stddev_pop"];

/// Functions that give a result for every argument, so that no error depends on a protected value.
const TOTAL: &[&str] = &[
    "btrim",
    "character_length",
    "coalesce",
    "concat",
    "contains",
    "date_part",
    "ends_with",
    "lower",
    "ltrim",
    nearest::NAME,
    "nullif",
    "rtrim",
    "starts_with",
    "strpos",
    "upper",
];

/// Whether a scalar function may stand in a plan.
pub(super) fn is_scalar(name: &str) -> bool {
    SCALARS.iter().any(|(_, names)| names.contains(&name))
}

/// Whether an aggregate function may stand in a plan.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name)
}

/// Whether a window function may stand in a plan. Aggregates may be used over windows too.
pub(super) fn is_window(name: &str) -> bool {
    WINDOWS.contains(&name) || is_aggregate(name)
}

/// Whether an aggregate may be taken of a protected column.
pub(super) fn is_safe_statistic(name: &str) -> bool {
    SAFE_STATISTICS.contains(&name)
}

/// Whether a scalar function never raises.
pub(super) fn is_total(name: &str) -> bool {
    TOTAL.contains(&name)
}

/// The functions by every name they go by, and the planners that turn syntax into them.
pub(super) struct Functions {
    pub(super) scalars: HashMap<String, Arc<ScalarUDF>>,
    pub(super) aggregates: HashMap<String, Arc<AggregateUDF>>,
    pub(super) windows: HashMap<String, Arc<WindowUDF>>,
    pub(super) planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Functions {
    pub(super) fn new() -> Self {
        let mut all = Self {
            scalars: HashMap::new(),
            aggregates: HashMap::new(),
            windows: HashMap::new(),
            planners: SessionStateDefaults::default_expr_planners(),
        };
        for f in SessionStateDefaults::default_scalar_functions().iter().filter(|f| is_scalar(f.name())) {
            let f = &if bounded::NAMES.contains(&f.name()) { bounded::bounded(f) } else { Arc::clone(f) };
            for name in f.aliases().iter().map(String::as_str).chain([f.name()]) {
                all.scalars.insert(name.to_owned(), Arc::clone(f));
            }
        }
        for f in SessionStateDefaults::default_aggregate_functions().iter().filter(|f| is_aggregate(f.name()))
        {
            for name in f.aliases().iter().map(String::as_str).chain([f.name()]) {
                all.aggregates.insert(name.to_owned(), Arc::clone(f));
            }
        }
        for f in SessionStateDefaults::default_window_functions().iter().filter(|f| is_window(f.name())) {
            for name in f.aliases().iter().map(String::as_str).chain([f.name()]) {
                all.windows.insert(name.to_owned(), Arc::clone(f));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_a_function() {
        let all = Functions::new();
        let scalar = |name: &&str| all.scalars.values().any(|f| f.name() == *name);
        for (class, names) in SCALARS {
            let missing: Vec<_> = names.iter().filter(|n| !scalar(n)).collect();
            assert!(missing.is_empty(), "{class}: {missing:?}");
        }
        let missing: Vec<_> = AGGREGATES.iter().filter(|n| !all.aggregates.contains_key(**n)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let missing: Vec<_> = WINDOWS.iter().filter(|n| !all.windows.contains_key(**n)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(
            TOTAL.iter().all(|n| is_scalar(n) || *n == nearest::NAME)
                && SAFE_STATISTICS.iter().all(|n| is_aggregate(n))
        );
        for gone in ["version", "random", "generate_series", "array_agg", "repeat", "input_file_name"] {
            assert!(!all.scalars.contains_key(gone) && !all.aggregates.contains_key(gone), "{gone}");
        }
    }
}
