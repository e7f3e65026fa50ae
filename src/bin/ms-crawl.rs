//! `ms-crawl`: directories in, an index out.

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Exit, Failure};
use mediastruct::crawl::{self, Keeping, Options};

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const USAGE: &str = "\
usage: ms-crawl [options] [DIR|FILE...]

Writes a record (path, hash, size, mtime, id) for every regular file at and below
the operands; for the working directory where none is given.

      --hash all|dups|none  hash every file (default), only what can have a
                            duplicate within this crawl, or none
  -a, --absolute            make paths absolute
      --host NAME           name this host in paths (NAME:/path, which are absolute then)
                            and ids, so that indexes of several hosts can be put together
  -L, --follow              follow symbolic links, each file once
  -x, --one-file-system     do not enter other filesystems
      --exclude GLOB        leave out files and directories of this name or path
      --include GLOB        only files of this name or path
      --min-size SIZE, --max-size SIZE
                            only files of this size: bytes, or K M G T Ki Mi Gi Ti
      --no-junk             leave out .DS_Store ._* Thumbs.db desktop.ini @eaDir
      --files-from FILE     take operands from FILE (-: standard input), one a line
  -0, --null                names in these files end with NUL, not newline
      --sort                sort by path
      --index FILE          keep the index in FILE as well, and read only what has
                            changed since FILE was written
      --max-age AGE         print FILE alone if it is younger than this, and look at
                            nothing else: 90s 15m 12h 120d 2w 1y
      --rehash              read everything again
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
    cli::main("ms-crawl", run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut options = Options::default();
    let mut keeping = Keeping::default();
    while let Some(argument) = cli::next(&mut parser)? {
        match argument {
            Argument::Operand(operand) => options.operands.push(operand),
            Argument::Option(option) => match option.as_str() {
                "-h" | "--help" => return cli::print(USAGE),
                "-V" | "--version" => return cli::print_version("ms-crawl"),
                _ if options.take(&option, &mut parser)? || keeping.take(&option, &mut parser)? => {}
                _ => return Err(cli::unknown_option(&option)),
            },
        }
    }
    crawl::run(&options, &keeping)
}
