//! The tables of `pg_catalog` that have rows in a grant, and the many that are always empty.

use super::empty;
use super::names::{INFORMATION_SCHEMA, Names, ROLE, SYSTEM_SCHEMA, quoted};
use super::relation::{Kind, Relation};
use super::types::{self, TYPES};
use super::{CatalogueTable, information};
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::Statement;
use std::sync::Arc;

/// Tables that exist in PostgreSQL and have no row here: a grant has no index, constraint, trigger,
/// policy, function of its own, extension …
pub(super) const ALWAYS_EMPTY: &[&str] = &[
    "pg_aggregate",
    "pg_attrdef",
    "pg_auth_members",
    "pg_cast",
    "pg_collation",
    "pg_constraint",
    "pg_conversion",
    "pg_cursors",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_depend",
    "pg_enum",
    "pg_event_trigger",
    "pg_extension",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_init_privs",
    "pg_language",
    "pg_largeobject_metadata",
    "pg_locks",
    "pg_matviews",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_partitioned_table",
    "pg_policies",
    "pg_policy",
    "pg_prepared_statements",
    "pg_prepared_xacts",
    "pg_proc",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_publication_tables",
    "pg_range",
    "pg_rewrite",
    "pg_rules",
    "pg_seclabel",
    "pg_seclabels",
    "pg_sequence",
    "pg_sequences",
    "pg_shdepend",
    "pg_shdescription",
    "pg_stat_activity",
    "pg_stat_user_tables",
    "pg_statio_user_tables",
    "pg_statistic",
    "pg_statistic_ext",
    "pg_stats",
    "pg_subscription",
    "pg_subscription_rel",
    "pg_tablespace",
    "pg_timezone_names",
    "pg_transform",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_user_mapping",
    "pg_user_mappings",
    "pg_views",
    "pg_available_extensions",
];

/// Makes the tables that a statement may name.
pub(super) fn register(context: &SessionContext, names: &Names, statement: &Statement) -> Result<()> {
    let catalog = context
        .catalog("cogov")
        .ok_or_else(|| DataFusionError::Internal("the catalogue is missing".to_owned()))?;
    let system = Arc::new(MemorySchemaProvider::new());
    for relation in system_relations(names) {
        add(&system, relation)?;
    }
    for name in ALWAYS_EMPTY {
        add(&system, nothing(name, statement))?;
    }
    catalog.register_schema("pg_catalog", system)?;
    let information = Arc::new(MemorySchemaProvider::new());
    for relation in information::relations(names) {
        add(&information, relation)?;
    }
    for name in information::ALWAYS_EMPTY {
        add(&information, nothing(name, statement))?;
    }
    catalog.register_schema("information_schema", information)?;
    Ok(())
}

fn add(schema: &MemorySchemaProvider, relation: Relation) -> Result<()> {
    let batch = relation.batch()?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
    schema.register_table(relation.name.to_owned(), Arc::new(table))?;
    Ok(())
}

/// An empty table with just the columns that the statement names of it.
fn nothing(name: &'static str, statement: &Statement) -> Relation {
    let number = |column: &str| ["oid", "id", "num", "key"].iter().any(|end| column.ends_with(end));
    let mut columns: Vec<(String, Kind)> = vec![("oid".to_owned(), Kind::Oid)];
    for column in empty::columns_named(statement, name) {
        if columns.iter().all(|(known, _)| *known != column) {
            let kind = if number(&column) { Kind::Int } else { Kind::Text };
            columns.push((column, kind));
        }
    }
    Relation { name, columns, rows: Vec::new() }
}

fn system_relations(names: &Names) -> Vec<Relation> {
    vec![
        pg_namespace(names),
        pg_class(names),
        pg_attribute(names),
        pg_type(),
        pg_description(names),
        pg_database(names),
        pg_roles("pg_roles", names),
        pg_roles("pg_authid", names),
        pg_user(names),
        pg_am(),
        pg_settings(names),
        pg_tables(names),
    ]
}

fn pg_namespace(names: &Names) -> Relation {
    let mut table = Relation::new("pg_namespace", "oid oid,nspname text,nspowner oid,nspacl text");
    let own = [(SYSTEM_SCHEMA, "pg_catalog"), (INFORMATION_SCHEMA, "information_schema")];
    for (oid, name) in own.into_iter().chain(names.numbered_schemas()) {
        table.row(&[("oid", oid.into()), ("nspname", name.into()), ("nspowner", ROLE.into())]);
    }
    table
}

