//! IPTC records (IIM 4.2), as Photoshop and picture agencies write them.

use super::{Facts, Source, when};

/// Record and data sets of the dates (IIM § 6.2): created with its time, digitized with its time.
const DATES: [(u8, u8); 2] = [(55, 60), (62, 63)];

/// Offers the date created, else the date digitized, with its time where there is one.
pub(crate) fn read(records: &[u8], facts: &mut Facts) {
    let sets: Vec<(u8, &[u8])> = Sets(records).filter(|set| is_date(set.0)).collect();
    let first = |number| sets.iter().find(|set| set.0 == number).map(|set| set.1);
    for (date, time) in DATES {
        let Some(day) = first(date) else { continue };
        let whole = first(time).and_then(|time| when::parse(&[day, b" ", time].concat()));
        facts.found(Source::Iptc, whole.or_else(|| when::parse(day)));
    }
}

fn is_date(number: u8) -> bool {
    DATES.iter().any(|&(date, time)| number == date || number == time)
}

/// The data sets of record 2, by number.
struct Sets<'r>(&'r [u8]);

impl<'r> Iterator for Sets<'r> {
    type Item = (u8, &'r [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // What precedes the next tag marker is padding. A length with its highest bit set is that of an extended
            // data set, which no date needs.
            let start = memchr::memchr(0x1c, self.0)?;
            let (head, rest) = self.0.get(start..)?.split_first_chunk::<5>()?;
            let [_, record, number, high, low] = *head;
            let len = usize::from(u16::from_be_bytes([high, low]));
            let (value, rest) = rest.split_at_checked(len)?;
            self.0 = rest;
            if record == 2 {
                return Some((number, value));
            }
        }
    }
}
