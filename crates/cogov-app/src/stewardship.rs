//! The steward's work: import, look at the profile, decide each label, describe, publish.

use crate::{
    Actor, App, AppError,
    article13::{check_description, missing},
    error::{Result, found},
    record::Act,
};
use bytes::Bytes;
use cogov_engine::import::{ImportError, ImportPlan, ImportSource, Imported, Progress, Sink, import};
use cogov_model::{
    AccountName, CategoryCode, Column, ColumnName, Dataset, DatasetId, DatasetState, EntryKind, Finding,
    Grade, Label, LabelProposal, Lane, Outcome, RegionCode, Role, SharingAttribute, Table, TableName,
    TableProfile, TableVersion, Text, Version,
};
use cogov_store::{LabelChoice as StoredChoice, LabelDecision, StoreError};
use std::collections::BTreeMap;

/// How often an import joins anew when others import into the same dataset at the same time.
const IMPORT_TRIES: u32 = 16;

/// A file on its way in.
pub struct ImportRequest {
    /// Which dataset; made as a draft when it does not exist.
    pub dataset: DatasetId,
    /// Which table of it; replaced when it exists.
    pub table: TableName,
    /// The file.
    pub source: ImportSource,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct ImportAccount {
    /// The dataset.
    pub dataset: DatasetId,
    /// The new version's number.
    pub version: u64,
    /// The table as stored.
    pub table: TableVersion,
    /// Its profile and proposed labels.
    pub profile: TableProfile,
    /// The ledger entry.
    pub entry: u64,
}

/// A column of a draft: what is proposed and what was decided.
#[derive(Debug, Clone)]
pub struct LabelState {
    /// The column, with the label that holds now.
    pub column: Column,
    /// What the import proposes.
    pub proposed: Label,
    /// Why.
    pub findings: Vec<Finding>,
    /// Who decided, and the reason when it is another label than proposed.
    pub decided: Option<(AccountName, Text)>,
    /// Examples, masked.
    pub examples: Vec<String>,
    /// Nulls in the column.
    pub nulls: u64,
    /// Distinct values in the column.
    pub distinct: u64,
}

/// A table of a draft.
#[derive(Debug, Clone)]
pub struct DraftTable {
    /// The table.
    pub table: Table,
    /// The object it lies in.
    pub stored: Option<TableVersion>,
    /// What the import found; none before the first import.
    pub profile: Option<TableProfile>,
    /// Column by column.
    pub labels: Vec<LabelState>,
}

/// A steward's page of a dataset.
#[derive(Debug, Clone)]
pub struct DraftPage {
    /// The dataset.
    pub dataset: Dataset,
    /// Its tables.
    pub tables: Vec<DraftTable>,
    /// What still keeps it from being published.
    pub missing: Vec<Text>,
}

/// What a steward decides on a proposed label.
#[derive(Debug, Clone)]
pub enum LabelChoice {
    /// The proposal holds.
    Accept,
    /// Another label holds, for this reason.
    Override {
        /// The categories.
        categories: Vec<CategoryCode>,
        /// The grade.
        grade: Grade,
        /// Why.
        reason: Text,
    },
}

/// The words of a catalogue entry (article 13).
#[derive(Debug, Clone)]
pub struct Description {
    /// Its name.
    pub title: Text,
    /// What it holds.
    pub description: Text,
    /// Words to find it by.
    pub keywords: Vec<Text>,
    /// How often it is updated.
    pub update_frequency: Text,
    /// The lanes it may flow in.
    pub lanes: Vec<Lane>,
    /// Its sharing attribute.
    pub sharing: SharingAttribute,
    /// The regions it covers.
    pub regions: Vec<RegionCode>,
    /// Names of tables, where they change.
    pub tables: BTreeMap<TableName, Text>,
    /// Per table, the column that identifies a person.
    pub units: BTreeMap<TableName, Option<ColumnName>>,
    /// Names and descriptions of columns, where they change.
    pub columns: BTreeMap<(TableName, ColumnName), (Text, Text)>,
}

impl App {
    /// The datasets of the actor's party, published or not.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn my_datasets(&self, actor: &Actor) -> Result<Vec<Dataset>> {
        self.all_datasets(Some(&actor.party.id)).await
    }

