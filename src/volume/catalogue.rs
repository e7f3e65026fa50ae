//! The catalogue of an archive: its `index.json`, with every volume that ever was.
//!
//! What other programs have added to it stays as it is, to the last digit.

mod members;

use std::io::{self, Read as _};
use std::path::Path;

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::image::Filesystem;
use super::{INDEX, Number, json};
use crate::cli::Failure;
use crate::escape;
use crate::report::{self, shown};

use members::Members;
pub use members::Others;

/// The one format that is known.
const FORMAT: &str = "mediastruct-archive/1";

/// Larger files are no catalogues, in bytes: a volume takes some 300 of them.
const LARGEST: u64 = 16 << 20;

/// A catalogue with more members and elements than that is none: a volume has about a dozen, and a burn four. What little
/// there may be in each takes much more memory than it has bytes.
const MOST: usize = 100_000;

const OTHER_FORMAT: &str = "its format is";

/// The volumes of an archive, in the order of their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    format: String,
    volumes: Vec<Volume>,
    other: Others,
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
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Its number.
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
    pub capacity: Option<u64>,
    /// What that image is written as.
    pub fs: Option<Filesystem>,
    /// The date of its first file, as the archive is ordered by it.
    pub first_date: Option<String>,
    /// The date of its last file.
    pub last_date: Option<String>,
    /// The discs that it was burned to.
    pub burns: Vec<Burn>,
    /// What other programs have added.
    pub other: Others,
}

/// One disc that was burned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burn {
    /// The day, as the clock on the wall showed it: `2026-11-28`.
    pub date: String,
    /// What the owner calls this copy, or where it is kept.
    pub copy: Option<String>,
    /// What the medium says of itself.
    pub media_id: Option<String>,
    /// What other programs have added.
    pub other: Others,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self { format: FORMAT.to_owned(), volumes: Vec::new(), other: Others::default() }
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
            Ok(json) => Self::parse(&json).map_err(|problem| {
                let advice =
                    "put a good copy in its place, or move it away: ms-seal --all makes another, without the burns";
                // What a later version has written is not damaged.
                if problem.starts_with(OTHER_FORMAT) { stop(problem) } else { stop(format!("{problem}; {advice}")) }
            }),
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
        let mut members: Members = serde_json::from_slice(json).map_err(|error| json::told(&error.to_string()))?;
        let format: String = members.need("format")?;
        if format != FORMAT {
            return Err(format!("{OTHER_FORMAT} \"{}\", and not {FORMAT}", escape::excerpt(format.as_bytes())));
        }
        let volumes = members.need("volumes")?;
        let catalogue = Self { format, volumes, other: members.rest() };
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
        let others = sorted.other.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
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
    super::open_file(path)?.take(most + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// Only a map whose keys are no texts could fail to be written, and there is none.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Volume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_members(Members::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Volume {
    fn from_members(mut members: Members) -> Result<Self, String> {
        let number: u64 = members.need("volume")?;
        let fs: Option<String> = members.take("fs")?.flatten();
        let fs = fs.map(|name| {
            Filesystem::parse(name.as_bytes()).ok_or_else(|| format!("fs: \"{}\"", escape::excerpt(name.as_bytes())))
        });
        Ok(Self {
            number: Number::new(number)
                .ok_or_else(|| format!("volume: {number} is not a number from 1 to 4294967295"))?,
            label: members.need("label")?,
            state: members.need("state")?,
            files: members.need("files")?,
            bytes: members.need("bytes")?,
            image_bytes: members.need("image_bytes")?,
            capacity: members.take("capacity")?.flatten(),
            fs: fs.transpose()?,
            first_date: members.take("first_date")?.flatten(),
            last_date: members.take("last_date")?.flatten(),
            burns: members.take("burns")?.unwrap_or_default(),
            other: members.rest(),
        })
    }
}

impl Serialize for Volume {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("volume", &self.number.get())?;
        map.serialize_entry("label", &self.label)?;
        map.serialize_entry("state", &self.state)?;
        map.serialize_entry("files", &self.files)?;
        map.serialize_entry("bytes", &self.bytes)?;
        map.serialize_entry("image_bytes", &self.image_bytes)?;
        map.serialize_entry("capacity", &self.capacity)?;
        map.serialize_entry("fs", &self.fs.map(Filesystem::name))?;
        map.serialize_entry("first_date", &self.first_date)?;
        map.serialize_entry("last_date", &self.last_date)?;
        map.serialize_entry("burns", &self.burns)?;
        self.other.write(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Burn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_members(Members::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Burn {
    fn from_members(mut members: Members) -> Result<Self, String> {
        Ok(Self {
            date: members.need("date")?,
            copy: members.take("copy")?.flatten(),
            media_id: members.take("media_id")?.flatten(),
            other: members.rest(),
        })
    }
}

impl Serialize for Burn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("date", &self.date)?;
        map.serialize_entry("copy", &self.copy)?;
        map.serialize_entry("media_id", &self.media_id)?;
        self.other.write(&mut map)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"format":"mediastruct-archive/1","id":123456789012345678901234567890,"owner":"Ada","rate":0.10,"volumes":[
{"volume":2,"label":"MS_0002","state":"sealed","files":0,"bytes":0,"image_bytes":0,"capacity":null,"fs":null,"first_date":null,"last_date":null,"burns":[]},
{"volume":7,"label":"MS_0007","state":"burned","files":1,"bytes":2,"image_bytes":3,"capacity":4,"fs":"udf","first_date":"2012","last_date":"2012-03-05","burns":[{"date":"2026-11-28","copy":"home","media_id":null,"drive":"x"}],"zone":12345678901234567890123,"shelf":[1.50, 1e400]}
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
            (&JSON.replace("\"files\":1", "\"files\":1e400"), "files: "),
            (&JSON.replace("udf", "ntfs"), "fs: \"ntfs\""),
            (&JSON.replace("\"owner\"", "\"format\""), "duplicate field `format`"),
            (&JSON.replace("1.50", &"0,".repeat(100_000)), "3:"),
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
        seven.other = Others::default();
        catalogue.put(seven);
        assert_eq!(String::from_utf8(catalogue.to_json()).expect("UTF-8"), JSON);
    }
}
