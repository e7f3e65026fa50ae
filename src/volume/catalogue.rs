//! The catalogue of an archive: its `index.json`, with every volume that ever was.
//!
//! What other programs have added to it stays as it is.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{INDEX, Number, json};
use crate::cli::Failure;
use crate::escape;
use crate::report::{self, shown};

/// The one format that is known.
const FORMAT: &str = "mediastruct-archive/1";

/// Larger files are no catalogues, in bytes: a volume takes some 300 of them.
const LARGEST: u64 = 16 << 20;

/// A catalogue with more members and elements than that is none: a volume has about a dozen, and a burn four. What little
/// there may be in each takes much more memory than it has bytes.
const MOST: usize = 100_000;

/// The volumes of an archive, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    format: String,
    volumes: Vec<Volume>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What becomes of a volume in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It may still get files.
    Open,
    /// It never changes any more.
    Sealed,
    /// It is on at least one disc.
    Burned,
}

impl State {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::Burned => "burned",
        }
    }
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// Its number.
    #[serde(rename = "volume", with = "as_number")]
    pub number: Number,
    /// What its discs are called.
    pub label: String,
    /// What became of it.
    pub state: State,
    /// How many files it has, without those that describe it.
    pub files: u64,
    /// Their lengths together.
    pub bytes: u64,
    /// A bound of its image, with the files that describe it.
    pub image_bytes: u64,
    /// How many bytes an image of it may have; unknown where nobody said what it is for.
    #[serde(default)]
    pub capacity: Option<u64>,
    /// The date of its first file, as the archive is ordered by it.
    #[serde(default)]
    pub first_date: Option<String>,
    /// The date of its last file.
    #[serde(default)]
    pub last_date: Option<String>,
    /// The discs that it was burned to.
    #[serde(default)]
    pub burns: Vec<Burn>,
    /// What other programs have added.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One disc that was burned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burn {
    /// The day, as the clock on the wall showed it: `2026-11-28`.
    pub date: String,
    /// What the owner calls this copy, or where it is kept.
    #[serde(default)]
    pub copy: Option<String>,
    /// What the medium says of itself.
    #[serde(default)]
    pub media_id: Option<String>,
    /// What other programs have added.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self { format: FORMAT.to_owned(), volumes: Vec::new(), other: Map::new() }
    }
}

impl Catalogue {
    /// Reads the catalogue of `archive`; an empty one where there is none yet.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it cannot be read, or is something else.
    pub fn read(archive: &Path) -> Result<Self, Failure> {
        let path = archive.join(INDEX);
        let stop = |reason: String| Failure::Stop(format!("reading the catalogue: {}: {reason}", shown(&path)));
        match read_up_to(&path, LARGEST) {
            Ok(json) if json.len() as u64 > LARGEST => {
                Err(stop(format!("it is larger than {}", report::bytes(LARGEST))))
            }
            Ok(json) => Self::parse(&json).map_err(stop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(stop(report::reason(&error))),
        }
    }

    /// Reads a catalogue from its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        json::check(json, MOST).map_err(|problem| format!("{}: {problem}", problem.place()))?;
        let catalogue: Self = serde_json::from_slice(json).map_err(|error| json::told(&error.to_string()))?;
        if catalogue.format != FORMAT {
            let format = escape::excerpt(catalogue.format.as_bytes());
            return Err(format!("its format is \"{format}\", and not {FORMAT}"));
        }
        let mut numbers: Vec<Number> = catalogue.volumes.iter().map(|volume| volume.number).collect();
        numbers.sort_unstable();
        match numbers.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("volume {} is there twice", pair[0])),
            None => Ok(catalogue),
        }
    }

    /// As it is written: a volume on each line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut sorted = self.clone();
        sorted.volumes.sort_by_key(|volume| volume.number);
        let members = [("format".to_owned(), json(&sorted.format))];
        let others = sorted.other.iter().map(|(name, value)| (name.clone(), json(value)));
        let members: Vec<String> =
            members.into_iter().chain(others).map(|(name, value)| format!("{}:{value}", json(&name))).collect();
        let volumes: Vec<String> = sorted.volumes.iter().map(json).collect();
        format!("{{{},\"volumes\":[\n{}\n]}}\n", members.join(","), volumes.join(",\n")).into_bytes()
    }

    /// All volumes.
    pub fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.volumes.iter()
    }

    /// One volume.
    #[must_use]
    pub fn get(&self, number: Number) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.number == number)
    }

    /// One volume, to be changed.
    pub fn get_mut(&mut self, number: Number) -> Option<&mut Volume> {
        self.volumes.iter_mut().find(|volume| volume.number == number)
    }

    /// Puts a volume in the place of what is told of it so far, burns and what others have added excepted.
    pub fn put(&mut self, volume: Volume) {
        match self.get_mut(volume.number) {
            Some(known) => {
                let (burns, other) = (std::mem::take(&mut known.burns), std::mem::take(&mut known.other));
                *known = Volume { burns, other, ..volume };
            }
            None => self.volumes.push(volume),
        }
    }
}

