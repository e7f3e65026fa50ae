//! `ms-gen`: makes a bogus but real collection of photos, videos and texts.

use std::process::ExitCode;

use lexopt::Parser;
use mediastruct::cli::tools::GEN;
use mediastruct::cli::{self, Argument, Common, Exit, Failure};
use mediastruct::dataset::{self, Kind, Options, Plan, options};
use mediastruct::interrupt::Interrupt;

#[global_allocator]
static ALLOCATOR: mediastruct::memory::Allocator = mediastruct::memory::Allocator;

fn main() -> ExitCode {
    cli::main(&GEN, run)
}

fn run(mut parser: Parser) -> Result<Exit, Failure> {
    let mut common = Common::default();
    let mut options = Options::default();
    let mut root = None;
    while let Some(argument) = cli::next(&GEN, &mut parser)? {
        match argument {
            Argument::Operand(operand) if root.is_none() => root = Some(cli::path("DIR", operand)?),
            Argument::Operand(operand) => {
                return Err(Failure::Usage(format!("{}: one directory is enough", operand.display())));
            }
            Argument::Option(option) if cli::tells(&GEN, &option, &mut parser)? => return Ok(Exit::Done),
            Argument::Option(option)
                if common.take(&option, &mut parser)? || take(&mut options, &option, &mut parser)? => {}
            Argument::Option(option) => return Err(cli::unknown_option(&option)),
        }
    }
    let root = root.ok_or_else(|| Failure::Usage("DIR is missing; write, for instance: ms-gen photos".to_owned()))?;
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
