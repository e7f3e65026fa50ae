//! `ms-seal`: finishes the volumes of an archive, and remembers them and their discs.

use std::io;
use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::seal::{self, Builder};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const TOOL: &str = "ms-seal";

const USAGE: &str = "\
usage: ms-seal [options] ARCHIVE
       ms-seal --all [options] ARCHIVE
       ms-seal --burned VOL [--copy NAME] [--media-id ID] ARCHIVE
       ms-seal --unburned VOL [--copy NAME] [--media-id ID] ARCHIVE
       ms-seal --list | --cat ARCHIVE

Reads what ms-mv has moved from standard input and seals the volumes of ARCHIVE that it
names: each gets a list of its files, their checksums and a text that tells what it is,
and never changes again. ARCHIVE remembers it in its catalogue.

      --all                 seal all volumes, and read no stream
      --burned VOL          record that volume VOL (7, 0007 or MS_0007) was burned
      --unburned VOL        take back the last burn recorded of VOL (with that copy or id)
      --copy NAME           what this copy is called, or where it is kept
      --media-id ID         what is written on the disc, or what it says of itself
      --list                show all volumes
      --cat                 write the records of all sealed volumes, also of those whose
                            directory is gone since the disc is on a shelf

For sealing only:
      --media MEDIUM        cd, dvd, dvd-dl, bd25, bd50, bd100 or bd128: a volume that the
                            stream does not tell it of must fit this
      --capacity SIZE       how much a disc holds, where it is none of these
      --reserve PCT%|SIZE   leave so much of each disc free
      --fs FILESYSTEM       what images are written as: iso, udf or raw (iso)
      --skip-bad-lines      go on without malformed lines

      --host NAME           this host is NAME: take its records of a stream of several hosts;
                            for --cat: name it in the paths
      --csv, --header, --no-header
                            how --cat writes records
  -j, --jobs N              read in N threads
      --progress auto|always|never
  -q, --quiet               no summary
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
            Argument::Operand(operand) => options.operand(operand)?,
            Argument::Option(option) => match option.as_str() {
                "-h" | "--help" => return cli::print(USAGE),
                "-V" | "--version" => return cli::print_version(TOOL),
                _ if options.take(&option, &mut parser)? => {}
                _ => return Err(cli::unknown_option(&option)),
            },
        }
    }
    seal::run(&options.build()?, &mut io::stdout().lock())
}
