//! What makes a shell complete the options of a tool, and their values.

mod bash;
mod fish;
mod zsh;

pub use bash::bash;
pub use fish::fish;
pub use zsh::zsh;

use super::synopsis::Tool;

/// Makes the script for a shell.
pub(super) type Script = fn(&Tool) -> String;

/// The shells, by the words that `--completion` takes.
pub(super) const SHELLS: [(&str, Script); 3] = [("bash", bash), ("fish", fish), ("zsh", zsh)];

/// In quotes that keep everything as it is, but for quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
