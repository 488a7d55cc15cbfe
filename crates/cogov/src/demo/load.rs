//! Loading the demo world: the same acts that people do, by the people of the world.

use super::{
    consultations::Consultations,
    sources,
    world::{self, DemoAccount, DemoApplication, DemoDataset, DemoGrant, DemoTable, Grants, World},
};
use anyhow::{Context, Result, anyhow};
use cogov_app::{
    Actor, App, AppError, ApplicationAct, ApplicationDraft, Description, ImportRequest, ImportSource,
    LabelChoice, NewAccount, SetupGrant,
};
use cogov_model::{AccountName, Clauses, Grant, PartyId, Role, Term, Text, Timestamp};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// The file that says how far a load came: it is removed when the world is whole.
const UNDER_WAY: &str = "demo.loading";

/// Loads the world into an empty home; does nothing when it is loaded already.
pub async fn load_once(app: &App, folder: &Path, home: &Path) -> Result<()> {
    if app.is_demo() {
        println!("the demo world is loaded already in {}", home.display());
        return Ok(());
    }
    let mark = home.join(UNDER_WAY);
    if !app.parties().await.map_err(words)?.is_empty() && !mark.exists() {
        return Err(anyhow!(
            "{} holds another world: choose an empty folder with --home, or start without --demo",
            home.display()
        ));
    }
    fs::write(&mark, "the demo world is being loaded; a start with --demo goes on\n")?;
    let started = Instant::now();
    let (world, grants) = world::read(folder)?;
    println!("loading the demo world, {}", world.title.en);
    Loader { app, folder, spool: home.join("spool"), world: &world }.load(&grants).await?;
    app.mark_demo().await.map_err(words)?;
    fs::remove_file(&mark)?;
    println!("the demo world was loaded in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

struct Loader<'a> {
    app: &'a App,
    folder: &'a Path,
    spool: PathBuf,
    world: &'a World,
}

impl Loader<'_> {
    async fn load(&self, grants: &Grants) -> Result<()> {
        for party in &self.world.party {
            self.app.put_party(party).await.map_err(words)?;
        }
        self.accounts().await?;
        println!("  {} parties, {} accounts", self.world.party.len(), self.world.account.len());
        let consultations = Consultations::read(self.app, self.folder, &self.world.account).await?;
        consultations.open(self.app).await.context("a consultation")?;
        for dataset in &self.world.dataset {
            self.dataset(dataset).await.with_context(|| format!("dataset {}", dataset.id))?;
        }
        for dataset in self.world.dataset.iter().filter(|dataset| !dataset.privacy.is_empty()) {
            // Once every dataset is there: keys of groups may be those of another one's public table.
            let steward = self.somebody(&dataset.provider, Role::Steward).await?;
            let declared = self.app.declare_privacy(&steward, &dataset.id, dataset.privacy.clone()).await;
            declared.map_err(words).with_context(|| format!("the privacy of {}", dataset.id))?;
        }
        let now = Timestamp::from_millis(chrono::Utc::now().timestamp_millis());
        for grant in &grants.grant {
            self.grant(grant, now).await.with_context(|| format!("grant {}", grant.id))?;
        }
        println!("  {} grants", grants.grant.len());
        for application in &grants.application {
            self.application(application).await.context("an application")?;
        }
        consultations.conclude(self.app).await.context("a consultation")?;
        Ok(())
    }

    /// Passwords are hashed slowly by design, so all at once.
    async fn accounts(&self) -> Result<()> {
        let mut tasks = tokio::task::JoinSet::new();
        for account in &self.world.account {
            let (app, account) = (self.app.clone(), new_account(account));
            tasks.spawn(async move {
                let (name, display, party, roles, locale, password) = account;
                app.put_account(NewAccount {
                    name,
                    display: &display,
                    party,
                    roles,
                    locale,
                    password: &password,
                })
                .await
            });
        }
        while let Some(done) = tasks.join_next().await {
            done?.map_err(words)?;
        }
        Ok(())
    }

    /// Imports, labels, describes and publishes a dataset, as its steward.
    async fn dataset(&self, dataset: &DemoDataset) -> Result<()> {
        let steward = self.somebody(&dataset.provider, Role::Steward).await?;
        for table in &dataset.table {
            let started = Instant::now();
            let name = format!("{}.{}", dataset.id, table.name);
            let (folder, spool) = (self.folder.to_path_buf(), self.spool.clone());
            let file = {
                let name = name.clone();
                let table: &DemoTable = table;
                tokio::task::block_in_place(|| sources::prepare(&folder, &spool, &name, table))?
            };
            let request = ImportRequest {
                dataset: dataset.id.clone(),
                table: table.name.clone(),
                source: ImportSource::Path(file.clone()),
            };
            let account = self.app.import(&steward, request, |_| {}).await.map_err(words)?;
            fs::remove_file(file)?;
            let labels = table.column.iter().map(|c| (c.column.name.clone(), choice(c, &account.profile)));
            self.app
                .decide_labels(&steward, &dataset.id, &table.name, labels.collect())
                .await
                .map_err(words)?;
            println!(
                "  {name}: {} rows × {} columns, {:.1} s",
                account.table.rows,
                table.column.len(),
                started.elapsed().as_secs_f64()
            );
        }
        self.app.describe(&steward, &dataset.id, description(dataset)).await.map_err(words)?;
        self.app.publish(&steward, &dataset.id).await.map_err(words)?;
        Ok(())
    }

    async fn grant(&self, demo: &DemoGrant, now: Timestamp) -> Result<()> {
        let conditions = demo.conditions.iter().map(|c| Ok((world::column_ref(&c.column)?, c.treatment)));
        let grant = Grant {
            id: demo.id.clone(),
            name: demo.name.clone(),
            party: demo.party.clone(),
            providers: demo.providers.clone(),
            columns: world::column_refs(&demo.columns)?,
            conditions: conditions.collect::<Result<_>>()?,
            scope: demo.scope.clone(),
            purpose: demo.purpose.clone(),
            form: demo.form,
            lane: demo.lane,
            term: Term { from: now.plus_days(demo.starts), until: now.plus_days(demo.ends) },
            state: demo.state,
            made_at: now.plus_days(demo.starts),
            application: None,
            verification: demo.verification.clone(),
        };
        let (reasons, clauses) = match &demo.refusal {
            Some(refusal) => (refusal.reasons.clone(), refusal.clauses.iter().cloned().collect()),
            None => (demo.purpose.words.clone(), Clauses::new()),
        };
        self.app.put_grant(SetupGrant { grant, reasons, clauses }).await.map_err(words)
    }

    /// An application that its own head agreed to, so that it waits for the provider.
    async fn application(&self, demo: &DemoApplication) -> Result<()> {
        let requester = self.actor(&demo.account).await?;
        if self
            .app
            .inbox(&requester)
            .await
            .map_err(words)?
            .iter()
            .any(|item| item.application.requester == requester.party.id)
        {
            return Ok(());
        }
        let draft = ApplicationDraft {
            provider: demo.provider.clone(),
            columns: world::column_refs(&demo.columns)?,
            scope: demo.scope.clone(),
            purpose: demo.purpose.clone(),
            form: demo.form,
            lane: demo.lane,
            days: u32::try_from(demo.ends.saturating_sub(demo.starts)).unwrap_or(365).max(1),
            verification: None,
        };
        let id = self.app.apply(&requester, draft).await.map_err(words)?;
        if let Ok(head) = self.somebody(&requester.party.id, Role::Head).await {
            let agree = ApplicationAct::ApproveAsHead { words: "In order.".into() };
            match self.app.act(&head, &id, agree).await {
                Ok(_) | Err(AppError::Forbidden(_)) => {}
                Err(error) => return Err(words(error)),
            }
        }
        Ok(())
    }

    async fn somebody(&self, party: &PartyId, role: Role) -> Result<Actor> {
        let fitting = self.world.account.iter().find(|a| a.party == *party && a.roles.contains(&role));
        let account = fitting.with_context(|| format!("{party} has no {}", role.code()))?;
        self.actor(&account.name).await
    }

    async fn actor(&self, name: &AccountName) -> Result<Actor> {
        let account = self
            .world
            .account
            .iter()
            .find(|a| a.name == *name)
            .with_context(|| format!("no account {name}"))?;
        let home = std::net::IpAddr::from([127, 0, 0, 1]);
        self.app.authenticate(name.as_str(), &account.password, home).await.map_err(words)
    }
}

