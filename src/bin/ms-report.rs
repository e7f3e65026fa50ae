//! `ms-report`: an index or a plan as a page to look at.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::REPORT;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::page::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&REPORT, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Builder::default();
    while let Some(argument) = cli::next(&REPORT, &mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operand(operand),
            Argument::Option(option) if cli::tells(&REPORT, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option) if options.take(&option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    page::run(&options.build()?, &mut io::stdout().lock())
}
