//! Ctrl-C and its kin, as something that a tool asks about between two steps.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use crate::cli::{Exit, Failure};
use crate::report;

/// Remembers the last of SIGINT, SIGTERM and SIGHUP that came.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on these signals no longer end the process, nor does SIGXFSZ: a file that grows beyond a limit is an error
    /// of the call that made it grow.
    ///
    /// # Errors
    /// [`Failure::Stop`] with what sigaction(2) gives.
    pub fn install() -> Result<Self, Failure> {
        Self::register().map_err(|error| Failure::Stop(format!("catching signals: {}", report::reason(&error))))
    }

    fn register() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)) {
            let number = usize::try_from(signal).map_err(io::Error::other)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.signal), number)?;
        }
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        Ok(interrupt)
    }

    /// How the run is to end, once a signal has come.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        let signal = self.signal.load(Ordering::Relaxed);
        u8::try_from(signal).ok().filter(|number| *number != 0).map(Exit::Signal)
    }

    /// Whether a signal has come.
    #[must_use]
    pub fn came(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }
}

/// From now on a write past the limit on the size of files (`ulimit -f`) fails as one on a full disk does, and is told;
/// by default it ends the process, files half-written (setrlimit(2)).
pub(crate) fn outlive_size_limit() {
    // SAFETY: SIG_IGN is always a valid disposition.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// A signal that is ignored from the start, as by nohup(1), stays so.
fn is_ignored(signal: i32) -> bool {
    // SAFETY: an all-zero sigaction is a valid value to be filled in, and without a new action nothing is changed.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}
