//! For bash, with or without the package bash-completion, which loads the script when it is first needed.

use super::quoted;
use crate::cli::synopsis::{Opt, Tool, Value};

/// The name of the function, the cases that complete a value, those that do so behind an equals sign only, the names of all
/// options, and how operands are completed, stand in the places in braces.
const SCRIPT: &str = r#"# Completion of TOOL for bash, as `TOOL --completion bash` prints it.

FUNCTION()
{
    local word=${COMP_WORDS[COMP_CWORD]} before='' assigned='' place
    COMPREPLY=()
    ((COMP_CWORD > 0)) && before=${COMP_WORDS[COMP_CWORD - 1]}
    # To bash, an equals sign is a word of its own.
    if [[ $word == = ]]; then
        word='' assigned='='
    elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
        before=${COMP_WORDS[COMP_CWORD - 2]} assigned='='
    fi
    # Behind -- there are operands only.
    for ((place = 1; place < COMP_CWORD; place++)); do
        if [[ ${COMP_WORDS[place]} == -- ]]; then
            OPERANDS
            return
        fi
    done
    case $before$assigned in
VALUES
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W OPTIONS -- "$word")
    else
        OPERANDS
    fi
}

complete -F FUNCTION TOOL
"#;

/// The script for bash.
#[must_use]
pub fn bash(tool: &Tool) -> String {
    let values: Vec<String> = tool.options().filter(|option| option.value != Value::None).map(case).collect();
    let names: Vec<String> = tool.options().flat_map(names).collect();
    SCRIPT
        .replace("VALUES", &values.join("\n"))
        .replace("OPTIONS", &quoted(&names.join(" ")))
        .replace("OPERANDS", &complete(tool.operands))
        .replace("FUNCTION", &format!("_{}", tool.name.replace('-', "_")))
        .replace("TOOL", tool.name)
}

fn names(option: &Opt) -> Vec<String> {
    let letter = option.short.map(|letter| format!("-{letter}"));
    letter.into_iter().chain([option.long.to_owned()]).collect()
}

/// Completes the value of an option: behind an equals sign, and in the next word unless it can be left out.
fn case(option: &Opt) -> String {
    let next = if option.optional { Vec::new() } else { names(option) };
    let patterns: Vec<String> = next.into_iter().chain([format!("{}=", option.long)]).collect();
    format!(
        "        {})\n            {}\n            return\n            ;;",
        patterns.join(" | "),
        complete(option.value)
    )
}

fn complete(value: Value) -> String {
    match value {
        Value::File => "compopt -o default".to_owned(),
        Value::Dir => "compopt -o dirnames".to_owned(),
        Value::Word(words) => {
            format!("mapfile -t COMPREPLY < <(compgen -W {} -- \"$word\")", quoted(&words.join(" ")))
        }
        Value::Words(words) => {
            let words = quoted(&words.join(" "));
            format!(
                "local done=''\n            [[ $word == *,* ]] && done=${{word%,*}},\n            \
                 mapfile -t COMPREPLY < <(compgen -P \"$done\" -W {words} -- \"${{word##*,}}\")"
            )
        }
        Value::None | Value::Size | Value::Age | Value::Number | Value::Glob | Value::Text => ":".to_owned(),
    }
}
