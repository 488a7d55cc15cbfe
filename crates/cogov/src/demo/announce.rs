//! Saying where the demo world is and who can sign in, for people and, in `demo.json`, for scripts.

use super::world;
use crate::commands::Doors;
use anyhow::{Context, Result, anyhow};
use cogov_app::App;
use cogov_web::DemoPerson;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, net::IpAddr, path::Path};

/// The way in for scripts: `$COGOV_HOME/demo.json`.
#[derive(Serialize, Deserialize)]
struct WayIn {
    http: String,
    pg: String,
    /// Arrow Flight SQL.
    flight: Option<String>,
    accounts: Vec<WayInAccount>,
    grants: Vec<WayInGrant>,
}

#[derive(Serialize, Deserialize)]
struct WayInAccount {
    name: String,
    password: String,
    token: String,
    party: String,
    roles: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct WayInGrant {
    id: String,
    name: String,
    party: String,
    account: String,
    datasets: Vec<String>,
    form: String,
    purpose: String,
    state: String,
}

/// The people of the world, as the sign-in page offers them.
pub fn people(folder: &Path) -> Result<Vec<DemoPerson>> {
    let (world, _) = world::read(folder)?;
    let party = |account: &world::DemoAccount| world.party.iter().find(|party| party.id == account.party);
    let person = |account: &world::DemoAccount| DemoPerson {
        account: account.name.to_string(),
        name: account.display.clone(),
        password: account.password.clone(),
        party: party(account).map(|party| party.name.clone()).unwrap_or_default(),
        roles: account.roles.clone(),
    };
    Ok(world.account.iter().map(person).collect())
}

/// Writes `demo.json` and prints where to look and who to sign in as.
pub async fn announce(app: &App, folder: &Path, home: &Path, doors: &Doors) -> Result<()> {
    let path = home.join("demo.json");
    let known: BTreeMap<String, String> = fs::read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<WayIn>(&bytes).ok())
        .map(|way_in| way_in.accounts.into_iter().map(|a| (a.name, a.token)).collect())
        .unwrap_or_default();
    let (world, grants) = world::read(folder)?;
    let mut accounts = Vec::new();
    for account in &world.account {
        accounts.push(WayInAccount {
            token: token(app, known.get(account.name.as_str()), account).await?,
            name: account.name.to_string(),
            password: account.password.clone(),
            party: account.party.to_string(),
            roles: account.roles.iter().map(|role| role.code().to_owned()).collect(),
        });
    }
    let cards = app.public_grants().await.map_err(|error| anyhow!("{error}"))?;
    let account_of: BTreeMap<_, _> =
        grants.grant.iter().map(|g| (g.id.clone(), g.account.to_string())).collect();
    let grants = cards.iter().map(|card| WayInGrant {
        id: card.grant.id.to_string(),
        name: card.grant.name.en.clone(),
        party: card.grant.party.to_string(),
        account: account_of.get(&card.grant.id).cloned().unwrap_or_default(),
        datasets: card.grant.datasets().iter().map(ToString::to_string).collect(),
        form: card.grant.form.code().to_owned(),
        purpose: card.grant.purpose.code.to_string(),
        state: card.state.to_owned(),
    });
    let way_in = WayIn {
        http: format!("http://{}", doors.http),
        pg: doors.pg.to_string(),
        flight: Some(format!("grpc://{}", doors.flight)),
        accounts,
        grants: grants.collect(),
    };
    write(&path, &serde_json::to_vec_pretty(&way_in)?)?;
    print(&way_in, &world, doors, &path);
    Ok(())
}

/// The token of the last start while it holds, a new one otherwise.
async fn token(app: &App, known: Option<&String>, account: &world::DemoAccount) -> Result<String> {
    let home = IpAddr::from([127, 0, 0, 1]);
    if let Some(token) = known
        && app.bearer(token, home).await.is_ok_and(|actor| actor.account == account.name)
    {
        return Ok(token.clone());
    }
    let actor = app.authenticate(account.name.as_str(), &account.password, home).await;
    let actor = actor.map_err(|error| anyhow!("{} cannot sign in: {error}", account.name))?;
    app.new_token(&actor, "demo", 366).await.map_err(|error| anyhow!("{error}"))
}

/// Whole or not at all, and for this user only.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let part = path.with_extension("json.part");
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
    file.and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("{} cannot be written", part.display()))?;
    fs::rename(&part, path).with_context(|| format!("{} cannot be written", path.display()))
}

fn print(way_in: &WayIn, world: &world::World, doors: &Doors, path: &Path) {
    println!();
    println!("{} is open.", world.title.en);
    println!("  pages and HTTP API   {}/", way_in.http);
    println!("  PostgreSQL protocol  {}", way_in.pg);
    println!("  Arrow Flight SQL     grpc://{}", doors.flight);
    println!("  for scripts          {}", path.display());
    println!();
    println!("Sign in as one of these (passwords for this machine only):");
    for account in &world.account {
        let roles: Vec<&str> = account.roles.iter().map(|role| role.code()).collect();
        println!(
            "  {:<10} {:<22} {:<16} {}",
            account.name.as_str(),
            account.password,
            account.party.as_str(),
            roles.join(", ")
        );
    }
    let ready = way_in
        .grants
        .iter()
        .find(|grant| grant.state == "active" && grant.form == "rows" && !grant.account.is_empty());
    if let Some(grant) = ready {
        let password =
            world.account.iter().find(|a| a.name.as_str() == grant.account).map(|a| a.password.as_str());
        println!();
        println!("A grant is a database:");
        println!(
            "  PGPASSWORD={} psql -h {} -p {} -U {} -d {}",
            password.unwrap_or_default(),
            doors.pg.ip(),
            doors.pg.port(),
            grant.account,
            grant.id
        );
    }
    println!();
    println!("Ctrl-C ends the server.");
}
