//! The statements of known clients, and what they must find.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use arrow::util::display::{ArrayFormatter, FormatOptions};

fn catalogue() -> Catalogue {
    let column = |name: &str, data_type: DataType| CatalogueColumn {
        name: name.to_owned(),
        data_type,
        comment: format!("about {name}"),
    };
    let table = |schema: &str, name: &str| CatalogueTable {
        schema: schema.to_owned(),
        name: name.to_owned(),
        comment: "words".to_owned(),
        columns: vec![column("recid", DataType::Int64), column("Wage", DataType::Float64)],
    };
    let tables =
        vec![table("revenue", "tax_units"), table("welfare", "benefits"), table("welfare", "tax_units")];
    Catalogue::new("grant-1", "ana", "15.0", tables)
}

fn ask(sql: &str, parameters: &[Option<&str>]) -> Result<Vec<Vec<String>>, QueryError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let parameters: Vec<Option<String>> = parameters.iter().map(|p| p.map(str::to_owned)).collect();
    runtime.block_on(async {
        let query = catalogue().prepare(sql).await?;
        let batch = query.run(&parameters).await?;
        assert_eq!(batch.schema(), query.schema());
        let options = FormatOptions::default().with_null("∅");
        let columns: Vec<_> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &options).unwrap()).collect();
        Ok((0..batch.num_rows())
            .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect())
            .collect())
    })
}

fn rows(sql: &str) -> Vec<Vec<String>> {
    ask(sql, &[]).unwrap_or_else(|error| panic_with(sql, &error))
}

#[allow(clippy::panic, reason = "tests")]
fn panic_with(sql: &str, error: &QueryError) -> ! {
    panic!("{error}: {sql}")
}

#[test]
fn psql_lists_and_describes() {
    let listed = rows(include_str!("tests/psql_d.sql"));
    assert_eq!(listed, [["revenue", "tax_units", "table", "ana"], ["welfare", "benefits", "table", "ana"]]);
    let found = rows(include_str!("tests/psql_d_find.sql"));
    assert_eq!(found, [["16384", "revenue", "tax_units"]]);
    let head = rows(include_str!("tests/psql_d_head.sql"));
    assert_eq!(head[0][..2], ["0", "r"]);
    assert_eq!(head[0].last().unwrap(), "heap");
    let columns = rows(include_str!("tests/psql_d_columns.sql"));
    assert_eq!(columns[0][..4], ["recid", "bigint", "∅", "false"]);
    assert_eq!(columns[1][..2], ["Wage", "double precision"]);
    for rest in include_str!("tests/psql_d_rest.sql").split(';').filter(|sql| !sql.trim().is_empty()) {
        assert!(rows(rest).is_empty(), "{rest}");
    }
    assert_eq!(rows(include_str!("tests/psql_l.sql"))[0][..3], ["grant-1", "ana", "UTF8"]);
    assert_eq!(rows(include_str!("tests/psql_du.sql"))[0][0], "ana");
    let head = rows(include_str!("tests/psql_d_plus_head.sql"));
    assert_eq!(head[0][9], "∅");
    let types = rows(include_str!("tests/psql_dt_types.sql"));
    assert!(types.is_empty(), "a grant has no types of its own: {types:?}");
}

#[test]
fn sqlalchemy_reflects() {
    let names = ask(
        include_str!("tests/sqlalchemy_tables.sql"),
        &[Some("r"), Some("p"), Some("t"), Some("pg_catalog")],
    );
    assert_eq!(names.unwrap(), [["tax_units"], ["benefits"]]);
    let columns = ask(
        include_str!("tests/sqlalchemy_columns.sql"),
        &["r", "p", "f", "v", "m", "revenue", "tax_units"].map(Some),
    );
    let columns = columns.unwrap();
    assert_eq!(columns[0][..4], ["recid", "bigint", "∅", "false"]);
    assert_eq!(columns[1][0], "Wage");
    assert_eq!(columns[1][5], "about Wage");
    let newer =
        ask(include_str!("tests/sqlalchemy_columns_2_1.sql"), &["r", "revenue", "tax_units"].map(Some));
    assert_eq!(newer.unwrap()[1][..2], ["Wage", "double precision"]);
    for rest in include_str!("tests/sqlalchemy_rest.sql").split(';').filter(|sql| !sql.trim().is_empty()) {
        assert!(rows(rest).is_empty(), "{rest}");
    }
    let schemas = "SELECT pg_catalog.pg_namespace.nspname FROM pg_catalog.pg_namespace \
                   WHERE (pg_catalog.pg_namespace.nspname NOT LIKE $1::VARCHAR || '%' ESCAPE '/') \
                   ORDER BY pg_catalog.pg_namespace.nspname";
    let schemas = ask(schemas, &[Some("pg/_")]).unwrap();
    assert_eq!(schemas, [["information_schema"], ["revenue"], ["welfare"]]);
    let hstore = "SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, \
                  typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype($1) ORDER BY t.oid";
    assert!(ask(hstore, &[Some("hstore")]).unwrap().is_empty());
    assert_eq!(ask(hstore, &[Some("integer")]).unwrap(), [["int4", "23", "1007", "integer", ","]]);
}

