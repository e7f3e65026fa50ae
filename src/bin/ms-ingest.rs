//! `ms-ingest`: a plan that takes every photo and video to its date.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::ingest::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const TOOL: &str = "ms-ingest";

const USAGE: &str = "\
usage: ms-ingest --to DIR [options] [DROP...]

Looks into the files of the directories DROP, or of an index on standard input,
and writes a plan for ms-mv that sorts them below DIR by the time of capture.

      --to DIR              where files are to go
      --template TEMPLATE   their paths there, with strftime(3) and {hash} {hash:N} {ext}
                            {name} {make} {model} {ms}
                            (%Y/%m/%Y%m%d_%H%M%S_{hash}.{ext})
      --quarantine DIR      where further copies of one content go (duplicates)
      --tz ZONE             the time zone for times in UTC, such as Europe/Berlin
                            (the system's)
      --qt-time WHAT        what videos' times are: auto, utc or local
      --sidecar WHEN        prefer: believe XMP sidecars first; fallback: last
      --no-mtime            what has no other date goes to DIR/undated
      --skip-bad-lines      go on without malformed lines of the index
  -x, --one-file-system     do not enter other filesystems
  -L, --follow              follow symbolic links, each file once
  -a, --absolute            make paths absolute
      --exclude GLOB, --include GLOB, --min-size SIZE, --max-size SIZE, --no-junk
      --files-from FILE     take operands from FILE (-: standard input), one a line
  -0, --null                names in these files end with NUL, not newline
      --mmap                map large files into memory instead of reading them
      --disks KIND          auto, rotating (one file at a time is read from each
                            filesystem) or solid
      --csv, --header, --no-header
                            how records are written
  -j, --jobs N              work in N threads
      --progress auto|always|never
  -q, --quiet               no summary at the end
  -h, --help
  -V, --version
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
    ingest::run(&options.build()?, &mut io::stdout().lock())
}
