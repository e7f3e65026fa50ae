//! What must hold of `ms-mv` after any fault.

use crate::support;

use std::fs;
use std::path::{Path, PathBuf};
use support::faults::{Fault, Met, Stage, Tree, at_every_step, expect_told, expect_tree, files};
use support::plan::{Row, journals, plan, undo_everything};

/// How a kind of run begins and ends.
pub(crate) struct Moves<'a> {
    /// For what is printed.
    pub(crate) name: &'static str,
    pub(crate) stage: &'a dyn Fn() -> Stage,
    /// Pairs of old and new names.
    pub(crate) names: &'a [(&'a str, &'a str)],
    /// Whether the old names stay.
    pub(crate) sources_stay: bool,
    /// Whether the new names are those of other files.
    pub(crate) is_copy: bool,
}

/// What comes after a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
enum After {
    /// The same command again, and then everything is undone.
    Again,
    /// Everything is undone at once.
    Undo,
}

/// A stage of `ms-mv ARGS` with these rows.
pub(crate) fn stage(sandbox: support::Sandbox, args: &[&str], rows: &[Row]) -> Stage {
    let stdin = plan(rows);
    Stage::new(sandbox, "ms-mv", args, stdin)
}

impl Moves<'_> {
    /// Errors: the same command again completes the run, which can be undone then.
    #[track_caller]
    pub(crate) fn fail(&self, faults: &[Fault]) -> usize {
        let (before, after) = self.ends();
        at_every_step(self.name, faults, self.stage, &|stage, met| {
            expect_told("ms-mv", met);
            self.expect_whole(stage, met, &before);
            let parts = parts(stage);
            assert!(parts.is_empty(), "{parts:?} is left after {met}");
            if met.is_fine() {
                expect_tree(&stage.tree(), &after, met);
            }
            for (old, _) in self.names {
                let is_named = |line: &str| line.starts_with("ms-mv: ") && line.contains(&format!("ing: {old}: "));
                let stays = stage.sandbox.exists(old);
                assert!(stays || !met.outcome.stderr.lines().any(is_named), "{old} was refused, and is gone: {met}");
            }
            self.go_on(stage, met, (After::Again, false), &before, &after);
        })
    }

    /// Deaths: as above, or all is undone without completing it.
    #[track_caller]
    pub(crate) fn die(&self) -> usize {
        self.die_then("", &|_| {}, false)
    }

    /// Deaths with all of the power: of the journal, only what was synced is left. That may cost an empty directory and,
    /// if the run is not completed before it is undone, a hard link.
    #[track_caller]
    pub(crate) fn lose_power(&self) -> usize {
        self.die_then(" in a power cut", &cut_journals, true)
    }

    #[track_caller]
    fn die_then(&self, how: &str, cut: &dyn Fn(&Stage), is_loose: bool) -> usize {
        let (before, after) = self.ends();
        let each = |then: After| {
            let name = format!("{}, death{how}, then {then:?}", self.name);
            at_every_step(&name, &support::faults::DEATH, self.stage, &|stage, met| {
                self.expect_whole(stage, met, &before);
                cut(stage);
                self.go_on(stage, met, (then, is_loose), &before, &after);
            })
        };
        each(After::Again) + each(After::Undo)
    }

    /// What there is before the run, and after a clean one.
    fn ends(&self) -> (Tree, Tree) {
        let stage = (self.stage)();
        let before = stage.tree();
        stage.run().expect_status(0);
        (before, stage.tree())
    }

    /// Each content stands whole under its old name, its new name, or both; nothing else has changed.
    #[track_caller]
    pub(crate) fn expect_whole(&self, stage: &Stage, met: &Met<'_>, before: &Tree) {
        let now = files(stage.tree());
        let content = |path: &str| now.get(Path::new(path)).map(|(seen, _)| &seen.content);
        for (old, new) in self.names {
            let original = &before[Path::new(old)].0.content;
            let there: Vec<_> = [old, new].into_iter().filter_map(|name| content(name)).collect();
            assert!(!there.is_empty(), "{old} is lost after {met}");
            assert!(there.iter().all(|content| *content == original), "{old} is not whole after {met}");
            assert!(!self.sources_stay || content(old).is_some(), "{old} is gone after {met}");
        }
        let is_moved =
            |path: &Path| self.names.iter().any(|(old, new)| path == Path::new(old) || path == Path::new(new));
        for (path, seen) in files(before.clone()).into_iter().filter(|(path, _)| !is_moved(path)) {
            assert_eq!(now.get(&path), Some(&seen), "{} was touched: {met}", path.display());
        }
        let strangers = now.keys().filter(|path| !before.contains_key(*path) && !is_moved(path) && !is_part(path));
        let strangers: Vec<_> = strangers.collect();
        assert!(strangers.is_empty(), "{strangers:?} after {met}");
    }

    #[track_caller]
    fn go_on(&self, stage: &Stage, met: &Met<'_>, (then, is_loose): (After, bool), before: &Tree, after: &Tree) {
        if then == After::Again {
            let again = stage.run();
            assert_eq!(again.status, 0, "the same again: {}\nafter {met}", again.stderr);
            expect_tree(&stage.tree(), after, &format!("the same again after {met}"));
        }
        undo_everything(&stage.sandbox);
        let mut found = stage.tree();
        if is_loose && self.sources_stay && then == After::Undo {
            found.retain(|path, (seen, _)| seen.kind != 'f' || before.contains_key(path) || self.is_copy);
        }
        if is_loose {
            found.retain(|path, (seen, _)| seen.kind != 'd' || before.contains_key(path));
        }
        expect_tree(&found, before, &format!("undone after {met}"));
    }
}

/// An unfinished copy, or what is being removed.
fn is_part(path: &Path) -> bool {
    path.iter().filter_map(|name| name.to_str()?.strip_prefix(".ms-mv-")).any(|name| {
        let extension = Path::new(name).extension();
        extension.is_some_and(|extension| extension == "part" || extension == "old")
    })
}

/// What a run has made for a while, and left.
pub(crate) fn parts(stage: &Stage) -> Vec<PathBuf> {
    stage.tree().into_keys().filter(|path| is_part(path)).collect()
}

/// Takes from the journals what had not been brought to the disk.
pub(crate) fn cut_journals(stage: &Stage) {
    let log = stage.log();
    for journal in journals(&stage.sandbox) {
        let name = format!("/{}>", journal.file_name().expect("a name").display());
        let (mut grown, mut unsynced) = (0, 0);
        for line in log.lines().filter(|line| line.contains(&name)) {
            if line.contains("sync(") && line.ends_with("= 0") {
                unsynced = 0;
            }
            if line.contains(" write(") {
                let written: u64 = line.rsplit_once(" = ").and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
                grown += written;
                unsynced += written;
            }
        }
        let length = journal.metadata().expect("journal").len();
        assert!(grown <= length && unsynced <= grown, "{length}, {grown}, {unsynced}: {log}");
        fs::File::options().write(true).open(&journal).and_then(|file| file.set_len(length - unsynced)).expect("cut");
    }
}
