//! What a signed-in connection is: an actor at a grant, with its settings.

use super::cursor::Cursors;
use super::standing::Resumable;
use super::{SERVER_VERSION, fault, settings::Settings};
use cogov_app::{App, AppError, GrantSession};
use cogov_engine::GrantedTable;
use cogov_engine::catalogue::{Catalogue, CatalogueColumn, CatalogueTable};
use cogov_model::Locale;
use pgwire::api::ClientInfo;
use pgwire::error::{PgWireError, PgWireResult};
use std::sync::Arc;

/// A signed-in connection.
pub(super) struct Session {
    app: App,
    grant: GrantSession,
    settings: Settings,
    cursors: Cursors,
    resumable: Resumable,
}

impl Session {
    pub(super) fn new(app: App, grant: GrantSession, settings: Settings) -> Self {
        Self { app, grant, settings, cursors: Cursors::default(), resumable: Resumable::default() }
    }

    /// The session of a client that has signed in.
    pub(super) fn of<C: ClientInfo>(client: &C) -> PgWireResult<Arc<Session>> {
        let session = client.session_extensions().get::<Session>();
        session.ok_or_else(|| fault::error("08003", "sign in first"))
    }

    pub(super) const fn app(&self) -> &App {
        &self.app
    }

    /// The grant as the connection asks of it now.
    pub(super) fn asking(&self) -> GrantSession {
        GrantSession { noise: self.settings.noise(), ..self.grant.clone() }
    }

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) const fn cursors(&self) -> &Cursors {
        &self.cursors
    }

    pub(super) const fn resumable(&self) -> &Resumable {
        &self.resumable
    }

    pub(super) const fn locale(&self) -> Locale {
        self.grant.actor.locale
    }

    pub(super) fn failed(&self, error: &AppError) -> PgWireError {
        fault::statement(error, self.locale())
    }

    /// The catalogue as the rulebook in force has it now.
    pub(super) async fn catalogue(&self) -> PgWireResult<Catalogue> {
        let tables = self.app.grant_catalogue(&self.grant).await.map_err(|error| self.failed(&error))?;
        let tables = tables.iter().map(|table| shown(table, self.locale())).collect();
        let (grant, account) = (self.grant.grant.as_str(), self.grant.actor.account.as_str());
        Ok(Catalogue::new(grant, account, SERVER_VERSION, tables))
    }
}

fn shown(table: &GrantedTable, locale: Locale) -> CatalogueTable {
    let columns = table.columns.iter().map(|column| {
        let words = if column.title.is_empty() { &column.description } else { &column.title };
        CatalogueColumn {
            name: column.name.to_string(),
            data_type: column.data_type.clone(),
            comment: words.get(locale).to_owned(),
        }
    });
    CatalogueTable {
        schema: table.dataset.to_string(),
        name: table.table.to_string(),
        comment: table.title.get(locale).to_owned(),
        columns: columns.collect(),
    }
}
