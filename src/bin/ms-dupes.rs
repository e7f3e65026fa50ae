//! `ms-dupes`: which files hold the same content, and which of them should go.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::DUPES;
use mediastruct::cli::{self, Argument, Common, Exit, Failure};
use mediastruct::dupes::{self, Job, Keep, Mode, Options, Shard, Sorted};
use mediastruct::host;
use mediastruct::interrupt::Interrupt;
use mediastruct::progress::Progress;
use mediastruct::report::{self, Reporter};
use mediastruct::stream::Table;

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&DUPES, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut common = Common::default();
    let mut options = Options::default();
    let mut indexes: Vec<OsString> = Vec::new();
    let mut sorted = false;
    while let Some(argument) = cli::next(&DUPES, &mut parser)? {
        match argument {
            Argument::Operand(index) => indexes.push(index),
            Argument::Option(option) if cli::tells(&DUPES, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option) if option == "--sorted" => sorted = true,
            Argument::Option(option)
                if common.take(&option, &mut parser)? || take(&mut options, &option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    if options.prefer.len() > dupes::MOST_PREFERRED {
        return Err(Failure::Usage(format!("--prefer: no more than {} directories", dupes::MOST_PREFERRED)));
    }
    if sorted { pass(&common, &options, &indexes) } else { make_plan(&common, &options, &indexes) }
}

fn pass(common: &Common, options: &Options, indexes: &[OsString]) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install()?;
    let progress = Progress::start(DUPES.name, common.progress);
    let reporter = progress.reporter(DUPES.name, common.quiet);
    warn_of_missing(options, &reporter);
    let job = Sorted { indexes, options, format: common.format(), reporter: &reporter, interrupt: &interrupt };
    dupes::pass(&job, &progress, &mut io::stdout().lock())
}

/// On another host, nobody can look.
fn is_missing(dir: &Path) -> bool {
    !host::is_located(dir) && !dir.is_dir()
}

fn warn_of_missing(options: &Options, reporter: &Reporter) {
    for missing in options.protect.iter().filter(|dir| is_missing(dir)) {
        // An index may tell of a disk that is not mounted, so this is no error; but a misspelled name protects nothing.
        let dir = report::shown(missing);
        reporter.warn(&format!(
            "--protect: {dir}: there is no such directory here; only what is spelled like that is protected"
        ));
    }
    for missing in options.prefer.iter().filter(|dir| is_missing(dir)) {
        let dir = report::shown(missing);
        reporter.warn(&format!(
            "--prefer: {dir}: there is no such directory here; only what is spelled like that is preferred"
        ));
    }
}

fn make_plan(common: &Common, options: &Options, indexes: &[OsString]) -> Result<Exit, Failure> {
    let table = Table::open(indexes)?;
    let interrupt = Interrupt::install()?;
    let mut progress = Progress::start(DUPES.name, common.progress);
    let reporter = progress.reporter(DUPES.name, common.quiet);
    dupes::check_protected(&table, options)?;
    warn_of_missing(options, &reporter);
    let job = Job {
        table: &table,
        options,
        jobs: common.jobs(),
        format: common.format(),
        reporter: &reporter,
        interrupt: &interrupt,
    };
    let plan = dupes::plan(&job, &progress)?;
    progress.finish();
    let Some(plan) = plan else {
        reporter.warn("interrupted: nothing was written");
        return Ok(interrupt.exit().unwrap_or(Exit::Stopped));
    };
    plan.write(&mut io::stdout().lock())
}

fn take(options: &mut Options, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
    match option {
        "--protect" => options.protect.push(cli::path(option, parser.value()?)?),
        "--prefer" => options.prefer.push(cli::path(option, parser.value()?)?),
        "--to" => options.set_quarantine(cli::path(option, parser.value()?)?),
        "--keep" => options.keep = keep(option, parser)?,
        "--empty" => options.empty = true,
        "--shard" => options.shard = Some(Shard::parse(option, &parser.value()?)?),
        "--skip-bad-lines" => options.skip_bad_lines = true,
        "-u" | "--unique" => set_mode(options, Mode::Unique)?,
        "-g" | "--groups" => set_mode(options, Mode::Groups)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn keep(option: &str, parser: &mut Parser) -> Result<Keep, Failure> {
    let rules =
        [("first", Keep::First), ("oldest", Keep::Oldest), ("newest", Keep::Newest), ("shortest", Keep::Shortest)];
    cli::choose(option, &parser.value()?, &rules)
}

fn set_mode(options: &mut Options, mode: Mode) -> Result<(), Failure> {
    if options.mode != Mode::Plan && options.mode != mode {
        return Err(Failure::Usage("--unique and --groups: only one of them can be written".into()));
    }
    options.mode = mode;
    Ok(())
}
