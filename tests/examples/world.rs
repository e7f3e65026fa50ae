//! The world in which examples are run: see `world.sh`.

use super::support::{Sandbox, bin, needs, needs_root};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A world that is about to be made.
pub(crate) struct World {
    sandbox: Sandbox,
    hosts: Vec<&'static str>,
    examples: usize,
}

/// What an example left.
pub(crate) struct Left {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    /// Nothing where this machine lets nobody make one. The first host is this one.
    /// `programs` are what the examples run besides the tools and what every Debian has.
    pub(crate) fn new(hosts: &[&'static str], programs: &[&str]) -> Option<Self> {
        let network: &[&str] = if hosts.len() > 1 { &["ssh", "/usr/sbin/sshd", "/usr/sbin/ip"] } else { &[] };
        let mut needed = ["unshare", "bash", "timeout", "mount"].iter().chain(network).chain(programs);
        if !needed.all(|program| is_here(program)) || !may_enter_namespaces() {
            return None;
        }
        // Whoever logs in gets another user's number, which a user namespace of one number cannot give.
        if hosts.len() > 1 && !needs_root() {
            return None;
        }
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path("examples")).expect("directory");
        Some(Self { sandbox, hosts: hosts.to_vec(), examples: 0 })
    }

    /// Puts the next example there; gives its number.
    pub(crate) fn add(&mut self, before: &str, command: &str, after: &str, is_transcript: bool) -> usize {
        self.examples += 1;
        for (name, script) in [("before", before), ("command", command), ("after", after)] {
            if !script.is_empty() {
                self.sandbox.write(name_of(self.examples, name), format!("{script}\n"));
            }
        }
        if is_transcript {
            self.sandbox.write(name_of(self.examples, "transcript"), "");
        }
        self.examples
    }

    /// Runs all that is there, in turn.
    pub(crate) fn run(&self) {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(tree.join("tests/examples/world.sh"));
        command.arg(self.sandbox.work()).args(&self.hosts);
        command.env("TREE", tree).env("TOOLS", Path::new(bin("ms-mv")).parent().expect("directory of the tools"));
        let python = python();
        command.env("SEEN", python.as_ref().map_or("", |python| &python.seen));
        command.env("WORLD_PATH", python.as_ref().map_or("", |python| &python.path));
        let output = command.output().expect("the world");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What a part of an example left; nothing where it has no such part.
    pub(crate) fn left(&self, number: usize, part: &str) -> Option<Left> {
        let script = name_of(number, part);
        if !self.sandbox.exists(&script) {
            return None;
        }
        let read = |what: &str| {
            let name = format!("{script}.{what}");
            let bytes = if self.sandbox.exists(&name) { self.sandbox.read(&name) } else { Vec::new() };
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let status = read("status").trim().parse().unwrap_or_else(|_| panic!("{script} was not run"));
        Some(Left { status, stdout: read("stdout"), stderr: read("stderr") })
    }
}

/// Where a part of an example lies.
fn name_of(example: usize, part: &str) -> String {
    format!("examples/{example:03}/{part}")
}

fn is_here(program: &str) -> bool {
    match program {
        "duckdb" => python().is_some() || super::support::skip("python3 has no duckdb"),
        _ => needs(program),
    }
}

fn may_enter_namespaces() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--net", "--pid", "--fork"]);
    if !super::support::is_root() {
        unshare.arg("--map-root-user");
    }
    let may = unshare.arg("true").output().is_ok_and(|output| output.status.success());
    may || super::support::skip("no namespaces can be made here")
}

/// Where the Python that has `DuckDB` lies, if that is no place which every world has.
struct Python {
    seen: String,
    path: String,
}

fn python() -> Option<Python> {
    let script = "import sys, duckdb; print(sys.prefix); print(sys.base_prefix)";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let prefixes: Vec<PathBuf> = printed.lines().map(PathBuf::from).collect();
    let path = prefixes.first()?.join("bin").display().to_string();
    let seen: Vec<String> = prefixes.iter().map(|prefix| prefix.display().to_string()).collect();
    Some(Python { seen: seen.join(" "), path })
}
