//! The manifests of the demo world, `demo/world.toml` and `demo/grants.toml`.

use anyhow::{Context, Result};
use cogov_model::{
    AccountName, ClauseId, Column, ColumnName, ColumnRef, DatasetId, DatasetPrivacy, Form, GrantId,
    GrantState, Lane, Locale, Party, PartyId, Purpose, RegionCode, Role, RowScope, SharingAttribute,
    TableName, Text, Treatment, Verification,
};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// Who is in the world and what they hold.
#[derive(Deserialize)]
pub struct World {
    /// Its name.
    pub title: Text,
    /// The parties.
    pub party: Vec<Party>,
    /// The accounts.
    pub account: Vec<DemoAccount>,
    /// The datasets.
    pub dataset: Vec<DemoDataset>,
}

/// An account of the world.
#[derive(Deserialize)]
pub struct DemoAccount {
    /// Sign-in name.
    pub name: AccountName,
    /// The person's name.
    pub display: Text,
    /// The party.
    pub party: PartyId,
    /// Roles.
    pub roles: Vec<Role>,
    /// Password, for loopback only.
    pub password: String,
    /// Language.
    pub locale: Locale,
}

/// A dataset of the world.
#[derive(Deserialize)]
pub struct DemoDataset {
    /// Identifier.
    pub id: DatasetId,
    /// Provider.
    pub provider: PartyId,
    /// Name.
    pub title: Text,
    /// Description.
    pub description: Text,
    /// Keywords.
    pub keywords: Vec<Text>,
    /// Update frequency.
    pub update_frequency: Text,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Sharing attribute.
    pub sharing: SharingAttribute,
    /// Regions.
    #[serde(default)]
    pub regions: Vec<RegionCode>,
    /// What is declared for answers under noise.
    #[serde(default)]
    pub privacy: DatasetPrivacy,
    /// Tables.
    pub table: Vec<DemoTable>,
}

/// A table of the world.
#[derive(Deserialize)]
pub struct DemoTable {
    /// Name.
    pub name: TableName,
    /// Title.
    #[serde(default)]
    pub title: Text,
    /// Where its rows come from.
    pub from: String,
    /// The column that identifies a person or unit.
    pub unit: Option<ColumnName>,
    /// Columns.
    pub column: Vec<DemoColumn>,
}

/// A column of the world.
#[derive(Deserialize)]
pub struct DemoColumn {
    /// The column with the label that its steward decides.
    #[serde(flatten)]
    pub column: Column,
    /// Its name in the source file.
    pub source: Option<String>,
}

/// The grants of the world.
#[derive(Deserialize)]
pub struct Grants {
    /// The grants that stand ready.
    pub grant: Vec<DemoGrant>,
    /// The applications that wait.
    #[serde(default)]
    pub application: Vec<DemoApplication>,
}

/// A grant of the world.
#[derive(Deserialize)]
pub struct DemoGrant {
    /// Identifier.
    pub id: GrantId,
    /// Name.
    pub name: Text,
    /// Holder.
    pub party: PartyId,
    /// The account that uses it.
    pub account: AccountName,
    /// Providers.
    pub providers: Vec<PartyId>,
    /// Form.
    pub form: Form,
    /// Lane.
    pub lane: Lane,
    /// First day, from the first start.
    pub starts: i64,
    /// Last day, from the first start.
    pub ends: i64,
    /// State.
    pub state: GrantState,
    /// Purpose.
    pub purpose: Purpose,
    /// Columns by `dataset.table`.
    pub columns: BTreeMap<String, Vec<ColumnName>>,
    /// Row scope.
    #[serde(default)]
    pub scope: RowScope,
    /// Treatments on top.
    #[serde(default)]
    pub conditions: Vec<DemoCondition>,
    /// Why it was refused.
    pub refusal: Option<DemoRefusal>,
    /// The questions of a verify grant.
    #[serde(default)]
    pub verification: Option<Verification>,
}

/// A treatment set on top of the rulebook's.
#[derive(Deserialize)]
pub struct DemoCondition {
    /// `dataset.table.column`.
    pub column: String,
    /// The treatment.
    pub treatment: Treatment,
}

/// Why something was refused.
#[derive(Deserialize)]
pub struct DemoRefusal {
    /// Reasons.
    pub reasons: Text,
    /// Clauses.
    pub clauses: Vec<ClauseId>,
}

/// An application that waits.
#[derive(Deserialize)]
pub struct DemoApplication {
    /// The account that writes it.
    pub account: AccountName,
    /// Provider.
    pub provider: PartyId,
    /// Form.
    pub form: Form,
    /// Lane.
    pub lane: Lane,
    /// First day, from the first start.
    pub starts: i64,
    /// Last day, from the first start.
    pub ends: i64,
    /// Purpose.
    pub purpose: Purpose,
    /// Columns by `dataset.table`.
    pub columns: BTreeMap<String, Vec<ColumnName>>,
    /// Row scope.
    #[serde(default)]
    pub scope: RowScope,
}

/// Reads both manifests.
pub fn read(folder: &Path) -> Result<(World, Grants)> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let world = toml::from_str(&text("world.toml")?).context("world.toml is not as it should be")?;
    let grants = toml::from_str(&text("grants.toml")?).context("grants.toml is not as it should be")?;
    Ok((world, grants))
}

/// `{"dataset.table": [columns]}` as full names.
pub fn column_refs(columns: &BTreeMap<String, Vec<ColumnName>>) -> Result<Vec<ColumnRef>> {
    let mut all = Vec::new();
    for (place, names) in columns {
        let (dataset, table) =
            place.split_once('.').with_context(|| format!("{place} is no dataset.table"))?;
        for column in names {
            all.push(ColumnRef {
                dataset: DatasetId::new(dataset)?,
                table: TableName::new(table)?,
                column: column.clone(),
            });
        }
    }
    Ok(all)
}

/// `dataset.table.column` as a full name.
pub fn column_ref(text: &str) -> Result<ColumnRef> {
    let mut parts = text.splitn(3, '.');
    let mut part = || parts.next().with_context(|| format!("{text} is no dataset.table.column"));
    Ok(ColumnRef {
        dataset: DatasetId::new(part()?)?,
        table: TableName::new(part()?)?,
        column: ColumnName::new(part()?)?,
    })
}
