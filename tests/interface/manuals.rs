//! Runs the recipes of `man 5 mediastruct`, taken from the page itself, on real streams.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, UNIX_EPOCH};

/// For each recipe: words by which it is known, and words that must be in what it prints.
const SHELL: [(&str, &str); 12] = [
    ("NR, n / 1e9", "8 files, 0.001 GB"),
    ("sub(\"/[^/]*$\"", "300000\t2\tphotos/2012\n"),
    ("| ms-mv", "later/photos/phone backup/IMG_1.JPG"),
    ("b3sum", ""),
    ("grep /2012/ ", "photos/2012/IMG_2.JPG\t"),
    ("grep -P", "photos/phone backup/2012/again.jpg\t"),
    ("sed 10q", "photos/2012/IMG_2.JPG\t"),
    ("comm -13", "Archive/2011/xmas.jpg\t"),
    ("-o 1.1,2.1", "photos/2011/xmas.jpg\tArchive/2011/xmas.jpg\n"),
    ("-v 1", "photos/2012/IMG_1.JPG\t"),
    ("xargs -0", "tab\there \\ \"q\"\n end "),
    ("find photos", "photos/2012/IMG_1.JPG\t-\t100000\n"),
];

/// The same for `DuckDB`.
const SQL: [(&str, &str); 5] = [
    ("VIEW files", ""),
    ("VIEW csv_files", ""),
    ("GROUP BY year", "(2012, 2, 300000)"),
    ("one_of_them", "('Archive/2011/xmas.jpg', 2, 50000)"),
    ("COPY", ""),
];

#[test]
fn every_recipe_for_the_shell_prints_what_it_is_for() {
    let recipes = recipes();
    let mut run = 0;
    for recipe in recipes.iter().filter(|recipe| !is_sql(recipe)) {
        let (_, expected) = known(&SHELL, recipe);
        if recipe.contains("b3sum") && !is_installed("b3sum", "--version") {
            continue;
        }
        let collection = Collection::new();
        let output = collection.bash(&with_what_precedes(recipe, &recipes));
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{recipe}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(printed.contains(expected), "{recipe}\nprinted:\n{printed}\nwithout: {expected}");
        run += 1;
    }
    assert!(run >= SHELL.len() - 1);
}

#[test]
fn every_recipe_for_duckdb_answers_its_question_and_its_stream_is_read() {
    if !is_installed("python3", "-cimport duckdb") {
        return;
    }
    let recipes = recipes();
    let sql: Vec<&String> = recipes.iter().filter(|recipe| is_sql(recipe)).collect();
    assert_eq!(sql.len(), SQL.len());
    let collection = Collection::new();
    fs::write(collection.dir.path().join("all.sql"), sql.iter().map(|text| text.as_str()).collect::<String>())
        .expect("write");
    let script = "import duckdb\n\
        for query in open('all.sql').read().split(';\\n')[:-1]:\n    \
            print(duckdb.execute(query).fetchall())\n\
        print(duckdb.execute('SELECT count(*) FROM csv_files').fetchall())\n";
    let output = collection.command("python3").arg("-c").arg(script).output().expect("python3");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for recipe in sql {
        let (_, expected) = known(&SQL, recipe);
        assert!(printed.contains(expected), "{recipe}\nprinted:\n{printed}\nwithout: {expected}");
    }
    assert!(printed.contains("[(8,)]"), "CSV: {printed}");
    let duplicates = collection.bash("ms-dupes --quiet large.tsv | cut -f 1");
    assert_eq!(String::from_utf8_lossy(&duplicates.stdout), collection.duplicates(), "the stream that DuckDB wrote");
}

/// The literal displays among the examples of the page, as a reader sees them.
fn recipes() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("man/mediastruct.5")).expect("the manual");
    let (_, examples) = page.split_once(".Sh EXAMPLES").expect("examples");
    let displays = examples.split(".Bd -literal\n").skip(1);
    displays.map(|rest| as_read(rest.split(".Ed\n").next().unwrap_or_default())).collect()
}

