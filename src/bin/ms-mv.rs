//! `ms-mv`: moves what a plan says, and nothing else. See ms-mv(1).

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::MV;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::host::Host;
use mediastruct::journal::Mode;
use mediastruct::mv::{self, Check, Options, Prune};
use mediastruct::progress::Progress;

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&MV, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Options::default();
    while let Some(argument) = cli::next(&MV, &mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operands.push(operand),
            Argument::Option(option) if cli::tells(&MV, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option) => take(&mut options, &option, &mut parser)?,
        }
    }
    options.settle_hosts()?;
    check(&options)?;
    let progress = Progress::start(MV.name, options.common.progress);
    let reporter = progress.reporter(MV.name, options.common.quiet);
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
