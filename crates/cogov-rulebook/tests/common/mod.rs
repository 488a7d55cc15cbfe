//! The shipped rulebook and the demo world's parties, labels and grants, as the decision sees them.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod random;

use cogov_model::{
    ColumnRef, Condition, Grant, GrantState, Label, Party, Purpose, RowScope, SharingAttribute, Term, Text,
    Timestamp, Treatment,
};
use cogov_rulebook::{Ask, AskColumn, Permit, Preview, Refusal, Rulebook};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

pub fn file(path: &str) -> String {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn rulebook() -> Rulebook {
    let (en, zh) = (file("rulebooks/decree-809.md"), file("rulebooks/decree-809.zh.md"));
    Rulebook::parse(&en, Some(&zh)).unwrap_or_else(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

pub fn column(name: &str) -> ColumnRef {
    let parts: Vec<_> = name.split('.').collect();
    ColumnRef {
        dataset: parts[0].parse().unwrap(),
        table: parts[1].parse().unwrap(),
        column: parts[2].parse().unwrap(),
    }
}

#[derive(Deserialize)]
struct WorldFile {
    party: Vec<Party>,
    dataset: Vec<DatasetFile>,
}

#[derive(Deserialize)]
struct DatasetFile {
    id: String,
    provider: String,
    sharing: SharingAttribute,
    table: Vec<TableFile>,
}

#[derive(Deserialize)]
struct TableFile {
    name: String,
    column: Vec<ColumnFile>,
}

#[derive(Deserialize)]
struct ColumnFile {
    name: String,
    label: Label,
}

#[derive(Deserialize)]
struct GrantsFile {
    grant: Vec<GrantFile>,
}

#[derive(Deserialize)]
struct GrantFile {
    id: String,
    party: String,
    providers: Vec<String>,
    form: cogov_model::Form,
    lane: cogov_model::Lane,
    starts: i64,
    ends: i64,
    state: GrantState,
    purpose: Purpose,
    columns: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    scope: BTreeMap<String, Vec<Condition>>,
    #[serde(default)]
    conditions: Vec<ConditionFile>,
}

#[derive(Deserialize)]
struct ConditionFile {
    column: String,
    treatment: Treatment,
}

pub struct World {
    pub rulebook: Rulebook,
    pub parties: HashMap<String, Party>,
    pub labels: BTreeMap<ColumnRef, Label>,
    sharing: HashMap<String, (String, SharingAttribute)>,
    pub grants: HashMap<String, Grant>,
}

/// Day 0 of the demo world.
fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000).plus_days(days)
}

pub fn world() -> World {
    let world: WorldFile = toml::from_str(&file("demo/world.toml")).unwrap();
    let grants: GrantsFile = toml::from_str(&file("demo/grants.toml")).unwrap();
    let mut labels = BTreeMap::new();
    let mut sharing = HashMap::new();
    for dataset in world.dataset {
        for table in &dataset.table {
            for c in &table.column {
                labels.insert(column(&format!("{}.{}.{}", dataset.id, table.name, c.name)), c.label.clone());
            }
        }
        sharing.insert(dataset.id, (dataset.provider, dataset.sharing));
    }
    World {
        rulebook: rulebook(),
        parties: world.party.into_iter().map(|p| (p.id.to_string(), p)).collect(),
        labels,
        sharing,
        grants: grants.grant.into_iter().map(|g| (g.id.clone(), grant(g))).collect(),
    }
}

fn grant(file: GrantFile) -> Grant {
    let columns = file
        .columns
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |name| column(&format!("{table}.{name}"))));
    Grant {
        id: file.id.parse().unwrap(),
        name: Text::default(),
        party: file.party.parse().unwrap(),
        providers: file.providers.iter().map(|p| p.parse().unwrap()).collect(),
        columns: columns.collect(),
        conditions: file.conditions.iter().map(|c| (column(&c.column), c.treatment)).collect(),
        scope: RowScope(file.scope),
        purpose: file.purpose,
        form: file.form,
        lane: file.lane,
        term: Term { from: day(file.starts), until: day(file.ends) },
        state: file.state,
        made_at: day(file.starts),
        application: None,
        verification: None,
    }
}

impl World {
    pub fn ask<'a>(&'a self, grant: &str, party: &str, days: i64) -> Ask<'a> {
        let grant = &self.grants[grant];
        let columns = grant.columns.iter().map(|column| {
            let (provider, sharing) = &self.sharing[column.dataset.as_str()];
            AskColumn { column, label: &self.labels[column], sharing, provider: &self.parties[provider] }
        });
        Ask { grant, party: &self.parties[party], columns: columns.collect(), now: day(days) }
    }

    pub fn decide(&self, grant: &str, days: i64) -> Result<Permit, Refusal> {
        self.rulebook.decide(&self.ask(grant, self.grants[grant].party.as_str(), days))
    }

    pub fn decide_as(&self, grant: &str, party: &str) -> Result<Permit, Refusal> {
        self.rulebook.decide(&self.ask(grant, party, 0))
    }

    pub fn preview(&self, grant: &str, days: i64) -> Preview {
        self.rulebook.preview(&self.ask(grant, self.grants[grant].party.as_str(), days))
    }
}

/// The settings that every rulebook needs, as one clause.
pub const SETTINGS: &str = "## Settings {#settings}\n\nAll of them.\n\n```workflow\n\
    conditional_needs_conditions = true\nnot_shared_needs_law = true\ncatalogue_update_days = 10\n\
    catalogue_update_extension_days = 5\ncatalogue_review_days = 2\napplication_needs_legal_basis = true\n\
    application_needs_scenario = true\nrequester_head_approves = []\nprovider_head_approves = []\n\
    answer_days_unconditional = 1\nanswer_days_conditional = 10\nanswer_extension_days = 10\n\
    supplement_requests = 1\nrefusal_needs_reasons = true\ndelivery_days = 20\ncorrection_days = 10\n\
    records_years = 3\ngrant_term_months = 12\nsilence_refuses = true\n\
    stops_grant = [\"not-yet\", \"expired\", \"revoked\", \"refused\"]\n```\n\n";

/// The text of a rulebook with these rules, one clause each: `rule-0`, `rule-1`, …
pub fn book(rules: &[String]) -> String {
    let mut text = format!("+++\nid = \"test\"\ntitle = \"Test\"\n+++\n\n# Test\n\n{SETTINGS}");
    for (number, rule) in rules.iter().enumerate() {
        text.push_str(&format!("## Rule {number} {{#rule-{number}}}\n\nWords.\n\n```cedar\n{rule}\n```\n\n"));
    }
    text
}

/// Facts of a government body that asks another for rows of general 3 with a legal basis.
pub fn facts() -> cogov_rulebook::Facts {
    cogov_rulebook::Facts {
        party: "asker".parse().unwrap(),
        class: cogov_model::PartyClass::Government,
        tier: Some(cogov_model::Tier::State),
        region: None,
        form: cogov_model::Form::Rows,
        lane: cogov_model::Lane::Share,
        purpose: "administration.eligibility".parse().unwrap(),
        legal_basis: true,
        days_left: 100,
        label: Label::new(["person.finance".parse().unwrap()], cogov_model::Grade::General3),
        dataset: "data".parse().unwrap(),
        sharing: cogov_rulebook::Sharing::Conditional,
        provider: "provider".parse().unwrap(),
        provider_tier: Some(cogov_model::Tier::State),
        same_region: false,
        own_region_rows: false,
    }
}
