//! How large each content is, so that the files together have the size asked for, to the byte.

use super::options::Range;
use super::random::Random;

/// A size in `range` for each content. `copies` tells how many files have each content; with `total`, the
/// sizes of all those files add up to it. `None` where no way was found.
pub(super) fn allot(copies: &[u64], range: Range, total: Option<u64>, seed: u64) -> Option<Vec<u64>> {
    let span = range.max - range.min;
    let mut random = Random::new(seed, "sizes", 0);
    let mut extra: Vec<u64> = copies.iter().map(|_| random.below(span.saturating_add(1))).collect();
    if let Some(total) = total {
        let files: u64 = copies.iter().sum();
        scale(&mut extra, copies, span, total.checked_sub(files.checked_mul(range.min)?)?);
        let rest = (total - files * range.min).checked_sub(sum(&extra, copies)?)?;
        spread(&mut extra, copies, span, rest)?;
    }
    Some(extra.iter().map(|extra| range.min + extra).collect())
}

fn sum(extra: &[u64], copies: &[u64]) -> Option<u64> {
    let wide: u128 = extra.iter().zip(copies).map(|(extra, copies)| u128::from(*extra) * u128::from(*copies)).sum();
    u64::try_from(wide).ok()
}

/// Brings the sum to `wanted` or a little below it, by moving all values towards 0 or towards `span`.
fn scale(extra: &mut [u64], copies: &[u64], span: u64, wanted: u64) {
    let wide = |value: u64| u128::from(value);
    let now: u128 = extra.iter().zip(copies).map(|(extra, copies)| wide(*extra) * wide(*copies)).sum();
    let most: u128 = copies.iter().map(|copies| wide(*copies) * wide(span)).sum();
    let wanted = wide(wanted);
    for value in extra {
        *value = if wanted <= now {
            part(*value, wanted, now)
        } else {
            // The gap below the largest size shrinks; rounding it up, by more than what `part` may be off, keeps the
            // sum from passing what is wanted.
            let gap = part(span - *value, most - wanted, most - now).saturating_add(5);
            span - gap.min(span)
        };
    }
}

/// `value × above ÷ below`. The fraction is cut to 64 bits first, so that nothing overflows.
fn part(value: u64, above: u128, below: u128) -> u64 {
    let shift = 64_u32.saturating_sub(below.leading_zeros());
    let (above, below) = (above >> shift, (below >> shift) + u128::from(shift > 0));
    u64::try_from(u128::from(value) * above / below.max(1)).unwrap_or(u64::MAX)
}

/// Adds `rest` bytes in all, in as equal parts as the copies allow.
fn spread(extra: &mut [u64], copies: &[u64], span: u64, mut rest: u64) -> Option<()> {
    let files: u64 = copies.iter().sum();
    let each = rest / files.max(1);
    for (value, copies) in extra.iter_mut().zip(copies) {
        let more = each.min(span - *value);
        *value += more;
        rest -= more * copies;
    }
    // The first content has one copy wherever possible, and goes last to take what no other can.
    for (value, copies) in extra.iter_mut().zip(copies).rev() {
        let more = (rest / copies).min(span - *value);
        *value += more;
        rest -= more * copies;
    }
    (rest == 0 || give_and_take(extra, copies, span, rest)).then_some(())
}

/// The last bytes, fewer than any content with room left has copies: one such content grows by a byte, and
/// one with a single copy pays for the surplus.
fn give_and_take(extra: &mut [u64], copies: &[u64], span: u64, rest: u64) -> bool {
    let room = extra.iter().position(|value| *value < span);
    let Some(grow) = room else { return false };
    let surplus = copies[grow] - rest;
    let payer = (0..extra.len()).find(|at| copies[*at] == 1 && extra[*at] >= surplus);
    let Some(payer) = payer else { return false };
    extra[grow] += 1;
    extra[payer] -= surplus;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_can_be_met_exactly() {
        let range = Range { min: 10, max: 20 };
        assert_eq!(allot(&[1, 2], range, Some(30), 1), Some(vec![10, 10]));
        assert_eq!(allot(&[1, 2], range, Some(60), 1), Some(vec![20, 20]));
        assert_eq!(allot(&[1, 2], range, Some(59), 1), Some(vec![19, 20]));
        assert_eq!(allot(&[2], range, Some(31), 1), None);
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        let range = Range { min: 1, max: u64::MAX };
        assert!(allot(&[1, 1], range, None, 1).is_some());
        let sizes = allot(&[1, 1], range, Some(u64::MAX), 1).expect("possible");
        assert_eq!(sizes.iter().sum::<u64>(), u64::MAX);
    }

    proptest! {
        #[test]
        fn the_total_is_met_wherever_one_content_has_one_copy(
            mut copies in proptest::collection::vec(1_u64..5, 1..50),
            min in 1_u64..1000,
            span in 10_u64..100_000,
            share in 0.0..1.0_f64,
            seed: u64,
        ) {
            copies[0] = 1;
            let files: u64 = copies.iter().sum();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let total = files * min + ((files * span) as f64 * share) as u64;
            let range = Range { min, max: min + span };
            let sizes = allot(&copies, range, Some(total), seed).expect("possible");
            prop_assert!(sizes.iter().all(|size| (range.min..=range.max).contains(size)));
            prop_assert_eq!(sizes.iter().zip(&copies).map(|(size, copies)| size * copies).sum::<u64>(), total);
        }
    }
}
