//! `ms-crawl`: directories in, an index out.

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::CRAWL;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::crawl::{self, Keeping, Options};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&CRAWL, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Options::default();
    let mut keeping = Keeping::default();
    while let Some(argument) = cli::next(&CRAWL, &mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operands.push(operand),
            Argument::Option(option) if cli::tells(&CRAWL, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option)
                if options.take(&option, &mut parser)? || keeping.take(&option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    crawl::run(&options, &keeping)
}
