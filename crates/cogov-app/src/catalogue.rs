//! The catalogue: what there is, found by words in both languages and by facets. Public.

use crate::{
    App, AppError,
    error::{Result, found},
};
use cogov_engine::grading::invented_sample;
use cogov_model::{
    CategoryCode, Dataset, DatasetId, DatasetState, Grant, Party, PartyId, PurposeCode, Scheme, TableName,
    Text, Version,
};
use cogov_store::{DatasetFilter, Page};
use std::collections::{BTreeMap, HashMap};

/// Datasets a page.
pub const PAGE: usize = 20;
/// Rows of an invented sample.
const SAMPLE_ROWS: usize = 5;

/// What somebody looks for. Every facet may be left open.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct CatalogueQuery {
    /// Words in either language; all must be found.
    pub words: String,
    /// A category code; its children count too.
    pub category: Option<String>,
    /// A grade code.
    pub grade: Option<String>,
    /// A party id.
    pub provider: Option<String>,
    /// A region code.
    pub region: Option<String>,
    /// A sharing attribute code.
    pub sharing: Option<String>,
    /// A lane code.
    pub lane: Option<String>,
    /// The page, from 1.
    pub page: usize,
}

/// A dataset in a list.
#[derive(Debug, Clone)]
pub struct DatasetCard {
    /// The entry.
    pub dataset: Dataset,
    /// Who provides it.
    pub provider: Party,
    /// Rows in its current version.
    pub rows: u64,
    /// Grants that reach it and hold now.
    pub grants: usize,
}

/// One value of a facet.
#[derive(Debug, Clone)]
pub struct FacetValue {
    /// The code, for the URL.
    pub code: String,
    /// The name, for people.
    pub name: Text,
    /// Datasets that have it, given the other choices.
    pub count: usize,
}

/// A facet.
#[derive(Debug, Clone)]
pub struct Facet {
    /// `category`, `grade`, `provider`, `region`, `sharing` or `lane`.
    pub name: &'static str,
    /// Its values, most frequent first.
    pub values: Vec<FacetValue>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct CatalogueResult {
    /// How many.
    pub total: usize,
    /// This page of them.
    pub items: Vec<DatasetCard>,
    /// The facets over all that were found.
    pub facets: Vec<Facet>,
    /// How many pages.
    pub pages: usize,
    /// This page, from 1.
    pub page: usize,
}

/// Rows that have a table's shape and none of its values.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The table.
    pub table: TableName,
    /// Column names.
    pub header: Vec<String>,
    /// Invented rows.
    pub rows: Vec<Vec<String>>,
}

/// A dataset's public page.
#[derive(Debug, Clone)]
pub struct DatasetPage {
    /// The entry.
    pub dataset: Dataset,
    /// Who provides it.
    pub provider: Party,
    /// Its versions, newest first.
    pub versions: Vec<Version>,
    /// Grants that reach it.
    pub grants: Vec<crate::GrantCard>,
    /// How it was used.
    pub usage: crate::Usage,
    /// An invented sample a table.
    pub samples: Vec<Sample>,
    /// Rows in the current version.
    pub rows: u64,
}

