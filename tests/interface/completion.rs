//! What bash, fish and zsh complete, asked of these shells themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use mediastruct::cli::synopsis::{Tool, Value};
use mediastruct::cli::tools;

use crate::support::{Sandbox, finish, needs};
use crate::table::in_help;

/// What is completed for each query: whatever stands at the end of a line.
type Completed = BTreeMap<String, BTreeSet<String>>;

/// A shell is asked about one tool, in a directory that holds a directory and a file.
type Ask = fn(&Sandbox, &str) -> Completed;

const DIR: &str = "photos";
const FILE: &str = "plan.tsv";

fn ask(shell: &str, ask: Ask, tool: &Tool, queries: &[String]) -> Completed {
    let sandbox = Sandbox::new();
    sandbox.write(format!("{DIR}/inner"), "");
    sandbox.write(FILE, "");
    let script = sandbox.run(tool.name, &["--completion", shell], b"").expect_status(0).stdout;
    // Where the shells look for it, by the names that they look for.
    let name = if shell == "zsh" { format!("_{}", tool.name) } else { tool.name.to_owned() };
    fs::create_dir(sandbox.state()).expect("directory");
    fs::write(sandbox.state().join(name), script).expect("script");
    fs::write(sandbox.state().join("queries"), queries.join("\n") + "\n").expect("queries");
    ask(&sandbox, tool.name)
}

fn source(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interface").join(name).to_string_lossy().into_owned()
}

/// Lines below the query that they answer.
fn parse(text: &str) -> Completed {
    let mut all = Completed::new();
    let mut query = String::new();
    for line in text.lines() {
        match line.strip_prefix("? ") {
            Some(next) => {
                next.clone_into(&mut query);
                all.entry(query.clone()).or_default();
            }
            None if line.is_empty() => {}
            None => drop(all.entry(query.clone()).or_default().insert(line.trim_end_matches('/').to_owned())),
        }
    }
    all
}

fn bash(sandbox: &Sandbox, tool: &str) -> Completed {
    let mut command = Command::new("bash");
    command.arg(source("bash.bash")).current_dir(sandbox.state()).env("TOOL", tool).env("QUERIES", "queries");
    let outcome = finish(command, b"").expect_status(0);
    assert_eq!(outcome.stderr, "", "bash");
    let mut all = parse(&String::from_utf8(outcome.stdout).expect("UTF-8"));
    for words in all.values_mut() {
        // Readline's own words for it.
        if words.remove("@dirnames") {
            words.insert(DIR.to_owned());
        } else if words.remove("@default") {
            words.extend([DIR.to_owned(), FILE.to_owned()]);
        }
    }
    all
}

fn fish(sandbox: &Sandbox, tool: &str) -> Completed {
    let script = format!(
        "source ./{tool}; set queries (cat queries); cd {}
         for query in $queries; echo \"? $query\"; complete -C $query | string split -f 1 \\t; end; true",
        sandbox.work().display()
    );
    let mut command = Command::new("fish");
    command.args(["--no-config", "-c", &script]);
    command.current_dir(sandbox.state()).env("HOME", sandbox.state());
    let outcome = finish(command, b"").expect_status(0);
    assert_eq!(outcome.stderr, "", "fish");
    let mut all = parse(&String::from_utf8(outcome.stdout).expect("UTF-8"));
    for (query, words) in &mut all {
        // Where a value can be left out, both forms are offered.
        *words = words.iter().map(|word| word.trim_end_matches('=').to_owned()).collect();
        // It shows what stands before an equals sign again.
        let written = query.rsplit(' ').next().unwrap_or_default();
        if let Some((option, _)) = written.split_once('=') {
            let begin = format!("{option}=");
            *words = words.iter().map(|word| word.trim_start_matches(&begin).to_owned()).collect();
        }
    }
    all
}

fn zsh(sandbox: &Sandbox, tool: &str) -> Completed {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60", "script", "-qec", "zsh -f", "/dev/null"]);
    command.current_dir(sandbox.work()).env("HOME", sandbox.state()).env("TERM", "dumb").env("TOOL", tool);
    command.env("HITS", sandbox.state().join("hits")).env("QUERIES", sandbox.state().join("queries"));
    let state = sandbox.state();
    let keys =
        format!("cd {0}; source {1}; cd {2}\n\x14", state.display(), source("zsh.zsh"), sandbox.work().display());
    let outcome = finish(command, keys.as_bytes());
    let hits = fs::read_to_string(state.join("hits"));
    parse(&hits.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&outcome.stdout))))
}

