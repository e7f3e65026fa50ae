//! For fish.

use crate::cli::synopsis::{Opt, Tool, Value};

const DIRECTORIES: &str = "(__fish_complete_directories (commandline -ct))";

/// The script for fish.
#[must_use]
pub fn fish(tool: &Tool) -> String {
    let name = tool.name;
    let mut lines = vec![format!("# Completion of {name} for fish, as `{name} --completion fish` prints it.\n")];
    if tool.operands == Value::Dir {
        lines.push(format!("complete -c {name} -f -a {}", quoted(DIRECTORIES)));
    }
    lines.extend(tool.options().map(|option| format!("complete -c {name} {}", described(option))));
    lines.push(String::new());
    lines.join("\n")
}

fn described(option: &Opt) -> String {
    let mut words = Vec::new();
    words.extend(option.short.map(|letter| format!("-s {letter}")));
    words.push(format!("-l {}", option.long.trim_start_matches('-')));
    words.extend(value(option));
    words.push(format!("-d {}", quoted(option.help)));
    words.join(" ")
}

/// How the value is completed. A value is in the next word only where it cannot be left out.
fn value(option: &Opt) -> Option<String> {
    let required = if option.optional { "-f" } else { "-x" };
    Some(match option.value {
        Value::None => return None,
        Value::File if option.optional => "-a '(__fish_complete_path (commandline -ct))'".to_owned(),
        Value::File => "-r -F".to_owned(),
        Value::Dir => format!("{required} -a {}", quoted(DIRECTORIES)),
        Value::Word(words) => format!("{required} -a {}", quoted(&words.join(" "))),
        Value::Words(words) => {
            let each = format!("(__fish_complete_list , \"printf '%s\\n' {}\")", words.join(" "));
            format!("{required} -a {}", quoted(&each))
        }
        Value::Size | Value::Age | Value::Number | Value::Glob | Value::Text => required.to_owned(),
    })
}

/// In quotes within which fish reads a backslash before a backslash or a quote only (fish-doc, Quotes).
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
