//! Reading the ledger: entries for everybody, sealed words for the parties and auditors, proofs and files for verifiers.

use crate::{Actor, App, AppError, Sealed, error::Result, indexer, record::Act};
use bytes::Bytes;
use cogov_model::{Application, Entry, EntryKind, Outcome, Role};
use cogov_store::{EntryFilter, Page, Paged};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Entries of one application that its page shows.
const HISTORY: usize = 50;

/// That an entry is in the published tree.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Entries in the tree.
    pub size: u64,
    /// The audit path, hex, from the leaf up.
    pub hashes: Vec<String>,
    /// The root, hex.
    pub root: String,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The receipt as one text, to be kept and checked offline (C2SP tlog-proof).
    pub receipt: String,
}

/// An entry as somebody may see it.
#[derive(Debug, Clone)]
pub struct EntryView {
    /// Its index.
    pub index: u64,
    /// What anyone may read.
    pub entry: Entry,
    /// The leaf, byte for byte.
    pub leaf: Vec<u8>,
    /// RFC 6962 hash of the leaf, hex.
    pub leaf_hash: String,
    /// The sealed words, for the parties and auditors.
    pub sealed: Option<BTreeMap<String, Sealed>>,
    /// That it is in the published tree; none for the newest second.
    pub proof: Option<Proof>,
}

impl App {
    /// Entries that a filter finds, newest first. Sealed words come with those that the viewer may read;
    /// a filter by person is for auditors.
    ///
    /// # Errors
    /// `Forbidden` when somebody else than an auditor asks by person.
    pub async fn entries(
        &self,
        viewer: Option<&Actor>,
        filter: &EntryFilter,
        page: &Page,
    ) -> Result<Paged<EntryView>> {
        if filter.account.is_some() && !viewer.is_some_and(|viewer| viewer.is(Role::Auditor)) {
            return Err(AppError::forbidden(
                "Only auditors search by person.",
                "只有审计人员可以按人员检索。",
            ));
        }
        let found = self.store.entries(filter, page).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for item in &found.items {
            items.push(self.view(viewer, item.index, false)?);
        }
        Ok(Paged { items, next: found.next })
    }

    /// One entry with its proof.
    ///
    /// # Errors
    /// `NotFound` when the ledger has no such entry.
    pub async fn entry(&self, viewer: Option<&Actor>, index: u64) -> Result<EntryView> {
        if index >= self.ledger.size() {
            return Err(AppError::not_found(
                format!("The ledger has no entry {index} yet."),
                format!("账本尚无第 {index} 条。"),
            ));
        }
        if index >= self.ledger.checkpoint().size {
            self.ledger.publish().await?;
        }
        self.view(viewer, index, true)
    }

    /// Everything that a filter finds, as CSV with the sealed words. For auditors; itself on the ledger.
    ///
    /// # Errors
    /// `Forbidden` for others.
    pub async fn export_entries(&self, actor: &Actor, filter: &EntryFilter) -> Result<Vec<u8>> {
        actor.require(&[Role::Auditor])?;
        let act = Act::new(EntryKind::Audit, Outcome::Done)
            .party(&actor.party.id)
            .by(&actor.account)
            .sealed("filter", format!("{filter:?}"));
        self.record(act).await?;
        let mut csv =
            String::from("index,at,kind,outcome,parties,datasets,grant,rulebook,clauses,facts,sealed\r\n");
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.entries(Some(actor), filter, &page).await?;
            for view in &found.items {
                csv.push_str(&csv_line(view));
            }
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(csv.into_bytes()),
            }
        }
    }

    /// A public file of the ledger by its C2SP path; `None` when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn ledger_file(&self, path: &str) -> Result<Option<Bytes>> {
        Ok(self.ledger.file(path)?.map(Bytes::from))
    }

    /// The verifier key of the ledger.
    #[must_use]
    pub fn ledger_key(&self) -> &str {
        self.ledger.key()
    }

    /// Entries on the ledger.
    #[must_use]
    pub fn ledger_size(&self) -> u64 {
        self.ledger.size()
    }

    pub(crate) async fn history(&self, actor: &Actor, application: &Application) -> Result<Vec<EntryView>> {
        let filter = EntryFilter {
            party: Some(application.requester.clone()),
            from: Some(application.made_at),
            ..EntryFilter::default()
        };
        let mut views = Vec::new();
        let mut page = Page::first(200);
        while views.len() < HISTORY {
            let found = self.entries(Some(actor), &filter, &page).await?;
            let ours = |view: &EntryView| {
                view.entry.facts.get("application").is_some_and(|a| a == application.id.as_str())
            };
            views.extend(found.items.into_iter().filter(ours));
            match found.next {
                Some(next) => page = Page::new(Some(next), 200),
                None => break,
            }
        }
        views.reverse();
        Ok(views)
    }

    pub(crate) fn view(&self, viewer: Option<&Actor>, index: u64, with_proof: bool) -> Result<EntryView> {
        let stored = self.ledger.read(index)?;
        let Some((entry, sealed)) = indexer::read(&stored) else {
            return Err(AppError::unavailable(
                format!("Entry {index} was written by another version of cogov and cannot be shown."),
                format!("第 {index} 条由其他版本写入，无法显示。"),
            ));
        };
        // The words of a contribution are read where they stand, as far as they are shown: they may have been hidden since.
        let is_voice = entry.kind == EntryKind::Contribution;
        let may_read = viewer.is_some_and(|viewer| {
            viewer.is(Role::Auditor) || (!is_voice && entry.parties.contains(&viewer.party.id))
        });
        Ok(EntryView {
            index,
            leaf_hash: leaf_hash(&stored.leaf),
            sealed: may_read.then_some(sealed),
            proof: if with_proof { self.prove(index)? } else { None },
            leaf: stored.leaf,
            entry,
        })
    }

    fn prove(&self, index: u64) -> Result<Option<Proof>> {
        let checkpoint = self.ledger.checkpoint();
        if index >= checkpoint.size {
            return Ok(None);
        }
        let proof = self.ledger.proof(index, checkpoint.size)?;
        Ok(Some(Proof {
            size: proof.tree_size,
            hashes: proof.hashes.iter().map(hex::encode).collect(),
            root: hex::encode(checkpoint.root),
            checkpoint: String::from_utf8_lossy(&checkpoint.note).into_owned(),
            receipt: proof.to_text(&checkpoint),
        }))
    }
}

/// RFC 6962, section 2.1: SHA-256 over a zero byte and the leaf.
pub(crate) fn leaf_hash(leaf: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(leaf);
    hex::encode(hash.finalize())
}

fn csv_line(view: &EntryView) -> String {
    fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
        items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
    }
    let entry = &view.entry;
    let pairs = |pairs: Vec<(&str, &str)>| {
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    };
    let facts = entry.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let sealed =
        view.sealed.iter().flatten().map(|(name, sealed)| (name.as_str(), sealed.text.as_str())).collect();
    let fields = [
        view.index.to_string(),
        entry.at.rfc3339(),
        entry.kind.code().to_owned(),
        entry.outcome.code().to_owned(),
        list(&entry.parties),
        list(&entry.datasets),
        list(&entry.grant),
        list(&entry.rulebook),
        list(&entry.clauses),
        pairs(facts),
        pairs(sealed),
    ];
    fields.map(|field| csv_field(&field)).join(",") + "\r\n"
}

/// RFC 4180, with a leading apostrophe where a spreadsheet would take the field for a formula.
fn csv_field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}
