//! `ms-report`: an index or a plan as a page to look at.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::page::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const TOOL: &str = "ms-report";

const USAGE: &str = "\
usage: ms-report [options] [STREAM...] > page.html
Reads indexes and plans (standard input if none is named) and writes one page of HTML: what is there, what will go
where, and what the files look like. Nothing else is needed to look at it.

  --no-thumbnails    open no file: no pictures
  --title TEXT       what the page is called (Plan, or Index)
  --media MEDIUM     cd, dvd, dvd-dl, bd25, bd50, bd100 or bd128: what the volumes are for, where the stream does not
                     tell it
  --capacity SIZE    how much a disc holds, where it is none of these
  --skip-bad-lines   go on without malformed lines
  -j, --jobs N       how many pictures are drawn at once
  -q, --quiet        no summary
  --progress WHEN    auto, always or never
  -h, --help         this text
  -V, --version      the version
";

fn main() -> ExitCode {
    cli::main(TOOL, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Builder::default();
    while let Some(argument) = cli::next(&mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operand(operand),
            Argument::Option(option) => match option.as_str() {
                "-h" | "--help" => return cli::print(USAGE),
                "-V" | "--version" => return cli::print_version(TOOL),
                _ if options.take(&option, &mut parser)? => {}
                _ => return Err(cli::unknown_option(&option)),
            },
        }
    }
    page::run(&options.build()?, &mut io::stdout().lock())
}
