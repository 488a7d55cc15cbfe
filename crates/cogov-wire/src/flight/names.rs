//! What a caller's catalogs hold: grants, datasets, tables, and what this server is.

use super::caller::Caller;
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables, SqlInfo,
};
use cogov_app::{App, GrantSession, NoiseAsk};
use cogov_engine::GrantedTable;
use cogov_model::GrantId;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use tonic::Status;

/// The one type of tables.
pub(super) const TABLE: &str = "TABLE";

/// What this server is and can do.
static INFO: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut info = SqlInfoDataBuilder::new();
    info.append(SqlInfo::FlightSqlServerName, "cogov");
    info.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    info.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    info.append(SqlInfo::FlightSqlServerReadOnly, true);
    info.append(SqlInfo::FlightSqlServerSql, true);
    info.append(SqlInfo::FlightSqlServerSubstrait, false);
    // None of them: every statement stands alone.
    info.append(SqlInfo::FlightSqlServerTransaction, 0_i32);
    info.append(SqlInfo::FlightSqlServerCancel, true);
    info.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    info.build().inspect_err(|error| tracing::error!(%error, "what the server is cannot be told")).ok()
});

/// What this server is and can do.
pub(super) fn info() -> Result<&'static SqlInfoData, Status> {
    INFO.as_ref().ok_or_else(|| Status::internal("what the server is cannot be told"))
}

/// The catalogs: the caller's grants.
pub(super) async fn catalogs(
    app: &App,
    caller: &Caller,
    query: CommandGetCatalogs,
) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    for grant in caller.grants(app).await? {
        builder.append(grant.as_str());
    }
    builder.build().map_err(|error| unbuilt(&error))
}

/// The schemas: the datasets of the grants.
pub(super) async fn schemas(
    app: &App,
    caller: &Caller,
    query: CommandGetDbSchemas,
) -> Result<RecordBatch, Status> {
    let wanted = query.catalog.clone();
    let mut builder = query.into_builder();
    for (grant, tables) in catalogue(app, caller, wanted.as_deref()).await? {
        let datasets: BTreeSet<&str> = tables.iter().map(|table| table.dataset.as_str()).collect();
        datasets.into_iter().for_each(|dataset| builder.append(grant.as_str(), dataset));
    }
    builder.build().map_err(|error| unbuilt(&error))
}

/// The tables with, if asked for, their columns: exactly what the grants show.
pub(super) async fn tables(
    app: &App,
    caller: &Caller,
    query: CommandGetTables,
) -> Result<RecordBatch, Status> {
    let wanted = query.catalog.clone();
    let mut builder = query.into_builder();
    for (grant, tables) in catalogue(app, caller, wanted.as_deref()).await? {
        for table in tables {
            let appended = builder.append(
                grant.as_str(),
                table.dataset.as_str(),
                table.table.as_str(),
                TABLE,
                &columns(&table),
            );
            appended.map_err(Status::from)?;
        }
    }
    builder.build().map_err(|error| unbuilt(&error))
}

/// The types of tables.
pub(super) fn table_types(query: CommandGetTableTypes) -> Result<RecordBatch, Status> {
    let mut builder = query.into_builder();
    builder.append(TABLE);
    builder.build().map_err(|error| unbuilt(&error))
}

fn columns(table: &GrantedTable) -> Schema {
    let field = |column: &cogov_engine::GrantedColumn| {
        Field::new(column.name.as_str(), column.data_type.clone(), true)
    };
    Schema::new(table.columns.iter().map(field).collect::<Vec<_>>())
}

/// The tables of the caller's catalogs, or of the one that is wanted. A grant that may not be used now is a refusal when
/// it was named, and left out of a list of all.
async fn catalogue(
    app: &App,
    caller: &Caller,
    wanted: Option<&str>,
) -> Result<Vec<(GrantId, Vec<GrantedTable>)>, Status> {
    let mut grants = caller.grants(app).await?;
    if let Some(wanted) = wanted {
        grants.retain(|grant| grant.as_str() == wanted);
    }
    let all = grants.len() > 1;
    let mut found = Vec::new();
    for grant in grants {
        let session =
            GrantSession { actor: caller.actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        match app.grant_catalogue(&session).await {
            Ok(tables) => found.push((grant, tables)),
            Err(error) if all => tracing::debug!(%error, %grant, "a grant is left out of a list of tables"),
            Err(error) => return Err(caller.failed(&error)),
        }
    }
    Ok(found)
}

fn unbuilt(error: &dyn std::fmt::Display) -> Status {
    tracing::error!(%error, "a list of names could not be made");
    Status::internal("the list could not be made")
}

/// An Arrow error of ours as a status.
pub(super) fn arrow(error: &ArrowError) -> Status {
    unbuilt(error)
}
