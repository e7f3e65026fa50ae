//! The whole page, from its first line to its last.

use super::album::Album;
use super::headline;
use super::markup::{Html, Text};
use super::options::Options;
use super::presence::Presence;
use super::survey::Survey;
use crate::cli::Failure;
use crate::report;
use crate::stream::Table;

const STYLE: &str = include_str!("style.css");

/// Bytes that all lists of a page may take together. With the sums, which have an end of their own, and the pictures, that makes
/// no more than 5 MB.
const LISTS: usize = 1_500_000;

/// What a page may do: show itself. It has no script, and takes nothing from anywhere.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes the page.
///
/// # Errors
/// When the stream was changed meanwhile.
pub(super) fn write(
    survey: &Survey,
    table: &Table,
    album: &mut Album<'_>,
    presence: &Presence,
    options: &Options,
) -> Result<String, Failure> {
    let mut sections = Html::with_room(LISTS);
    let mut contents = Vec::new();
    put_sections(&mut sections, &mut contents, survey, table, album, presence, options)?;
    let title = options.title.as_deref().unwrap_or(if survey.movers().files > 0 { "Plan" } else { "Index" });
    let mut html = Html::default();
    html.put(format_args!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"ms-report (mediastruct) {}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION"),
        Text(title)
    ));
    html.put(format_args!(
        "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header><p class=\"eyebrow\">{}</p><h1>",
        Text(title)
    ));
    headline::put(&mut html, survey, presence);
    html.put(format_args!("</h1><p class=\"lede\">{}</p>", lede(survey)));
    if survey.movers().files > 0 {
        presence.put(&mut html);
    }
    if contents.len() > 1 {
        html.put(format_args!("<nav aria-label=\"Sections\"><ul>"));
        for (id, name) in contents {
            html.put(format_args!("<li><a href=\"#{id}\">{name}</a>"));
        }
        html.put(format_args!("</ul></nav>"));
    }
    html.put(format_args!("</header>\n<main id=\"content\">"));
    html.add(&sections);
    html.put(format_args!("</main>\n<footer><p>{}</p></footer>", foot(survey, album)));
    album.put_sheet(&mut html);
    html.put(format_args!("\n</body>\n</html>\n"));
    Ok(html.into_string())
}

fn put_sections(
    html: &mut Html,
    contents: &mut Vec<(&'static str, &'static str)>,
    survey: &Survey,
    table: &Table,
    album: &mut Album<'_>,
    presence: &Presence,
    options: &Options,
) -> Result<(), Failure> {
    let disc = options.capacity;
    if survey.arrivals.all.files + survey.arrivals.aside.files > 0 {
        contents.push(("arrivals", "Sorted in by date"));
        survey.arrivals.put(html, album);
    }
    if survey.duplicates.all.files > 0 {
        contents.push(("duplicates", "Duplicates"));
        survey.duplicates.put(html, album, table, presence)?;
    }
    if survey.volumes.all.files > 0 {
        contents.push(("volumes", "Volumes"));
        survey.volumes.put(html, true, disc);
    }
    if survey.moves.all.files > 0 {
        contents.push(("moves", "What moves where"));
        survey.moves.put(html);
    }
    // Any directory may be called like a volume, so what is there is told by volumes where all of it lies in them, or where
    // somebody asks for that by naming a disc.
    if survey.shelved.all.files > 0 && survey.volumes.all.files == 0 && (survey.is_shelf() || disc.is_some()) {
        contents.push(("volumes", "Volumes"));
        survey.shelved.put(html, false, disc);
    }
    if survey.stock.all.files > 0 {
        let heading = if survey.movers().files > 0 { "What stays" } else { "What is there" };
        contents.push(("stock", heading));
        survey.stock.put(html, album, heading);
    }
    Ok(())
}

/// What every plan is told with.
macro_rules! plan_lede {
    () => {
        "ms-report moves nothing. ms-mv carries out a plan: it checks every file again before it moves, replaces nothing, and can \
         undo it all."
    };
}

fn lede(survey: &Survey) -> &'static str {
    if survey.are_bare() {
        concat!(
            plan_lede!(),
            " These may be the records of a run: then the files have moved, and this is the way back."
        )
    } else if survey.movers().files > 0 {
        plan_lede!()
    } else if survey.all.files > 0 {
        "This is an index: it tells what is there, and wants nothing moved."
    } else {
        "The stream was read to its end, and had no line."
    }
}

fn foot(survey: &Survey, album: &Album<'_>) -> String {
    let records = report::count(survey.all.files, "record");
    let pictures = match album.len() {
        0 => String::new(),
        count => format!(", with {}", report::count(count as u64, "picture")),
    };
    format!("From {records}{pictures}, by ms-report. Links lead to the files on the machine where it was made.")
}
