//! `ms-verify`: which files still are what their records say.

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::host::Host;
use mediastruct::verify::{self, Options};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const TOOL: &str = "ms-verify";

const USAGE: &str = "\
usage: ms-verify [options] [INDEX...]
Reads indexes (standard input if none is named), also a volume's index.json and what b3sum writes, reads the files
again, and writes the records that still hold.

  --failed           write the records that do not hold instead, with the reason as note:
                     missing, changed, rotten or unreadable
  --quick            compare size and time only, and open no file
  --host NAME        this host is NAME: verify its records of a stream of several hosts
  --root DIR         relative paths hold in DIR
  --skip-bad-lines   go on without malformed lines
  --disks KIND       auto, rotating (one file at a time is read from each filesystem) or
                     solid
  --csv              write CSV
  --header           write the names of the columns first (--no-header: not, also in CSV)
  -j, --jobs N       how many threads work at once
  -q, --quiet        no summary
  --progress WHEN    auto, always or never
  -h, --help         this text
  -V, --version      the version
";

fn main() -> ExitCode {
    cli::main(TOOL, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Options::default();
    let mut indexes: Vec<OsString> = Vec::new();
    while let Some(argument) = cli::next(&mut parser)? {
        match argument {
            Argument::Operand(index) => indexes.push(index),
            Argument::Option(option) => match option.as_str() {
                "-h" | "--help" => return cli::print(USAGE),
                "-V" | "--version" => return cli::print_version(TOOL),
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