fn as_read(display: &str) -> String {
    display.replace(r"\(aq", "'").replace(r"\(ha", "^").replace(r"\(ti", "~").replace(r"\e", "\\")
}

fn is_sql(recipe: &str) -> bool {
    ["CREATE", "SELECT", "COPY"].iter().any(|word| recipe.starts_with(word))
}

fn known<'a>(table: &'a [(&'a str, &'a str)], recipe: &str) -> &'a (&'a str, &'a str) {
    let mut found = table.iter().filter(|(words, _)| recipe.contains(words));
    let first = found.next().unwrap_or_else(|| panic!("nothing is known of this recipe:\n{recipe}"));
    assert!(found.next().is_none(), "more than one entry is for this recipe:\n{recipe}");
    first
}

/// The second recipe for join uses the files that the first one sorted.
fn with_what_precedes(recipe: &str, recipes: &[String]) -> String {
    let at = recipes.iter().position(|known| known == recipe).unwrap_or_default();
    if recipe.contains("-v 1") { format!("{}{recipe}", recipes[at - 1]) } else { recipe.to_owned() }
}

/// Says loudly where a program is absent; where `CI` is set, that is a failure.
#[allow(clippy::print_stderr, reason = "a test that was skipped must not look like one that passed")]
fn is_installed(program: &str, argument: &str) -> bool {
    let found = Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{program} {argument} does not work here");
        eprintln!("SKIPPED: {program} {argument} does not work here");
    }
    found
}

/// A small collection with the streams that the page assumes.
struct Collection {
    dir: tempfile::TempDir,
}

impl Collection {
    fn new() -> Self {
        let collection = Self { dir: tempfile::tempdir().expect("directory") };
        collection.file("photos/2011/xmas.jpg", 50_000, 1);
        collection.file("photos/2012/IMG_1.JPG", 100_000, 2);
        collection.file("photos/2012/IMG_2.JPG", 200_000, 3);
        collection.file("photos/phone backup/IMG_1.JPG", 100_000, 2);
        collection.file("photos/tab\there \\ \"q\"\n end ", 10, 4);
        collection.file("photos/new.jpg", 60_000, 5);
        collection.file("photos/phone backup/2012/again.jpg", 100_000, 2);
        collection.file("Archive/2011/xmas.jpg", 50_000, 1);
        let made = collection.bash(
            "ms-crawl -q photos > photos.tsv; ms-crawl -q Archive > archive.tsv; ms-crawl -q photos Archive > index.tsv
             ms-crawl -q --csv photos Archive > index.csv; ms-dupes -q index.tsv > plan.tsv
             cp photos.tsv old.tsv; cp index.tsv new.tsv",
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        collection
    }

    fn file(&self, name: &str, size: usize, content: u8) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().expect("parent")).expect("directories");
        fs::write(&path, vec![content; size]).expect("file");
        let seconds = if name.starts_with("photos/2012/") { 1_340_000_000 } else { 1_000_000_000 };
        let mtime = UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(mtime)).expect("mtime");
    }

    fn duplicates(&self) -> String {
        let plan = fs::read_to_string(self.dir.path().join("plan.tsv")).expect("plan");
        plan.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned() + "\n").collect()
    }

    fn bash(&self, script: &str) -> Output {
        self.command("bash").args(["-eo", "pipefail", "-c", script]).output().expect("bash")
    }

    /// In the collection, with the tools of this build and a place for journals.
    fn command(&self, program: &str) -> Command {
        let mut path = OsString::from(tools());
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env("PATH", path).env("XDG_STATE_HOME", self.dir.path().join("state"));
        command
    }
}

fn tools() -> PathBuf {
    let tool = Path::new(env!("CARGO_BIN_EXE_ms-mv"));
    assert!(!tool.as_os_str().as_bytes().contains(&b':'));
    tool.parent().expect("directory of the tools").to_owned()
}
