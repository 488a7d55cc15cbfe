//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Share, open and govern public data, and write the rules for it together.
#[derive(Debug, Parser)]
#[command(name = "cogov", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve every door: pages and HTTP API, PostgreSQL protocol, Arrow Flight SQL.
    Serve(Serve),
    /// Read a file (CSV, also gz or zst; Parquet; JSON lines) into a new version of a dataset.
    Import(Import),
    /// The ledger of every decision and public act.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Files that left under grants of the form extract.
    #[command(subcommand)]
    Extract(Extract),
    /// Receipts of verifications.
    #[command(subcommand)]
    Receipt(Receipt),
    /// Rulebooks: the clauses that people read and the rules that the engine enforces.
    #[command(subcommand)]
    Rulebook(Rulebook),
    /// Add a party (an organisation or a person) to a node.
    AddParty(AddParty),
    /// Add an account, or set its password anew. The password is read from the standard input.
    AddAccount(AddAccount),
}

/// Where a node lies; every command that touches one takes these.
#[derive(Debug, Clone, Args)]
pub struct Home {
    /// The home folder [COGOV_HOME; default ./.cogov].
    #[arg(long)]
    pub home: Option<PathBuf>,
    /// A settings file in TOML [default: cogov.toml in the home folder].
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// The records' database, postgres://… or sqlite://… [COGOV_DATABASE_URL; default SQLite in the home].
    #[arg(long)]
    pub database_url: Option<String>,
    /// Where data files lie [COGOV_STORAGE_URL; default a folder in the home].
    #[arg(long)]
    pub storage_url: Option<String>,
}

/// `cogov serve`.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub home: Home,
    /// Address of pages and HTTP API [COGOV_HTTP; default 127.0.0.1:8080].
    #[arg(long)]
    pub http: Option<String>,
    /// Address of the PostgreSQL protocol [COGOV_PG; default 127.0.0.1:5433].
    #[arg(long)]
    pub pg: Option<String>,
    /// Address of Arrow Flight SQL [COGOV_FLIGHT; default 127.0.0.1:8815].
    #[arg(long)]
    pub flight: Option<String>,
    /// Certificate chain (PEM) for the PostgreSQL protocol [COGOV_TLS_CERT].
    #[arg(long)]
    pub tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate [COGOV_TLS_KEY].
    #[arg(long)]
    pub tls_key: Option<PathBuf>,
    /// Proxies before the doors of HTTP and Arrow Flight SQL, as addresses or networks with commas between them: only
    /// they say who the client is [COGOV_TRUSTED_PROXIES; default none].
    #[arg(long, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// The one header in which they say it, x-forwarded-for or forwarded; the other is not read
    /// [COGOV_PROXY_HEADER; default x-forwarded-for].
    #[arg(long, value_name = "HEADER")]
    pub proxy_header: Option<String>,
    /// Load the demo world from this folder into an empty home, and say who can sign in.
    #[arg(long, value_name = "DIR")]
    pub demo: Option<PathBuf>,
}

/// `cogov import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The file.
    pub file: PathBuf,
    /// The dataset it becomes part of; made as a draft when it does not exist.
    #[arg(long)]
    pub dataset: String,
    /// The table of it.
    #[arg(long)]
    pub table: String,
    /// The steward's account; may be left out when the home has exactly one party with a steward.
    #[arg(long = "as", value_name = "ACCOUNT")]
    pub account: Option<String>,
    #[command(flatten)]
    pub home: Home,
}

/// `cogov ledger`.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Check the whole ledger from its public bytes alone. Exit 1, and the first bad index, when it is not whole.
    Verify(Verify),
}

/// `cogov ledger verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A server's address, such as http://127.0.0.1:8080.
    #[arg(long, conflicts_with = "home")]
    pub url: Option<String>,
    /// A home folder.
    #[arg(long)]
    pub home: Option<PathBuf>,
    /// The verifier key that you trust; without it the one published beside the ledger is used.
    #[arg(long)]
    pub key: Option<String>,
}

/// `cogov extract`.
#[derive(Debug, Subcommand)]
pub enum Extract {
    /// Which extracts of this node does a copy come from? Exit 1 when from none beyond chance.
    Trace(Trace),
}

/// `cogov extract trace`.
#[derive(Debug, Args)]
pub struct Trace {
    /// The copy: Parquet, or CSV with a header line.
    pub file: PathBuf,
    /// The auditor's account; may be left out when the home has exactly one party with an auditor.
    #[arg(long = "as", value_name = "ACCOUNT")]
    pub account: Option<String>,
    #[command(flatten)]
    pub home: Home,
}

/// `cogov receipt`.
#[derive(Debug, Subcommand)]
pub enum Receipt {
    /// Is a receipt of a verification genuine, what does it say, and is it about this person? Exit 1 when not.
    Check(CheckReceipt),
}

/// `cogov receipt check`.
#[derive(Debug, Args)]
pub struct CheckReceipt {
    /// The receipt (a signed note).
    pub file: PathBuf,
    /// The ledger's verifier key; without it the one that the server or home publishes is used.
    #[arg(long)]
    pub key: Option<String>,
    /// A server's address, such as http://127.0.0.1:8080.
    #[arg(long, conflicts_with = "home")]
    pub url: Option<String>,
    /// A home folder.
    #[arg(long)]
    pub home: Option<PathBuf>,
    /// The person, as one JSON object of the values that identify them.
    #[arg(long)]
    pub subject: Option<String>,
    /// The salt that came with the receipt, hex.
    #[arg(long)]
    pub salt: Option<String>,
}

/// `cogov rulebook`.
#[derive(Debug, Subcommand)]
pub enum Rulebook {
    /// Is it well-formed, and what share of it is enforceable?
    Check {
        /// The rulebook (Markdown with rules).
        file: PathBuf,
        /// Its words in the other language [default: FILE with .zh before .md, when it exists].
        #[arg(long)]
        translation: Option<PathBuf>,
    },
    /// What would it have changed in the decisions on a home's grants?
    Replay {
        /// The draft (Markdown with rules).
        file: PathBuf,
        /// Its words in the other language.
        #[arg(long)]
        translation: Option<PathBuf>,
        #[command(flatten)]
        home: Home,
    },
}

/// `cogov add-party`.
#[derive(Debug, Args)]
pub struct AddParty {
    /// Its identifier.
    pub id: String,
    /// Its name in English.
    #[arg(long)]
    pub name: String,
    /// Its name in Chinese.
    #[arg(long, default_value = "")]
    pub name_zh: String,
    /// government, operator, enterprise, university, social or individual.
    #[arg(long)]
    pub class: String,
    /// state, region or local, for government bodies.
    #[arg(long)]
    pub tier: Option<String>,
    /// Its region's code.
    #[arg(long)]
    pub region: Option<String>,
    #[command(flatten)]
    pub home: Home,
}

/// `cogov add-account`.
#[derive(Debug, Args)]
pub struct AddAccount {
    /// The sign-in name.
    pub name: String,
    /// The person's name.
    #[arg(long)]
    pub display: String,
    /// The party they act for.
    #[arg(long)]
    pub party: String,
    /// Roles, separated by commas: steward, requester, approver, head, analyst, auditor, admin, drafter, citizen.
    #[arg(long, value_delimiter = ',')]
    pub roles: Vec<String>,
    /// en or zh-Hans.
    #[arg(long, default_value = "en")]
    pub locale: String,
    #[command(flatten)]
    pub home: Home,
}
