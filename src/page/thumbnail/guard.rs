//! What happens where a decoder panics.
//!
//! Decoders are made for hostile content, but they are large, and not ours: of half a million damaged pictures, one made one of
//! them panic. Such a picture is one that cannot be drawn, which is told where it should be and counted in the message at the end.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_DRAWING: Cell<bool> = const { Cell::new(false) };
}

/// What `decode` gives; `None` where it panics. Nothing of what it was about is looked at then.
pub(super) fn guarded<T>(decode: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(keep_quiet_while_drawing);
    IS_DRAWING.set(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    IS_DRAWING.set(false);
    result.ok()
}

/// A panic of a decoder has its own place to be told in; every other is told as before.
fn keep_quiet_while_drawing() {
    let hook = take_hook();
    set_hook(Box::new(move |panic| {
        if !IS_DRAWING.get() {
            hook(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_picture_and_nothing_else() {
        assert_eq!(guarded(|| 5), Some(5));
        let zero = std::hint::black_box(0);
        assert_eq!(guarded(|| 5 / zero), None);
        assert!(!IS_DRAWING.get());
        assert_eq!(guarded(|| 6), Some(6));
    }
}
