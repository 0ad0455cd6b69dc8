//! Where tests plant a fault of ours, to see that a panic stops no partition.
//!
//! Within a step a panic leaves the step to the interpreted core (`ledger`). From anywhere else it comes to Python as
//! the exception `Panic`: nobody can say what it left behind, so the partition's owner throws away all that it has in
//! memory, and goes on without the kernel.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static ANY: AtomicBool = AtomicBool::new(false);
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// From now on `trip` panics at this place; None: nowhere.
pub fn plant(place: Option<String>) {
    ANY.store(place.is_some(), Ordering::Relaxed);
    *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
}

pub fn trip(place: &str) {
    let planted = || PLACE.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(place);
    assert!(!(ANY.load(Ordering::Relaxed) && planted()), "planted");
}