fn pg_class(names: &Names) -> Relation {
    let mut table = Relation::new(
        "pg_class",
        "oid oid,relname text,relnamespace oid,reltype oid,reloftype oid,relowner oid,relam oid,relfilenode oid,\
         reltablespace oid,relpages int,reltuples int,relallvisible int,reltoastrelid oid,relhasindex bool,\
         relisshared bool,relpersistence text,relkind text,relnatts int,relchecks int,relhasrules bool,\
         relhastriggers bool,relhassubclass bool,relrowsecurity bool,relforcerowsecurity bool,relispopulated bool,\
         relreplident text,relispartition bool,relrewrite oid,relacl text,reloptions text,relpartbound text",
    );
    for (oid, granted) in names.tables() {
        let columns = i32::try_from(granted.columns.len()).unwrap_or(i32::MAX);
        table.row(&[
            ("oid", oid.into()),
            ("relname", granted.name.as_str().into()),
            ("relnamespace", names.schema_oid(&granted.schema).into()),
            ("reltype", 0.into()),
            ("reloftype", 0.into()),
            ("relowner", ROLE.into()),
            ("relam", 2.into()),
            ("relfilenode", 0.into()),
            ("reltablespace", 0.into()),
            ("relpages", 0.into()),
            ("reltuples", (-1).into()),
            ("relallvisible", 0.into()),
            ("reltoastrelid", 0.into()),
            ("relhasindex", false.into()),
            ("relisshared", false.into()),
            ("relpersistence", "p".into()),
            ("relkind", "r".into()),
            ("relnatts", columns.into()),
            ("relchecks", 0.into()),
            ("relhasrules", false.into()),
            ("relhastriggers", false.into()),
            ("relhassubclass", false.into()),
            ("relrowsecurity", false.into()),
            ("relforcerowsecurity", false.into()),
            ("relispopulated", true.into()),
            ("relreplident", "d".into()),
            ("relispartition", false.into()),
            ("relrewrite", 0.into()),
        ]);
    }
    table
}

fn pg_attribute(names: &Names) -> Relation {
    let mut table = Relation::new(
        "pg_attribute",
        "attrelid oid,attname text,atttypid oid,attstattarget int,attlen int,attnum int,attndims int,atttypmod int,\
         attbyval bool,attalign text,attstorage text,attcompression text,attnotnull bool,atthasdef bool,\
         atthasmissing bool,attidentity text,attgenerated text,attisdropped bool,attislocal bool,attinhcount int,\
         attcollation oid,attacl text,attoptions text,attfdwoptions text",
    );
    for (oid, granted) in names.tables() {
        for (number, column) in (1..).zip(&granted.columns) {
            let type_oid = types::oid_of(&column.data_type);
            let length = types::by_oid(type_oid).map_or(-1, |found| found.length);
            table.row(&[
                ("attrelid", oid.into()),
                ("attname", column.name.as_str().into()),
                ("atttypid", type_oid.into()),
                ("attstattarget", (-1).into()),
                ("attlen", length.into()),
                ("attnum", number.into()),
                ("attndims", 0.into()),
                ("atttypmod", (-1).into()),
                ("attbyval", false.into()),
                ("attalign", "i".into()),
                ("attstorage", "p".into()),
                ("attcompression", "".into()),
                ("attnotnull", false.into()),
                ("atthasdef", false.into()),
                ("atthasmissing", false.into()),
                ("attidentity", "".into()),
                ("attgenerated", "".into()),
                ("attisdropped", false.into()),
                ("attislocal", true.into()),
                ("attinhcount", 0.into()),
                ("attcollation", 0.into()),
            ]);
        }
    }
    table
}

fn pg_type() -> Relation {
    let mut table = Relation::new(
        "pg_type",
        "oid oid,typname text,typnamespace oid,typowner oid,typlen int,typbyval bool,typtype text,typcategory text,\
         typispreferred bool,typisdefined bool,typdelim text,typrelid oid,typelem oid,typarray oid,typinput text,\
         typoutput text,typnotnull bool,typbasetype oid,typtypmod int,typndims int,typcollation oid,typdefault text,\
         typacl text,typsubscript text",
    );
    let mut add = |oid: i32, name: &str, length: i32, category: &str, element: i32, array: i32| {
        table.row(&[
            ("oid", oid.into()),
            ("typname", name.into()),
            ("typnamespace", SYSTEM_SCHEMA.into()),
            ("typowner", ROLE.into()),
            ("typlen", length.into()),
            ("typbyval", (length > 0 && length <= 8).into()),
            ("typtype", "b".into()),
            ("typcategory", category.into()),
            ("typispreferred", false.into()),
            ("typisdefined", true.into()),
            ("typdelim", ",".into()),
            ("typrelid", 0.into()),
            ("typelem", element.into()),
            ("typarray", array.into()),
            ("typnotnull", false.into()),
            ("typbasetype", 0.into()),
            ("typtypmod", (-1).into()),
            ("typndims", 0.into()),
            ("typcollation", 0.into()),
        ]);
    };
    for t in TYPES {
        add(t.oid, t.name, t.length, t.category, 0, t.array);
        add(t.array, &format!("_{}", t.name), -1, "A", t.oid, 0);
    }
    table
}

