//! The image of a disc is never larger than foretold, and hardly smaller: real trees, and what the programs that make
//! images say of them. Files are sparse, so that terabytes cost nothing.

use crate::support;

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mediastruct::volume::image::{CONTINUED, Filesystem, SECTOR, sectors};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore as _, SeedableRng as _};
use support::{Outcome, Sandbox, finish, name, needs};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Files and their sizes, and directories that need not hold any.
#[derive(Default)]
struct Tree {
    files: Vec<(PathBuf, u64)>,
    dirs: Vec<PathBuf>,
}

impl Tree {
    fn files<P: AsRef<Path>>(files: impl IntoIterator<Item = (P, u64)>) -> Self {
        let files = files.into_iter().map(|(path, size)| (path.as_ref().to_owned(), size)).collect();
        Self { files, dirs: Vec::new() }
    }

    fn dirs<P: AsRef<Path>>(dirs: impl IntoIterator<Item = P>) -> Self {
        Self { files: Vec::new(), dirs: dirs.into_iter().map(|path| path.as_ref().to_owned()).collect() }
    }

    /// Each directory once, those above others included, but not the root.
    fn all_dirs(&self) -> BTreeSet<&Path> {
        let parents = self.files.iter().filter_map(|(path, _)| path.parent());
        let named = self.dirs.iter().map(PathBuf::as_path);
        parents.chain(named).flat_map(Path::ancestors).filter(|path| !path.as_os_str().is_empty()).collect()
    }

    fn build(&self, root: &Path) {
        std::fs::create_dir(root).expect("root");
        // A parent is a prefix, and comes first.
        for dir in self.all_dirs() {
            std::fs::create_dir(root.join(dir)).expect("directory");
        }
        for (path, size) in &self.files {
            let file = std::fs::File::create_new(root.join(path)).expect("file");
            file.set_len(*size).expect("sparse file");
        }
    }

    /// In sectors.
    fn bound(&self, filesystem: Filesystem) -> u64 {
        let files = self.files.iter().map(|(path, size)| filesystem.file(last(path), *size));
        let dirs = self.all_dirs().into_iter().map(|path| filesystem.dir(last(path)));
        sectors(filesystem.fixed() + files.sum::<u64>() + dirs.sum::<u64>())
    }

    /// In which names are something else each. genisoimage gives up on those for Joliet that are no text in the charset of
    /// the locale, and on characters above U+FFFF.
    fn locales(&self, filesystem: Filesystem) -> &'static [&'static str] {
        let paths = || self.files.iter().map(|(path, _)| path).chain(&self.dirs);
        let is_taken = |path: &PathBuf| path.to_str().is_some_and(|text| text.chars().all(|c| c <= '\u{ffff}'));
        if paths().all(|path| path.as_os_str().is_ascii()) {
            &["C.UTF-8"]
        } else if filesystem == Filesystem::Udf && !paths().all(is_taken) {
            &["C"]
        } else {
            &["C", "C.UTF-8"]
        }
    }

    /// Builds the tree and compares what is foretold with what the programs say. The largest excess, in sectors.
    #[track_caller]
    fn check(&self, what: &str) -> u64 {
        let memory = in_memory();
        let root = memory.path().join("volume");
        self.build(&root);
        let mut largest = 0;
        for filesystem in [Filesystem::Iso, Filesystem::Udf] {
            let bound = self.bound(filesystem);
            for locale in self.locales(filesystem) {
                let size = planned(&root, filesystem, locale);
                assert!(size <= bound, "{what}: {filesystem} ({locale}) takes {size} sectors, foretold were {bound}");
                largest = largest.max(bound - size);
            }
        }
        largest
    }
}

fn last(path: &Path) -> &[u8] {
    path.file_name().expect("a name").as_bytes()
}

/// A directory in memory, if there is any: many thousands of files are made much faster there.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("temporary directory")
}

/// Whether both programs are there.
fn have_programs() -> bool {
    needs("xorriso") && needs("genisoimage")
}

fn program(filesystem: Filesystem, locale: &str) -> Command {
    let words: &[&str] = match filesystem {
        Filesystem::Udf => &["genisoimage", "-udf", "-allow-limited-size"],
        _ => &["xorriso", "-as", "mkisofs"],
    };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["-r", "-J", "-joliet-long", "-iso-level", "3"]).env("LC_ALL", locale);
    command
}

