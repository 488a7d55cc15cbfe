//! `cargo xtask test`: everything that CI checks, cheap steps first.

use crate::{
    demo,
    shell::{cargo, program, root, step},
    tidy, tools,
};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// How long a demo world may take to be ready before the tests give up.
const READY: Duration = Duration::from_secs(300);

type Step = (&'static str, fn() -> Result<()>);

const STEPS: [Step; 11] = [
    ("setup", setup),
    ("format", format),
    ("tidy", tidy::run),
    ("lint", lint),
    ("licences", licences),
    ("unit", unit),
    ("postgres", postgres),
    ("solver", solver),
    ("planted", planted),
    ("clients", clients),
    ("browser", browser),
];

/// Runs every step, or only the named ones.
pub fn run(wanted: &[String]) -> Result<()> {
    for name in wanted {
        if !STEPS.iter().any(|(step, _)| step == name) {
            let names: Vec<&str> = STEPS.iter().map(|(step, _)| *step).collect();
            bail!("there is no step {name:?}: use {}", names.join(", "));
        }
    }
    let started = Instant::now();
    for (name, run) in STEPS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            run().with_context(|| format!("the step {name:?} failed"))?;
        }
    }
    println!("everything passed in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn setup() -> Result<()> {
    tools::debian(&[
        ("postgresql", "/usr/lib/postgresql"),
        ("postgresql-client", "/usr/bin/psql"),
        ("chromium", "/usr/bin/chromium"),
        ("fonts-noto-cjk", "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
        ("python3-venv", "/usr/bin/python3"),
    ])?;
    tools::web_assets()
}

fn format() -> Result<()> {
    step("checking the format (cargo fmt)", &mut cargo(&["fmt", "--all", "--check"]))
}

fn lint() -> Result<()> {
    step(
        "linting (cargo clippy)",
        &mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )
}

fn licences() -> Result<()> {
    let deny = tools::cargo_tool("cargo-deny", "0.20.2")?;
    step(
        "checking licences, bans and sources (cargo deny)",
        program(deny, &["--log-level", "error", "check", "licenses", "bans", "sources"]).current_dir(root()),
    )
}

fn unit() -> Result<()> {
    step("running the tests (cargo test)", &mut cargo(&["test", "--quiet", "--workspace"]))
}

/// Random statements over random grants, judged by an engine that shares no code with ours.
fn postgres() -> Result<()> {
    let python = client_python()?;
    let file = std::env::temp_dir().join(format!("cogov-answers-{}", std::process::id()));
    let answers = step(
        "answering random statements (cargo test)",
        cargo(&["test", "--quiet", "--workspace", "--test", "interference", "what_is_withheld"])
            .env("COGOV_FUZZ_SEED", "2")
            .env("COGOV_FUZZ_CASES", "3000")
            .env("COGOV_FUZZ_DUMP", &file),
    );
    let script = "crates/cogov-engine/tests/interference/postgres.py";
    let judged =
        answers.and_then(|()| step("asking PostgreSQL the same", program(python, &[script]).arg(&file)));
    if file.exists() {
        fs::remove_file(&file)?;
    }
    judged
}

/// The test of non-interference can fail: it finds every fault that is planted in the engine.
fn planted() -> Result<()> {
    step(
        "planting faults in the engine (cargo test)",
        &mut cargo(&[
            "test",
            "--quiet",
            "--workspace",
            "--features",
            "cogov-engine/planted-faults",
            "--test",
            "planted",
        ]),
    )
}

/// The proofs beside brute force and cvc5.
fn solver() -> Result<()> {
    let cvc5 = tools::cvc5()?;
    step(
        "asking cvc5 for its opinion on the proofs",
        cargo(&["test", "--quiet", "--workspace", "--test", "solver", "--", "--ignored"]).env("CVC5", cvc5),
    )
}

/// Python with the clients that people use.
fn client_python() -> Result<PathBuf> {
    tools::python(
        "clients",
        &[
            "psycopg[binary]==3.*",
            "SQLAlchemy==2.*",
            "duckdb==1.*",
            "cryptography",
            "adbc-driver-flightsql==1.*",
            "adbc-driver-manager==1.*",
            "pyarrow",
        ],
    )
}

/// Unmodified clients, the same answer at every door, and a verifier that shares no code, against a demo world.
fn clients() -> Result<()> {
    let python = client_python()?;
    demo::build()?;
    let world = World::start("clients")?;
    let script = |path: &str| program(&python, &[path]);
    step(
        "driving psql, psycopg and SQLAlchemy",
        script("crates/cogov-wire/tests/clients.py").arg(world.demo_json()),
    )?;
    step(
        "verifying persons, and their receipts with code that shares none with ours",
        script("crates/cogov-wire/tests/verify.py").arg(world.demo_json()),
    )?;
    step(
        "driving Arrow Flight SQL with ADBC",
        script("crates/cogov-wire/tests/flight.py").arg(world.demo_json()),
    )?;
    step(
        "extracting files, and tracing copies of them",
        script("crates/cogov-wire/tests/extract.py").arg(world.demo_json()).arg(demo::binary()),
    )?;
    step(
        "asking the same at every door and of DuckDB",
        script("crates/cogov-wire/tests/same_answer.py").arg(world.demo_json()),
    )?;
    step(
        "checking the ledger with a verifier that shares no code with ours, and a thousand manipulated copies",
        script("crates/cogov-ledger/tests/verify.py").arg(&world.base).args(["--tamper", "1000"]),
    )?;
    step(
        "checking the consultations' open data against the ledger",
        script("crates/cogov-app/tests/coverage.py").arg(&world.base),
    )?;
    drop(world);
    step(
        "killing a node while people vote",
        script("crates/cogov-wire/tests/votes_kill.py").arg(demo::binary()).arg(root().join("demo")).arg("3"),
    )
}

/// People's stories in a real browser against a running demo world.
fn browser() -> Result<()> {
    demo::build()?;
    let world = World::start("browser")?;
    step(
        "walking the stories in Chromium",
        program("npm", &["run", "--silent", "test"])
            .current_dir(root().join("web"))
            .env("COGOV_BASE_URL", &world.base)
            .env("COGOV_DEMO_JSON", world.demo_json()),
    )
}

/// A demo world on free ports in a home of its own; both end with it.
pub struct World {
    server: Child,
    home: PathBuf,
    /// Where the pages are.
    pub base: String,
}

impl World {
    /// Starts a world and waits until it is ready.
    pub fn start(name: &str) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("cogov-{name}-{}", std::process::id()));
        let (http, pg, flight) = (free_port()?, free_port()?, free_port()?);
        println!("▸ starting a demo world");
        let started = Instant::now();
        let log = fs::File::create(home.with_extension("log"))?;
        let server = program(demo::binary(), &["serve", "--demo", "demo"])
            .args(["--http", &format!("127.0.0.1:{http}"), "--pg", &format!("127.0.0.1:{pg}")])
            .args(["--flight", &format!("127.0.0.1:{flight}")])
            .arg("--home")
            .arg(&home)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cogov could not be started")?;
        let mut world = Self { server, home, base: format!("http://127.0.0.1:{http}") };
        world.wait(http)?;
        println!("  {:.0} s", started.elapsed().as_secs_f64());
        Ok(world)
    }

    /// The file that says who can sign in.
    pub fn demo_json(&self) -> PathBuf {
        self.home.join("demo.json")
    }

    fn wait(&mut self, port: u16) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < READY {
            if let Some(status) = self.server.try_wait()? {
                bail!("the demo world ended with {status}:\n{}", self.log());
            }
            if self.demo_json().exists() && is_ready(port) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("the demo world was not ready after {} s:\n{}", READY.as_secs(), self.log())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.with_extension("log")).unwrap_or_default()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.home);
        let _ = fs::remove_file(self.home.with_extension("log"));
    }
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Whether a path of the checkout exists; used by `tidy`.
pub fn exists(path: &str) -> bool {
    Path::new(&root()).join(path).exists()
}
