//! An index over the ledger, to search it by party, dataset, grant, account, kind and outcome. The ledger
//! itself is the truth: the index can be made again from it at any time.

use crate::{
    Cursor, Page, Paged, Store, StoreError,
    open::commit,
    sql::{Statement, from_code, from_json, int, maybe_text, signed, text, to_json, unsigned},
};
use cogov_model::{AccountName, DatasetId, EntryKind, GrantId, Outcome, PartyId, Timestamp};
use sqlx::{AnyConnection, any::AnyRow};
use std::collections::BTreeSet;

const WHAT: &str = "ledger entry";

/// What the index knows of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedEntry {
    /// Its place in the ledger.
    pub index: u64,
    /// What happened.
    pub kind: EntryKind,
    /// When.
    pub at: Timestamp,
    /// The parties concerned, the acting one first.
    pub parties: Vec<PartyId>,
    /// The datasets concerned.
    pub datasets: Vec<DatasetId>,
    /// The grant concerned.
    pub grant: Option<GrantId>,
    /// How it ended.
    pub outcome: Outcome,
    /// The account that acted: sealed in the ledger, so shown to auditors and the parties only.
    pub account: Option<AccountName>,
}

/// Which entries are wanted; everything when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Concerning this party.
    pub party: Option<PartyId>,
    /// Concerning this dataset.
    pub dataset: Option<DatasetId>,
    /// Concerning this grant.
    pub grant: Option<GrantId>,
    /// By this account.
    pub account: Option<AccountName>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// At or after this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl Store {
    /// Adds entries to the index, all or nothing. Entries that are there already stay as they are, so that
    /// a part of the ledger can be indexed again after a stop.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn index_entries(&self, entries: &[IndexedEntry]) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for entry in entries {
            insert(&mut change, entry).await?;
        }
        commit(change).await
    }

    /// The place after the last entry in the index: where indexing goes on. 0 when it is empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn indexed_until(&self) -> Result<u64, StoreError> {
        let wrong = |error| StoreError::of(WHAT, "last", error);
        let mut connection = self.connection().await?;
        let last = Statement::new("SELECT idx FROM ledger_index ORDER BY idx DESC LIMIT 1")
            .optional(&mut connection)
            .await
            .map_err(wrong)?;
        match last {
            Some(row) => Ok(unsigned(WHAT, "last", int(&row, "idx").map_err(wrong)?)?.saturating_add(1)),
            None => Ok(0),
        }
    }

    /// Entries, newest first.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn entries(
        &self,
        filter: &EntryFilter,
        page: &Page,
    ) -> Result<Paged<IndexedEntry>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = select(filter, page)?
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let entries: Result<Vec<_>, _> = rows.iter().map(decode).collect();
        Ok(Paged::cut(entries?, page, |entry| Cursor::at_number(entry.index)))
    }
}

