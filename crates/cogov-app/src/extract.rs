//! Extracts: the answer of a query as a file, marked with its decision, and the tracing of copies.
//!
//! An extract goes the one way of a query. Its rows are put into the keyed order of its mark (see
//! [`cogov_engine::extract`]) and written batch by batch; when the file ends or is cut, the release is written to the
//! ledger with the SHA-256 of the bytes that left, before the last of them leave.

use crate::{
    Actor, Answer, App, AppError, Door, EntryView, GrantSession, NoiseAsk,
    error::Result,
    query::{Release, ReleasedRows},
    record::Act,
};
use bytes::Bytes;
use cogov_engine::{
    GrantedTable, MaskKey,
    extract::{Copied, ExtractWriter, FileFormat, Likeness, Marker, Sketch, Suspect, WatermarkKey, trace},
};
use cogov_model::{
    Clauses, EntryKind, Form, Grade, GrantId, Outcome, PartyId, Role, RulebookVersion, Timestamp,
};
use cogov_store::{EntryFilter, Page};
use futures::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use std::{io, path::Path};

/// The name of the mark, so that a later one can be told from it.
const MARK: &str = "row-order-v1";
/// Keys of nobody, from which tracing learns what chance gives.
const DECOYS: usize = 64;

/// A file on its way out; its decision is on the ledger.
pub struct ExtractFile {
    /// The decision's index on the ledger.
    pub decision: u64,
    /// A name for it: grant, decision, ending.
    pub name: String,
    /// Its format.
    pub format: FileFormat,
    /// The grade of what it holds.
    pub grade: Grade,
    /// The clauses that decided.
    pub clauses: Clauses,
    /// The rulebook that decided.
    pub rulebook: RulebookVersion,
    /// What it is and under what it left, by name: in a Parquet file's metadata, and beside any file.
    pub metadata: Vec<(String, String)>,
    /// Its bytes. An error cuts it off: half a file is never taken for a whole one.
    pub bytes: stream::BoxStream<'static, io::Result<Bytes>>,
}

/// What the ledger says about an extract, for who holds a copy and its hash.
#[derive(Debug, Clone)]
pub struct ExtractRecord {
    /// The decision.
    pub decision: EntryView,
    /// What left, once it has.
    pub release: Option<EntryView>,
}

/// An extract that a copy comes from, or whose rows it holds.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The grant.
    pub grant: GrantId,
    /// Who holds it.
    pub party: Option<PartyId>,
    /// The decision under which it left.
    pub decision: u64,
    /// When.
    pub at: Timestamp,
    /// Whether the copy is the file itself, byte for byte.
    pub same_bytes: bool,
    /// The order of the rows, and the share of the extract that the copy holds.
    pub likeness: Likeness,
}

impl Traced {
    /// Whether the copy comes from this extract, beyond chance.
    #[must_use]
    pub fn is_origin(&self) -> bool {
        self.same_bytes || self.likeness.order >= Likeness::CERTAIN
    }
}

