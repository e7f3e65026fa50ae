//! The targets of `tests/fuzz`, for cargo-fuzz.

#[allow(dead_code, reason = "libFuzzer has a watchdog of its own")]
#[path = "../../tests/fuzz/guard.rs"]
mod guard;
#[path = "../../tests/fuzz/targets.rs"]
mod targets;

/// Gives `data` to a target.
///
/// # Panics
/// Where that breaks a promise.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = targets::ALL.iter().find(|(known, _)| *known == name).expect("a target");
    guard::guarded(*target, data);
}
