//! The application: its parts, opened from a home folder.

use crate::{
    AppError,
    deliberation::Deliberation,
    draft_acts::DraftActs,
    error::Result,
    imports::Jobs,
    in_force::{self, InForce},
    indexer::Indexer,
    limiter::Limiter,
    recorded::Remembered,
};
use bytes::Bytes;
use cogov_engine::{Engine, EngineConfig, QueryError};
use cogov_ledger::{FileMedia, FileSigner, Ledger, LedgerError, Media, Options};
use cogov_model::{Calendar, Clock, PurposeCode, Scheme, SystemClock, Text};
use cogov_rulebook::{Rulebook, Solver};
use cogov_store::{RulebookText, Setting, Store, StoreError};
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path as ObjectPath};
use parking_lot::RwLock;
use std::{ops::Deref, path::PathBuf, sync::Arc, time::Duration};

/// Passwords that are checked at the same time.
const PASSWORD_CHECKS: usize = 4;
/// Replays at the same time.
const REPLAYS: usize = 2;

/// The documents that a node starts with; what is in force later is in its records.
#[derive(Debug, Clone)]
pub struct Documents {
    /// The rulebook, with its rules.
    pub rulebook: String,
    /// The rulebook's words in Chinese.
    pub rulebook_zh: String,
    /// The category scheme.
    pub scheme: Scheme,
    /// The working days.
    pub calendar: Calendar,
    /// The purpose tree.
    pub purposes: Vec<(PurposeCode, Text)>,
}

/// How a node is opened.
pub struct AppConfig {
    /// Where everything lies that is not elsewhere.
    pub home: PathBuf,
    /// The records' database; SQLite inside the home when absent.
    pub database_url: Option<String>,
    /// Where data files lie, as `file:///folder`; a folder inside the home when absent.
    pub storage_url: Option<String>,
    /// Data files somewhere else: for tests.
    pub objects: Option<Arc<dyn ObjectStore>>,
    /// The ledger's origin, a name without scheme such as `cogov.example/demo`.
    pub origin: String,
    /// The documents to start with.
    pub documents: Documents,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The engine's limits; sensible ones when absent.
    pub engine: Option<EngineConfig>,
    /// Where the ledger's bytes lie; files inside the home when absent.
    pub ledger_media: Option<Arc<dyn Media>>,
}

impl AppConfig {
    /// Sets what queries may use, where it is said.
    pub fn limits(
        &mut self,
        memory: Option<usize>,
        query_memory: Option<usize>,
        query_time: Option<Duration>,
    ) {
        let mut engine = self.engine.take().unwrap_or_else(|| EngineConfig::new(self.home.join("spill")));
        engine.total_memory = memory.unwrap_or(engine.total_memory);
        engine.query_memory = query_memory.unwrap_or(engine.query_memory).min(engine.total_memory);
        engine.query_time = query_time.unwrap_or(engine.query_time);
        self.engine = Some(engine);
    }

