//! `ms-ingest`: a plan that takes every photo and video to its date.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::INGEST;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::ingest::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&INGEST, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Builder::default();
    while let Some(argument) = cli::next(&INGEST, &mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operand(operand),
            Argument::Option(option) if cli::tells(&INGEST, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option) if options.take(&option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    ingest::run(&options.build()?, &mut io::stdout().lock())
}