/// Walks a party's or a dataset's own list where one is asked for; both lists and the entries themselves
/// are in the order of the ledger, so no search ever sorts.
pub(crate) fn select(filter: &EntryFilter, page: &Page) -> Result<Statement, StoreError> {
    const ENTRIES: &str =
        "SELECT e.idx, e.kind, e.at, e.grant_id, e.outcome, e.account, e.parties, e.datasets FROM ";
    let party = filter.party.as_ref().map(PartyId::as_str);
    let dataset = filter.dataset.as_ref().map(DatasetId::as_str);
    let statement = Statement::new(ENTRIES);
    let (statement, after, order) = match (party, dataset) {
        (Some(party), dataset) => (
            statement
                .push("ledger_parties p JOIN ledger_index e ON e.idx = p.idx WHERE p.party = ")
                .bind(party)
                .when(
                    " AND EXISTS (SELECT 1 FROM ledger_datasets d WHERE d.idx = p.idx AND d.dataset = ",
                    dataset,
                )
                .push(if dataset.is_some() { ")" } else { "" }),
            " AND p.idx < ",
            " ORDER BY p.idx DESC LIMIT ",
        ),
        (None, Some(dataset)) => (
            statement
                .push("ledger_datasets d JOIN ledger_index e ON e.idx = d.idx WHERE d.dataset = ")
                .bind(dataset),
            " AND d.idx < ",
            " ORDER BY d.idx DESC LIMIT ",
        ),
        (None, None) => {
            (statement.push("ledger_index e WHERE 1 = 1"), " AND e.idx < ", " ORDER BY e.idx DESC LIMIT ")
        }
    };
    let before = page.after.as_ref().map(Cursor::number).transpose()?;
    Ok(statement
        .when(" AND e.grant_id = ", filter.grant.as_ref().map(GrantId::as_str))
        .when(" AND e.account = ", filter.account.as_ref().map(AccountName::as_str))
        .when(" AND e.kind = ", filter.kind.map(EntryKind::code))
        .when(" AND e.outcome = ", filter.outcome.map(Outcome::code))
        .when(" AND e.at >= ", filter.from.map(Timestamp::millis))
        .when(" AND e.at < ", filter.until.map(Timestamp::millis))
        .when(after, before)
        .push(order)
        .bind(page.fetch()))
}

async fn insert(on: &mut AnyConnection, entry: &IndexedEntry) -> Result<(), StoreError> {
    let id = entry.index.to_string();
    let wrong = |error| StoreError::of(WHAT, &id, error);
    let index = signed(WHAT, &id, entry.index)?;
    let added = Statement::with(
        "INSERT INTO ledger_index (idx, kind, at, grant_id, outcome, account, parties, datasets) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (idx) DO NOTHING",
        [
            index.into(),
            entry.kind.code().into(),
            entry.at.millis().into(),
            entry.grant.as_ref().map(ToString::to_string).into(),
            entry.outcome.code().into(),
            entry.account.as_ref().map(ToString::to_string).into(),
            to_json(WHAT, &entry.parties)?.into(),
            to_json(WHAT, &entry.datasets)?.into(),
        ],
    )
    .execute(on)
    .await
    .map_err(wrong)?;
    if added == 0 {
        return Ok(());
    }
    for party in entry.parties.iter().collect::<BTreeSet<_>>() {
        Statement::with(
            "INSERT INTO ledger_parties (party, idx) VALUES ($1, $2)",
            [party.as_str().into(), index.into()],
        )
        .execute(on)
        .await
        .map_err(wrong)?;
    }
    for dataset in entry.datasets.iter().collect::<BTreeSet<_>>() {
        Statement::with(
            "INSERT INTO ledger_datasets (dataset, idx) VALUES ($1, $2)",
            [dataset.as_str().into(), index.into()],
        )
        .execute(on)
        .await
        .map_err(wrong)?;
    }
    Ok(())
}

fn decode(row: &AnyRow) -> Result<IndexedEntry, StoreError> {
    let index = int(row, "idx").map_err(|error| StoreError::of(WHAT, "?", error))?;
    let id = index.to_string();
    let wrong = |error| StoreError::of(WHAT, &id, error);
    let grant = maybe_text(row, "grant_id").map_err(wrong)?;
    let account = maybe_text(row, "account").map_err(wrong)?;
    Ok(IndexedEntry {
        index: unsigned(WHAT, &id, index)?,
        kind: from_code(WHAT, &id, text(row, "kind").map_err(wrong)?)?,
        at: Timestamp::from_millis(int(row, "at").map_err(wrong)?),
        parties: from_json(WHAT, &id, &text(row, "parties").map_err(wrong)?)?,
        datasets: from_json(WHAT, &id, &text(row, "datasets").map_err(wrong)?)?,
        grant: grant.map(|grant| from_code(WHAT, &id, grant)).transpose()?,
        outcome: from_code(WHAT, &id, text(row, "outcome").map_err(wrong)?)?,
        account: account.map(|account| from_code(WHAT, &id, account)).transpose()?,
    })
}