/// How many sectors the image of `root` will take, as the program says itself: both say it in a line of stdout.
#[track_caller]
fn planned(root: &Path, filesystem: Filesystem, locale: &str) -> u64 {
    let mut command = program(filesystem, locale);
    command.args(["-quiet", "-print-size"]).arg(root);
    let Outcome { status, stdout, stderr } = finish_lossy(command);
    let text = String::from_utf8_lossy(&stdout);
    let size = text.lines().find_map(|line| line.trim().parse().ok());
    assert!(status == 0 && size.is_some(), "{filesystem} ({locale}): status {status}\n{text}\n{stderr}");
    size.expect("a size")
}

/// The programs print names as they are.
fn finish_lossy(mut command: Command) -> Outcome {
    let output = command.stdin(std::process::Stdio::null()).output().expect("the program starts");
    Outcome {
        status: support::exit_status(output.status),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Photos of 2 to 8 MB in a directory for each day, `bytes` in all.
fn library(bytes: u64, per_day: std::ops::RangeInclusive<u64>) -> Tree {
    let mut random = Random::new(25);
    let mut files = Vec::new();
    let mut taken = 0;
    for day in 0.. {
        let (year, month, day) = (2012 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
        for photo in 0..random.between(*per_day.start(), *per_day.end()) {
            let size = random.between(2_000_000, 8_000_000);
            taken += size;
            let time = 100_000 + photo;
            let path = format!("{year}/{month:02}/{day:02}/IMG_{year}{month:02}{day:02}_{time}.jpg");
            files.push((path, size));
        }
        if taken >= bytes {
            break;
        }
    }
    Tree::files(files)
}

/// Numbers that are the same in each run.
struct Random(Xoshiro256PlusPlus);

impl Random {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.next_u64() % (most - least + 1)
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.between(1, number) == 1
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = usize::try_from(self.between(0, items.len() as u64 - 1)).expect("an index");
        &items[index]
    }

    /// A name that nothing else has, for it begins with a number, of about `length` characters, at most 255 bytes.
    fn name(&mut self, number: usize, length: u64) -> Vec<u8> {
        let alphabet: Vec<char> = self
            .pick(&[
                "abcdefghij",
                "ABCxyz.",
                "+-=@# ",
                "\u{e4}\u{f6}\u{fc}\u{df}",
                "\u{5199}\u{771f}a",
                "\u{101}",
                "a.",
            ])
            .chars()
            .collect();
        let mut name = format!("{number:x}_");
        for _ in 0..length {
            name.push(*self.pick(&alphabet));
        }
        while name.len() > 249 {
            name.pop();
        }
        name.push_str(self.pick::<&str>(&["", "", ".jpg", ".JPEG", ".x", "."]));
        let mut name = name.into_bytes();
        if self.one_in(40) {
            name.push(0xff);
        }
        name
    }

    fn tree(&mut self) -> Tree {
        // All names of one length, or each of its own; at these lengths, records and what is continued begin to grow.
        let edges = [24, 25, 78, 79, 80, 81, 115, 116, 117, 118];
        let fixed = match self.between(0, 4) {
            0 => Some(*self.pick(&edges)),
            1 => Some(self.between(1, 245)),
            _ => None,
        };
        let length = |random: &mut Self| {
            let most = *random.pick(&[12, 40, 130, 240]);
            fixed.unwrap_or_else(|| random.between(1, most))
        };
        let mut dirs = vec![PathBuf::new()];
        let goes_down = self.between(1, 10);
        for number in 0..usize::try_from(*self.pick(&[0, 1, 5, 30, 100])).expect("a number") {
            let parent = if self.one_in(goes_down) { &dirs[dirs.len() - 1] } else { self.pick(&dirs) };
            let parent = parent.clone();
            let length = length(self);
            let path = parent.join(name(&self.name(number, length)));
            if path.as_os_str().len() < 3000 {
                dirs.push(path);
            }
        }
        let mut files = Vec::new();
        for number in 0..usize::try_from(*self.pick(&[1, 10, 100, 600])).expect("a number") {
            let length = length(self);
            let path = self.pick(&dirs).join(name(&self.name(0x10_0000 + number, length)));
            let other = self.between(0, 9_000_000);
            let size = if self.one_in(50) { other * 2048 } else { *self.pick(&[0, 1, 2047, 2048, 2049, other]) };
            files.push((path, size));
        }
        dirs.remove(0);
        Tree { files, dirs }
    }
}

#[test]
fn random_trees() {
    if !have_programs() {
        return;
    }
    for seed in 0..40 {
        Random::new(seed).tree().check(&format!("seed {seed}"));
    }
}

#[test]
fn a_library_of_photos_is_foretold_to_a_hundredth_of_a_percent() {
    if !have_programs() {
        return;
    }
    for per_day in [1..=10, 5..=40, 50..=300] {
        let tree = library(25_000_000_000, per_day.clone());
        let excess = tree.check(&format!("{per_day:?} photos a day"));
        let content = tree.bound(Filesystem::Raw);
        assert!(excess * 10_000 <= content, "{per_day:?} photos a day: {excess} sectors of {content}");
    }
}

#[test]
fn tiny_and_empty_things() {
    if !have_programs() {
        return;
    }
    Tree::files([("f", 1)]).check("one file");
    Tree::files([("f", 0)]).check("one empty file");
    Tree::dirs(["d"]).check("one empty directory");
    Tree::files((0..2000).map(|i| (format!("{i}"), 1))).check("tiny files");
    Tree::files((0..500).map(|i| (format!("{i}"), 0))).check("empty files");
    Tree::dirs((0..500).map(|i| format!("{i}"))).check("empty directories");
    Tree::files((0..500).map(|i| (format!("{i:03}/f"), 1))).check("one file for each directory");
}

#[test]
fn long_names_and_other_scripts() {
    if !have_programs() {
        return;
    }
    for length in [30, 31, 84, 85, 103, 104, 121, 122, 123, 124, 200, 255] {
        let long = |number: usize| format!("{number:03}{}", "n".repeat(length - 3));
        Tree::files((0..150).map(|i| (long(i), 1))).check(&format!("names of {length} bytes"));
        Tree::dirs((0..60).map(long)).check(&format!("directories with names of {length} bytes"));
        Tree::files((0..40).map(|i| (format!("{i}/{}", long(i)), 1))).check(&format!("one of {length} bytes each"));
    }
    let names = [
        ("CJK", "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{5199}\u{771f}"),
        ("accents", "\u{e9}\u{e4}\u{f8}"),
        ("emoji", "\u{1f4f7}"),
    ];
    for (what, letters) in names {
        for repeat in [1, 6, 12] {
            let word = letters.repeat(repeat);
            let file = |i| format!("{i:03}{word}{}/{i:03}{word}.jpg", i % 20);
            Tree::files((0..300).map(|i| (file(i), 1))).check(&format!("{what}, {repeat} times"));
        }
    }
    let widened = |i: usize| format!("{i:03}\u{101}{}.jpg", "a".repeat(90));
    Tree::files((0..300).map(|i| (widened(i), 1))).check("one wide character in each name");
    let bad = |i: usize| [format!("{i}_").as_bytes(), &b"\xff\xe9".repeat(i % 50)].concat();
    Tree::files((0..300).map(|i| (name(&bad(i)).to_owned(), 1))).check("no UTF-8");
}

#[test]
fn identifiers_that_collide_or_have_many_dots() {
    if !have_programs() {
        return;
    }
    let signs = ["+", "-", "=", "@", "#", "%", "&", "~"];
    let three = |i: usize| [signs[i % 8], signs[i / 8 % 8], signs[i / 64 % 8]].concat();
    Tree::files((0..512).map(|i| (three(i), 1))).check("files of one identifier");
    Tree::dirs((0..512).map(three)).check("directories of one identifier");
    let cases = |i: usize| (0..8).map(|bit| if i >> bit & 1 == 0 { 'a' } else { 'A' }).collect::<String>();
    Tree::files((0..256).map(|i| (format!("d/{}", cases(i)), 1))).check("upper and lower case");
    let dotted = |i: usize| format!("{}{i}{}jpg", ".".repeat(i % 3), ".".repeat(i % 7));
    Tree::files((0..300).map(|i| (dotted(i), 1))).check("dots");
    let ending = |i: usize| format!("a.{}{i:03}", "e".repeat(40));
    Tree::files((0..300).map(|i| (ending(i), 1))).check("long extensions");
}

#[test]
fn deep_and_flat() {
    if !have_programs() {
        return;
    }
    Tree::files((0..20_000).map(|i| (format!("IMG_{i:05}.JPG"), 5 * MIB))).check("flat");
    let down = |levels: usize| (0..levels).map(|level| format!("level{level:02}")).collect::<PathBuf>();
    for levels in [7, 8, 9, 60] {
        let files = (0..3).map(|i| (down(levels).join(format!("{i}.jpg")), MIB));
        Tree::files(files).check(&format!("{levels} levels"));
        // From the eighth level on, each directory may have to move.
        for length in [1, 30, 74, 80] {
            let wide = |i: usize| down(levels - 1).join(format!("{i:03}{}", "w".repeat(length)));
            Tree::dirs((0..120).map(wide)).check(&format!("{levels} levels, then names of {length} bytes"));
        }
    }
    let twigs = (0..20).map(|i| Path::new(&format!("{i}")).join(down(20)));
    Tree::dirs(twigs).check("many that are deep");
}

#[test]
fn films_of_many_gigabytes() {
    if !have_programs() {
        return;
    }
    let extent = 4 * GIB - 2048;
    let sizes = [extent - 1, extent, extent + 1, 4 * GIB, 8 * GIB, 2 * extent + 1, 13 * GIB, 100 * GIB];
    Tree::files((0..).zip(sizes).map(|(i, size)| (format!("films/{i}.mov"), size))).check("films");
    Tree::files((0..60).map(|i| (format!("{i:02}.mov"), 20 * GIB + i))).check("many films");
    let long = |i| format!("{i:02}{}", "n".repeat(240));
    Tree::files((0..20).map(|i| (long(i), 20 * GIB + i))).check("films with long names");
}

/// Records are laid out so that each sector is left as empty as can be.
#[test]
fn directories_at_the_edge_of_a_sector() {
    if !have_programs() {
        return;
    }
    for (filesystem, own, head) in [(Filesystem::Iso, 192, 133), (Filesystem::Udf, 204, 138)] {
        for length in (32..=84_u64).step_by(4).chain([83, 84]) {
            let record = (head + length).next_multiple_of(2);
            // The one that is too much for two sectors.
            let files = (SECTOR - own) / record + SECTOR / record + 1;
            let padding = "n".repeat(usize::try_from(length - 4).expect("a length"));
            let path = |i: u64| format!("{}/{:04}{padding}", i / files, i % files);
            let tree = Tree::files((0..20 * files).map(|i| (path(i), 0)));
            tree.check(&format!("{filesystem}: {files} names of {length} bytes"));
        }
    }
    let large = |i: usize| format!("{i:04}{}", "n".repeat(117));
    let little = |i: usize| format!("{i:04}{}", "n".repeat(28));
    // Eleven of 164 bytes are 1804, and the next one of 254 does not fit.
    let path = |i: usize| if i.is_multiple_of(11) { large(i) } else { little(i) };
    Tree::files((0..3000).map(|i| (path(i), 0))).check("large after little");
}

/// What is planned is what is written, also where xorriso 1.5.4 plans more room than it takes.
#[test]
fn images_are_as_large_as_planned() {
    if !have_programs() {
        return;
    }
    let library = Tree::files((0..100).map(|i| (format!("2012/{:02}/IMG_{i}.jpg", i % 12), 5000)));
    // As many as are safe: what is continued of them fits one sector.
    let long = |i: u64| format!("d/{i:03}{}", "n".repeat(252));
    let each = Filesystem::Iso.continued(&[b'n'; 255]);
    let names = Tree::files((0..CONTINUED / each).map(|i| (long(i), 5000)));
    for tree in [library, names] {
        let sandbox = Sandbox::new();
        let root = sandbox.path("volume");
        tree.build(&root);
        for filesystem in [Filesystem::Iso, Filesystem::Udf] {
            let image = sandbox.path("image.iso");
            let mut command = program(filesystem, "C.UTF-8");
            command.args(["-quiet", "-o"]).arg(&image).arg(&root);
            finish(command, b"").expect_status(0);
            let length = image.metadata().expect("image").len();
            assert_eq!(length, planned(&root, filesystem, "C.UTF-8") * SECTOR, "{filesystem}");
            assert!(length <= tree.bound(filesystem) * SECTOR, "{filesystem}");
        }
    }
}
