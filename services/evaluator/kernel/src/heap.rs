//! A heap in a list, in the same order as the core's, because it is part of the state.

pub fn push<T: Ord>(heap: &mut Vec<T>, item: T) {
    heap.push(item);
    let at = heap.len() - 1;
    rise(heap, at);
}

/// Takes out the least item.
pub fn pop<T: Ord>(heap: &mut Vec<T>) -> Option<T> {
    if heap.is_empty() {
        return None;
    }
    let least = heap.swap_remove(0);
    let mut at = 0;
    while 2 * at + 1 < heap.len() {
        let left = 2 * at + 1;
        let child = if left + 1 < heap.len() && heap[left] >= heap[left + 1] { left + 1 } else { left };
        heap.swap(at, child);
        at = child;
    }
    if !heap.is_empty() {
        rise(heap, at);
    }
    Some(least)
}

fn rise<T: Ord>(heap: &mut [T], mut at: usize) {
    while at > 0 && heap[at] < heap[(at - 1) / 2] {
        heap.swap(at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}