    /// A node in a home folder with the machine's clock.
    #[must_use]
    pub fn new(home: PathBuf, documents: Documents) -> Self {
        Self {
            home,
            database_url: None,
            storage_url: None,
            objects: None,
            origin: "cogov.local/node".to_owned(),
            documents,
            clock: Arc::new(SystemClock),
            engine: None,
            ledger_media: None,
        }
    }
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The home folder cannot be used.
    #[error("the home folder {path} cannot be used ({why}): choose another with --home or COGOV_HOME")]
    Home {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The records cannot be opened.
    #[error("the records cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The ledger cannot be opened.
    #[error("the ledger cannot be opened: {0}")]
    Ledger(#[from] LedgerError),
    /// The ledger's key cannot be used.
    #[error("the ledger's key cannot be used: {0}")]
    Signer(#[from] cogov_ledger::SignerError),
    /// The engine cannot start.
    #[error("the query engine cannot start: {0}")]
    Engine(#[from] QueryError),
    /// The rulebook in force cannot be read.
    #[error("the rulebook cannot be used:\n{0}")]
    Rulebook(String),
    /// A document is wrong.
    #[error("{0}")]
    Document(String),
    /// The first entries could not be written.
    #[error("the node could not be set up: {0}")]
    Setup(#[from] AppError),
}

/// A running node. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What the use cases work with.
pub struct Parts {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) engine: Engine,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) in_force: InForce,
    pub(crate) draft_acts: DraftActs,
    pub(crate) remembered: Remembered,
    pub(crate) scheme: Arc<Scheme>,
    pub(crate) calendar: Calendar,
    pub(crate) purposes: Vec<(PurposeCode, Text)>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limiter: Limiter,
    /// Turns at checking passwords.
    pub(crate) hashing: tokio::sync::Semaphore,
    /// The turn at proving: anybody may ask, and a proof takes a core for seconds.
    pub(crate) proving: tokio::sync::Semaphore,
    /// Places at taking decisions again: anybody may ask, and a long ledger takes a core and memory for a while.
    pub(crate) replaying: Arc<tokio::sync::Semaphore>,
    /// The same for what is about to be adopted.
    pub(crate) adopting: Arc<tokio::sync::Semaphore>,
    pub(crate) solver: Arc<Solver>,
    pub(crate) indexer: Indexer,
    pub(crate) jobs: Jobs,
    pub(crate) spool: PathBuf,
    pub(crate) decoy_hash: String,
    pub(crate) deliberation: Deliberation,
    pub(crate) demo: RwLock<bool>,
}

/// A handle that does not keep the node open.
pub(crate) struct WeakApp(std::sync::Weak<Parts>);

impl WeakApp {
    pub(crate) fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens a node: checks its ledger, reads the rulebook in force, starts the index of the ledger.
    ///
    /// # Errors
    /// When a part cannot be opened; the words say which and what to do.
    pub async fn open(config: AppConfig) -> Result<Self, OpenError> {
        let home = |name: &str| config.home.join(name);
        let spool = home("spool");
        for folder in [&config.home, &spool, &home("objects")] {
            std::fs::create_dir_all(folder)
                .map_err(|error| OpenError::Home { path: folder.clone(), why: error.to_string() })?;
        }
        config.documents.scheme.check().map_err(|error| OpenError::Document(error.to_string()))?;
        config.documents.calendar.check().map_err(|error| OpenError::Document(error.to_string()))?;
        let url =
            config.database_url.clone().unwrap_or_else(|| cogov_store::sqlite_url(&home("records.sqlite")));
        let store = Store::open(&url).await?;
        let objects = match config.objects.clone() {
            Some(objects) => objects,
            None => local_objects(&storage_folder(&config)?)?,
        };
        let rulebook = rulebook_in_force(&store, &config).await?;
        let coming = in_force::coming(&store, config.clock.now()).await?;
        let demo = store.setting(Setting::Demo).await?.is_some();
        let parts = Parts {
            ledger: open_ledger(&config).await?,
            engine: Engine::new(
                config.engine.unwrap_or_else(|| EngineConfig::new(home("spill"))),
                objects.clone(),
            )?,
            objects,
            in_force: InForce::new(rulebook, coming),
            draft_acts: DraftActs::default(),
            remembered: Remembered::default(),
            scheme: Arc::new(config.documents.scheme),
            calendar: config.documents.calendar,
            purposes: config.documents.purposes,
            clock: config.clock,
            limiter: Limiter::default(),
            hashing: tokio::sync::Semaphore::new(PASSWORD_CHECKS),
            proving: tokio::sync::Semaphore::new(1),
            replaying: Arc::new(tokio::sync::Semaphore::new(REPLAYS)),
            adopting: Arc::new(tokio::sync::Semaphore::new(1)),
            solver: Arc::new(Solver::from_environment()),
            indexer: Indexer::default(),
            jobs: Jobs::default(),
            spool,
            decoy_hash: crate::identity::decoy_hash(),
            deliberation: Deliberation::open(&store).await?,
            demo: RwLock::new(demo),
            store,
        };
        let app = Self(Arc::new(parts));
        app.recall_facts().await?;
        app.catch_up().await?;
        app.complete_draft_acts().await?;
        app.announce().await?;
        app.start_indexer();
        app.project().await?;
        app.start_projector();
        Ok(app)
    }

    /// The rulebook in force now: a date of effect passes by the clock.
    #[must_use]
    pub fn rulebook(&self) -> Arc<Rulebook> {
        self.in_force.at(self.clock.now())
    }

    /// Whether the demo world is loaded: then the node listens on loopback only.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        *self.demo.read()
    }

    /// Whether records and ledger can be written.
    ///
    /// # Errors
    /// What cannot be, in words for an operator.
    pub async fn ready(&self) -> Result<()> {
        self.store.ready().await?;
        if self.ledger.status().read_only.is_some() {
            return Err(AppError::unavailable(
                "The ledger is read-only after a failed write: nothing is released until it is reopened.",
                "账本写入失败后处于只读状态：重新打开之前不放行任何数据。",
            ));
        }
        Ok(())
    }

    /// Ends cleanly: the last checkpoint is published, the records are closed.
    pub async fn close(&self) {
        if let Err(error) = self.ledger.publish().await {
            tracing::warn!(%error, "the last checkpoint was not published");
        }
        self.indexer.end().await;
        self.store.close().await;
    }

    /// A handle that does not keep the node open: for what runs in the background.
    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.0))
    }

    /// Random bytes from the operating system.
    pub(crate) fn entropy<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes");
            AppError::unavailable(
                "The system gives no random numbers. Try again.",
                "系统无法提供随机数，请重试。",
            )
        })?;
        Ok(bytes)
    }

    /// A new identifier: a letter, then 20 hex digits.
    pub(crate) fn new_id(&self, kind: &str) -> Result<String> {
        Ok(format!("{kind}-{}", hex::encode(self.entropy::<10>()?)))
    }

    /// An object of the storage, whole.
    pub(crate) async fn object(&self, path: &str) -> Result<Bytes> {
        let unreadable = |error: object_store::Error| {
            tracing::error!(%error, path, "an object cannot be read");
            AppError::unavailable(
                "The file cannot be read at the moment. Try again.",
                "目前无法读取文件，请重试。",
            )
        };
        let found = self.objects.get(&ObjectPath::from(path)).await.map_err(unreadable)?;
        found.bytes().await.map_err(unreadable)
    }
}

