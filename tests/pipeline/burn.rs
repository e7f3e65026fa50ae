//! Runs the chapters of `man 7 mediastruct` on discs, taken from the page itself, on real files and a real image. Only the
//! burning itself is left out: a copy of the image stands for the disc.

#![allow(clippy::print_stderr, reason = "what is done otherwise is said loudly")]

use crate::support;

use std::path::{Path, PathBuf};

use support::{Outcome, Sandbox, needs, needs_root};

/// The commands between two headings, a block each.
fn blocks(from: &str, until: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/mediastruct.7");
    let text = std::fs::read_to_string(page).expect("the page");
    let from = text.find(&format!(".Ss {from}\n")).expect(from);
    let chapter = &text[from..from + text[from..].find(&format!(".Ss {until}\n")).expect(until)];
    let mut blocks = Vec::new();
    for block in chapter.split(".Bd -literal\n").skip(1) {
        let (lines, _) = block.split_once(".Ed\n").expect("the end of a block");
        blocks.push(lines.replace("\\e", "\\"));
    }
    blocks
}

/// Where the manual's places are in a sandbox.
fn placed(command: &str, work: &Path) -> String {
    let places = [
        ("/Archive", "Archive"),
        ("/data/", "data/"),
        ("/tmp/0007.iso", "0007.iso"),
        ("/dev/sr0", "disc.iso"),
        ("/mnt", "mnt"),
    ];
    places
        .iter()
        .fold(command.to_owned(), |text, (known, here)| text.replace(known, &work.join(here).display().to_string()))
}

struct Desk {
    sandbox: Sandbox,
    /// Whether this kernel can mount an image; otherwise it is unpacked where it would be mounted.
    mounts: bool,
    work: PathBuf,
}

impl Desk {
    /// An archive whose next volume has the number 7, and photos, with a duplicate of one of them still to come.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let work = sandbox.work();
        sandbox.write("Archive/0006.UNBURNED", "");
        for (name, text) in
            [("2012/03/a.jpg", "first"), ("2012/04/b c.jpg", "second"), ("2013/01/n\u{e9}w.jpg", "third")]
        {
            sandbox.write(format!("data/photos/{name}"), text);
        }
        std::fs::create_dir(sandbox.path("mnt")).expect("mount point");
        let known = std::fs::read_to_string("/proc/filesystems").expect("filesystems");
        let mounts = known.contains("iso9660")
            || std::process::Command::new("modprobe").arg("isofs").status().is_ok_and(|status| status.success());
        if !mounts {
            eprintln!("no iso9660 in this kernel: images are unpacked instead of mounted");
        }
        Self { sandbox, mounts, work }
    }

    fn run(&self, block: &str) -> Outcome {
        // What fills a disc here would take long to make.
        let mut block = block.replace("ms-pack --to /Archive", "ms-pack --flush --to /Archive");
        if !self.mounts {
            for (disc, options) in [("/tmp/0007.iso", "loop,ro"), ("/dev/sr0", "ro")] {
                let mount = format!("mount -o {options} {disc} /mnt");
                block = block.replace(&mount, &format!("xorriso -osirrox on -indev stdio:{disc} -extract / /mnt"));
            }
            block = block.replace("umount /mnt", "(cd / && find /mnt -mindepth 1 -delete)");
        }
        self.sandbox.shell(&format!("set -e; {}", placed(&block, &self.work)))
    }
}

impl Drop for Desk {
    /// Also where the test ended between two commands.
    fn drop(&mut self) {
        let mut umount = std::process::Command::new("umount");
        drop(umount.arg(self.sandbox.path("mnt")).stderr(std::process::Stdio::null()).status());
    }
}

#[test]
fn every_command_of_the_chapters_on_discs_does_what_it_says() {
    if !needs("xorriso") || !needs("b3sum") || !needs_root() {
        return;
    }
    let desk = Desk::new();
    let mut commands = blocks("Fill discs", "Burn");
    commands.extend(blocks("Burn", "Keep discs on a shelf"));
    let shelf = blocks("Keep discs on a shelf", "What in the quarantine is proved to be in the archive?");
    assert_eq!((commands.len(), shelf.len()), (8, 3), "what stands in the manual is known here");
    for block in &commands {
        if block.starts_with("growisofs ") {
            assert!(block.lines().nth(1).is_some_and(|line| line.starts_with("xorriso -as cdrecord ")), "{block}");
            std::fs::copy(desk.sandbox.path("0007.iso"), desk.sandbox.path("disc.iso")).expect("the disc");
        } else if block.starts_with("cd /mnt") {
            desk.run(&format!("mount -o ro /dev/sr0 /mnt; ({block}) && umount /mnt")).expect_status(0);
        } else {
            desk.run(block).expect_status(0);
        }
    }
    assert!(!desk.sandbox.exists("Archive/0007.UNBURNED") && desk.sandbox.exists("Archive/0006.UNBURNED"));
    assert!(!desk.sandbox.exists("data/photos/2012/03/a.jpg") && desk.sandbox.exists("Archive/0007/2012/03/a.jpg"));

    // A copy of what is archived turns up again, and the volume goes to the shelf.
    desk.sandbox.write("data/photos/phone/again.jpg", "first");
    desk.run(&shelf[0]).expect_status(0);
    desk.run(&shelf[1]).expect_status(0);
    assert!(!desk.sandbox.exists("data/photos/phone/again.jpg"));
    let quarantine = desk.work.join("data/duplicates");
    let found = walk(&quarantine);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(std::fs::read(&found[0]).expect("the duplicate"), b"first");
    desk.run(&shelf[2]).expect_status(0);
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("directory").map(|entry| entry.expect("entry").path()) {
        if entry.is_dir() { files.extend(walk(&entry)) } else { files.push(entry) }
    }
    files
}
