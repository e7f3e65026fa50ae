//! Files mapped into memory, safe against somebody else cutting them short meanwhile.
//!
//! Reading a mapped page that lies past the end of its file raises SIGBUS (mmap(2)). The handler here puts
//! a page of zeros in its place and marks the mapping as torn, so that the reader goes on and learns of it
//! when it asks [`Mapping::is_torn`]: what was read then is worth nothing, but nothing else is lost.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

use memmap2::{Advice, Mmap, MmapOptions};

/// A mapped range of a file.
#[derive(Debug)]
pub struct Mapping {
    map: Mmap,
    slot: &'static Slot,
}

impl Mapping {
    /// Maps `len` bytes of `file` from `offset`, which need not be a whole number of pages.
    ///
    /// # Errors
    /// What mmap(2) gives, or that too many mappings are alive at once to guard another.
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Self> {
        install_handler()?;
        // SAFETY: the bytes may change while they are read, as those of any shared file; all readers here treat them
        // as unchecked input, and a shrinking file is caught by the handler, which knows the range before it is read.
        let map = unsafe { MmapOptions::new().offset(offset).len(len).map(file)? };
        let slot = Slot::claim(map.as_ptr().addr(), len)?;
        Ok(Self { map, slot })
    }

    /// Asks for the pages at once, in reading order. A hint: failure shows when the bytes are read.
    pub fn populate(&self) {
        // MADV_POPULATE_READ (Linux 5.14) maps all pages with one call; where it is missing, each fault maps a few.
        if self.map.advise(Advice::PopulateRead).is_err() {
            self.map.advise(Advice::Sequential).unwrap_or(());
        }
    }

    /// Whether the file was cut short while it was mapped, so that bytes read from it may be false.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        self.slot.torn.load(Ordering::Acquire)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Mapping {
    /// Runs before the memory goes: once it is gone, another thread may map something else there, which must not be
    /// taken for this.
    fn drop(&mut self) {
        self.slot.release();
    }
}

/// A range that the handler guards.
///
/// The handler looks at slots that other threads give back and take meanwhile. `edition` tells whether what it read of a
/// slot belongs together (a sequence lock; Boehm 2012, doi:10.1145/2247684.2247688): a range put together from two
/// mappings could reach over memory that is no mapping at all.
#[derive(Debug)]
struct Slot {
    taken: AtomicBool,
    /// Counts up whenever the range becomes valid, to an odd number, and whenever it ceases to be, to an even one.
    edition: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    torn: AtomicBool,
}

/// Far more than there are workers, each of which maps one file at a time, and streams that a tool is given.
static SLOTS: [Slot; 1024] = [const {
    Slot {
        taken: AtomicBool::new(false),
        edition: AtomicUsize::new(0),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        torn: AtomicBool::new(false),
    }
}; 1024];

impl Slot {
    fn claim(start: usize, len: usize) -> io::Result<&'static Self> {
        let free =
            |slot: &&Self| slot.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
        let too_many = || io::Error::other("too many files are mapped at once");
        let slot = SLOTS.iter().find(free).ok_or_else(too_many)?;
        // Whoever sees any of what is stored below sees the even edition, too.
        fence(Ordering::Release);
        slot.torn.store(false, Ordering::Relaxed);
        slot.start.store(start, Ordering::Relaxed);
        slot.end.store(start + len, Ordering::Relaxed);
        slot.edition.fetch_add(1, Ordering::Release);
        Ok(slot)
    }

    fn release(&self) {
        self.edition.fetch_add(1, Ordering::Relaxed);
        self.taken.store(false, Ordering::Release);
    }

    /// The end of the range, if `address` lies in it.
    fn end_around(&self, address: usize) -> Option<usize> {
        let edition = self.edition.load(Ordering::Acquire);
        let (start, end) = (self.start.load(Ordering::Relaxed), self.end.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let is_one_range = edition % 2 == 1 && self.edition.load(Ordering::Relaxed) == edition;
        (is_one_range && start <= address && address < end).then_some(end)
    }
}

fn install_handler() -> io::Result<()> {
    static INSTALL: Once = Once::new();
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    INSTALL.call_once(|| {
        // SAFETY: an all-zero sigaction is a valid value; the handler has the signature that SA_SIGINFO asks for.
        let status = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_sigbus as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
            libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut())
        };
        INSTALLED.store(status == 0, Ordering::Release);
    });
    if INSTALLED.load(Ordering::Acquire) {
        Ok(())
    } else {
        Err(io::Error::other("no handler for SIGBUS could be installed"))
    }
}

/// Uses only atomics, mmap, sysconf and signal: nothing that a signal may not interrupt (signal-safety(7)).
extern "C" fn on_sigbus(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, and a SIGBUS has an address.
    let address = unsafe { (*info).si_addr() }.addr();
    // No slot but that of the mapping it faulted in can hold the address: the thread still borrows that mapping.
    let found = SLOTS.iter().find_map(|slot| slot.end_around(address).map(|end| (slot, end)));
    if found.is_none_or(|(slot, end)| !replace_with_zeros(slot, address, end)) {
        // Not ours: the signal does what it does by default when the instruction is tried again.
        // SAFETY: SIG_DFL is always a valid disposition.
        unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
    }
}

/// Puts zeros where the file has no bytes any more, from the page of `address` to the end of the mapping.
fn replace_with_zeros(slot: &Slot, address: usize, end: usize) -> bool {
    slot.torn.store(true, Ordering::Release);
    // SAFETY: sysconf only reads a constant.
    let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else { return false };
    let from = address & !(page - 1);
    let len = end.next_multiple_of(page).saturating_sub(from);
    // SAFETY: the range lies within a mapping that this module made and has not unmapped: whoever faulted in it still borrows it.
    // The errno of the interrupted code is put back.
    unsafe {
        let errno = *libc::__errno_location();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // An address for the kernel, through which nothing here reads or writes.
        let place = std::ptr::without_provenance_mut(from);
        let mapped = libc::mmap(place, len, libc::PROT_READ, flags, -1, 0);
        *libc::__errno_location() = errno;
        mapped != libc::MAP_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(len: usize) -> File {
        let file = tempfile::tempfile().expect("temporary file");
        file.set_len(len as u64).expect("length");
        file
    }

    #[test]
    fn a_file_cut_short_is_torn_and_reads_as_zeros() {
        let file = file_of(1 << 20);
        let map = Mapping::new(&file, 0, 1 << 20).expect("map");
        assert!(map.iter().all(|byte| *byte == 0) && !map.is_torn());
        file.set_len(4096).expect("cut");
        assert!(map.iter().all(|byte| *byte == 0));
        assert!(map.is_torn());
    }

    #[test]
    fn a_torn_mapping_does_not_taint_the_next() {
        let file = file_of(1 << 16);
        let map = Mapping::new(&file, 0, 1 << 16).expect("map");
        file.set_len(0).expect("cut");
        assert_eq!(map[1 << 15], 0);
        assert!(map.is_torn());
        drop(map);
        let whole = file_of(1 << 16);
        let map = Mapping::new(&whole, 0, 1 << 16).expect("map");
        assert_eq!(map[1 << 15], 0);
        assert!(!map.is_torn());
    }
}
