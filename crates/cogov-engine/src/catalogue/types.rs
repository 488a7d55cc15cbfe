//! Types as PostgreSQL numbers and names them (`src/include/catalog/pg_type.dat` of PostgreSQL 15).

use arrow::datatypes::DataType;

/// A type: oid, name in `pg_type`, name for people, length, category, oid of its array.
pub(super) struct PgType {
    pub oid: i32,
    pub name: &'static str,
    pub title: &'static str,
    pub length: i32,
    pub category: &'static str,
    pub array: i32,
}

const fn pg(
    oid: i32,
    name: &'static str,
    title: &'static str,
    length: i32,
    category: &'static str,
    array: i32,
) -> PgType {
    PgType { oid, name, title, length, category, array }
}

/// The types that grants and the catalogue itself use.
pub(super) const TYPES: &[PgType] = &[
    pg(16, "bool", "boolean", 1, "B", 1000),
    pg(17, "bytea", "bytea", -1, "U", 1001),
    pg(18, "char", "\"char\"", 1, "Z", 1002),
    pg(19, "name", "name", 64, "S", 1003),
    pg(20, "int8", "bigint", 8, "N", 1016),
    pg(21, "int2", "smallint", 2, "N", 1005),
    pg(23, "int4", "integer", 4, "N", 1007),
    pg(25, "text", "text", -1, "S", 1009),
    pg(26, "oid", "oid", 4, "N", 1028),
    pg(700, "float4", "real", 4, "N", 1021),
    pg(701, "float8", "double precision", 8, "N", 1022),
    pg(1042, "bpchar", "character", -1, "S", 1014),
    pg(1043, "varchar", "character varying", -1, "S", 1015),
    pg(1082, "date", "date", 4, "D", 1182),
    pg(1083, "time", "time without time zone", 8, "D", 1183),
    pg(1114, "timestamp", "timestamp without time zone", 8, "D", 1115),
    pg(1184, "timestamptz", "timestamp with time zone", 8, "D", 1185),
    pg(1186, "interval", "interval", 16, "T", 1187),
    pg(1700, "numeric", "numeric", -1, "N", 1231),
    pg(2205, "regclass", "regclass", 4, "N", 2210),
    pg(2206, "regtype", "regtype", 4, "N", 2211),
];

/// The oid that the door encodes an Arrow type as.
pub(super) fn oid_of(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Boolean => 16,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => 21,
        DataType::Int32 | DataType::UInt16 => 23,
        DataType::Int64 | DataType::UInt32 => 20,
        DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) => 1700,
        DataType::Float16 | DataType::Float32 => 700,
        DataType::Float64 => 701,
        DataType::Date32 | DataType::Date64 => 1082,
        DataType::Time32(_) | DataType::Time64(_) => 1083,
        DataType::Timestamp(_, None) => 1114,
        DataType::Timestamp(_, Some(_)) => 1184,
        DataType::Interval(_) | DataType::Duration(_) => 1186,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => 17,
        _ => 25,
    }
}

/// A type by oid.
pub(super) fn by_oid(oid: i32) -> Option<&'static PgType> {
    TYPES.iter().find(|t| t.oid == oid)
}

/// A type by any of its names, as `to_regtype` reads them.
pub(super) fn by_name(name: &str) -> Option<&'static PgType> {
    let name = name.trim().trim_start_matches("pg_catalog.").to_ascii_lowercase();
    TYPES.iter().find(|t| t.name == name || t.title == name)
}

/// The name for people of a type or of its array.
pub(super) fn title(oid: i32) -> String {
    match by_oid(oid) {
        Some(found) => found.title.to_owned(),
        None => TYPES
            .iter()
            .find(|t| t.array == oid)
            .map_or_else(|| "???".to_owned(), |t| format!("{}[]", t.title)),
    }
}
