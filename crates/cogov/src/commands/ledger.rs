//! `cogov ledger verify`: the whole ledger, from public bytes alone.

use crate::cli::Verify;
use anyhow::{Context, Result, bail};
use cogov_ledger::verify::{self, Directory, Source};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// The largest public file: an entry bundle of 256 entries of 64 KiB.
const FILE_MAX: u64 = 32 << 20;

/// Checks a ledger; exit 1 when it is not whole.
pub fn verify(arguments: &Verify) -> Result<ExitCode> {
    let result = if let Some(url) = &arguments.url {
        let server = Server::new(url)?;
        let key = key(arguments.key.as_deref(), &server)?;
        verify::ledger(&server, &key)
    } else {
        let home = arguments.home.clone().or_else(|| std::env::var_os("COGOV_HOME").map(PathBuf::from));
        let home = home.unwrap_or_else(|| PathBuf::from(".cogov"));
        let directory = Directory::new(&home.join("ledger/public"));
        let key = key(arguments.key.as_deref(), &directory)
            .with_context(|| format!("no ledger was found in {}", home.display()))?;
        verify::ledger(&directory, &key)
    };
    match result {
        Ok(report) => {
            println!("whole: {} entries of {}", report.size, report.origin);
            println!("root:  {}", report.root.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            if let Some(time) = report.time.and_then(|time| i64::try_from(time).ok()) {
                println!("signed {}", cogov_model::Timestamp::from_millis(time));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The verifier key that a server or a home publishes.
pub(super) fn published_key(url: Option<&str>, home: Option<&Path>) -> Result<String> {
    if let Some(url) = url {
        return key(None, &Server::new(url)?);
    }
    let home = home.map(Path::to_path_buf).or_else(|| std::env::var_os("COGOV_HOME").map(PathBuf::from));
    let home = home.unwrap_or_else(|| PathBuf::from(".cogov"));
    key(None, &Directory::new(&home.join("ledger/public")))
        .with_context(|| format!("no ledger was found in {}: give the key with --key", home.display()))
}

fn key(given: Option<&str>, source: &impl Source) -> Result<String> {
    if let Some(key) = given {
        return Ok(key.to_owned());
    }
    let Some(bytes) = source.get("key").context("the verifier key could not be fetched")? else {
        bail!("there is no verifier key beside this ledger: give it with --key");
    };
    Ok(String::from_utf8(bytes).context("the verifier key is no text")?.trim().to_owned())
}

/// The public files of a running server.
struct Server {
    agent: ureq::Agent,
    base: String,
}

impl Server {
    fn new(url: &str) -> Result<Self> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            bail!("{url:?} is no address: write http://host:port");
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false);
        Ok(Self { agent: config.build().into(), base: format!("{}/ledger/", url.trim_end_matches('/')) })
    }
}

impl Source for Server {
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let answer = self.agent.get(format!("{}{path}", self.base)).call().map_err(io::Error::other)?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            other => return Err(io::Error::other(format!("the server answered {other}"))),
        }
        let mut bytes = Vec::new();
        answer.into_body().into_reader().take(FILE_MAX).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
