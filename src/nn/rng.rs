//! Counter-based random numbers: Philox 4x32-10 (Salmon et al., SC 2011), addressed instead of advanced.
//!
//! A number depends only on (seed, purpose, epoch, index, draw): never on what was drawn before, by whom, or on which
//! thread. Keys are BLAKE3 hashes of the seed's path and a purpose.

use crate::domain::seed::Seed;

/// A family of generators for one purpose of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// Derives the stream of `purpose` (`order`, `augment`, `init/conv1.weight`, …) from a seed.
    pub fn new(seed: &Seed, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"pdsl/rng/1").update(&seed.root.to_le_bytes());
        hasher.update(&(seed.stream.len() as u64).to_le_bytes());
        for name in seed.stream.iter().map(String::as_str).chain([purpose]) {
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        }
        let hash = hasher.finalize();
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[at + i]));
        Self { key: [word(0), word(4)] }
    }

    /// Returns the generator at an address within the stream.
    pub fn at(&self, epoch: u32, index: u64) -> Rng {
        Rng {
            key: self.key,
            counter: [0, epoch, index as u32, (index >> 32) as u32],
            block: [0; 4],
            used: 4,
            spare: None,
        }
    }
}

/// A generator at one address: up to 2³⁴ draws of 32 bits.
#[derive(Clone, Debug)]
pub struct Rng {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
    spare: Option<f64>,
}

impl Rng {
    /// Draws 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// Draws 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        u64::from(self.next_u32()) << 32 | low
    }

    /// Draws uniformly from [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Draws an integer below `bound` without bias (Lemire 2019); 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// Draws true with probability 1/2.
    pub fn flip(&mut self) -> bool {
        self.next_u32() >> 31 == 1
    }

    /// Draws from the standard normal distribution (Box and Muller 1958; portable bits through `libm`).
    pub fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// Puts a slice in random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Returns 0, 1, …, `len` − 1 in random order.
    pub fn permutation(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        self.shuffle(&mut order);
        order
    }
}

/// Philox 4x32 with ten rounds.
fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut a, mut b, mut c, mut d], [mut k, mut l]) = (counter, key);
    for _ in 0..10 {
        let (p, q) = (u64::from(a) * 0xD251_1F53, u64::from(c) * 0xCD9E_8D57);
        (a, b, c, d) = ((q >> 32) as u32 ^ b ^ k, q as u32, (p >> 32) as u32 ^ d ^ l, p as u32);
        (k, l) = (k.wrapping_add(0x9E37_79B9), l.wrapping_add(0xBB67_AE85));
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(root: u64, stream: &[&str]) -> Seed {
        Seed { root, stream: stream.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// The vectors published with Random123 (`kat_vectors`).
    #[test]
    fn philox_gives_the_published_vectors() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn streams_are_separate_and_repeatable() {
        let draw = |seed: &Seed, purpose: &str, epoch, index| Stream::new(seed, purpose).at(epoch, index).next_u64();
        let one = seed(1, &[]);
        assert_eq!(draw(&one, "order", 3, 4), draw(&one, "order", 3, 4));
        let others = [
            draw(&one, "order", 3, 4),
            draw(&one, "order", 4, 3),
            draw(&one, "augment", 3, 4),
            draw(&seed(2, &[]), "order", 3, 4),
            draw(&seed(1, &["order"]), "order", 3, 4),
            draw(&seed(1, &["a", "b"]), "c", 3, 4),
            draw(&seed(1, &["ab"]), "c", 3, 4),
        ];
        let distinct: std::collections::BTreeSet<u64> = others.into_iter().collect();
        assert_eq!(distinct.len(), others.len());
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut rng = Stream::new(&seed(7, &[]), "test").at(0, 0);
        let n = 100_000;
        let mean = (0..n).map(|_| rng.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        let normal: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(n);
        let variance = normal.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = Stream::new(&seed(1, &[]), "order").at(0, 0).permutation(1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
        assert!(Stream::new(&seed(1, &[]), "order").at(1, 0).permutation(0).is_empty());
    }
}
