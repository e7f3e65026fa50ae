//! For zsh, by `_arguments` of its completion system (zshcompsys).

use super::quoted;
use crate::cli::synopsis::{Opt, Tool, Value};

const SCRIPT: &str = r#"#compdef TOOL
# Completion of TOOL for zsh, as `TOOL --completion zsh` prints it.

_TOOL()
{
    _arguments -s -S : \
OPTIONS \
        OPERANDS
}

# In a directory of fpath, this file is the function; read by `source`, it names it.
if [[ $funcstack[1] == _TOOL ]]; then
    _TOOL "$@"
else
    compdef _TOOL TOOL
fi
"#;

/// The script for zsh.
#[must_use]
pub fn zsh(tool: &Tool) -> String {
    let options: Vec<String> = tool.options().map(|option| format!("        {}", specified(option))).collect();
    let operands = format!("*:operand:{}", action(tool.operands));
    SCRIPT.replace("OPTIONS", &options.join(" \\\n")).replace("OPERANDS", &quoted(&operands)).replace("TOOL", tool.name)
}

/// One option as `_arguments` takes it: what it excludes, its names, what it does, and its value.
fn specified(option: &Opt) -> String {
    let rest = format!("[{}]{}", plain(option.help), value(option));
    let long = match (option.value, option.optional) {
        (Value::None, _) => option.long.to_owned(),
        (_, true) => format!("{}=-", option.long),
        (_, false) => format!("{}=", option.long),
    };
    let again = if option.again { "*" } else { "" };
    match option.short {
        None => quoted(&format!("{again}{long}{rest}")),
        Some(letter) => {
            let value = if option.value == Value::None { "" } else { "+" };
            format!("{}{{-{letter}{value},{long}}}{}", quoted(&format!("(-{letter} {})", option.long)), quoted(&rest))
        }
    }
}

fn value(option: &Opt) -> String {
    let colon = if option.optional { "::" } else { ":" };
    match option.value {
        Value::None => String::new(),
        value => format!("{colon}{}:{}", plain(&option.value_name()), action(value)),
    }
}

/// What completes a value; a space says that nothing can.
fn action(value: Value) -> String {
    match value {
        Value::File => "_files".to_owned(),
        Value::Dir => "_files -/".to_owned(),
        Value::Word(words) => format!("({})", words.join(" ")),
        Value::Words(words) => format!("_values -s , word {}", words.join(" ")),
        Value::None | Value::Size | Value::Age | Value::Number | Value::Glob | Value::Text => " ".to_owned(),
    }
}

/// Without what `_arguments` takes for its own punctuation.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '[' | ']' | ':') {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}
