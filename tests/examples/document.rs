//! One document: its examples in their order, in a world that was prepared for them.

use super::example::{Example, Known};
use super::world::{Left, World};
use super::{markdown, mdoc};
use std::path::Path;

/// A document, and what is known of its examples.
pub(crate) struct Document {
    /// Its path in the tree.
    pub path: &'static str,
    /// So many examples it has at least: a reader who finds none has read nothing.
    pub at_least: usize,
    /// This host, and those that are reached by ssh.
    pub hosts: &'static [&'static str],
    /// Other programs that its examples run.
    pub needs: &'static [&'static str],
    /// Run by bash before the first example, in the home directory.
    pub prepare: &'static str,
    pub known: Vec<Known>,
}

impl Document {
    /// Runs all its examples.
    ///
    /// # Panics
    ///
    /// With all that went otherwise than expected.
    #[track_caller]
    pub(crate) fn expect_to_run(&self) {
        let examples = self.examples();
        assert!(examples.len() >= self.at_least, "{}: only {} examples were found", self.path, examples.len());
        let nothing = Known::default();
        let known: Vec<&Known> = self.known_of(&examples).into_iter().map(|known| known.unwrap_or(&nothing)).collect();
        let Some(mut world) = World::new(self.hosts, self.needs) else { return };
        let prepare = world.add("", self.prepare, "", false);
        let numbers: Vec<usize> = examples
            .iter()
            .zip(&known)
            .map(|(example, known)| {
                world.add(known.before, &known.command(&example.text), known.after, example.shown.is_some())
            })
            .collect();
        world.run();
        let mut wrong = Vec::new();
        expect_success(&world, prepare, "command", &mut wrong);
        for ((example, known), number) in examples.iter().zip(known).zip(numbers) {
            let mut reasons = Vec::new();
            expect_success(&world, number, "before", &mut reasons);
            let left = world.left(number, "command").expect("every example is a command");
            expect_what_is_known(example, known, &left, &mut reasons);
            expect_success(&world, number, "after", &mut reasons);
            if !reasons.is_empty() {
                wrong.push(format!("{}:{}:\n{}\n{}", self.path, example.line, example.text, reasons.join("\n")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    fn examples(&self) -> Vec<Example> {
        let text =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(self.path)).expect("the document");
        match self.path.rsplit_once('.') {
            Some((_, "md")) => markdown::examples(&text),
            Some((_, "1")) => mdoc::examples(&text, Some("EXAMPLES")),
            _ => mdoc::examples(&text, None),
        }
    }

    /// What is known of each example. All that is known must be of exactly one.
    fn known_of(&self, examples: &[Example]) -> Vec<Option<&Known>> {
        let mut all: Vec<Option<&Known>> = vec![None; examples.len()];
        for known in &self.known {
            let with = |is_of: &dyn Fn(&str) -> bool| -> Vec<usize> {
                (0..examples.len()).filter(|&at| is_of(&examples[at].text)).collect()
            };
            // An example that is these words and no others comes first.
            let of = Some(with(&|text| text == known.words)).filter(|of| !of.is_empty());
            let of = of.unwrap_or_else(|| with(&|text| text.contains(known.words)));
            assert_eq!(of.len(), 1, "{}: so many examples have the words {:?}", self.path, known.words);
            assert!(all[of[0]].is_none(), "{}: more is known of one example: {:?}", self.path, known.words);
            all[of[0]] = Some(known);
        }
        all
    }
}

/// A part that must end with 0, if it is there.
fn expect_success(world: &World, number: usize, part: &str, wrong: &mut Vec<String>) {
    if let Some(left) = world.left(number, part).filter(|left| left.status != 0) {
        wrong.push(format!("{part}: {}", told(&left)));
    }
}

fn expect_what_is_known(example: &Example, known: &Known, left: &Left, wrong: &mut Vec<String>) {
    if left.status != known.status {
        wrong.push(format!("expected exit status {}: {}", known.status, told(left)));
    }
    let said = format!("{}{}", left.stdout, left.stderr);
    for words in known.prints.iter().filter(|words| !said.contains(**words)) {
        wrong.push(format!("{words:?} was not printed: {}", told(left)));
    }
    if let Some(words) = known.prints_no.filter(|words| left.stdout.contains(words)) {
        wrong.push(format!("{words:?} was printed: {}", told(left)));
    }
    if let Some(shown) = &example.shown {
        let (shown, printed) = (lasting(shown), lasting(&left.stdout));
        if shown != printed {
            wrong.push(format!("the document shows:\n{shown}but this was printed:\n{printed}"));
        }
    }
}

fn told(left: &Left) -> String {
    format!("exit status {}; stdout:\n{}stderr:\n{}", left.status, left.stdout, left.stderr)
}

/// A text without what is another each time: the names of journals, which are a time and the number of a process.
fn lasting(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let (bare, space) = word.split_at(word.trim_end().len());
        let journal = bare.rsplit_once('/').filter(|(_, name)| is_journal(name));
        journal.map_or_else(|| word.to_owned(), |(dir, _)| format!("{dir}/TIME-PROCESS.journal{space}"))
    });
    words.collect()
}

fn is_journal(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".journal") else { return false };
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    stem.split_once("Z-").is_some_and(|(time, process)| {
        let parts: Vec<&str> = time.split(['T', '.']).collect();
        digits(process, process.len())
            && matches!(parts[..], [day, second, part] if digits(day, 8) && digits(second, 6) && digits(part, 9))
    })
}

#[test]
fn only_the_names_of_journals_are_no_part_of_a_transcript() {
    let text = "x /a/20261129T033816.093804375Z-26988.journal\n/a/2026.journal y\n";
    assert_eq!(lasting(text), "x /a/TIME-PROCESS.journal\n/a/2026.journal y\n");
}
