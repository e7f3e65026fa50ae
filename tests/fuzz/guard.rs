//! What must not happen whatever the input: too much memory, or no end.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::targets::Target;

/// So much may be allocated for one input, in bytes.
pub const MOST: usize = 64 << 20;

/// An input takes milliseconds; what takes so long never ends.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts what each thread holds, and the most that it has held.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// While a thread ends its counters are gone, and nothing is guarded any more.
fn add(bytes: usize) {
    let held = HELD.try_with(|held| {
        held.set(held.get().saturating_add(bytes));
        held.get()
    });
    let held = held.unwrap_or(0);
    PEAK.try_with(|peak| peak.set(peak.get().max(held))).unwrap_or(());
}

/// What came from another thread may be given back here.
fn take(bytes: usize) {
    HELD.try_with(|held| held.set(held.get().saturating_sub(bytes))).unwrap_or(());
}

// SAFETY: every call is handed to the system's allocator as it came; the counters allocate nothing and never unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        take(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there while the content is copied.
        add(size);
        take(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Gives `data` to `target` and tells how much memory that took at most.
///
/// # Panics
/// Where it took more than [`MOST`], and where `target` panics.
pub fn guarded(target: Target, data: &[u8]) -> usize {
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    target(data);
    let peak = PEAK.with(Cell::get).saturating_sub(before);
    assert!(peak <= MOST, "{peak} bytes were allocated for an input of {}", data.len());
    peak
}

/// Ends the process with a message where something takes too long.
#[derive(Debug)]
pub struct Watchdog(std::sync::Arc<Mutex<Option<(String, Instant)>>>);

impl Watchdog {
    /// Begins to watch.
    pub fn new() -> Self {
        let watched = std::sync::Arc::new(Mutex::new(None::<(String, Instant)>));
        let weak = std::sync::Arc::downgrade(&watched);
        std::thread::spawn(move || {
            while let Some(watched) = weak.upgrade() {
                if let Some((name, begin)) = &*watched.lock().expect("a lock")
                    && begin.elapsed() > LONGEST
                {
                    eprintln!("{name} does not come to an end");
                    std::process::abort();
                }
                drop(watched);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        Self(watched)
    }

    /// What is called `name` begins now.
    pub fn begin(&self, name: String) {
        *self.0.lock().expect("a lock") = Some((name, Instant::now()));
    }
}
