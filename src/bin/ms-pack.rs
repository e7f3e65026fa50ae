//! `ms-pack`: which file goes to which volume of an archive, so that each fits its disc.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::PACK;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::pack::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&PACK, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Builder::default();
    while let Some(argument) = cli::next(&PACK, &mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operand(operand),
            Argument::Option(option) if cli::tells(&PACK, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option) if options.take(&option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    pack::run(&options.build()?, &mut io::stdout().lock())
}
