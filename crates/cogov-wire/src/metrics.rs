//! What the doors count, in the names of Prometheus.

use cogov_app::Door;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// After so many queries the histograms are folded, whether anybody looks at them or not.
const FOLD_AFTER: u64 = 1024;

static ANSWERED: AtomicU64 = AtomicU64::new(0);
static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The recorder of this process, installed at the first call; none when another one was installed before.
pub(crate) fn handle() -> Option<&'static PrometheusHandle> {
    HANDLE
        .get_or_init(|| install().inspect_err(|error| tracing::warn!(%error, "metrics are off")).ok())
        .as_ref()
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?
        .install_recorder()?;
    metrics::describe_counter!("cogov_queries_total", "Queries by door and outcome.");
    metrics::describe_histogram!("cogov_query_seconds", "From the decision to the last row, by door.");
    metrics::describe_counter!("cogov_sign_ins_total", "Sign-ins by door and outcome.");
    metrics::describe_gauge!("cogov_pg_connections", "Open connections of the PostgreSQL door.");
    metrics::describe_counter!(
        "cogov_http_requests_total",
        "Requests of the HTTP API by method, path and status."
    );
    metrics::describe_gauge!("cogov_ledger_entries", "Entries on the ledger.");
    Ok(handle)
}

/// Counts a query: its outcome, and how long it took when it was answered.
pub(crate) fn query(door: Door, outcome: &'static str, took: Option<Duration>) {
    metrics::counter!("cogov_queries_total", "door" => door.code(), "outcome" => outcome).increment(1);
    if let Some(took) = took {
        metrics::histogram!("cogov_query_seconds", "door" => door.code()).record(took.as_secs_f64());
        if ANSWERED.fetch_add(1, Ordering::Relaxed) % FOLD_AFTER == FOLD_AFTER - 1
            && let Some(handle) = handle()
        {
            handle.run_upkeep();
        }
    }
}

/// Counts a sign-in.
pub(crate) fn sign_in(door: Door, outcome: &'static str) {
    metrics::counter!("cogov_sign_ins_total", "door" => door.code(), "outcome" => outcome).increment(1);
}
