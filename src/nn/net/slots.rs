//! Which buffer holds which value: values whose lives do not overlap share one.

/// From when to when a value is needed (both inclusive), and its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub first: usize,
    pub last: usize,
    pub size: usize,
}

/// Gives every life a slot, first come, first served, and returns the slots' sizes. The smallest free slot that is large
/// enough is taken, else the largest one grows.
pub(super) fn assign(lives: &[Life]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|life| lives[*life].first);
    let mut slots = vec![0; lives.len()];
    let (mut sizes, mut busy_until): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for life in order {
        let Life { first, last, size } = lives[life];
        let free = (0..sizes.len()).filter(|slot| busy_until[*slot] < first);
        let slot = free
            .min_by_key(|slot| if sizes[*slot] >= size { (0, sizes[*slot]) } else { (1, usize::MAX - sizes[*slot]) });
        let slot = slot.unwrap_or_else(|| {
            sizes.push(0);
            busy_until.push(0);
            sizes.len() - 1
        });
        sizes[slot] = sizes[slot].max(size);
        busy_until[slot] = last;
        slots[life] = slot;
    }
    (slots, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_overlap_never_share() {
        let life = |first, last, size| Life { first, last, size };
        let (slots, sizes) = assign(&[life(0, 1, 10), life(1, 2, 20), life(2, 3, 5), life(3, 4, 30)]);
        assert_eq!(slots, [0, 1, 0, 1]);
        assert_eq!(sizes, [10, 30]);
    }
}