type AccountParts = (AccountName, String, PartyId, Vec<Role>, cogov_model::Locale, String);

fn new_account(account: &DemoAccount) -> AccountParts {
    (
        account.name.clone(),
        account.display.get(account.locale).to_owned(),
        account.party.clone(),
        account.roles.clone(),
        account.locale,
        account.password.clone(),
    )
}

/// The steward of the world accepts a proposal that agrees with the manifest and overrides another.
fn choice(demo: &world::DemoColumn, profile: &cogov_model::TableProfile) -> LabelChoice {
    let column = &demo.column;
    let proposed = profile.columns.iter().find(|p| p.name == column.name).map(|p| &p.proposal.label);
    if proposed == Some(&column.label) {
        return LabelChoice::Accept;
    }
    LabelChoice::Override {
        categories: column.label.categories.iter().cloned().collect(),
        grade: column.label.grade,
        reason: if column.reason.is_empty() {
            Text::new("By the scheme of the demo world.", "依据演示数据的分类方案。")
        } else {
            column.reason.clone()
        },
    }
}

fn description(dataset: &DemoDataset) -> Description {
    let mut units = BTreeMap::new();
    let mut columns = BTreeMap::new();
    for table in &dataset.table {
        units.insert(table.name.clone(), table.unit.clone());
        for demo in &table.column {
            let place = (table.name.clone(), demo.column.name.clone());
            columns.insert(place, (demo.column.title.clone(), demo.column.description.clone()));
        }
    }
    Description {
        title: dataset.title.clone(),
        description: dataset.description.clone(),
        keywords: dataset.keywords.clone(),
        update_frequency: dataset.update_frequency.clone(),
        lanes: dataset.lanes.clone(),
        sharing: dataset.sharing.clone(),
        regions: dataset.regions.clone(),
        tables: dataset.table.iter().map(|table| (table.name.clone(), table.title.clone())).collect(),
        units,
        columns,
    }
}

fn words(error: AppError) -> anyhow::Error {
    anyhow!("{} ({})", error.reason().en, error.code())
}
