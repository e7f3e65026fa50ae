//! What becomes of a run that gets no more memory, as under `ulimit -v`: one line on stderr and exit status 2, and not
//! the abort with a core dump that Rust ends in. Nothing else is done, so that to files it is as sudden death, which every
//! tool that writes is made for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt;
use std::io::Write as _;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::STOPPED;

/// The allocator of the system, which never gives nothing; each tool has it as its own.
#[derive(Debug)]
pub struct Allocator;

static TOOL: OnceLock<&'static str> = OnceLock::new();
static ADVICE: OnceLock<&'static str> = OnceLock::new();

thread_local! {
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// Who is to be named by the last message.
pub(crate) fn name_tool(tool: &'static str) {
    TOOL.get_or_init(|| tool);
}

/// The tool that runs; none in a test of the library.
pub(crate) fn tool() -> Option<&'static str> {
    TOOL.get().copied()
}

/// What the last message is to add from now on.
pub(crate) fn advise(text: &'static str) {
    ADVICE.get_or_init(|| text);
}

/// Lets `ask`, which knows what to do about it, learn that there is no memory.
pub(crate) fn may_fail<T>(ask: impl FnOnce() -> T) -> T {
    MAY_FAIL.set(true);
    let answer = ask();
    MAY_FAIL.set(false);
    answer
}

// SAFETY: every call is handed on to the system's allocator as it is, and so is every answer.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this very function.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        given(unsafe { System.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[inline]
fn given(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null() && !MAY_FAIL.get() {
        end(&format_args!("getting {size} bytes of memory"));
    }
    memory
}

/// Ends likewise where the standard library panics for want of memory: a thread that has begun gets a second stack before it
/// runs anything of ours, and nobody is asked whether it may fail.
pub(crate) fn end_threads_without_stack() {
    let other = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|place| place.file().ends_with("stack_overflow.rs")) {
            end(&"starting a thread");
        }
        other(panic);
    }));
}

/// Says so without any memory, and ends the process without waiting for anybody.
#[cold]
fn end(attempt: &dyn fmt::Display) -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    while ENDING.swap(true, Ordering::Relaxed) {
        // Another thread is about to end them all; its message is enough.
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    let mut line = [0; 256];
    let mut rest = &mut line[..];
    let tool = TOOL.get().copied().unwrap_or("mediastruct");
    let (before, advice) = ADVICE.get().map_or(("", ""), |advice| ("; ", advice));
    // What does not fit is left out.
    writeln!(rest, "{tool}: {attempt}: out of memory{before}{advice}").unwrap_or(());
    let left = rest.len();
    let text = &line[..line.len() - left];
    // SAFETY: the pointer and the length are those of a slice; _exit takes any status.
    unsafe {
        libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len());
        libc::_exit(STOPPED.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_do_without_memory_may_ask_for_it() {
        let mut much: Vec<u8> = Vec::new();
        assert!(may_fail(|| much.try_reserve_exact(usize::MAX / 4)).is_err());
    }
}
