//! The first sentence of the page: what is going to happen.

use super::markup::{Html, Name};
use super::survey::Survey;
use super::tally::Tally;
use crate::report;

/// Writes the sentence.
pub(super) fn put(html: &mut Html, survey: &Survey) {
    let movers = survey.movers();
    if survey.all.files == 0 {
        html.put(format_args!("Nothing is going to happen: there are no records."));
    } else if movers.files == 0 {
        put_stock(html, survey);
    } else {
        html.put(format_args!("{}, {} to ", movers, if movers.files == 1 { "goes" } else { "go" }));
        put_goal(html, survey);
        put_kinds(html, survey, movers);
    }
}

fn put_stock(html: &mut Html, survey: &Survey) {
    let (stock, span) = (&survey.stock, survey.stock.span_text());
    html.put(format_args!("{}", stock.all));
    if survey.is_shelf() {
        html.put(format_args!(", in {}", report::count(survey.shelved.len(), "volume")));
    } else {
        html.put(format_args!(", in {}", report::count(stock.folders(), "folder")));
    }
    if !span.is_empty() {
        html.put(format_args!(", {span}"));
    }
    match stock.fallen() {
        0 => html.put(format_args!("; nothing is going to move.")),
        1 => html.put(format_args!("; 1 file is not what it was.")),
        fallen => html.put(format_args!("; {} files are not what they were.", report::number(fallen))),
    }
}

fn put_goal(html: &mut Html, survey: &Survey) {
    match survey.goal.name() {
        Some(b".") | None => html.put(format_args!("other folders")),
        Some(goal) => html.put(format_args!("<span class=\"path\">{}</span>", Name(goal))),
    }
}

/// What all of them are, or how many are what.
fn put_kinds(html: &mut Html, survey: &Survey, movers: Tally) {
    let (duplicates, arrivals) = (&survey.duplicates, &survey.arrivals);
    if duplicates.all == movers {
        html.put(format_args!("{}", keepers(survey)));
    } else if arrivals.all == movers {
        html.put(format_args!(", sorted by date; {}.", doubts(survey)));
    } else if survey.volumes.all == movers {
        html.put(format_args!(", in {}.", report::count(survey.volumes.len(), "volume")));
    } else if survey.moves.all == movers {
        html.put(format_args!("."));
    } else {
        let parts = [
            (duplicates.all.files, "duplicate"),
            (arrivals.all.files, "file sorted by date"),
            (survey.volumes.all.files, "file for the archive"),
            (survey.moves.all.files, "other file"),
        ];
        let told = parts.into_iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> = told.map(|(count, noun)| counted(count, noun)).collect();
        html.put(format_args!(": {}.", told.join(", ")));
    }
}

/// `3 files sorted by date`: the first word of these takes the plural.
fn counted(count: u64, noun: &str) -> String {
    match noun.split_once("file") {
        Some((before, after)) if count != 1 => format!("{} {before}files{after}", report::number(count)),
        _ => report::count(count, noun),
    }
}

fn keepers(survey: &Survey) -> &'static str {
    match (survey.duplicates.leaving, survey.duplicates.all.files) {
        (0, 1) => "; it has a copy that stays.",
        (0, _) => "; every one has a copy that stays.",
        (1, _) => "; but 1 of the copies that should stay is to go as well.",
        _ => "; but some of the copies that should stay are to go as well.",
    }
}

fn doubts(survey: &Survey) -> String {
    match survey.arrivals.doubtful() {
        0 => "every date is known with its time".to_owned(),
        1 => "1 date is doubtful".to_owned(),
        count => format!("{} dates are doubtful", report::number(count)),
    }
}
