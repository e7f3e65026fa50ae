//! Running a tool under strace(1): to make a system call fail, to die at a chosen one, to see their order.

use super::{Outcome, Sandbox, bin, finish};
use std::path::PathBuf;
use std::process::Command;

/// Where `traced` leaves what strace wrote.
pub fn log(sandbox: &Sandbox) -> PathBuf {
    sandbox.work().parent().expect("the sandbox").join("strace.log")
}

/// `strace -f STRACE_ARGS… TOOL TOOL_ARGS…` with `stdin` as the input of the tool. When the tool is killed,
/// strace dies of the same signal, so the status is the tool's.
pub fn traced(sandbox: &Sandbox, strace_args: &[&str], tool: &str, tool_args: &[&str], stdin: &[u8]) -> Outcome {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-o"])
        .arg(log(sandbox))
        .args(strace_args)
        .arg(bin(tool))
        .args(tool_args)
        .current_dir(sandbox.work())
        .env("XDG_STATE_HOME", sandbox.state())
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC");
    finish(command, stdin)
}