#[test]
fn sessions_answer_for_themselves() {
    assert_eq!(rows("select pg_catalog.version()"), [["PostgreSQL 15.0 (cogov)"]]);
    assert_eq!(rows("select current_schema()"), [["revenue"]]);
    assert_eq!(rows("SELECT current_database(), current_user, session_user"), [["grant-1", "ana", "ana"]]);
    assert_eq!(rows("SELECT 'revenue.tax_units'::regclass::oid"), [["16384"]]);
    assert_eq!(rows("SELECT c.oid::regclass::text FROM pg_class c ORDER BY 1")[2], ["welfare.tax_units"]);
    assert_eq!(
        rows("SELECT has_table_privilege('tax_units', 'SELECT'), has_table_privilege('x', 'INSERT')"),
        [["true", "false"]]
    );
}

#[test]
fn information_schema_shows_the_grant_and_nothing_else() {
    let found = rows(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns \
         WHERE table_name = 'benefits' ORDER BY ordinal_position",
    );
    assert_eq!(found[0], ["welfare", "benefits", "recid", "bigint"]);
    assert_eq!(rows("SELECT count(*) FROM information_schema.tables"), [["3"]]);
    assert_eq!(rows("SELECT count(*) FROM pg_index"), [["0"]]);
}

#[test]
fn only_system_questions_come_here() {
    for system in [
        "SELECT 1 FROM pg_class",
        "SELECT pg_catalog.version()",
        "select * from information_schema.tables",
        "SELECT current_schema",
        "SELECT x FROM revenue.tax_units WHERE recid IN (SELECT oid FROM pg_catalog.pg_class)",
    ] {
        assert!(concerns(system), "{system}");
    }
    for data in [
        "SELECT 1",
        "SELECT recid FROM tax_units",
        "SELECT current_user FROM tax_units",
        "nonsense",
        "SELECT 1; SELECT version()",
    ] {
        assert!(!concerns(data), "{data}");
    }
}

#[test]
fn chains_of_operators_are_counted_before_they_nest() {
    // As much stack as a thread that serves a door has.
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let counted = small.spawn(|| {
        let chain = |length: usize| format!("SELECT 1{} FROM pg_class", "+1".repeat(length));
        assert!(concerns(&chain(MAX_OPERATORS)));
        assert!(concerns(&chain(OPERATORS)));
        assert!(!concerns(&chain(OPERATORS + 1)), "the engine says that it is too long");
        assert!(!concerns(&chain(30_000)));
        assert!(!concerns(&format!("SELECT true{} FROM pg_class", " AND true".repeat(7_000))));
        assert!(!concerns(&format!("SELECT {}1{} FROM pg_class", "(".repeat(9_000), ")".repeat(9_000))));
        assert_eq!(ask(&chain(MAX_OPERATORS + 1), &[]).unwrap_err().kind(), ErrorKind::TooComplex);
        assert!(ask(&chain(20), &[]).is_ok());
    });
    counted.unwrap().join().unwrap();
}

#[test]
fn nothing_but_the_catalogue_can_be_read() {
    for sql in [
        "SELECT recid FROM revenue.tax_units, pg_class",
        "SELECT * FROM pg_class, '/etc/passwd'",
        "SELECT repeat('x', 1000000000) FROM pg_class",
        "SELECT generate_series(1, 1000000000) FROM pg_class",
        "SELECT * FROM pg_class, generate_series(1, 1000000000)",
        "WITH RECURSIVE r AS (SELECT 1 AS n FROM pg_class UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "SELECT pg_read_file('/etc/passwd')",
        "DELETE FROM pg_class",
    ] {
        assert!(ask(sql, &[]).is_err(), "{sql}");
    }
}

#[test]
fn a_greedy_statement_ends() {
    let started = std::time::Instant::now();
    let greedy = "SELECT count(*) FROM pg_type a, pg_type b, pg_type c, pg_type d, pg_type e, pg_type f WHERE a.typname < f.typname";
    assert!(ask(greedy, &[]).is_err());
    assert!(started.elapsed() < MAX_TIME * 3);
}

#[test]
fn parameters_are_counted_and_never_become_sql() {
    let sql = "SELECT relname FROM pg_class WHERE relname = $1";
    assert_eq!(ask(sql, &[Some("benefits")]).unwrap(), [["benefits"]]);
    assert!(ask(sql, &[Some("x' OR '1' = '1")]).unwrap().is_empty());
    assert!(ask(sql, &[None]).unwrap().is_empty());
    assert_eq!(ask(sql, &[]).unwrap_err().kind(), ErrorKind::Parameters);
}

#[test]
fn filters_over_both_sides_stay_above_the_join() {
    let pairs = |join: &str| {
        let sql = format!(
            "select count(*) from pg_class a {join} join pg_class b on a.relnamespace = b.relnamespace
             where coalesce(b.oid - a.oid, 0) > 0 and length(a.relname) > 0 and length(b.relname) > 0"
        );
        rows(&sql)
    };
    let inner = pairs("inner");
    assert!(inner != [["0"]], "{inner:?}");
    for join in ["left", "right", "full"] {
        assert_eq!(pairs(join), inner, "{join}");
    }
}
