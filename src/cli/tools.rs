//! The tables of all tools. One that is not in [`ALL`] is completed nowhere and suggested to nobody.

mod crawl;
mod dupes;
mod generator;
mod ingest;
mod mv;
mod pack;
mod seal;
mod shared;
mod verify;

pub use crawl::CRAWL;
pub use dupes::DUPES;
pub use generator::GEN;
pub use ingest::INGEST;
pub use mv::MV;
pub use pack::PACK;
pub use seal::SEAL;
pub use verify::VERIFY;

use super::synopsis::Tool;

/// All tools, by their names.
pub static ALL: [&Tool; 8] = [&CRAWL, &DUPES, &GEN, &INGEST, &MV, &PACK, &SEAL, &VERIFY];
