//! The least that a job takes: its system calls, and nothing else. `benches/bench.sh` times the tools beside this.
//!
//! ```text
//! floor read DIR THREADS    list a tree, and read each file whole with 128 KiB at a time
//! floor rename LIST         renameat2(2) for each line of LIST: from, tab, to
//! ```

use std::ffi::{CString, c_char, c_int, c_uint};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

unsafe extern "C" {
    fn renameat2(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char, flags: c_uint) -> c_int;
}

/// `fcntl.h`, `stdio.h`.
const AT_FDCWD: c_int = -100;
const RENAME_NOREPLACE: c_uint = 1;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["read", dir, threads] => read(Path::new(dir), threads.parse().expect("a number of threads")),
        ["rename", list] => rename(list),
        _ => panic!("usage: floor read DIR THREADS | floor rename LIST"),
    }
}

fn read(dir: &Path, threads: usize) {
    let todo = Mutex::new(vec![dir.to_path_buf()]);
    let busy = Mutex::new(0_usize);
    let work = || {
        let mut buffer = vec![0; 128 << 10];
        let mut total = 0;
        loop {
            let next = {
                let mut todo = todo.lock().expect("no panic");
                let next = todo.pop();
                *busy.lock().expect("no panic") += usize::from(next.is_some());
                next
            };
            let Some(dir) = next else {
                if *busy.lock().expect("no panic") == 0 {
                    return total;
                }
                std::thread::yield_now();
                continue;
            };
            total += read_files(&dir, &todo, &mut buffer);
            *busy.lock().expect("no panic") -= 1;
        }
    };
    let total: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    println!("{total}");
}

fn read_files(dir: &Path, todo: &Mutex<Vec<PathBuf>>, buffer: &mut [u8]) -> u64 {
    let mut total = 0;
    let mut below = Vec::new();
    for entry in dir.read_dir().expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            below.push(entry.path());
            continue;
        }
        let mut file = File::open(entry.path()).expect("a file");
        let size = file.metadata().expect("its size").len();
        let mut done = 0;
        while done < size {
            done += file.read(buffer).expect("its content") as u64;
        }
        total += done;
    }
    todo.lock().expect("no panic").append(&mut below);
    total
}

fn rename(list: &str) {
    for line in std::fs::read_to_string(list).expect("a list").lines() {
        let (from, to) = line.split_once('\t').expect("a tab");
        let (from, to) = (CString::new(from).expect("no NUL"), CString::new(to).expect("no NUL"));
        // SAFETY: both names end with NUL, and live until the call is over.
        let result = unsafe { renameat2(AT_FDCWD, from.as_ptr(), AT_FDCWD, to.as_ptr(), RENAME_NOREPLACE) };
        assert_eq!(result, 0, "{line}: {}", std::io::Error::last_os_error());
    }
}
