//! Holding a tool at the entry of a system call, doing something to its files meanwhile, and letting it go on.
//!
//! strace(1) delays the call for longer than any test takes. That the tool has come to it is seen in /proc; taking
//! strace away, by which the kernel detaches it, lets it go on (ptrace(2)).

use super::{Outcome, Sandbox, bin, exit_status};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Which call to hold a tool at.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The call by its name in strace(1).
    pub call: &'a str,
    /// The how-manieth of these calls.
    pub turn: usize,
    /// Only calls that have to do with this path count.
    pub path: Option<&'a str>,
}

impl<'a> At<'a> {
    pub fn first(call: &'a str) -> Self {
        Self { call, turn: 1, path: None }
    }

    pub fn turn(self, turn: usize) -> Self {
        Self { turn, ..self }
    }

    pub fn on(self, path: &'a str) -> Self {
        Self { path: Some(path), ..self }
    }
}

/// A tool that stands still.
pub struct Held {
    child: Child,
    tracer: String,
    outputs: Vec<JoinHandle<Vec<u8>>>,
}

/// Starts `TOOL ARGS…` with `stdin` as its input, and waits until it has come to a call.
#[track_caller]
pub fn hold(sandbox: &Sandbox, at: At<'_>, tool: &str, args: &[&str], stdin: &[u8]) -> Held {
    let At { call, turn, path } = at;
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-qq", "-o", "/dev/null"]);
    if let Some(path) = path {
        command.args(["-P", path]);
    }
    command
        .args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:delay_enter=900000000:when={turn}")])
        .arg(bin(tool))
        .args(args)
        .current_dir(sandbox.work())
        .env("XDG_STATE_HOME", sandbox.state())
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("strace starts");
    let mut pipe = child.stdin.take().expect("stdin");
    let input = stdin.to_vec();
    std::thread::spawn(move || drop(pipe.write_all(&input)));
    let outputs = vec![collect(child.stdout.take()), collect(child.stderr.take())];
    let mut held = Held { child, tracer: String::new(), outputs };
    let deadline = Instant::now() + Duration::from_secs(120);
    while !held.is_at(call) {
        let ended = held.child.try_wait().expect("the tool");
        assert!(ended.is_none(), "{tool} ended without coming to {at:?}: {}", held.stderr_so_far());
        assert!(Instant::now() < deadline, "{tool} does not come to {at:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    held
}

fn collect(pipe: Option<impl std::io::Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        drop(pipe.expect("a pipe").read_to_end(&mut all));
        all
    })
}

impl Held {
    /// Lets it go on, to its end.
    pub fn go(mut self) -> Outcome {
        self.let_go();
        let status = exit_status(self.child.wait().expect("the tool ends"));
        let mut outputs = self.outputs.drain(..).map(|output| output.join().expect("an output"));
        let stdout = outputs.next().expect("stdout");
        let stderr = String::from_utf8(outputs.next().expect("stderr")).expect("messages are UTF-8");
        Outcome { status, stdout, stderr }
    }

    fn proc(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.child.id()))
    }

    /// Whether one of its threads stands at the entry of `call`.
    fn is_at(&mut self, call: &str) -> bool {
        let number = format!("{} ", number(call));
        let Ok(threads) = std::fs::read_dir(self.proc().join("task")) else { return false };
        for thread in threads.flatten() {
            let read = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            let status = read("status");
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if field("State:").is_some_and(|state| state.starts_with('t')) && read("syscall").starts_with(&number) {
                field("TracerPid:").unwrap_or_default().clone_into(&mut self.tracer);
                // A call that only passes by is not held: it is seen twice only by chance, and hardly ever three times.
                std::thread::sleep(Duration::from_millis(20));
                return read("syscall").starts_with(&number) && read("status").contains("State:\tt");
            }
        }
        false
    }

    fn let_go(&mut self) {
        if !self.tracer.is_empty() {
            let status = Command::new("kill").args(["-KILL", &self.tracer]).status();
            assert!(status.is_ok_and(|status| status.success()), "strace is there");
            self.tracer.clear();
        }
    }

    fn stderr_so_far(&mut self) -> String {
        let stderr = self.outputs.pop().map(|output| output.join().expect("stderr"));
        String::from_utf8_lossy(&stderr.unwrap_or_default()).into_owned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            drop(self.child.kill());
            // Whoever traces it would have to be told of its end first.
            drop(Command::new("kill").args(["-KILL", &self.tracer]).stderr(Stdio::null()).status());
            drop(self.child.wait());
        }
    }
}

fn number(call: &str) -> libc::c_long {
    match call {
        "renameat2" => libc::SYS_renameat2,
        "renameat" => libc::SYS_renameat,
        "linkat" => libc::SYS_linkat,
        "unlinkat" => libc::SYS_unlinkat,
        "mkdirat" => libc::SYS_mkdirat,
        "openat" => libc::SYS_openat,
        "openat2" => libc::SYS_openat2,
        "fsync" => libc::SYS_fsync,
        "fdatasync" => libc::SYS_fdatasync,
        "syncfs" => libc::SYS_syncfs,
        "fadvise64" => libc::SYS_fadvise64,
        "getdents64" => libc::SYS_getdents64,
        "futimens" | "utimensat" => libc::SYS_utimensat,
        "fchown" => libc::SYS_fchown,
        other => panic!("{other} has no number here"),
    }
}