fn pg_description(names: &Names) -> Relation {
    /// The oid of `pg_class` itself.
    const OF_TABLES: i32 = 1259;
    let mut table = Relation::new("pg_description", "objoid oid,classoid oid,objsubid int,description text");
    let mut add = |oid: i32, number: i32, words: &str| {
        if !words.is_empty() {
            table.row(&[
                ("objoid", oid.into()),
                ("classoid", OF_TABLES.into()),
                ("objsubid", number.into()),
                ("description", words.into()),
            ]);
        }
    };
    for (oid, granted) in names.tables() {
        add(oid, 0, &granted.comment);
        for (number, column) in (1..).zip(&granted.columns) {
            add(oid, number, &column.comment);
        }
    }
    table
}

fn pg_database(names: &Names) -> Relation {
    let mut table = Relation::new(
        "pg_database",
        "oid oid,datname text,datdba oid,encoding int,datlocprovider text,datistemplate bool,datallowconn bool,\
         datconnlimit int,dattablespace oid,datcollate text,datctype text,daticulocale text,datcollversion text,\
         datacl text",
    );
    table.row(&[
        ("oid", 5.into()),
        ("datname", names.database.as_str().into()),
        ("datdba", ROLE.into()),
        ("encoding", 6.into()),
        ("datlocprovider", "c".into()),
        ("datistemplate", false.into()),
        ("datallowconn", true.into()),
        ("datconnlimit", (-1).into()),
        ("dattablespace", 0.into()),
        ("datcollate", "C".into()),
        ("datctype", "C.UTF-8".into()),
    ]);
    table
}

fn pg_roles(name: &'static str, names: &Names) -> Relation {
    let mut table = Relation::new(
        name,
        "oid oid,rolname text,rolsuper bool,rolinherit bool,rolcreaterole bool,rolcreatedb bool,rolcanlogin bool,\
         rolreplication bool,rolconnlimit int,rolvaliduntil text,rolbypassrls bool,rolconfig text",
    );
    table.row(&[
        ("oid", ROLE.into()),
        ("rolname", names.user.as_str().into()),
        ("rolsuper", false.into()),
        ("rolinherit", true.into()),
        ("rolcreaterole", false.into()),
        ("rolcreatedb", false.into()),
        ("rolcanlogin", true.into()),
        ("rolreplication", false.into()),
        ("rolconnlimit", (-1).into()),
        ("rolbypassrls", false.into()),
    ]);
    table
}

fn pg_user(names: &Names) -> Relation {
    let mut table = Relation::new("pg_user", "usename text,usesysid oid,usecreatedb bool,usesuper bool");
    table.row(&[
        ("usename", names.user.as_str().into()),
        ("usesysid", ROLE.into()),
        ("usecreatedb", false.into()),
        ("usesuper", false.into()),
    ]);
    table
}

fn pg_am() -> Relation {
    let mut table = Relation::new("pg_am", "oid oid,amname text,amhandler text,amtype text");
    table.row(&[("oid", 2.into()), ("amname", "heap".into()), ("amtype", "t".into())]);
    table
}

fn pg_settings(names: &Names) -> Relation {
    let mut table =
        Relation::new("pg_settings", "name text,setting text,unit text,category text,short_desc text");
    let search_path: Vec<String> = names.schemas().iter().map(|schema| quoted(schema)).collect();
    for (name, value) in [
        ("server_version", names.server_version.as_str()),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("standard_conforming_strings", "on"),
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO, YMD"),
        ("default_transaction_read_only", "on"),
        ("max_index_keys", "32"),
        ("search_path", &search_path.join(", ")),
    ] {
        table.row(&[("name", name.into()), ("setting", value.into())]);
    }
    table
}

fn pg_tables(names: &Names) -> Relation {
    let mut table = Relation::new(
        "pg_tables",
        "schemaname text,tablename text,tableowner text,tablespace text,hasindexes bool,hasrules bool,hastriggers bool,\
         rowsecurity bool",
    );
    for CatalogueTable { schema, name, .. } in names.tables().map(|(_, table)| table) {
        table.row(&[
            ("schemaname", schema.as_str().into()),
            ("tablename", name.as_str().into()),
            ("tableowner", names.user.as_str().into()),
            ("hasindexes", false.into()),
            ("hasrules", false.into()),
            ("hastriggers", false.into()),
            ("rowsecurity", false.into()),
        ]);
    }
    table
}