    /// Reads a file into a new version of a dataset. The version is visible only when it is complete.
    ///
    /// # Errors
    /// `Invalid` says what is wrong with the file; nothing is kept then.
    pub async fn import(
        &self,
        actor: &Actor,
        request: ImportRequest,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<ImportAccount> {
        actor.require(&[Role::Steward])?;
        self.own_or_new(actor, &request.dataset).await?;
        let mut plan = ImportPlan::new(self.scheme.clone());
        plan.spool_dir.clone_from(&self.spool);
        let sink = Sink {
            store: self.objects.clone(),
            folder: format!("datasets/{}", request.dataset),
            table: request.table.clone(),
        };
        let imported = import(request.source, plan, sink, progress).await.map_err(import_error)?;
        let (dataset, version) = self.keep_import(actor, &request.dataset, &request.table, &imported).await?;
        let act = Act::new(EntryKind::Import, Outcome::Done)
            .party(&actor.party.id)
            .datasets([dataset.id.clone()])
            .fact("table", &request.table)
            .fact("version", version)
            .fact("rows", imported.version.rows)
            .fact("rejected", imported.version.rejected)
            .fact("sha256", &imported.version.sha256)
            .by(&actor.account);
        let entry = self.record(act).await?;
        Ok(ImportAccount {
            dataset: dataset.id,
            version,
            table: imported.version,
            profile: imported.profile,
            entry,
        })
    }

    /// A steward's view of a dataset: profiles, proposals, what is missing.
    ///
    /// # Errors
    /// `NotFound` when the actor's party has no such dataset.
    pub async fn draft(&self, actor: &Actor, id: &DatasetId) -> Result<DraftPage> {
        let (dataset, _) = self.own(actor, id).await?;
        let version = self.find_version(id, dataset.version).await?;
        let decisions = self.store.label_decisions(id).await?;
        let mut tables = Vec::new();
        for table in &dataset.tables {
            let profile = self.find_profile(id, &table.name).await?;
            let stored =
                version.as_ref().and_then(|v| v.tables.iter().find(|t| t.name == table.name)).cloned();
            let labels =
                table.columns.iter().map(|column| label_state(table, column, profile.as_ref(), &decisions));
            tables.push(DraftTable { labels: labels.collect(), table: table.clone(), stored, profile });
        }
        let missing = missing(&dataset, &tables);
        Ok(DraftPage { dataset, tables, missing })
    }

    /// Accepts or overrides the label proposed for a column.
    ///
    /// # Errors
    /// `Invalid` when an override has no reason, an unknown category or a grade below the scheme's floor.
    pub async fn decide_label(
        &self,
        actor: &Actor,
        id: &DatasetId,
        table: &TableName,
        column: &ColumnName,
        choice: LabelChoice,
    ) -> Result<()> {
        self.decide_labels(actor, id, table, vec![(column.clone(), choice)]).await
    }

    /// Decides several labels of one table in one step.
    ///
    /// # Errors
    /// As `decide_label`; then none is changed.
    pub async fn decide_labels(
        &self,
        actor: &Actor,
        id: &DatasetId,
        table: &TableName,
        choices: Vec<(ColumnName, LabelChoice)>,
    ) -> Result<()> {
        actor.require(&[Role::Steward])?;
        let (mut dataset, revision) = self.own(actor, id).await?;
        let profile = self.find_profile(id, table).await?;
        let mut decisions = Vec::new();
        for (name, choice) in choices {
            let proposed = proposal(&name, profile.as_ref()).map(|p| p.label.clone());
            let (label, reason, kind) = self.label_of(&name, choice, profile.as_ref())?;
            let target = dataset.tables.iter_mut().find(|t| t.name == *table);
            let target = target.and_then(|t| t.columns.iter_mut().find(|c| c.name == name));
            let Some(target) = target else {
                return Err(AppError::not_found(
                    format!("There is no column {name}."),
                    format!("没有列 {name}。"),
                ));
            };
            target.label = label.clone();
            target.reason = reason.clone();
            decisions.push(LabelDecision {
                dataset: id.clone(),
                version: dataset.version,
                table: table.clone(),
                column: name,
                proposed: proposed.unwrap_or(label),
                choice: kind,
                account: actor.account.clone(),
                at: self.clock.now(),
            });
        }
        dataset.changed_at = self.clock.now();
        let overridden = decisions.iter().filter(|d| d.choice != StoredChoice::Accepted).count();
        let count = decisions.len();
        self.store.decide_labels(&dataset, revision, &decisions).await?;
        let act = Act::new(EntryKind::Label, Outcome::Done)
            .party(&actor.party.id)
            .datasets([id.clone()])
            .fact("table", table)
            .fact("columns", count)
            .fact("overridden", overridden)
            .fact("grade", dataset.label().grade)
            .by(&actor.account);
        self.record(act).await?;
        Ok(())
    }

    /// Accepts every proposal of a table that is not decided yet.
    ///
    /// # Errors
    /// As `decide_label`.
    pub async fn accept_labels(&self, actor: &Actor, id: &DatasetId, table: &TableName) -> Result<()> {
        let page = self.draft(actor, id).await?;
        let open = page.tables.into_iter().filter(|t| t.table.name == *table).flat_map(|t| t.labels);
        let open: Vec<_> =
            open.filter(|l| l.decided.is_none()).map(|l| (l.column.name, LabelChoice::Accept)).collect();
        if open.is_empty() { Ok(()) } else { self.decide_labels(actor, id, table, open).await }
    }

    /// Writes the catalogue entry's words.
    ///
    /// # Errors
    /// `Invalid` names the first field that is missing.
    pub async fn describe(&self, actor: &Actor, id: &DatasetId, words: Description) -> Result<()> {
        actor.require(&[Role::Steward])?;
        let (mut dataset, revision) = self.own(actor, id).await?;
        check_description(&words)?;
        dataset.title = words.title;
        dataset.description = words.description;
        dataset.keywords = words.keywords;
        dataset.update_frequency = words.update_frequency;
        dataset.lanes = words.lanes;
        dataset.sharing = words.sharing;
        dataset.regions = words.regions;
        for table in &mut dataset.tables {
            if let Some(title) = words.tables.get(&table.name) {
                table.title = title.clone();
            }
            if let Some(unit) = words.units.get(&table.name) {
                if unit.as_ref().is_some_and(|unit| table.column(unit).is_none()) {
                    return Err(AppError::invalid(
                        "unit",
                        "The person column is not in the table.",
                        "所选个人标识列不在表中。",
                    ));
                }
                table.unit.clone_from(unit);
            }
            for column in &mut table.columns {
                if let Some((title, description)) =
                    words.columns.get(&(table.name.clone(), column.name.clone()))
                {
                    column.title = title.clone();
                    column.description = description.clone();
                }
            }
        }
        dataset.changed_at = self.clock.now();
        self.store.update_dataset(&dataset, revision).await?;
        if dataset.state == DatasetState::Published {
            // What the catalogue says, and under which attribute it shares, changed in public (article 17).
            let act = Act::new(EntryKind::Publish, Outcome::Done)
                .party(&actor.party.id)
                .datasets([id.clone()])
                .fact("version", dataset.version)
                .fact("changed", "description")
                .fact("sharing", dataset.sharing.code())
                .by(&actor.account);
            self.record(act).await?;
        }
        Ok(())
    }

    /// Puts a dataset into the catalogue; returns the ledger entry.
    ///
    /// # Errors
    /// `Invalid` lists the first thing that is missing.
    pub async fn publish(&self, actor: &Actor, id: &DatasetId) -> Result<u64> {
        actor.require(&[Role::Steward])?;
        let page = self.draft(actor, id).await?;
        if let Some(first) = page.missing.into_iter().next() {
            return Err(AppError::Invalid { field: None, advice: first });
        }
        let (mut dataset, revision) = self.own(actor, id).await?;
        dataset.state = DatasetState::Published;
        dataset.changed_at = self.clock.now();
        self.store.update_dataset(&dataset, revision).await?;
        let act = Act::new(EntryKind::Publish, Outcome::Done)
            .party(&actor.party.id)
            .datasets([id.clone()])
            .fact("version", dataset.version)
            .fact("grade", dataset.label().grade)
            .fact("sharing", dataset.sharing.code())
            .by(&actor.account);
        self.record(act).await
    }

    /// The rows of a table's last import that did not parse, as CSV with line and reason.
    ///
    /// # Errors
    /// `NotFound` when every row parsed.
    pub async fn rejects(&self, actor: &Actor, id: &DatasetId, table: &TableName) -> Result<Bytes> {
        actor.require(&[Role::Steward])?;
        let (dataset, _) = self.own(actor, id).await?;
        let version = self.find_version(id, dataset.version).await?;
        let stored = version.and_then(|v| v.tables.into_iter().find(|t| t.name == *table));
        let none = || {
            AppError::not_found(
                "Every row parsed: there is no reject file.",
                "所有行均已解析：没有拒收文件。",
            )
        };
        let path = stored.and_then(|t| t.rejects_path).ok_or_else(none)?;
        self.object(&path).await
    }

    async fn find_profile(&self, id: &DatasetId, table: &TableName) -> Result<Option<TableProfile>> {
        Ok(found(self.store.profile(id, table).await)?.map(|(_, profile)| profile))
    }

    async fn own(&self, actor: &Actor, id: &DatasetId) -> Result<(Dataset, u64)> {
        let own = found(self.store.dataset(id).await)?.filter(|own| own.record.provider == actor.party.id);
        own.map(|own| (own.record, own.revision)).ok_or_else(|| {
            AppError::not_found(format!("Your party has no dataset {id}."), format!("贵方没有数据集 {id}。"))
        })
    }

    async fn own_or_new(&self, actor: &Actor, id: &DatasetId) -> Result<()> {
        match self.find_dataset(id).await? {
            Some(dataset) if dataset.provider != actor.party.id => Err(name_taken(id)),
            _ => Ok(()),
        }
    }

    /// Joins the import to the dataset: the other tables stay, labels that were decided stay unless the
    /// new proposal grades higher.
    async fn keep_import(
        &self,
        actor: &Actor,
        id: &DatasetId,
        table: &TableName,
        imported: &Imported,
    ) -> Result<(Dataset, u64)> {
        // Another import of the same dataset may have finished meanwhile: join to what is there now.
        for _ in 0..IMPORT_TRIES {
            let Some(stored) = found(self.store.dataset(id).await)? else {
                match self.store.add_dataset(&new_dataset(actor, id, self.clock.now())).await {
                    Ok(_) | Err(StoreError::Exists { .. }) => continue,
                    Err(error) => return Err(error.into()),
                }
            };
            // Looked at again: somebody may have taken the name while this file was being read.
            if stored.record.provider != actor.party.id {
                return Err(name_taken(id));
            }
            let (mut dataset, revision) = (stored.record, stored.revision);
            let before = self.find_version(id, dataset.version).await?;
            let mut tables = before.map(|version| version.tables).unwrap_or_default();
            tables.retain(|other| other.name != *table);
            tables.push(imported.version.clone());
            dataset.version += 1;
            dataset.changed_at = self.clock.now();
            join_table(&mut dataset, table, imported.columns());
            let version = Version {
                dataset: id.clone(),
                number: dataset.version,
                created_at: dataset.changed_at,
                tables,
            };
            let profiles = [(table.clone(), imported.profile.clone())];
            match self.store.add_version(&dataset, revision, &version, &profiles).await {
                Ok(_) => return Ok((dataset, version.number)),
                Err(StoreError::Conflict { .. } | StoreError::Exists { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        Err(AppError::conflict(
            "Others import into this dataset at the same time: try again.",
            "其他人正在向该数据集导入，请重试。",
        ))
    }

    fn label_of(
        &self,
        column: &ColumnName,
        choice: LabelChoice,
        profile: Option<&TableProfile>,
    ) -> Result<(Label, Text, StoredChoice)> {
        match choice {
            LabelChoice::Accept => {
                let Some(proposal) = proposal(column, profile) else {
                    return Err(AppError::not_found(
                        format!("Nothing is proposed for {column}."),
                        format!("列 {column} 没有建议。"),
                    ));
                };
                Ok((proposal.label.clone(), findings_text(&proposal.findings), StoredChoice::Accepted))
            }
            LabelChoice::Override { categories, grade, reason } => {
                if reason.is_empty() {
                    return Err(AppError::invalid(
                        "reason",
                        format!("Say why {column} gets another label than proposed."),
                        format!("请说明列 {column} 为何采用不同的标签。"),
                    ));
                }
                for code in &categories {
                    if self.scheme.get(code).is_none() {
                        return Err(AppError::invalid(
                            "category",
                            format!("The scheme has no category {code}."),
                            format!("分类体系中没有 {code}。"),
                        ));
                    }
                    let floor = self.scheme.floor(code);
                    if grade < floor {
                        return Err(AppError::invalid(
                            "grade",
                            format!(
                                "{column}: category {code} is at least {floor}. Choose that grade or a higher one, or another category."
                            ),
                            format!(
                                "列 {column}：类别 {code} 至少为{}。请选择该级别或更高级别，或改选类别。",
                                floor.zh()
                            ),
                        ));
                    }
                }
                let label = Label::new(categories, grade);
                let stored = StoredChoice::Overridden { label: label.clone(), reason: reason.clone() };
                Ok((label, reason, stored))
            }
        }
    }
}

fn proposal<'a>(column: &ColumnName, profile: Option<&'a TableProfile>) -> Option<&'a LabelProposal> {
    profile?.columns.iter().find(|c| c.name == *column).map(|c| &c.proposal)
}

fn name_taken(id: &DatasetId) -> AppError {
    AppError::conflict(
        format!("The name {id} is taken by another party's dataset: choose another."),
        format!("名称 {id} 已被其他主体使用，请另选。"),
    )
}

fn new_dataset(actor: &Actor, id: &DatasetId, now: cogov_model::Timestamp) -> Dataset {
    Dataset {
        id: id.clone(),
        provider: actor.party.id.clone(),
        title: Text::default(),
        description: Text::default(),
        keywords: Vec::new(),
        update_frequency: Text::default(),
        lanes: Vec::new(),
        sharing: SharingAttribute::Conditional { conditions: Text::default() },
        regions: Vec::new(),
        tables: Vec::new(),
        privacy: cogov_model::DatasetPrivacy::default(),
        state: DatasetState::Draft,
        version: 0,
        changed_at: now,
    }
}

fn join_table(dataset: &mut Dataset, name: &TableName, mut columns: Vec<Column>) {
    let Some(table) = dataset.tables.iter_mut().find(|table| table.name == *name) else {
        dataset.tables.push(Table { name: name.clone(), title: Text::default(), columns, unit: None });
        return;
    };
    for column in &mut columns {
        let Some(old) = table.columns.iter().find(|old| old.name == column.name) else { continue };
        column.title = old.title.clone();
        column.description = old.description.clone();
        if column.label.grade <= old.label.grade {
            column.label = old.label.clone();
            column.reason = old.reason.clone();
        } else {
            // Never lower than what was decided, and higher where the new rows say so (annex J: dynamic update).
            column.label = column.label.clone().join(&old.label);
        }
    }
    if table.unit.as_ref().is_some_and(|unit| !columns.iter().any(|c| c.name == *unit)) {
        table.unit = None;
    }
    table.columns = columns;
}

fn label_state(
    table: &Table,
    column: &Column,
    profile: Option<&TableProfile>,
    decisions: &[LabelDecision],
) -> LabelState {
    let profile = profile.and_then(|p| p.columns.iter().find(|c| c.name == column.name));
    let decision = decisions.iter().find(|d| d.table == table.name && d.column == column.name);
    // A decision that the label has outgrown since, through a later import, is open again.
    let decision = decision.filter(|d| column.label.is_below(decided_label(d)));
    LabelState {
        proposed: profile.map_or_else(|| column.label.clone(), |p| p.proposal.label.clone()),
        findings: profile.map(|p| p.proposal.findings.clone()).unwrap_or_default(),
        decided: decision.map(|d| (d.account.clone(), column.reason.clone())),
        examples: profile.map(|p| p.examples.clone()).unwrap_or_default(),
        nulls: profile.map_or(0, |p| p.nulls),
        distinct: profile.map_or(0, |p| p.distinct),
        column: column.clone(),
    }
}

fn decided_label(decision: &LabelDecision) -> &Label {
    match &decision.choice {
        StoredChoice::Accepted => &decision.proposed,
        StoredChoice::Overridden { label, .. } => label,
    }
}

fn findings_text(findings: &[Finding]) -> Text {
    let join = |pick: fn(&Text) -> &str| {
        findings.iter().map(|finding| pick(&finding.words)).collect::<Vec<_>>().join("; ")
    };
    Text::new(join(|text| &text.en), join(|text| &text.zh))
}

fn import_error(error: ImportError) -> AppError {
    AppError::invalid("file", format!("Nothing was imported: {error}."), format!("未导入任何内容：{error}。"))
}
