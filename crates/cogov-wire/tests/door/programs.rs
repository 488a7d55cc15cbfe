//! `psql` itself, in clear and over TLS. It comes with `apt-get install postgresql-client`.

use crate::common::PASSWORD;
use crate::served::{Served, served, served_with};
use std::process::Command;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

fn psql(served: &Served, sslmode: &str, commands: &[&str]) -> String {
    let address = format!(
        "host=127.0.0.1 port={} user=north-analyst dbname={} sslmode={sslmode}",
        served.pg.port(),
        served.grant
    );
    let mut command = Command::new("psql");
    command
        .args(["-X", "-v", "ON_ERROR_STOP=1", "-P", "pager=off", "-d", &address])
        .env("PGPASSWORD", PASSWORD);
    for sql in commands {
        command.args(["-c", sql]);
    }
    let output = command.output().expect("psql is not installed: `apt-get install postgresql-client`");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(!err.contains("WARNING"), "{err}");
    out.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_lists_describes_and_asks() {
    let served = served().await;
    let tables = psql(&served, "prefer", &["\\dt"]);
    assert!(tables.contains(" tax    | units | table | north-analyst"), "{tables}");
    assert!(psql(&served, "prefer", &["\\d"]).contains("units"));
    let columns = psql(&served, "prefer", &["\\d units"]);
    for line in ["Table \"tax.units\"", " id     | bigint", " name   | text"] {
        assert!(columns.contains(line), "{columns}");
    }
    assert!(psql(&served, "prefer", &["\\d+ tax.units"]).contains("bigint"));
    assert!(psql(&served, "prefer", &["\\l"]).contains(served.grant.as_str()));
    assert!(psql(&served, "prefer", &["\\dn"]).contains("tax"));
    assert!(psql(&served, "prefer", &["\\du"]).contains("north-analyst"));
    let answer =
        psql(&served, "prefer", &["SELECT count(*) FROM units", "BEGIN", "SELECT 1 AS one", "COMMIT"]);
    assert!(answer.contains("    10\n"), "{answer}");
    // A backslash command after a statement is read from a script only, not from `-c`.
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("describe.sql");
    std::fs::write(&script, "SELECT id, name FROM units ORDER BY id LIMIT 1 \\gdesc\n").unwrap();
    let described = psql(&served, "prefer", &[&format!("\\i {}", script.display())]);
    assert!(described.contains("bigint"), "{described}");
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_speaks_tls_when_there_is_a_certificate() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let served = served_with(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let answer = psql(&served, "require", &["\\conninfo", "SELECT count(*) FROM units"]);
    assert!(answer.contains("SSL connection") && answer.contains("    10\n"), "{answer}");
}
