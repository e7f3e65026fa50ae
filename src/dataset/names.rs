//! What cameras, phones and people call their files and directories.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::kind::Kind;
use super::random::Random;

/// Who made a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Camera {
    pub(super) make: &'static str,
    pub(super) model: &'static str,
    /// Whether it knows its time zone; phones do.
    pub(super) knows_zone: bool,
    style: Style,
}

#[derive(Debug, PartialEq, Eq)]
enum Style {
    Iphone,
    Android,
    Nikon,
    Sony,
}

static CAMERAS: [Camera; 4] = [
    Camera { make: "Apple", model: "iPhone 8", knows_zone: true, style: Style::Iphone },
    Camera { make: "Google", model: "Pixel 3", knows_zone: true, style: Style::Android },
    Camera { make: "NIKON CORPORATION", model: "NIKON D3400", knows_zone: false, style: Style::Nikon },
    Camera { make: "SONY", model: "ILCE-6000", knows_zone: false, style: Style::Sony },
];

impl Camera {
    /// Some camera.
    pub(super) fn any(random: &mut Random) -> &'static Self {
        random.pick(&CAMERAS)
    }
}

/// The name of a new file.
pub(super) fn original(kind: Kind, camera: &Camera, taken: DateTime<Utc>, random: &mut Random) -> String {
    if kind == Kind::Txt {
        return text(taken, random);
    }
    let number = random.below(9999) + 1;
    let upper = kind.word().to_uppercase();
    match camera.style {
        Style::Iphone => format!("IMG_{number:04}.{upper}"),
        Style::Nikon => format!("DSC_{number:04}.{upper}"),
        Style::Sony => format!("DSC{number:05}.{upper}"),
        Style::Android => {
            let prefix = match kind {
                Kind::Png => "Screenshot",
                Kind::Mp4 | Kind::Mov => "VID",
                Kind::Jpg | Kind::Txt => "IMG",
            };
            format!("{prefix}_{}.{}", taken.format("%Y%m%d_%H%M%S"), kind.word())
        }
    }
}

fn text(taken: DateTime<Utc>, random: &mut Random) -> String {
    const WORDS: [&str; 8] = ["notes", "ideas", "todo", "diary", "packing list", "letter", "recipe", "README"];
    let word = *random.pick(&WORDS);
    match random.below(3) {
        0 => format!("{word}.txt"),
        1 => format!("{word} {}.txt", random.below(1000)),
        _ => format!("{word}-{}.txt", taken.format("%Y-%m-%d")),
    }
}

/// What a file is called after somebody has copied it by hand.
pub(super) fn renamed(name: &str, random: &mut Random) -> String {
    let (stem, extension) = split(name);
    match random.below(4) {
        0 => format!("{stem} ({}){extension}", random.below(3) + 1),
        1 => format!("{stem} copy{extension}"),
        2 => format!("Copy of {stem}{extension}"),
        _ => format!("{stem}_{}{extension}", random.below(9) + 1),
    }
}

/// A name as its stem and its extension with the dot.
pub(super) fn split(name: &str) -> (&str, &str) {
    let at = name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
    name.split_at(at)
}

/// Where a duplicate may lie.
const BACKUPS: [&str; 5] = ["phone-backup", "old-laptop", "usb-stick", "cloud-export", "camera-card"];

/// Some directory that people copy their photos to.
pub(super) fn backup(random: &mut Random) -> &'static str {
    BACKUPS[random.index(BACKUPS.len())]
}

/// The directory for a file, `depth` levels deep: `2019/07/04/album-4/…`, below `backup` if there is one.
pub(super) fn directory(backup: Option<&str>, taken: DateTime<Utc>, depth: usize, random: &mut Random) -> PathBuf {
    let mut path = PathBuf::new();
    let mut level = 0;
    let mut push = |name: &str| {
        if level < depth {
            path.push(name);
            level += 1;
        }
        level < depth
    };
    if backup.is_some_and(|name| !push(name)) {
        return path;
    }
    let date = ["%Y", "%m", "%d"].iter().all(|part| push(&taken.format(part).to_string()));
    while date && push(&format!("album-{}", random.below(3) + 1)) {}
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> DateTime<Utc> {
        DateTime::from_timestamp(1_562_254_212, 0).expect("in range")
    }

    #[test]
    fn directories_are_as_deep_as_asked_for() {
        let mut random = Random::new(1, "test", 0);
        let mut at = |backup, depth| directory(backup, taken(), depth, &mut random).display().to_string();
        assert_eq!(at(None, 0), "");
        assert_eq!(at(None, 2), "2019/07");
        assert_eq!(at(Some("old-laptop"), 0), "");
        assert_eq!(at(Some("old-laptop"), 1), "old-laptop");
        assert_eq!(at(Some("old-laptop"), 3), "old-laptop/2019/07");
        assert_eq!(at(None, 6).split('/').count(), 6);
    }

    #[test]
    fn names_look_like_those_of_the_camera() {
        let mut random = Random::new(1, "test", 0);
        assert_eq!(original(Kind::Jpg, &CAMERAS[1], taken(), &mut random), "IMG_20190704_153012.jpg");
        assert_eq!(split(&original(Kind::Mov, &CAMERAS[0], taken(), &mut random)).1, ".MOV");
        assert_eq!(split(&original(Kind::Txt, &CAMERAS[0], taken(), &mut random)).1, ".txt");
        assert!(renamed("IMG_1234.JPG", &mut random).contains("IMG_1234"));
        assert_eq!(split(".hidden"), (".hidden", ""));
    }
}
