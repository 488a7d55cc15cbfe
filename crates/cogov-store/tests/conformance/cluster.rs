//! A PostgreSQL cluster of our own for the length of one test: a free loopback port, a temporary folder,
//! never as root, stopped when dropped.

use std::{
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

pub struct Cluster {
    folder: tempfile::TempDir,
    bin: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
}

impl Cluster {
    /// Makes and starts it; panics with what to install when it cannot.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let owner = (id("-u", None) == 0).then(|| (id("-u", Some("postgres")), id("-g", Some("postgres"))));
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        // The port is free when asked; a rare thief makes the start fail loudly.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { folder, bin: binaries(), owner, port };
        cluster
            .run("initdb", &["-D", "data", "-U", "cogov", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        let options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off");
        cluster.run("pg_ctl", &["-D", "data", "-w", "-l", "log", "-o", &options, "start"]);
        cluster
    }

    /// Makes an empty database and gives its address.
    pub fn database(&self, name: &str) -> String {
        let port = self.port.to_string();
        self.run("createdb", &["-h", "127.0.0.1", "-p", &port, "-U", "cogov", name]);
        format!("postgres://cogov:not-a-secret@127.0.0.1:{port}/{name}")
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).current_dir(self.folder.path());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program, arguments).stdout(std::process::Stdio::null()).status();
        let status = status.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        assert!(status.success(), "{program} ended with {status}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = self.command("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]).output();
        if !std::thread::panicking() {
            assert!(stopped.unwrap().status.success(), "the cluster did not stop");
        }
    }
}

fn binaries() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.into_iter().rev().chain(std::env::split_paths(&path)).find(|folder| complete(folder)).expect(
        "PostgreSQL is not installed: `apt-get install postgresql`, or put initdb and pg_ctl on the PATH",
    )
}

fn complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "createdb", "postgres"].iter().all(|program| folder.join(program).exists())
}

fn id(flag: &str, user: Option<&str>) -> u32 {
    let output = Command::new("id").arg(flag).args(user).output().unwrap();
    assert!(output.status.success(), "there is no user {user:?} to run PostgreSQL as");
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