/// A file's content, and a byte more than `most` at most.
fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// Only a map whose keys are no texts could fail to be written, and there is none.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A number as JSON has it.
mod as_number {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Number;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it on like that")]
    pub(super) fn serialize<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(number.get())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Number::new(number)
            .ok_or_else(|| D::Error::custom(format_args!("volume: {number} is not a number from 1 to 4294967295")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"format":"mediastruct-archive/1","id":123456789012345678901234567890,"owner":"Ada","rate":0.10,"volumes":[
{"volume":2,"label":"MS_0002","state":"sealed","files":0,"bytes":0,"image_bytes":0,"capacity":null,"first_date":null,"last_date":null,"burns":[]},
{"volume":7,"label":"MS_0007","state":"burned","files":1,"bytes":2,"image_bytes":3,"capacity":4,"first_date":"2012","last_date":"2012-03-05","burns":[{"date":"2026-11-28","copy":"home","media_id":null,"drive":"x"}],"shelf":[1.5]}
]}
"#;

    #[test]
    fn a_catalogue_comes_back_with_what_others_added() {
        let catalogue = Catalogue::parse(JSON.as_bytes()).expect("catalogue");
        assert_eq!(String::from_utf8(catalogue.to_json()).expect("UTF-8"), JSON);
        let seven = catalogue.get(Number::new(7).expect("number")).expect("volume");
        assert_eq!((seven.state, seven.burns.len()), (State::Burned, 1));
    }

    #[test]
    fn what_is_no_catalogue_is_refused() {
        for (json, problem) in [
            ("", "EOF"),
            ("{\"format\":\"mediastruct-volume/1\",\"volumes\":[]}", "its format is"),
            ("{\"volumes\":[]}", "missing field `format`"),
            (&JSON.replace("\"volume\":2", "\"volume\":7"), "volume 0007 is there twice"),
            (&JSON.replace("\"volume\":2", "\"volume\":0"), "volume: 0 is not a number"),
            (&JSON.replace("sealed", "lost"), "unknown variant `lost`"),
            (&JSON.replace("1.5", &"0,".repeat(100_000)), "3:"),
            (&JSON.replace("Ada", &"A".repeat(300_000)), "1:79: a text that is longer"),
        ] {
            let error = Catalogue::parse(json.as_bytes()).expect_err(json);
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_volume_that_is_told_anew_keeps_its_burns() {
        let mut catalogue = Catalogue::parse(JSON.as_bytes()).expect("catalogue");
        let mut seven = catalogue.get(Number::new(7).expect("number")).expect("volume").clone();
        seven.burns.clear();
        seven.other.clear();
        catalogue.put(seven);
        assert_eq!(String::from_utf8(catalogue.to_json()).expect("UTF-8"), JSON);
    }
}
