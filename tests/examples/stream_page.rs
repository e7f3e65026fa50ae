//! man 5 mediastruct.

use super::document::Document;
use super::example::Known;

/// The trees, indexes and plans that the page takes for granted. The times are those of which the queries tell.
const PREPARE: &str = r#"
    file() { mkdir -p "${1%/*}"; head -c "$2" /dev/zero | tr '\0' "$3" > "$1"; touch -d "$4" "$1"; }
    file photos/2011/xmas.jpg 50000 1 2001-09-09
    file photos/2012/IMG_1.JPG 100000 2 2012-06-18
    file photos/2012/IMG_2.JPG 200000 3 2012-06-18
    file 'photos/phone backup/IMG_1.JPG' 100000 2 2001-09-09
    file photos/$'tab\there \\ "q"\n end ' 10 4 2001-09-09
    file photos/new.jpg 60000 5 2001-09-09
    file 'photos/phone backup/2012/again.jpg' 100000 2 2001-09-09
    file Archive/2011/xmas.jpg 50000 1 2001-09-09
    ms-crawl photos > photos.tsv
    ms-crawl Archive > archive.tsv
    ms-crawl photos Archive > index.tsv
    ms-crawl --csv photos Archive > index.csv
    ms-dupes index.tsv > plan.tsv
    cp photos.tsv old.tsv
    cp index.tsv new.tsv
"#;

const QUERY: &str = "duckdb all.db \"$EXAMPLE\"";
const SQL: &str = "it is SQL, which DuckDB runs";

fn known() -> Vec<Known> {
    let mut known = displays();
    known.extend(recipes());
    known.extend(queries());
    known
}

/// Displays that are no commands.
fn displays() -> Vec<Known> {
    vec![
        Known::of("ms-dupes: reading: index.tsv:3:").instead(
            "mkdir bad; cd bad; printf 'a\\t-\\t1\\nb\\t-\\t2\\nc\\t-\\tabc\\n' > index.tsv
             { ! ms-dupes index.tsv 2>&1; } | grep -x -F \"$EXAMPLE\"",
            "it is a message, which is to be that of such an index",
        ),
        Known::of("keep mtime=").instead(
            "form=$(sed 's/[0-9][0-9]*/[0-9]*/g' <<< \"$EXAMPLE\")
             cut -f 8 plan.tsv | grep -x \"$form\"",
            "it is a note, which is to have the form of those in a plan",
        ),
        Known::of("volume=7 file=").instead(
            "form=$(sed 's/[0-9][0-9]*/[0-9]*/g' <<< \"$EXAMPLE\"); mkdir /Archive
             ms-pack --to /Archive --flush photos.tsv | cut -f 8 | grep -x \"$form\"",
            "it is a note, which is to have the form of those in a plan",
        ),
    ]
}

fn recipes() -> Vec<Known> {
    vec![
        Known::of("NR, n / 1e9").prints("8 files, 0.001 GB"),
        Known::of("sub(\"/[^/]*$\"").prints("300000\t2\tphotos/2012\n"),
        Known::of("{ $6 = \"later/\" $1; print }")
            .prints("later/photos/phone backup/IMG_1.JPG")
            .after("ms-mv --undo; test ! -e later"),
        Known::of("b3sum --check").after("printf '%064d  photos/new.jpg\n' 0 | fails b3sum --check --quiet"),
        Known::of("grep /2012/ index.tsv").prints("photos/2012/IMG_2.JPG\t"),
        Known::of("grep -P").prints("photos/phone backup/2012/again.jpg\t"),
        Known::of("sed 10q").prints("photos/2012/IMG_2.JPG\t"),
        Known::of("comm -13").prints("Archive/2011/xmas.jpg\t"),
        Known::of("-o 1.1,2.1").prints("photos/2011/xmas.jpg\tArchive/2011/xmas.jpg\n"),
        Known::of("-v 1 -o")
            .with(
                "join",
                "export LC_ALL=C tab=\"$(printf '\\t')\"\njoin",
                "it goes on where the one before has stopped, and that was another shell",
            )
            .prints("photos/2012/IMG_1.JPG\t"),
        Known::of("xargs -0").prints("again.jpg"),
        Known::of("find photos").prints("photos/2012/IMG_1.JPG\t-\t100000\n"),
    ]
}

fn queries() -> Vec<Known> {
    vec![
        Known::of("CREATE VIEW files").instead(QUERY, SQL),
        Known::of("CREATE VIEW csv_files")
            .instead(QUERY, SQL)
            .after("duckdb all.db 'SELECT count(*) FROM csv_files' | grep -F '[(8,)]'"),
        Known::of("GROUP BY year").instead(QUERY, SQL).prints("(2012, 2, 300000)"),
        Known::of("one_of_them").instead(QUERY, SQL).prints("('Archive/2011/xmas.jpg', 2, 50000)"),
        Known::of("COPY (").instead(QUERY, SQL).after("ms-dupes large.tsv | cut -f 1 | cmp - <(cut -f 1 plan.tsv)"),
    ]
}

#[test]
fn every_example_of_the_page_on_streams_runs() {
    Document {
        path: "man/mediastruct.5",
        at_least: 20,
        hosts: &["here"],
        needs: &["b3sum", "duckdb"],
        prepare: PREPARE,
        known: known(),
    }
    .expect_to_run();
}