/// For each tool: the options, the words, directories and files that its table tells, and nothing else.
#[track_caller]
fn expect_completion(shell: &str, answer: Ask) {
    if !needs(shell) {
        return;
    }
    for tool in tools::ALL {
        let expected = expected(tool);
        let queries: Vec<String> = expected.keys().cloned().collect();
        let found = ask(shell, answer, tool, &queries);
        for (query, words) in expected {
            assert_eq!(found.get(&query), Some(&words), "{shell}: {query:?}: found on the left, expected on the right");
        }
    }
}

fn expected(tool: &Tool) -> Completed {
    let mut all = Completed::new();
    let name = tool.name;
    let options = in_help(&Sandbox::new(), name).into_iter().filter(|option| option.starts_with("--"));
    all.insert(format!("{name} --"), options.collect());
    all.insert(format!("{name} "), paths(tool.operands));
    all.insert(format!("{name} -- "), paths(tool.operands));
    for option in tool.options().filter(|option| option.value != Value::None) {
        let words = match option.value {
            Value::Word(words) | Value::Words(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            value => paths(value),
        };
        if !option.optional {
            all.insert(format!("{name} {} ", option.long), words.clone());
        }
        all.insert(format!("{name} {}=", option.long), words);
    }
    all
}

fn paths(value: Value) -> BTreeSet<String> {
    match value {
        Value::File => BTreeSet::from([DIR.to_owned(), FILE.to_owned()]),
        Value::Dir => BTreeSet::from([DIR.to_owned()]),
        _ => BTreeSet::new(),
    }
}

#[test]
fn bash_completes_options_words_and_paths() {
    expect_completion("bash", bash);
}

#[test]
fn fish_completes_options_words_and_paths() {
    expect_completion("fish", fish);
}

// Its completion takes a terminal, which script(1) gives it.
#[test]
fn zsh_completes_options_words_and_paths() {
    expect_completion("zsh", zsh);
}

#[test]
fn what_readline_inserts_is_a_directory_where_one_is_meant() {
    if !needs("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("photos of 2012/a", "");
    sandbox.write("photos.tsv", "");
    let script = sandbox.run("ms-pack", &["--completion", "bash"], b"").expect_status(0).stdout;
    sandbox.write("script", script);
    // In place of the tool stands a function that shows what it was given.
    let keys = "source ./script; ms-pack() { printf '<%s>' \"$@\" >> given; }\n\
                ms-pack --to pho\t\nms-pack --to=pho\t\nms-pack --med\tbd2\t\nms-pack photos.\t\n exit\n";
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60", "script", "-qec", "bash --norc --noprofile -i", "/dev/null"]);
    command.current_dir(sandbox.work()).env("HOME", sandbox.state()).env("TERM", "dumb");
    let outcome = finish(command, keys.as_bytes());
    let given = fs::read_to_string(sandbox.path("given"));
    let given = given.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&outcome.stdout)));
    assert_eq!(given, "<--to><photos of 2012/><--to=photos of 2012/><--media><bd25><photos.tsv>");
}

#[test]
fn a_shell_that_is_not_known_is_refused() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run("ms-mv", &["--completion", "tcsh"], b"").expect_status(2);
    outcome.expect_stderr("--completion: \"tcsh\" is not one of bash, fish, zsh");
}

#[test]
fn scripts_hold_no_more_than_their_shell_understands() {
    for tool in tools::ALL {
        for shell in ["bash", "fish", "zsh"] {
            if !needs(shell) {
                continue;
            }
            let sandbox = Sandbox::new();
            let script = sandbox.run(tool.name, &["--completion", shell], b"").expect_status(0).stdout;
            let path = sandbox.write("script", script);
            let mut command = Command::new(shell);
            command.arg("-n").arg(&path);
            let outcome = finish(command, b"").expect_status(0);
            assert_eq!(outcome.stderr, "", "{shell} -n");
            if shell == "bash" && needs("shellcheck") {
                let mut command = Command::new("shellcheck");
                command.args(["-s", "bash"]).arg(&path);
                finish(command, b"").expect_status(0);
            }
        }
    }
}
