//! `ms-verify`: which files still are what their records say.

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::VERIFY;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::host::Host;
use mediastruct::verify::{self, Options};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&VERIFY, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Options::default();
    let mut indexes: Vec<OsString> = Vec::new();
    while let Some(argument) = cli::next(&VERIFY, &mut parser)? {
        match argument {
            Argument::Operand(index) => indexes.push(index),
            Argument::Option(option) => match option.as_str() {
                _ if cli::tells(&VERIFY, &option, &mut parser)? => return Ok(Exit::Done),
                "--failed" => options.failed = true,
                "--quick" => options.quick = true,
                "--host" => options.host = Some(Host::of_option(&option, &parser.value()?)?),
                "--root" => options.root = Some(cli::path(&option, parser.value()?)?),
                "--skip-bad-lines" => options.skip_bad_lines = true,
                _ if options.disks.take(&option, &mut parser)? => {}
                _ if options.common.take(&option, &mut parser)? => {}
                _ => return Err(cli::unknown_option(&option)),
            },
        }
    }
    verify::run(&indexes, &options)
}
