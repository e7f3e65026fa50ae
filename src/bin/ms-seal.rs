//! `ms-seal`: finishes the volumes of an archive, and remembers them and their discs.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::SEAL;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::seal::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&SEAL, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Builder::default();
    while let Some(argument) = cli::next(&SEAL, &mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operand(operand)?,
            Argument::Option(option) if cli::tells(&SEAL, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option) if options.take(&option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    seal::run(&options.build()?, &mut io::stdout().lock())
}