impl App {
    /// Searches the published datasets.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn search(&self, query: &CatalogueQuery) -> Result<CatalogueResult> {
        let cards = self.published().await?;
        let words = fold(&query.words);
        let words: Vec<&str> = words.split_whitespace().collect();
        let found: Vec<&DatasetCard> = cards.iter().filter(|c| has_words(c, &words)).collect();
        let facets = FACETS.iter().map(|kind| self.facet(kind, &found, query)).collect();
        let matched: Vec<DatasetCard> = found
            .into_iter()
            .filter(|card| FACETS.iter().all(|kind| chosen(kind, query, card)))
            .cloned()
            .collect();
        let pages = matched.len().div_ceil(PAGE).max(1);
        let page = query.page.clamp(1, pages);
        let total = matched.len();
        let items = matched.into_iter().skip((page - 1) * PAGE).take(PAGE).collect();
        Ok(CatalogueResult { total, items, facets, pages, page })
    }

    /// A published dataset's page.
    ///
    /// # Errors
    /// `NotFound` when it is not published.
    pub async fn dataset(&self, id: &DatasetId) -> Result<DatasetPage> {
        let missing = || {
            AppError::not_found(
                format!("The catalogue has no dataset {id}."),
                format!("目录中没有数据集 {id}。"),
            )
        };
        let dataset = self
            .find_dataset(id)
            .await?
            .filter(|d| d.state == DatasetState::Published)
            .ok_or_else(missing)?;
        let versions = self.store.versions(id).await?;
        let grants = self.grants_on(id).await?;
        let samples = dataset.tables.iter().map(|table| Sample {
            table: table.name.clone(),
            header: table.columns.iter().map(|c| c.name.to_string()).collect(),
            rows: invented_sample(table, SAMPLE_ROWS, 7),
        });
        Ok(DatasetPage {
            provider: self.party_or_unknown(&dataset.provider).await?,
            rows: rows_of(&dataset, &versions),
            samples: samples.collect(),
            usage: self.usage(Some(id)),
            versions,
            grants,
            dataset,
        })
    }

    /// Every party.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn parties(&self) -> Result<Vec<Party>> {
        let mut parties = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.parties(&page).await?;
            parties.extend(found.items);
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(parties),
            }
        }
    }

    /// One party.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn party(&self, id: &PartyId) -> Result<Party> {
        found(self.store.party(id).await)?.ok_or_else(|| {
            AppError::not_found(format!("There is no party {id}."), format!("没有主体 {id}。"))
        })
    }

    /// The category scheme in use.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The purpose tree in use, as code and name.
    #[must_use]
    pub fn purposes(&self) -> &[(PurposeCode, Text)] {
        &self.purposes
    }

    /// The name of a category, or its code when the scheme does not know it.
    #[must_use]
    pub fn category_name(&self, code: &CategoryCode) -> Text {
        self.scheme.get(code).map_or_else(|| Text::same(code.as_str()), |category| category.name.clone())
    }

    pub(crate) async fn party_or_unknown(&self, id: &PartyId) -> Result<Party> {
        Ok(found(self.store.party(id).await)?.unwrap_or_else(|| unknown_party(id)))
    }

    pub(crate) async fn party_map(&self) -> Result<HashMap<PartyId, Party>> {
        Ok(self.parties().await?.into_iter().map(|party| (party.id.clone(), party)).collect())
    }

    /// Every dataset in any state; of one provider, or of all.
    pub(crate) async fn all_datasets(&self, provider: Option<&PartyId>) -> Result<Vec<Dataset>> {
        let filter = DatasetFilter { provider: provider.cloned(), state: None };
        let mut datasets = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.datasets(&filter, &page).await?;
            datasets.extend(found.items.into_iter().map(|item| item.record));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(datasets),
            }
        }
    }

    pub(crate) async fn find_dataset(&self, id: &DatasetId) -> Result<Option<Dataset>> {
        Ok(found(self.store.dataset(id).await)?.map(|found| found.record))
    }

    pub(crate) async fn find_version(&self, id: &DatasetId, number: u64) -> Result<Option<Version>> {
        found(self.store.version(id, number).await)
    }

    pub(crate) async fn published(&self) -> Result<Vec<DatasetCard>> {
        let parties = self.party_map().await?;
        let now = self.clock.now();
        let mut grants: BTreeMap<DatasetId, usize> = BTreeMap::new();
        for grant in self.all_grants().await?.iter().filter(|g| g.state_at(now) == "active") {
            for dataset in grant.datasets() {
                *grants.entry(dataset).or_default() += 1;
            }
        }
        let mut cards = Vec::new();
        for dataset in self.all_datasets(None).await? {
            if dataset.state != DatasetState::Published {
                continue;
            }
            let versions = self.store.versions(&dataset.id).await?;
            cards.push(DatasetCard {
                provider: parties
                    .get(&dataset.provider)
                    .cloned()
                    .unwrap_or_else(|| unknown_party(&dataset.provider)),
                rows: rows_of(&dataset, &versions),
                grants: grants.get(&dataset.id).copied().unwrap_or(0),
                dataset,
            });
        }
        cards.sort_by(|a, b| a.dataset.id.cmp(&b.dataset.id));
        Ok(cards)
    }

    /// Counts a facet's values over what the words found and the other facets leave.
    fn facet(&self, kind: &'static str, found: &[&DatasetCard], query: &CatalogueQuery) -> Facet {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let others = |card: &&&DatasetCard| FACETS.iter().all(|k| *k == kind || chosen(k, query, card));
        for card in found.iter().filter(others) {
            for code in codes(kind, card) {
                *counts.entry(code).or_default() += 1;
            }
        }
        let mut values: Vec<FacetValue> = counts
            .into_iter()
            .map(|(code, count)| FacetValue { name: self.facet_name(kind, &code, found), code, count })
            .collect();
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
        Facet { name: kind, values }
    }

    fn facet_name(&self, kind: &str, code: &str, found: &[&DatasetCard]) -> Text {
        match kind {
            "category" => {
                CategoryCode::new(code).map_or_else(|_| Text::same(code), |code| self.category_name(&code))
            }
            "provider" => found
                .iter()
                .find(|card| card.provider.id.as_str() == code)
                .map_or_else(|| Text::same(code), |card| card.provider.name.clone()),
            // Grades, attributes and lanes have words in the messages of the pages.
            _ => Text::same(code),
        }
    }
}