impl App {
    /// The answer of a query as a marked file; of the grant's one table when no query is given.
    ///
    /// # Errors
    /// `Conflict` when the grant's form is another one; as a query.
    pub async fn extract(
        &self,
        actor: &Actor,
        grant: &GrantId,
        sql: Option<&str>,
        format: FileFormat,
    ) -> Result<ExtractFile> {
        actor.require(&[Role::Analyst])?;
        let session = GrantSession { actor: actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        if self.held_grant(&session).await?.form != Form::Extract {
            return Err(AppError::conflict(
                "Files leave under grants whose form of use is “extract”; this one has another form. Query it online.",
                "只有使用方式为“文件”的授权可以导出文件；该授权为其他方式，请在线查询。",
            ));
        }
        let sql = match sql {
            Some(sql) => sql.to_owned(),
            None => whole(&self.grant_catalogue(&session).await?)?,
        };
        let answer = self.run(self.prepare(&session, &sql, Door::Extract).await?).await?;
        self.file(grant, answer, format).await
    }

    async fn file(&self, grant: &GrantId, answer: Answer, format: FileFormat) -> Result<ExtractFile> {
        let mut rows = answer.rows;
        let key = self.watermark(grant, answer.decision).await?;
        let metadata = self.metadata(grant, answer.decision, answer.grade, &answer.rulebook, &answer.clauses);
        let (writer, head) = ExtractWriter::begin(format, &rows.schema(), &metadata).map_err(unwritten)?;
        let leaving = Leaving {
            release: rows.hand_over().map(|mut release| {
                release.act = release.act.fact("file", format.code()).fact("mark", MARK);
                release
            }),
            digest: Sha256::new(),
            marker: Marker::new(key),
        };
        let file = File { rows, writer: Some(writer), leaving };
        Ok(ExtractFile {
            decision: answer.decision,
            name: format!("{grant}-{}.{}", answer.decision, format.code()),
            format,
            grade: answer.grade,
            clauses: answer.clauses,
            rulebook: answer.rulebook,
            metadata,
            bytes: file.stream(head).boxed(),
        })
    }

    async fn watermark(&self, grant: &GrantId, decision: u64) -> Result<WatermarkKey> {
        let key = MaskKey::new(*self.store.mask_key(grant).await?.bytes());
        Ok(WatermarkKey::derive(&key, decision))
    }

    fn metadata(
        &self,
        grant: &GrantId,
        decision: u64,
        grade: Grade,
        rulebook: &RulebookVersion,
        clauses: &Clauses,
    ) -> Vec<(String, String)> {
        let checkpoint = self.ledger.checkpoint();
        let names: Vec<&str> = clauses.iter().map(|clause| clause.as_str()).collect();
        let pairs = [
            ("cogov.grant", grant.to_string()),
            ("cogov.ledger", self.ledger.origin().to_owned()),
            ("cogov.decision", decision.to_string()),
            // Signed just before the decision: who has the file can ask for the proof that the ledger grew from it.
            ("cogov.checkpoint", String::from_utf8_lossy(&checkpoint.note).into_owned()),
            ("cogov.rulebook", rulebook.to_string()),
            ("cogov.clauses", names.join(" ")),
            ("cogov.grade", grade.code().to_owned()),
            ("cogov.at", self.clock.now().rfc3339()),
            ("cogov.mark", MARK.to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What the ledger says about an extract, by its decision.
    ///
    /// # Errors
    /// `NotFound` when the entry is no decision on an extract.
    pub async fn extract_record(&self, viewer: Option<&Actor>, decision: u64) -> Result<ExtractRecord> {
        let missing = || {
            AppError::not_found(
                format!("Entry {decision} is no decision on an extract."),
                format!("第 {decision} 条不是关于文件导出的裁决。"),
            )
        };
        let view = self.entry(viewer, decision).await?;
        let door = view.entry.facts.get("door").map(String::as_str);
        if view.entry.kind != EntryKind::Decision || door != Some(Door::Extract.code()) {
            return Err(missing());
        }
        let filter = EntryFilter {
            grant: view.entry.grant.clone(),
            kind: Some(EntryKind::Release),
            from: Some(view.entry.at),
            ..EntryFilter::default()
        };
        let release = self.releases(viewer, filter).await?;
        let release = release.into_iter().find(|release| release.entry.follows == Some(decision));
        Ok(ExtractRecord { decision: view, release })
    }

    /// Which extracts of this node a copy comes from, the likeliest first. For auditors; itself on the ledger.
    ///
    /// # Errors
    /// `Forbidden` for others, `Invalid` when the file cannot be read as Parquet or CSV.
    pub async fn trace(&self, actor: &Actor, path: &Path) -> Result<Vec<Traced>> {
        actor.require(&[Role::Auditor])?;
        let place = path.to_path_buf();
        let copy = tokio::task::spawn_blocking(move || Copied::read(&place)).await;
        let copy = copy.map_err(|_| unreadable("the reading was broken off"))?;
        let copy = copy.map_err(|error| unreadable(&error.to_string()))?;
        let act = Act::new(EntryKind::Audit, Outcome::Done)
            .party(&actor.party.id)
            .by(&actor.account)
            .fact("sha256", &copy.sha256);
        self.record(act).await?;
        let filter = EntryFilter { kind: Some(EntryKind::Release), ..EntryFilter::default() };
        let mut found = Vec::new();
        let mut suspects = Vec::new();
        for release in self.releases(Some(actor), filter).await? {
            let entry = &release.entry;
            let (Some(grant), Some(decision)) = (entry.grant.clone(), entry.follows) else { continue };
            if entry.facts.get("mark").is_none_or(|mark| mark != MARK) {
                continue;
            }
            let sketch = release.sealed.as_ref().and_then(|sealed| sealed.get("sketch"));
            suspects.push(Suspect {
                key: self.watermark(&grant, decision).await?,
                sketch: sketch.and_then(|sketch| Sketch::from_text(&sketch.text)),
            });
            found.push(Traced {
                grant,
                party: entry.parties.first().cloned(),
                decision,
                at: entry.at,
                same_bytes: entry.facts.get("sha256") == Some(&copy.sha256),
                likeness: Likeness { order: 0.0, share: None },
            });
        }
        let decoys = (0..DECOYS).map(|_| Ok(WatermarkKey::decoy(self.entropy()?)));
        let decoys = decoys.collect::<Result<Vec<_>>>()?;
        let likenesses = tokio::task::spawn_blocking(move || trace(&copy, &suspects, &decoys)).await;
        let likenesses = likenesses.map_err(|_| unreadable("the tracing was broken off"))?;
        for (traced, likeness) in found.iter_mut().zip(likenesses) {
            traced.likeness = likeness;
        }
        found.sort_by(|a, b| {
            (b.same_bytes, b.likeness.order)
                .partial_cmp(&(a.same_bytes, a.likeness.order))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(found)
    }

    /// Releases that a filter by grant finds. The index follows the ledger by a moment, so its newest entries are read
    /// from the ledger itself.
    async fn releases(&self, viewer: Option<&Actor>, filter: EntryFilter) -> Result<Vec<EntryView>> {
        let mut all = Vec::new();
        let indexed = self.store.indexed_until().await?;
        for index in indexed..self.ledger.size() {
            let view = self.view(viewer, index, false)?;
            let of_grant = filter.grant.is_none() || filter.grant == view.entry.grant;
            if view.entry.kind == EntryKind::Release && of_grant {
                all.push(view);
            }
        }
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.entries(viewer, &filter, &page).await?;
            all.extend(found.items.into_iter().filter(|view| view.index < indexed));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(all),
            }
        }
    }
}

/// The query for the whole of the one table.
fn whole(tables: &[GrantedTable]) -> Result<String> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    match tables {
        [table] => {
            Ok(format!("SELECT * FROM {}.{}", quoted(table.dataset.as_str()), quoted(table.table.as_str())))
        }
        _ => Err(AppError::invalid(
            "sql",
            "The grant does not hold exactly one table: say with a query what the file is to hold.",
            "该授权并非恰好包含一张表：请用查询说明文件内容。",
        )),
    }
}

fn unreadable(why: &str) -> AppError {
    AppError::invalid("file", format!("{why}."), "无法读取该文件：需为 Parquet 或带表头的 CSV。")
}

fn unwritten(error: impl std::fmt::Display) -> AppError {
    tracing::error!(%error, "an extract cannot be written");
    AppError::unavailable("The file cannot be written in this format.", "无法以该格式写出文件。")
}

/// What becomes of a file on the ledger. Writes the release when the file ends, or was cut.
struct Leaving {
    release: Option<Release>,
    digest: Sha256,
    marker: Marker,
}

impl Leaving {
    fn take(&mut self) -> Option<Release> {
        let digest = std::mem::take(&mut self.digest).finalize();
        let sketch = self.marker.sketch().to_text();
        self.release.take().map(|mut release| {
            release.act = release.act.fact("sha256", hex::encode(digest)).sealed("sketch", sketch);
            release
        })
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(release) = self.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(release.write("cut"));
        }
    }
}

struct File {
    rows: ReleasedRows,
    writer: Option<ExtractWriter>,
    leaving: Leaving,
}

impl File {
    fn stream(self, head: Vec<u8>) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold((self, Some(head)), |(mut file, head)| async move {
            if let Some(head) = head {
                let bytes = file.left(head);
                return Ok(Some((bytes, (file, None))));
            }
            // A batch that waits for its row group gives no bytes yet.
            loop {
                let Some(bytes) = file.next().await? else { return Ok(None) };
                if !bytes.is_empty() {
                    return Ok(Some((bytes, (file, None))));
                }
            }
        })
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(writer) = self.writer.as_mut() else { return Ok(None) };
        match self.rows.next().await.transpose().map_err(|error| broken(&error))? {
            Some(batch) => {
                let marked = self.leaving.marker.mark(&batch).map_err(|error| broken(&error))?;
                let bytes = writer.batch(&marked).map_err(|error| broken(&error))?;
                if let Some(release) = self.leaving.release.as_mut() {
                    release.rows += marked.num_rows() as u64;
                }
                Ok(Some(self.left(bytes)))
            }
            None => {
                let last = self.writer.take().map(ExtractWriter::end).transpose();
                let last = last.map_err(|error| broken(&error))?.unwrap_or_default();
                let bytes = self.left(last);
                // A file whose release is not on record lacks its end.
                if let Some(release) = self.leaving.take()
                    && !release.written("complete").await
                {
                    return Err(broken(&"its release could not be written"));
                }
                Ok(Some(bytes))
            }
        }
    }

    /// Counts bytes on their way out.
    fn left(&mut self, bytes: Vec<u8>) -> Bytes {
        self.leaving.digest.update(&bytes);
        if let Some(release) = self.leaving.release.as_mut() {
            release.bytes += bytes.len() as u64;
        }
        bytes.into()
    }
}

fn broken(error: &dyn std::fmt::Display) -> io::Error {
    tracing::warn!(%error, "an extract was broken off");
    io::Error::other("the file was broken off")
}
