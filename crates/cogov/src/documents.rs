//! The documents that ship: rulebook, scheme, purposes, working days — compiled in, so that the binary is whole.

use anyhow::{Context, Result};
use cogov_app::Documents;
use cogov_model::{PurposeCode, Text};
use serde::Deserialize;

#[derive(Deserialize)]
struct Purposes {
    purpose: Vec<Purpose>,
}

#[derive(Deserialize)]
struct Purpose {
    code: PurposeCode,
    name: Text,
}

/// The Decree 809 profile with its data files.
pub fn shipped() -> Result<Documents> {
    let purposes: Purposes = toml::from_str(include_str!("../../../rulebooks/purposes.toml"))
        .context("rulebooks/purposes.toml")?;
    Ok(Documents {
        rulebook: include_str!("../../../rulebooks/decree-809.md").to_owned(),
        rulebook_zh: include_str!("../../../rulebooks/decree-809.zh.md").to_owned(),
        scheme: toml::from_str(include_str!("../../../rulebooks/scheme.toml"))
            .context("rulebooks/scheme.toml")?,
        calendar: toml::from_str(include_str!("../../../rulebooks/holidays-cn.toml"))
            .context("rulebooks/holidays-cn.toml")?,
        purposes: purposes.purpose.into_iter().map(|purpose| (purpose.code, purpose.name)).collect(),
    })
}
