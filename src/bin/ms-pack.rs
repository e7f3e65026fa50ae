//! `ms-pack`: which file goes to which volume of an archive, so that each fits its disc.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::pack::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const TOOL: &str = "ms-pack";

const USAGE: &str = "\
usage: ms-pack --to ARCHIVE [options] [INDEX...]

Reads indexes (standard input if none is named) and writes a plan for ms-mv that
takes their files to numbered volumes of ARCHIVE, the oldest first. The image of
each volume is known to fit its disc. What does not fill a disc stays.

      --to ARCHIVE          the archive: volumes are ARCHIVE/0001, ARCHIVE/0002, ...
      --host NAME           this host is NAME: pack its files of a stream of several hosts
      --media MEDIUM        cd, dvd, dvd-dl, bd25, bd50, bd100 or bd128 (bd25)
      --capacity SIZE       how much a disc holds, where it is none of these
      --reserve PCT%|SIZE   leave so much of each disc free
      --fs FILESYSTEM       what the image is written as: iso (with Rock Ridge and
                            Joliet), udf (that and a UDF bridge) or raw (contents
                            only) (iso)
      --root DIR            paths below DIR are kept in the volumes; may be given again
                            (the longest directory that holds all files, cut before
                            its first year or date)
      --atomic WHAT         keep the files of a day or of a dir together, or none (day)
      --open N              fill N volumes at once (2)
      --min-fill PCT        how full a volume must be, its image over the disc (98)
      --flush               write all volumes, however full
      --skip-bad-lines      go on without malformed lines
      --csv, --header, --no-header
                            how records are written
  -j, --jobs N              work in N threads
      --progress auto|always|never
  -q, --quiet               no table of the volumes at the end
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
    pack::run(&options.build()?, &mut io::stdout().lock())
}
