//! The first sentences of the page: what is going to happen.

use super::folder::Common;
use super::markup::{Html, Trail};
use super::presence::Presence;
use super::survey::Survey;
use super::tally::Tally;
use crate::report;

/// Writes the sentences.
pub(super) fn put(html: &mut Html, survey: &Survey, presence: &Presence) {
    if survey.all.files == 0 {
        html.put(format_args!("Nothing is going to happen: there are no records."));
    } else if survey.movers().files == 0 {
        put_stock(html, survey);
    } else {
        put_movers(html, survey, presence);
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

/// One sentence for each sort of rows.
fn put_movers(html: &mut Html, survey: &Survey, presence: &Presence) {
    let (arrivals, duplicates, volumes) = (&survey.arrivals, &survey.duplicates, &survey.volumes);
    let nowhere = Common::default();
    let parts: [(Tally, [&Common; 2], String); 4] = [
        (arrivals.all, [&arrivals.origin, &arrivals.goal], format!(", sorted by date; {}. ", doubts(survey))),
        (duplicates.all, [&nowhere, &duplicates.goal], keepers(survey, presence)),
        (volumes.all, [&volumes.origin, &volumes.goal], format!(", in {}. ", report::count(volumes.len(), "volume"))),
        (survey.moves.all, [&survey.moves.origin, &survey.moves.goal], ". ".to_owned()),
    ];
    let is_mixed = parts.iter().filter(|(all, ..)| all.files > 0).count() > 1;
    for (place, (all, [origin, goal], rest)) in parts.iter().enumerate().filter(|(_, (all, ..))| all.files > 0) {
        let is_duplicates = place == DUPLICATES && is_mixed;
        let what = if is_duplicates { counted(*all, "duplicate") } else { all.to_string() };
        html.put(format_args!("{what}, {} ", if all.files == 1 { "goes" } else { "go" }));
        if let Some(origin) = origin.name().filter(|origin| ![&b"."[..], b"/"].contains(origin)) {
            html.put(format_args!("from <span class=\"path\">{}</span> ", Trail(origin)));
        }
        html.put(format_args!("to "));
        match goal.name() {
            Some(b".") | None => html.put(format_args!("other folders")),
            Some(goal) => html.put(format_args!("<span class=\"path\">{}</span>", Trail(goal))),
        }
        html.put(format_args!("{rest}"));
    }
}

/// Which of the parts of [`put_movers`] are duplicates.
const DUPLICATES: usize = 1;

fn counted(tally: Tally, noun: &str) -> String {
    format!("{}, {}", report::count(tally.files, noun), report::bytes(tally.bytes))
}

fn keepers(survey: &Survey, presence: &Presence) -> String {
    let (missing, changed) = presence.lost();
    let text = match (survey.duplicates.leaving, survey.duplicates.all.files) {
        (0, _) if missing == 1 => "; but one of the copies that should stay was not found. ",
        (0, _) if missing > 1 => "; but some of the copies that should stay were not found. ",
        (0, _) if changed == 1 => "; but one of the copies that should stay has changed since the plan. ",
        (0, _) if changed > 1 => "; but some of the copies that should stay have changed since the plan. ",
        (0, 1) if presence.tells_keepers() => "; it has a copy that stays. ",
        (0, _) if presence.tells_keepers() => "; every one has a copy that stays. ",
        (0, 1) => "; it has a copy that stays, as the plan says. ",
        (0, _) => "; each has a copy that stays, as the plan says. ",
        (1, _) => "; but one of the copies that should stay is to go as well. ",
        _ => "; but some of the copies that should stay are to go as well. ",
    };
    text.to_owned()
}

fn doubts(survey: &Survey) -> String {
    match survey.arrivals.doubtful() {
        0 => "every date is known with its time".to_owned(),
        1 => "1 date is doubtful".to_owned(),
        count => format!("{} dates are doubtful", report::number(count)),
    }
}