fn storage_folder(config: &AppConfig) -> Result<PathBuf, OpenError> {
    match config.storage_url.as_deref() {
        None => Ok(config.home.join("objects")),
        Some(url) => url.strip_prefix("file://").map(PathBuf::from).ok_or_else(|| {
            OpenError::Document(format!(
                "the storage {url:?} cannot be used: this build stores data files in folders (file:///path); leave COGOV_STORAGE_URL out for the home's own"
            ))
        }),
    }
}

fn local_objects(folder: &std::path::Path) -> Result<Arc<dyn ObjectStore>, OpenError> {
    let store = LocalFileSystem::new_with_prefix(folder)
        .map_err(|error| OpenError::Home { path: folder.to_path_buf(), why: error.to_string() })?;
    Ok(Arc::new(store))
}

async fn open_ledger(config: &AppConfig) -> Result<Ledger, OpenError> {
    let signer = FileSigner::open(&config.home.join("ledger.key"), &config.origin)?;
    let media = match config.ledger_media.clone() {
        Some(media) => media,
        None => Arc::new(FileMedia::open(&config.home.join("ledger"))?),
    };
    let clock = config.clock.clone();
    let millis = Arc::new(move || u64::try_from(clock.now().millis()).unwrap_or(0));
    // Every entry is hashed again, which takes a moment for a long ledger.
    let opening =
        tokio::task::spawn_blocking(move || Ledger::open(Options::new(media, Arc::new(signer), millis)));
    let opened = opening
        .await
        .map_err(|error| OpenError::Document(format!("opening the ledger was cut off: {error}")))?;
    let (ledger, opened) = opened?;
    if let Some(repair) = opened.repaired {
        tracing::warn!(
            index = repair.index,
            bytes = repair.bytes,
            reason = repair.reason,
            "the ledger's torn tail was cut off: it was never acknowledged"
        );
    }
    Ok(ledger)
}

/// The rulebook that the records say is in force; on a new node, the one that ships.
async fn rulebook_in_force(store: &Store, config: &AppConfig) -> Result<Rulebook, OpenError> {
    let now = config.clock.now();
    let (en, zh, is_new) = match store.rulebook_in_force(now).await {
        Ok(text) => (text.en, text.zh, false),
        Err(StoreError::NotFound { .. }) => {
            (config.documents.rulebook.clone(), config.documents.rulebook_zh.clone(), true)
        }
        Err(error) => return Err(error.into()),
    };
    let rulebook = Rulebook::parse(&en, Some(&zh)).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        OpenError::Rulebook(lines.join("\n"))
    })?;
    if is_new {
        let version = rulebook.version().clone();
        store.add_rulebook(&RulebookText { version, en, zh, in_force: now }).await?;
    }
    Ok(rulebook)
}
