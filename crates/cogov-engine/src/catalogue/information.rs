//! `information_schema`, as ISO 9075-11 and PostgreSQL lay it out.

use super::names::Names;
use super::relation::{Cell, Relation};
use super::types;

/// Views that exist and have no row here.
pub(super) const ALWAYS_EMPTY: &[&str] = &[
    "check_constraints",
    "column_privileges",
    "constraint_column_usage",
    "constraint_table_usage",
    "domains",
    "key_column_usage",
    "parameters",
    "referential_constraints",
    "routines",
    "sequences",
    "table_constraints",
    "table_privileges",
    "triggers",
    "user_defined_types",
    "view_column_usage",
    "view_table_usage",
    "views",
];

pub(super) fn relations(names: &Names) -> Vec<Relation> {
    vec![schemata(names), tables(names), columns(names)]
}

fn schemata(names: &Names) -> Relation {
    let mut table = Relation::new(
        "schemata",
        "catalog_name text,schema_name text,schema_owner text,default_character_set_name text,sql_path text",
    );
    let own = ["pg_catalog", "information_schema"];
    for schema in own.into_iter().chain(names.schemas().iter().map(String::as_str)) {
        table.row(&[
            ("catalog_name", names.database.as_str().into()),
            ("schema_name", schema.into()),
            ("schema_owner", names.user.as_str().into()),
        ]);
    }
    table
}

fn tables(names: &Names) -> Relation {
    let mut table = Relation::new(
        "tables",
        "table_catalog text,table_schema text,table_name text,table_type text,is_insertable_into text,is_typed text",
    );
    for (_, granted) in names.tables() {
        table.row(&[
            ("table_catalog", names.database.as_str().into()),
            ("table_schema", granted.schema.as_str().into()),
            ("table_name", granted.name.as_str().into()),
            ("table_type", "BASE TABLE".into()),
            ("is_insertable_into", "NO".into()),
            ("is_typed", "NO".into()),
        ]);
    }
    table
}

fn columns(names: &Names) -> Relation {
    let mut table = Relation::new(
        "columns",
        "table_catalog text,table_schema text,table_name text,column_name text,ordinal_position int,\
         column_default text,is_nullable text,data_type text,character_maximum_length int,character_octet_length int,\
         numeric_precision int,numeric_precision_radix int,numeric_scale int,datetime_precision int,\
         collation_name text,domain_name text,udt_catalog text,udt_schema text,udt_name text,is_identity text,\
         is_generated text,is_updatable text",
    );
    for (_, granted) in names.tables() {
        for (number, column) in (1..).zip(&granted.columns) {
            let oid = types::oid_of(&column.data_type);
            let (precision, radix): (Cell, Cell) = match oid {
                21 => (16.into(), 2.into()),
                23 => (32.into(), 2.into()),
                20 => (64.into(), 2.into()),
                700 => (24.into(), 2.into()),
                701 => (53.into(), 2.into()),
                _ => (Cell::Null, Cell::Null),
            };
            table.row(&[
                ("table_catalog", names.database.as_str().into()),
                ("table_schema", granted.schema.as_str().into()),
                ("table_name", granted.name.as_str().into()),
                ("column_name", column.name.as_str().into()),
                ("ordinal_position", number.into()),
                ("is_nullable", "YES".into()),
                ("data_type", types::title(oid).as_str().into()),
                ("numeric_precision", precision),
                ("numeric_precision_radix", radix),
                ("udt_catalog", names.database.as_str().into()),
                ("udt_schema", "pg_catalog".into()),
                ("udt_name", types::by_oid(oid).map_or(Cell::Null, |found| found.name.into())),
                ("is_identity", "NO".into()),
                ("is_generated", "NEVER".into()),
                ("is_updatable", "NO".into()),
            ]);
        }
    }
    table
}
