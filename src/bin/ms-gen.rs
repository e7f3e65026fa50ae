//! `ms-gen`: makes a bogus but real collection of photos, videos and texts.

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::{self, Argument, Common, Exit, Failure};
use mediastruct::dataset::{self, Kind, Options, Plan, options};
use mediastruct::interrupt::Interrupt;

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

const USAGE: &str = "\
usage: ms-gen [options] DIR
Fills DIR, which must be empty or new, with photos, videos and texts to try things on.

  --seed N          other files for another number (1)
  --files N         how many files, duplicates included (200)
  --total SIZE      the sizes of all files together
  --min-size SIZE   the smallest file (20K)
  --max-size SIZE   the largest file (400K)
  --dup-share PCT   how many of a hundred files are copies of others (25)
  --from DATE       the first day of the files' dates (2005-01-01)
  --until DATE      the last day (2024-12-31)
  --depth N         how many directories deep the files lie (3)
  --kinds LIST      of jpg,png,mp4,mov,txt (all)
  --alike N         files have one of N sizes and differ only in their middle
  --hostile         names that careless programs fail at, among others
  -j, --jobs N      how many files are written at once
  -q, --quiet       no summary
  --progress WHEN   auto, always or never
  -h, --help        this text
  -V, --version     the version

Sizes: bytes, or a number with K M G T (1000) or Ki Mi Gi Ti (1024). Dates: 2019-07-04.
The same seed and options give the same files, byte for byte.
";

fn main() -> ExitCode {
    cli::main("ms-gen", run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut common = Common::default();
    let mut options = Options::default();
    let mut root = None;
    while let Some(argument) = cli::next(&mut parser)? {
        match argument {
            Argument::Operand(operand) if root.is_none() => root = Some(cli::path("DIR", operand)?),
            Argument::Operand(operand) => {
                return Err(Failure::Usage(format!("{}: one directory is enough", operand.display())));
            }
            Argument::Option(option) => match option.as_str() {
                "-h" | "--help" => return cli::print(USAGE),
                "-V" | "--version" => return cli::print_version("ms-gen"),
                // No records are written.
                "--csv" | "--header" | "--no-header" => return Err(cli::unknown_option(&option)),
                _ if common.take(&option, &mut parser)? || take(&mut options, &option, &mut parser)? => {}
                _ => return Err(cli::unknown_option(&option)),
            },
        }
    }
    let root = root.ok_or_else(|| Failure::Usage("DIR is missing".to_owned()))?;
    let interrupt = Interrupt::install()?;
    dataset::write(&Plan::new(&options)?, &root, &common, &interrupt)
}

fn take(options: &mut Options, option: &str, parser: &mut Parser) -> Result<bool, Failure> {
    match option {
        "--seed" => options.seed = options::number(option, &parser.value()?, 0, u64::MAX)?,
        "--files" => options.files = options::number(option, &parser.value()?, 1, u64::MAX)?,
        "--total" => options.total = Some(options::size(option, &parser.value()?)?),
        "--min-size" => options.min_size = Some(options::size(option, &parser.value()?)?),
        "--max-size" => options.max_size = Some(options::size(option, &parser.value()?)?),
        "--dup-share" => options.dup_share = options::number(option, &parser.value()?, 0, 99)?,
        "--from" => options.from = options::date(option, &parser.value()?)?,
        "--until" => options.until = options::date(option, &parser.value()?)?,
        "--depth" => options.depth = options::number(option, &parser.value()?, 0, 100)?.try_into().unwrap_or(100),
        "--kinds" => options.kinds = Kind::list(option, &parser.value()?)?,
        "--alike" => options.alike = Some(options::number(option, &parser.value()?, 1, u64::MAX)?),
        "--hostile" => options.hostile = true,
        _ => return Ok(false),
    }
    Ok(true)
}
