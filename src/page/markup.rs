//! HTML as text: what comes from a stream is escaped here and nowhere else, so that a file called `<script>` is a name.

use std::ffi::OsStr;
use std::fmt::{self, Display, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::escape;

/// A page, or a part of one, as it grows.
#[derive(Debug, Default)]
pub(super) struct Html {
    text: String,
    /// Bytes that are left for lists.
    room: usize,
}

impl Html {
    /// Nothing yet, with so many bytes for all lists together.
    pub(super) fn with_room(room: usize) -> Self {
        Self { text: String::new(), room }
    }

    /// Bytes for a list that may have so many, if there are as many left.
    pub(super) fn room(&self, most: usize) -> usize {
        self.room.min(most)
    }

    /// Adds the rows of a list, for which there is less room from now on.
    pub(super) fn put_rows(&mut self, rows: &Rows) {
        self.add_list(&rows.html);
    }

    /// Adds a list that stands in no [`Rows`].
    pub(super) fn add_list(&mut self, list: &Self) {
        self.room = self.room.saturating_sub(list.len());
        self.add(list);
    }

    /// Adds markup. Whatever in it is not the page's own is wrapped in [`Text`], [`Name`], [`Trail`] or [`Link`].
    pub(super) fn put(&mut self, markup: fmt::Arguments<'_>) {
        // Nothing but an implementation of Display can fail here, and none of them does.
        self.text.write_fmt(markup).unwrap_or(());
    }

    /// Adds another part.
    pub(super) fn add(&mut self, part: &Self) {
        self.text.push_str(&part.text);
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// All of it.
    pub(super) fn into_string(self) -> String {
        self.text
    }
}

impl Display for Html {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A text, for the content of an element or an attribute in double quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&#39;"),
            other => out.write_char(other),
        })
    }
}

/// A name of a file or a directory as people are shown it, cut in the middle where it is very long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a>(pub(super) &'a [u8]);

/// So many characters of a name are shown: more than real ones have, and few enough that a list of them stays small.
const LONGEST: usize = 240;

impl Name<'_> {
    /// As [`Name`], before it is escaped for HTML.
    pub(super) fn shown(self) -> String {
        let text = escape::for_people(self.0);
        let count = text.chars().count();
        if count <= LONGEST {
            return text;
        }
        let half = LONGEST / 2;
        let head: String = text.chars().take(half).collect();
        let tail: String = text.chars().skip(count - half).collect();
        format!("{head}\u{2026}{tail}")
    }
}

impl Display for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text(&self.shown()).fmt(out)
    }
}

/// A path as [`Name`], which may be broken behind each slash. Only for the content of an element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trail<'a>(pub(super) &'a [u8]);

impl Display for Trail<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Name(self.0).shown();
        let mut parts = shown.split_inclusive('/').peekable();
        while let Some(part) = parts.next() {
            // Not behind the first slash alone, and not where the name has ended.
            let may_break = part.len() > 1 && parts.peek().is_some();
            write!(out, "{}{}", Text(part), if may_break { "<wbr>" } else { "" })?;
        }
        Ok(())
    }
}

/// The address of a file of this machine, for the value of `href`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    /// Where relative paths hold; absolute.
    pub(super) working_dir: &'a Path,
    pub(super) path: &'a [u8],
}

impl Display for Link<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("file://")?;
        let path = self.working_dir.join(OsStr::from_bytes(self.path));
        // What RFC 3986, section 2.3, leaves as it is; a browser gives every other byte back as it was.
        path.as_os_str().as_bytes().iter().try_for_each(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.write_char(char::from(*byte))
            }
            other => write!(out, "%{other:02X}"),
        })
    }
}

/// Rows of a list, until there are too many of them, or they take too many bytes.
#[derive(Debug)]
pub(super) struct Rows {
    html: Html,
    room: usize,
    most: u64,
    shown: u64,
}

impl Rows {
    /// At most `most` rows, in about `bytes` of markup.
    pub(super) fn new(most: u64, bytes: usize) -> Self {
        Self { html: Html::default(), room: bytes, most, shown: 0 }
    }

    /// Adds a row, if there is room for it.
    pub(super) fn row(&mut self, markup: fmt::Arguments<'_>) {
        if self.shown < self.most && self.html.len() < self.room {
            self.html.put(markup);
            self.shown += 1;
        }
    }

    /// How many rows were added.
    pub(super) fn shown(&self) -> u64 {
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_markup() {
        let name = b"<script>alert(\"x\")</script>&'\n\xff".as_slice();
        let shown = Name(name).to_string();
        assert_eq!(shown, r"&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;\n\xff");
        assert!(Name(&[b'<'; 5000]).to_string().len() < 2000);
    }

    #[test]
    fn a_trail_may_be_broken_behind_its_slashes() {
        assert_eq!(Trail(b"/a<b/c/d e").to_string(), "/a&lt;b/<wbr>c/<wbr>d e");
        assert_eq!(Trail(b"a").to_string(), "a");
    }

    #[test]
    fn an_address_holds_every_byte_of_a_path() {
        let link = |path: &[u8]| Link { working_dir: Path::new("/home/ada"), path }.to_string();
        assert_eq!(link(b"a b/\"'<>\n\xff%.jpg"), "file:///home/ada/a%20b/%22%27%3C%3E%0A%FF%25.jpg");
        assert_eq!(link(b"/data/x"), "file:///data/x");
    }

    #[test]
    fn rows_end_where_there_is_no_more_room() {
        let mut rows = Rows::new(3, 1000);
        (0..10).for_each(|row| rows.row(format_args!("<li>{row}")));
        assert_eq!((rows.shown(), rows.html.to_string().as_str()), (3, "<li>0<li>1<li>2"));
        let mut rows = Rows::new(100, 8);
        (0..10).for_each(|row| rows.row(format_args!("<li>{row}")));
        assert_eq!(rows.shown(), 2);
    }
}
