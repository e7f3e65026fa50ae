//! How far a tool has come, on stderr while it works: files, bytes, rate, and the time left where the end is known.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::ProgressWhen;
use crate::report::{self, Reporter};

/// Counts what is done and shows it. Shared by all threads; it goes from the screen when it is dropped.
#[derive(Debug)]
pub struct Progress {
    counts: Arc<Counts>,
    bar: Option<ProgressBar>,
    display: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug, Default)]
struct Counts {
    files: AtomicU64,
    bytes: AtomicU64,
    all_bytes: AtomicU64,
}

impl Progress {
    /// Begins for `tool`: redrawn in place on a terminal, a line about once a second, and one at
    /// the end, elsewhere if `when` is always.
    #[must_use]
    pub fn start(tool: &'static str, when: ProgressWhen) -> Self {
        let counts = Arc::new(Counts::default());
        let terminal = io::stderr().is_terminal();
        let shown = when == ProgressWhen::Always || when == ProgressWhen::Auto && terminal;
        let bar = (shown && terminal).then(new_bar);
        let display = shown.then(|| start_display(tool, &counts, bar.clone())).flatten();
        Self { counts, bar, display }
    }

    /// A reporter whose messages do not disturb what is shown.
    #[must_use]
    pub fn reporter(&self, tool: &'static str, quiet: bool) -> Reporter {
        let reporter = Reporter::new(tool, quiet);
        match &self.bar {
            Some(bar) => reporter.beside(bar.clone()),
            None => reporter,
        }
    }

    /// So many more files are done.
    pub fn add_files(&self, count: u64) {
        self.counts.files.fetch_add(count, Ordering::Relaxed);
    }

    /// So many more bytes are done.
    pub fn add_bytes(&self, count: u64) {
        self.counts.bytes.fetch_add(count, Ordering::Relaxed);
    }

    /// So many bytes are to be done in all: from now on the time left is shown.
    pub fn expect_bytes(&self, count: u64) {
        self.counts.all_bytes.store(count, Ordering::Relaxed);
    }

    /// So many bytes are to be done besides those that were expected before.
    pub fn expect_more_bytes(&self, count: u64) {
        self.counts.all_bytes.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes it from the screen.
    pub fn finish(&mut self) {
        if let Some((stop, thread)) = self.display.take() {
            drop(stop);
            // It holds nothing that could be lost with it.
            thread.join().unwrap_or(());
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Without a thread to spare there is no progress to see, but the work goes on.
fn start_display(
    tool: &'static str,
    counts: &Arc<Counts>,
    bar: Option<ProgressBar>,
) -> Option<(Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = crossbeam_channel::bounded(0);
    let counts = Arc::clone(counts);
    let thread = thread::Builder::new().name("progress".into());
    let thread = thread.spawn(move || display(tool, &counts, bar.as_ref(), &stopped)).ok()?;
    Some((stop, thread))
}

fn display(tool: &str, counts: &Counts, bar: Option<&ProgressBar>, stopped: &Receiver<()>) {
    let start = Instant::now();
    let pause = Duration::from_millis(if bar.is_some() { 200 } else { 1000 });
    loop {
        let last = stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout);
        let text = counts.to_text(start.elapsed());
        match bar {
            Some(bar) => bar.set_message(text),
            // One write for the whole line. Where stderr is closed there is nobody to tell.
            None => io::stderr().write_all(format!("{tool}: {text}\n").as_bytes()).unwrap_or(()),
        }
        if last {
            return;
        }
    }
}

impl Counts {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "three digits of a rate and whole seconds are shown"
    )]
    fn to_text(&self, elapsed: Duration) -> String {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (files, bytes, all) = (read(&self.files), read(&self.bytes), read(&self.all_bytes));
        let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
        let text =
            format!("{}, {}, {}/s", report::count(files, "file"), report::bytes(bytes), report::bytes(rate as u64));
        if all <= bytes || rate < 1.0 {
            return text;
        }
        let seconds = ((all - bytes) as f64 / rate) as u64;
        format!("{text}, {}:{:02}:{:02} left", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_shown_once_the_end_is_known() {
        let counts = Counts::default();
        counts.files.store(2, Ordering::Relaxed);
        counts.bytes.store(1_000_000, Ordering::Relaxed);
        assert_eq!(counts.to_text(Duration::from_secs(1)), "2 files, 1.00 MB, 1.00 MB/s");
        counts.all_bytes.store(3_601_000_000, Ordering::Relaxed);
        assert_eq!(counts.to_text(Duration::from_secs(1)), "2 files, 1.00 MB, 1.00 MB/s, 1:00:00 left");
    }
}