const FACETS: [&str; 6] = ["category", "grade", "provider", "region", "sharing", "lane"];

fn chosen(kind: &str, query: &CatalogueQuery, card: &DatasetCard) -> bool {
    let wanted = match kind {
        "category" => &query.category,
        "grade" => &query.grade,
        "provider" => &query.provider,
        "region" => &query.region,
        "sharing" => &query.sharing,
        _ => &query.lane,
    };
    wanted.as_ref().filter(|w| !w.is_empty()).is_none_or(|wanted| codes(kind, card).contains(wanted))
}

/// The facet values a dataset has; categories count with their parents.
fn codes(kind: &str, card: &DatasetCard) -> Vec<String> {
    let dataset = &card.dataset;
    let mut codes: Vec<String> = match kind {
        "category" => dataset
            .label()
            .categories
            .iter()
            .flat_map(|c| c.lineage().map(str::to_owned).collect::<Vec<_>>())
            .collect(),
        "grade" => vec![dataset.label().grade.code().to_owned()],
        "provider" => vec![dataset.provider.to_string()],
        "region" => dataset.regions.iter().map(ToString::to_string).collect(),
        "sharing" => vec![dataset.sharing.code().to_owned()],
        _ => dataset.lanes.iter().map(|lane| lane.code().to_owned()).collect(),
    };
    codes.sort();
    codes.dedup();
    codes
}

fn has_words(card: &DatasetCard, words: &[&str]) -> bool {
    if words.is_empty() {
        return true;
    }
    let d = &card.dataset;
    let mut text = format!("{} ", d.id);
    let mut add = |t: &Text| text.push_str(&fold(&format!("{} {} ", t.en, t.zh)));
    add(&d.title);
    add(&d.description);
    add(&card.provider.name);
    d.keywords.iter().for_each(&mut add);
    for table in &d.tables {
        add(&table.title);
        add(&Text::same(table.name.as_str()));
        for column in &table.columns {
            add(&Text::same(column.name.as_str()));
            add(&column.title);
        }
    }
    words.iter().all(|word| text.contains(word))
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn rows_of(dataset: &Dataset, versions: &[Version]) -> u64 {
    let current = versions.iter().find(|version| version.number == dataset.version);
    current.map_or(0, |version| version.tables.iter().map(|table| table.rows).sum())
}

pub(crate) fn unknown_party(id: &PartyId) -> Party {
    Party {
        id: id.clone(),
        name: Text::same(id.as_str()),
        class: cogov_model::PartyClass::Social,
        tier: None,
        region: None,
    }
}

/// Whether a grant reaches a dataset.
pub(crate) fn reaches(grant: &Grant, dataset: &DatasetId) -> bool {
    grant.columns.iter().any(|column| column.dataset == *dataset)
}
