//! `ms-seal`: finishes the volumes of an archive, and remembers what is in them and where they were burned to.

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::seal::{self, Builder};

const TOOL: &str = "ms-seal";

const USAGE: &str = "\
usage: ms-seal [options] ARCHIVE [STREAM...]
       ms-seal --all [options] ARCHIVE
       ms-seal --burned VOL [--copy NAME] [--media-id ID] ARCHIVE
       ms-seal --list ARCHIVE
       ms-seal --cat [--csv] ARCHIVE

Reads what ms-mv writes (standard input if no STREAM is named) and seals the volumes
of ARCHIVE that it names: each gets index.json, B3SUMS and README.txt, and never
changes any more. The archive gets a catalogue of all volumes.

      --all                 seal every volume that is not sealed; no stream is read
      --burned VOL          record that the volume VOL was burned: 7, 0007 or MS_0007
      --copy NAME           what this copy is called, or where it is kept
      --media-id ID         what the medium says of itself
      --list                show the volumes
      --cat                 write the records of all volumes, also of those that are on
                            discs only
      --media MEDIUM, --capacity SIZE, --reserve PCT%|SIZE, --fs FILESYSTEM
                            what the discs are, as in ms-pack, where no row tells
      --skip-bad-lines      go on without malformed lines
      --csv, --header, --no-header
                            how the records of --cat are written
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
    seal::run(&options.build()?)
}
