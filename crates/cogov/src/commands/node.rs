//! Opening a node from its settings.

use crate::{documents, settings::Settings};
use anyhow::{Context, Result, bail};
use cogov_app::{App, AppConfig};
use std::time::Duration;

/// Opens the node that the settings name.
pub async fn open(settings: &Settings) -> Result<App> {
    let mut config = AppConfig::new(settings.home.clone(), documents::shipped()?);
    config.database_url.clone_from(&settings.database_url);
    config.origin.clone_from(&settings.origin);
    config.storage_url.clone_from(&settings.storage_url);
    let limits = [settings.memory_mb, settings.query_memory_mb].into_iter().flatten().collect::<Vec<_>>();
    if limits.contains(&0) || settings.query_seconds == Some(0) {
        bail!("memory_mb, query_memory_mb and query_seconds must be at least 1");
    }
    config.limits(
        settings.memory_mb.map(|mb| mb << 20),
        settings.query_memory_mb.map(|mb| mb << 20),
        settings.query_seconds.map(Duration::from_secs),
    );
    App::open(config)
        .await
        .with_context(|| format!("the node in {} cannot be opened", settings.home.display()))
}
