//! Opening the records: which database, how it is kept safe, and bringing its schema up to date.

use crate::{StoreError, error::harmless};
use sqlx::{
    Any, AnyConnection, AnyPool, Executor as _, Transaction, any::AnyPoolOptions, pool::PoolConnection,
};
use std::{fmt::Write as _, path::Path, time::Duration};

/// Forward only, embedded. The text is the same for both databases.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// WAL lets readers and one writer work side by side; `FULL` makes a commit durable before it is
/// answered; a writer that finds another waits for it instead of failing.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON;";

/// Identifiers sort by their bytes whatever the database's locale, as they do in SQLite, so that a list
/// has the same order everywhere. The domain is made once; two servers starting together may both try.
const POSTGRES_TYPES: &str = "DO $$ BEGIN CREATE DOMAIN idtext AS text COLLATE \"C\"; \
     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// The records. Cheap to clone; every clone shares the same connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
}

impl Store {
    /// Opens the records at `sqlite:///path/to/file`, `sqlite::memory:` or `postgres://user:password@host/name`,
    /// makes the file when it is missing, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] for another kind of address, [`StoreError::Unavailable`] when the database does
    /// not answer, [`StoreError::Migration`] when its schema is newer or broken.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (dialect, url, connections) = address(url)?;
        let options = AnyPoolOptions::new()
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(15))
            .after_connect(move |connection, _| Box::pin(prepare(connection, dialect)));
        let options = if connections == 1 {
            // A database in memory lives as long as its one connection.
            options.idle_timeout(None).max_lifetime(None)
        } else {
            options
        };
        let pool = options.connect(&url).await.map_err(|error| match error {
            sqlx::Error::Configuration(_) => StoreError::BadUrl(harmless(&error).to_owned()),
            sqlx::Error::Database(db) => StoreError::Unavailable(connection_refusal(db.as_ref())),
            other => StoreError::Unavailable(harmless(&other).to_owned()),
        })?;
        MIGRATIONS.run(&pool).await.map_err(|error| StoreError::Migration(error.to_string()))?;
        Ok(Self { pool, dialect })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let answer = connection.execute("SELECT 1").await;
        answer.map(|_| ()).map_err(|error| StoreError::of("database", "records", error))
    }

    /// Ends every connection after the work under way.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn connection(&self) -> Result<PoolConnection<Any>, StoreError> {
        self.pool.acquire().await.map_err(|error| StoreError::of("database", "records", error))
    }

    /// Begins a change of several records. In SQLite it takes the writer's place at once: a reader that
    /// turns into a writer half-way would fail when another wrote in between.
    pub(crate) async fn change(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begun = match self.dialect {
            Dialect::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Dialect::Postgres => self.pool.begin_with("BEGIN").await,
        };
        begun.map_err(|error| StoreError::of("database", "records", error))
    }
}

/// Commits, so that every caller reports a failure alike.
pub(crate) async fn commit(change: Transaction<'static, Any>) -> Result<(), StoreError> {
    change.commit().await.map_err(|error| StoreError::of("database", "records", error))
}

/// The address of a SQLite file, with every character of the path kept.
#[must_use]
pub fn sqlite_url(path: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

async fn prepare(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    let settings = match dialect {
        Dialect::Sqlite => SQLITE_SETTINGS,
        Dialect::Postgres => POSTGRES_TYPES,
    };
    connection.execute(settings).await.map(|_| ())
}

/// The dialect, the address for the driver, and how many connections to keep.
fn address(url: &str) -> Result<(Dialect, String, u32), StoreError> {
    match url.split_once(':') {
        Some(("sqlite", rest)) if rest.contains(":memory:") => {
            Ok((Dialect::Sqlite, "sqlite::memory:".to_owned(), 1))
        }
        Some(("sqlite", rest)) if !rest.trim_matches('/').is_empty() => {
            let mode = if rest.contains('?') { "" } else { "?mode=rwc" };
            Ok((Dialect::Sqlite, format!("{url}{mode}"), 8))
        }
        Some(("postgres" | "postgresql", _)) => Ok((Dialect::Postgres, url.to_owned(), 16)),
        // The address is not repeated: it may hold a password.
        _ => Err(StoreError::BadUrl("it names no database that is known".to_owned())),
    }
}

/// A database's own refusal to connect, by its code: the message may name the user.
fn connection_refusal(error: &dyn sqlx::error::DatabaseError) -> String {
    match error.code().as_deref() {
        Some("28P01" | "28000") => "it refused the user or password".to_owned(),
        Some("3D000") => "it has no database of that name".to_owned(),
        Some("53300") => "it has too many connections".to_owned(),
        Some("14") => "the file cannot be opened: check the folder and its rights".to_owned(),
        Some("26") => "the file is not a SQLite database".to_owned(),
        Some(code) => format!("it refused the connection with code {code}"),
        None => "it refused the connection".to_owned(),
    }
}
