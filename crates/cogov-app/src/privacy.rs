//! Declarations for noise by stewards, and the budgets as pages show them.

use crate::{
    Actor, App, AppError,
    error::{Result, found},
    query::{BudgetLeft, is_public_column},
};
use cogov_model::{
    Dataset, DatasetId, DatasetPrivacy, DatasetState, Epsilon, Grant, GrantId, Month, Party, PublicKeys,
    Role, SharingAttribute, Treatment,
};
use cogov_rulebook::Ask;
use cogov_store::{BudgetOf, NoiseRecord, Page, Paged};

/// A budget as a page shows it.
#[derive(Debug, Clone)]
pub struct BudgetPage {
    /// The month.
    pub month: Month,
    /// What is left; none when nothing may be spent now.
    pub left: Option<BudgetLeft>,
    /// What was answered, newest first.
    pub answers: Paged<NoiseRecord>,
}

impl App {
    /// Declares what answers under noise need.
    ///
    /// # Errors
    /// `Invalid` says what is wrong; `NotFound` when the actor's party has no such dataset.
    pub async fn declare_privacy(
        &self,
        actor: &Actor,
        id: &DatasetId,
        privacy: DatasetPrivacy,
    ) -> Result<()> {
        actor.require(&[Role::Steward])?;
        let own = found(self.store.dataset(id).await)?.filter(|own| own.record.provider == actor.party.id);
        let mut own = own.ok_or_else(|| {
            AppError::not_found(format!("Your party has no dataset {id}."), format!("贵方没有数据集 {id}。"))
        })?;
        self.check_privacy(&own.record, &privacy).await?;
        if own.record.privacy == privacy {
            return Ok(());
        }
        own.record.privacy = privacy;
        own.record.changed_at = self.clock.now();
        self.store.update_dataset(&own.record, own.revision).await?;
        Ok(())
    }

    async fn check_privacy(&self, dataset: &Dataset, privacy: &DatasetPrivacy) -> Result<()> {
        let wrong = |en: String, zh: String| AppError::invalid("privacy", en, zh);
        for (name, declared) in &privacy.tables {
            declared.check().map_err(|words| {
                wrong(format!("Table {name}: {words}."), format!("表 {name} 的隐私声明有误：{words}。"))
            })?;
            let table = dataset.table(name);
            let missing = |column: &cogov_model::ColumnName| {
                wrong(format!("Table {name} has no column {column}."), format!("表 {name} 没有列 {column}。"))
            };
            for column in declared.bounds.keys().chain(declared.keys.keys()) {
                if table.and_then(|t| t.column(column)).is_none() {
                    return Err(missing(column));
                }
            }
            for keys in declared.keys.values() {
                let PublicKeys::Column(column) = keys else { continue };
                let named = self.find_dataset(&column.dataset).await?;
                let open = named.is_some_and(|named| {
                    named.state == DatasetState::Published
                        && named.sharing == SharingAttribute::Unconditional
                        && is_public_column(&named, column)
                });
                if !open {
                    return Err(wrong(
                        format!(
                            "{column} is no column of a public table: its dataset must be published and shared without conditions, and every column of its table of grade general 1 and not about persons."
                        ),
                        format!(
                            "{column} 不是公共表的列：其数据集须已发布且无条件共享，其所在表的每一列级别均为一般1级且不涉及个人。"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The budget of a grant this month.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn grant_budget(&self, id: &GrantId, page: &Page) -> Result<BudgetPage> {
        let grant = self.find_grant(id).await?;
        let missing = || AppError::not_found(format!("There is no grant {id}."), format!("没有授权 {id}。"));
        let grant = grant.ok_or_else(missing)?;
        let limit = self.noise_limit(&grant).await?;
        self.budget(BudgetOf::Grant(id.clone()), limit, page).await
    }

    /// The budget of a dataset this month, over all grants.
    ///
    /// # Errors
    /// `NotFound` when there is no such published dataset.
    pub async fn dataset_budget(&self, id: &DatasetId, page: &Page) -> Result<BudgetPage> {
        let dataset = self.find_dataset(id).await?.filter(|d| d.state == DatasetState::Published);
        let missing =
            || AppError::not_found(format!("There is no dataset {id}."), format!("没有数据集 {id}。"));
        let limit = dataset.ok_or_else(missing)?.privacy.epsilon_per_month;
        self.budget(BudgetOf::Dataset(id.clone()), limit, page).await
    }

    async fn budget(&self, of: BudgetOf, limit: Option<Epsilon>, page: &Page) -> Result<BudgetPage> {
        let month = Month::of(self.clock.now());
        let spent = self.store.noise_spent(&of, month).await?;
        let left = limit.map(|limit| BudgetLeft::new(limit, spent, month));
        Ok(BudgetPage { month, left, answers: self.store.noise_answers(&of, page).await? })
    }

    /// What the rulebook in force lets a grant spend in a month; none when nothing of it is under noise now.
    pub async fn noise_limit(&self, grant: &Grant) -> Result<Option<Epsilon>> {
        let reach = self.reach(grant).await?;
        let party: Party = self.party_or_unknown(&grant.party).await?;
        let columns = reach.ask_columns(grant);
        let ask = Ask { grant, party: &party, columns, now: self.clock.now() };
        let Ok(permit) = self.rulebook().decide(&ask) else { return Ok(None) };
        let noisy = permit.rulings().filter_map(|(_, ruling)| match ruling.treatment {
            Treatment::Noise { epsilon_per_month, .. } => Some(epsilon_per_month),
            _ => None,
        });
        Ok(noisy.min())
    }
}
