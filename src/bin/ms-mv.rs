//! `ms-mv`: moves what a plan says, and nothing else. See ms-mv(1).

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::host::Host;
use mediastruct::journal::Mode;
use mediastruct::mv::{self, Check, Options, Prune};
use mediastruct::progress::Progress;

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const TOOL: &str = "ms-mv";

const USAGE: &str = "\
usage: ms-mv [options] [PLAN...]
       ms-mv --undo [options] [JOURNAL...]

Moves the files of a plan (standard input, or the files named), each only while it and the copy
that stays are what the plan says, and never over another file. Prints a record for every file
moved, which fed back moves it back.

  -n, --dry-run          say what would happen, touch nothing
      --to DIR           destination for records that have none: DIR plus the whole source path
      --copy             leave the sources, make verified copies
      --link             leave the sources, make hard links
      --check HOW        stat (default): compare size, time and id; content: read and compare
      --offline-keep     the copy that stays may be on a burned disc, as the archive tells
      --host NAME        this host is NAME: carry out its rows of a plan of several hosts
      --keep-proof FILE  the copy that stays may be on another host, if FILE has its record as
                         ms-verify has let it through there, and is not older than the plan
      --protect DIR      nothing leaves DIR (nor any directory that holds a file .ms-protect)
      --prune[=DIR]      remove directories that this run emptied, below DIR or below the longest
                         directory that holds all sources
      --journal FILE     keep the journal in FILE (default: a new file under
                         $XDG_STATE_HOME/mediastruct)
      --undo             reverse the run of JOURNAL, or the newest run
      --skip-bad-lines   leave out malformed lines instead of moving nothing
      --csv, --header, --no-header
                         form of the records printed
      --progress WHEN    auto, always, never
  -q, --quiet            no summary at the end
  -h, --help, -V, --version

exit status: 0 all done; 1 something was refused, each named; 2 wrong usage or could not finish
";

fn main() -> ExitCode {
    cli::main(TOOL, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Options::default();
    while let Some(argument) = cli::next(&mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operands.push(operand),
            Argument::Option(name) => match name.as_str() {
                "-h" | "--help" => return cli::print(USAGE),
                "-V" | "--version" => return cli::print_version(TOOL),
                option => take(&mut options, option, &mut parser)?,
            },
        }
    }
    options.settle_hosts()?;
    check(&options)?;
    let progress = Progress::start(TOOL, options.common.progress);
    let reporter = progress.reporter(TOOL, options.common.quiet);
    mv::run(&options, &progress, &reporter)
}

fn take(options: &mut Options, option: &str, parser: &mut Parser) -> Result<(), Failure> {
    match option {
        "-n" | "--dry-run" => options.dry_run = true,
        "--to" => options.to = Some(cli::path(option, parser.value()?)?),
        "--copy" => options.mode = mode(options.mode, Mode::Copy)?,
        "--link" => options.mode = mode(options.mode, Mode::Link)?,
        "--check" => {
            let words = [("stat", Check::Stat), ("content", Check::Content)];
            options.check = cli::choose(option, &parser.value()?, &words)?;
        }
        "--host" => options.host = Some(Host::of_option(option, &parser.value()?)?),
        "--keep-proof" => options.keep_proof = Some(cli::path(option, parser.value()?)?),
        "--offline-keep" => options.offline_keep = true,
        "--protect" => options.protect.push(cli::path(option, parser.value()?)?),
        "--prune" => {
            options.prune = Some(match parser.optional_value() {
                Some(dir) => Prune::Below(cli::path(option, dir)?),
                None => Prune::Common,
            });
        }
        "--journal" => options.journal = Some(cli::path(option, parser.value()?)?),
        "--undo" => {
            options.undo = true;
            options.operands.extend(parser.optional_value());
        }
        "--skip-bad-lines" => options.skip_bad_lines = true,
        // Files are moved one after the other, in the order of the plan.
        "-j" | "--jobs" => return Err(cli::unknown_option(option)),
        _ if options.common.take(option, parser)? => {}
        _ => return Err(cli::unknown_option(option)),
    }
    Ok(())
}

fn mode(before: Mode, asked: Mode) -> Result<Mode, Failure> {
    if before == Mode::Move || before == asked {
        return Ok(asked);
    }
    Err(Failure::Usage("--copy and --link exclude each other".into()))
}

fn check(options: &Options) -> Result<(), Failure> {
    if options.undo && (options.offline_keep || options.keep_proof.is_some()) {
        let problem = "--undo: --offline-keep and --keep-proof are for plans, not for journals";
        return Err(Failure::Usage(problem.into()));
    }
    if options.undo && (options.to.is_some() || options.prune.is_some() || options.mode != Mode::Move) {
        return Err(Failure::Usage("--undo: --to, --copy, --link and --prune are for plans, not for journals".into()));
    }
    Ok(())
}
