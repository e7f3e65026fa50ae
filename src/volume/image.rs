//! Stub.
/// FS
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filesystem {
    /// iso
    #[default]
    Iso,
    /// udf
    Udf,
    /// raw
    Raw,
}
impl Filesystem {
    /// all
    pub const ALL: [Self; 3] = [Self::Iso, Self::Udf, Self::Raw];
    /// name
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Udf => "udf",
            Self::Raw => "raw",
        }
    }
    /// fixed
    #[must_use]
    pub fn fixed(self) -> u64 {
        2048 * 192
    }
    /// file
    #[must_use]
    pub fn file(self, name: &[u8], size: u64) -> u64 {
        size.div_ceil(2048) * 2048 + 400 + 3 * name.len() as u64
    }
    /// dir
    #[must_use]
    pub fn dir(self, name: &[u8]) -> u64 {
        8000 + name.len() as u64
    }
}
