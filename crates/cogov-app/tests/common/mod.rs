//! A small node in a temporary home: two bodies, one dataset, the rulebook that ships.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests; not every test uses every one")]

use cogov_app::{
    Actor, App, AppConfig, ApplicationAct, ApplicationDraft, Description, Documents, ImportRequest,
    ImportSource, LabelChoice, NewAccount,
};
use cogov_ledger::MemoryMedia;
use cogov_model::{
    CategoryCode, Clock, ColumnName, ColumnRef, Form, Grade, GrantId, Lane, Locale, Party, PartyClass,
    Purpose, PurposeCode, Role, RowScope, SharingAttribute, SystemClock, Text, Tier,
};
use serde::Deserialize;
use std::{collections::BTreeMap, net::IpAddr, path::Path, sync::Arc};

pub const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
pub const PASSWORD: &str = "a-long-password";

pub struct Node {
    pub app: App,
    pub media: Arc<MemoryMedia>,
    home: tempfile::TempDir,
}

fn shipped(name: &str) -> String {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../rulebooks").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[derive(Deserialize)]
struct Purposes {
    purpose: Vec<PurposeEntry>,
}

#[derive(Deserialize)]
struct PurposeEntry {
    code: PurposeCode,
    name: Text,
}

pub fn documents() -> Documents {
    let purposes: Purposes = toml::from_str(&shipped("purposes.toml")).unwrap();
    Documents {
        rulebook: shipped("decree-809.md"),
        rulebook_zh: shipped("decree-809.zh.md"),
        scheme: toml::from_str(&shipped("scheme.toml")).unwrap(),
        calendar: toml::from_str(&shipped("holidays-cn.toml")).unwrap(),
        purposes: purposes.purpose.into_iter().map(|p| (p.code, p.name)).collect(),
    }
}

/// A node with the bodies `tax` (provides) and `north` (asks), and people for every role.
pub async fn node() -> Node {
    node_at(Arc::new(SystemClock)).await
}

/// The same with a clock of the test's.
pub async fn node_at(clock: Arc<dyn Clock>) -> Node {
    let home = tempfile::tempdir().unwrap();
    let media = Arc::new(MemoryMedia::new());
    let app = open(&home, &media, clock).await;
    for (id, tier, region) in [("tax", Tier::State, None), ("north", Tier::Region, Some("06"))] {
        let party = Party {
            id: id.parse().unwrap(),
            name: Text::new(id, id),
            class: PartyClass::Government,
            tier: Some(tier),
            region: region.map(|r: &str| r.parse().unwrap()),
        };
        app.put_party(&party).await.unwrap();
        let roles = [Role::Steward, Role::Requester, Role::Approver, Role::Head, Role::Analyst];
        for role in roles {
            account(&app, &format!("{id}-{}", role.code()), id, vec![role]).await;
        }
    }
    account(&app, "auditor", "tax", vec![Role::Auditor]).await;
    Node { app, media, home }
}

pub async fn account(app: &App, name: &str, party: &str, roles: Vec<Role>) {
    app.put_account(NewAccount {
        name: name.parse().unwrap(),
        display: name,
        party: party.parse().unwrap(),
        roles,
        locale: Locale::En,
        password: PASSWORD,
    })
    .await
    .unwrap();
}

async fn open(home: &tempfile::TempDir, media: &Arc<MemoryMedia>, clock: Arc<dyn Clock>) -> App {
    let mut config = AppConfig::new(home.path().to_path_buf(), documents());
    config.ledger_media = Some(media.clone());
    config.clock = clock;
    App::open(config).await.unwrap()
}

impl Node {
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Stops the node and starts it again on the same home.
    pub async fn restarted(self, clock: Arc<dyn Clock>) -> Node {
        self.restarted_after(clock, |_| {}).await
    }

    /// The same, with something done to the home while it is stopped.
    pub async fn restarted_after(self, clock: Arc<dyn Clock>, between: impl FnOnce(&Path)) -> Node {
        let Node { app, media, home } = self;
        app.close().await;
        drop(app);
        between(home.path());
        let app = open(&home, &media, clock).await;
        Node { app, media, home }
    }

    pub async fn actor(&self, name: &str) -> Actor {
        self.app.authenticate(name, PASSWORD, HOME).await.unwrap()
    }

    /// `tax.units`: 200 rows, ten in region 6, with a name, a wage and a region.
    pub async fn publish(&self) {
        let steward = self.actor("tax-steward").await;
        let mut csv = String::from("id,region,name,wage\n");
        for n in 0..200 {
            csv.push_str(&format!("{n},{},Person {n},{}\n", if n % 20 == 0 { 6 } else { 36 }, 1000 + n));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), csv).unwrap();
        let request = ImportRequest {
            dataset: "tax".parse().unwrap(),
            table: "units".parse().unwrap(),
            source: ImportSource::Path(file.path().to_path_buf()),
        };
        let account = self.app.import(&steward, request, |_| {}).await.unwrap();
        assert_eq!((account.version, account.table.rows, account.table.rejected), (1, 200, 0));
        let (dataset, table) = ("tax".parse().unwrap(), "units".parse().unwrap());
        let label = |code: &str, grade| LabelChoice::Override {
            categories: vec![CategoryCode::new(code).unwrap()],
            grade,
            reason: Text::same("for the test"),
        };
        let labels = vec![
            ("id", label("technical.key", Grade::General2)),
            ("region", label("region", Grade::General1)),
            ("name", label("person.name", Grade::General3)),
            ("wage", label("person.finance", Grade::General4)),
        ];
        let labels = labels.into_iter().map(|(c, l)| (ColumnName::new(c).unwrap(), l)).collect();
        self.app.decide_labels(&steward, &dataset, &table, labels).await.unwrap();
        let description = Description {
            title: Text::same("Tax"),
            description: Text::same("Units"),
            keywords: vec![],
            update_frequency: Text::same("yearly"),
            lanes: vec![Lane::Share],
            sharing: SharingAttribute::Conditional { conditions: Text::same("own region") },
            regions: vec![],
            tables: BTreeMap::new(),
            units: BTreeMap::from([(table, Some("id".parse().unwrap()))]),
            columns: BTreeMap::new(),
        };
        self.app.describe(&steward, &dataset, description).await.unwrap();
        self.app.publish(&steward, &dataset).await.unwrap();
    }

    pub fn draft(&self) -> ApplicationDraft {
        let column = |name: &str| ColumnRef {
            dataset: "tax".parse().unwrap(),
            table: "units".parse().unwrap(),
            column: name.parse().unwrap(),
        };
        let scope: RowScope =
            serde_json::from_str(r#"{"tax.units":[{"column":"region","op":"=","value":6}]}"#).unwrap();
        ApplicationDraft {
            provider: "tax".parse().unwrap(),
            columns: ["id", "region", "name", "wage"].map(column).to_vec(),
            scope,
            purpose: Purpose {
                code: "administration.eligibility".parse().unwrap(),
                words: Text::same("relief"),
                legal_basis: Text::same("act 1"),
                scenario: Text::same("yearly round"),
            },
            form: Form::Rows,
            lane: Lane::Share,
            days: 30,
            verification: None,
        }
    }

    /// Applies and lets everybody agree.
    pub async fn grant(&self) -> GrantId {
        self.grant_of(self.draft()).await
    }

    /// The same for another draft.
    pub async fn grant_of(&self, draft: ApplicationDraft) -> GrantId {
        let id = self.app.apply(&self.actor("north-requester").await, draft).await.unwrap();
        let agree = |words: &str| ApplicationAct::ApproveAsHead { words: words.into() };
        self.app.act(&self.actor("north-head").await, &id, agree("yes")).await.unwrap();
        let whole = ApplicationAct::Agree { columns: None, conditions: Vec::new(), words: "fine".into() };
        self.app.act(&self.actor("tax-approver").await, &id, whole).await.unwrap();
        let done = self.app.act(&self.actor("tax-head").await, &id, agree("yes")).await.unwrap();
        done.grant.unwrap()
    }
}
