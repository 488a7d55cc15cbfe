//! The names that a catalogue is made of, numbered: every table and schema of the grant has an oid.

use super::CatalogueTable;

/// Oids below this are PostgreSQL's own.
const FIRST_TABLE: i32 = 16_384;
/// Schemas are numbered apart from tables.
const FIRST_SCHEMA: i32 = 1_000_000;
/// `pg_catalog`.
pub(super) const SYSTEM_SCHEMA: i32 = 11;
/// `information_schema`.
pub(super) const INFORMATION_SCHEMA: i32 = 13_000;
/// The one role.
pub(super) const ROLE: i32 = 10;

/// Everything that the tables and functions of the catalogue answer from.
#[derive(Debug)]
pub(super) struct Names {
    pub database: String,
    pub user: String,
    pub server_version: String,
    schemas: Vec<String>,
    tables: Vec<CatalogueTable>,
}

/// A number from a place in a list. Grants have far fewer tables than an oid can count.
fn numbered(first: i32, place: usize) -> i32 {
    first.saturating_add(i32::try_from(place).unwrap_or(i32::MAX))
}

impl Names {
    pub(super) fn new(
        database: &str,
        user: &str,
        server_version: &str,
        mut tables: Vec<CatalogueTable>,
    ) -> Self {
        tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        let mut schemas: Vec<String> = tables.iter().map(|table| table.schema.clone()).collect();
        schemas.dedup();
        Self {
            database: database.to_owned(),
            user: user.to_owned(),
            server_version: server_version.to_owned(),
            schemas,
            tables,
        }
    }

    pub(super) fn schemas(&self) -> &[String] {
        &self.schemas
    }

    /// Schemas with their oids.
    pub(super) fn numbered_schemas(&self) -> impl Iterator<Item = (i32, &str)> {
        self.schemas.iter().enumerate().map(|(place, name)| (numbered(FIRST_SCHEMA, place), name.as_str()))
    }

    /// Tables with their oids.
    pub(super) fn tables(&self) -> impl Iterator<Item = (i32, &CatalogueTable)> {
        self.tables.iter().enumerate().map(|(place, table)| (numbered(FIRST_TABLE, place), table))
    }

    pub(super) fn table(&self, oid: i32) -> Option<&CatalogueTable> {
        self.tables().find(|(number, _)| *number == oid).map(|(_, table)| table)
    }

    pub(super) fn schema_oid(&self, schema: &str) -> i32 {
        self.numbered_schemas().find(|(_, name)| *name == schema).map_or(0, |(oid, _)| oid)
    }

    /// Whether the bare name of a table finds it: no table before it on the search path has the same name.
    pub(super) fn is_visible(&self, oid: i32) -> bool {
        let Some(table) = self.table(oid) else { return oid < FIRST_TABLE };
        self.tables().find(|(_, other)| other.name == table.name).is_some_and(|(first, _)| first == oid)
    }

    /// A table by `name` or `schema.name`, with or without quotes.
    pub(super) fn find(&self, name: &str) -> Option<i32> {
        let name = name.replace('"', "");
        let found = |table: &CatalogueTable| match name.split_once('.') {
            Some((schema, name)) => table.schema == schema && table.name == name,
            None => table.name == name,
        };
        self.tables().find(|(_, table)| found(table)).map(|(oid, _)| oid)
    }

    /// The name of a table as a statement must write it.
    pub(super) fn written(&self, oid: i32) -> Option<String> {
        let table = self.table(oid)?;
        let name = quoted(&table.name);
        Some(if self.is_visible(oid) { name } else { format!("{}.{name}", quoted(&table.schema)) })
    }
}

/// An identifier, quoted where SQL needs it.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(|c: char| !c.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
