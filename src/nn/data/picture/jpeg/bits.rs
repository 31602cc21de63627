//! Bits of entropy-coded segments, and the codes in them.

#![expect(clippy::inline_always, reason = "called for every coefficient")]

/// Bits that the tables of short codes are addressed with.
const SHORT: u32 = 10;

/// Why decoding stops, as the end of a sentence that begins with the name of the file.
pub(super) type Problem = String;

/// A Huffman code.
#[derive(Clone)]
pub(super) struct Code {
    /// Length (high byte) and symbol of the code that starts with these bits; 0 where it is longer.
    short: [u16; 1 << SHORT],
    /// The same for codes of coefficients together with the coefficient, where both are short: length, run of zeros
    /// before it, value; the length is 0 where they are longer.
    whole: [(u8, u8, i16); 1 << SHORT],
    /// One past the last code of each length, aligned to 16 bits; never below that of a shorter length.
    ends: [u32; 17],
    /// What to add to a code of each length for its place among the symbols.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Code {
    /// Builds a code from the number of codes of each length and the symbols in order.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Problem> {
        let whole = [(0, 0, 0); 1 << SHORT];
        let mut code =
            Self { short: [0; 1 << SHORT], whole, ends: [0; 17], offsets: [0; 17], symbols: symbols.to_vec() };
        let (mut next, mut place) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            code.offsets[length as usize] = place as i32 - next as i32;
            if next as usize + count > 1 << length {
                return Err("has a table of codes that overlap".to_owned());
            }
            for _ in 0..count {
                if length <= SHORT {
                    let first = (next << (SHORT - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(symbols[place]);
                    code.short[first..first + (1 << (SHORT - length))].fill(entry);
                }
                next += 1;
                place += 1;
            }
            code.ends[length as usize] = next << (16 - length);
            next <<= 1;
        }
        code.join();
        Ok(code)
    }

    /// Fills the table of codes together with their coefficients.
    fn join(&mut self) {
        for (bits, (entry, whole)) in self.short.iter().zip(&mut self.whole).enumerate() {
            let (length, run, size) = (u32::from(entry >> 8), (entry >> 4) as u8 & 15, u32::from(entry & 15));
            if length > 0 && size > 0 && length + size <= SHORT {
                let value = (bits >> (SHORT - length - size)) as u32 & ((1 << size) - 1);
                *whole = ((length + size) as u8, run, extended(value, size) as i16);
            }
        }
    }
}

/// A number whose first bit tells its sign.
#[inline]
fn extended(value: u32, bits: u32) -> i32 {
    let value = value as i32;
    if bits > 0 && value < 1 << (bits - 1) { value - (1 << bits) + 1 } else { value }
}

/// Reads bits up to the next marker. After that zeros come, which are counted.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// Bits that were read ahead, from the highest down.
    ahead: u64,
    count: u32,
    /// How many of them, at the end, were not in the file.
    padding: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, ahead: 0, count: 0, padding: 0 }
    }

    /// Makes at least 32 bits be there.
    #[inline]
    pub(super) fn refill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(chunk) = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_be_bytes(*chunk);
            let gaps = !word;
            // A byte 0xFF may be the beginning of a marker.
            if gaps.wrapping_sub(0x0101_0101_0101_0101) & !gaps & 0x8080_8080_8080_8080 == 0 {
                let bytes = (64 - self.count) / 8;
                let filled = self.count + 8 * bytes;
                self.ahead |= (word >> self.count) & (u64::MAX << (64 - filled));
                self.count = filled;
                self.at += bytes as usize;
                return;
            }
        }
        self.refill_slowly();
    }

    #[cold]
    fn refill_slowly(&mut self) {
        while self.count <= 56 {
            let byte = match self.data.get(self.at..) {
                Some([0xFF, 0, ..]) => {
                    self.at += 2;
                    0xFF
                }
                Some([byte, ..]) if *byte != 0xFF => {
                    self.at += 1;
                    *byte
                }
                _ => {
                    self.padding += 8;
                    0
                }
            };
            self.ahead |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        self.ahead <<= bits;
        self.count = self.count.saturating_sub(bits);
    }

    /// Reads a short code together with its coefficient: the zeros before it, and its value.
    #[inline(always)]
    pub(super) fn coefficient(&mut self, code: &Code) -> Option<(usize, i16)> {
        let (length, run, value) = code.whole[(self.ahead >> (64 - SHORT)) as usize];
        if length == 0 {
            return None;
        }
        self.skip(u32::from(length));
        Some((usize::from(run), value))
    }

    /// Reads a symbol; there must be 16 bits.
    #[inline(always)]
    pub(super) fn symbol(&mut self, code: &Code) -> Result<u8, Problem> {
        let entry = code.short[(self.ahead >> (64 - SHORT)) as usize];
        if entry != 0 {
            self.skip(u32::from(entry >> 8));
            return Ok(entry as u8);
        }
        self.long_symbol(code)
    }

    #[cold]
    fn long_symbol(&mut self, code: &Code) -> Result<u8, Problem> {
        let window = (self.ahead >> 48) as u32;
        for length in SHORT + 1..=16 {
            if window < code.ends[length as usize] {
                let place = (window >> (16 - length)) as i32 + code.offsets[length as usize];
                self.skip(length);
                let symbol = usize::try_from(place).ok().and_then(|place| code.symbols.get(place));
                return symbol.copied().ok_or_else(|| "holds a code that its tables do not have".to_owned());
            }
        }
        Err("holds a code that its tables do not have".to_owned())
    }

    /// Reads a number of up to 16 bits; they must be there.
    #[inline]
    pub(super) fn number(&mut self, bits: u32) -> u32 {
        if bits == 0 {
            return 0;
        }
        let value = (self.ahead >> (64 - bits)) as u32;
        self.skip(bits);
        value
    }

    /// Reads a number whose first bit tells its sign.
    #[inline]
    pub(super) fn signed(&mut self, bits: u32) -> i32 {
        extended(self.number(bits), bits)
    }

    /// Complains if more bits were read than there were.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.count < self.padding { Err("ends in the middle of its pixels".to_owned()) } else { Ok(()) }
    }

    /// Passes the marker between two stretches that are decoded independently.
    pub(super) fn restart(&mut self) -> Result<(), Problem> {
        self.check()?;
        let whole = (self.count - self.padding) / 8;
        if whole > 0 {
            return Err("has too many bytes before a restart marker".to_owned());
        }
        while self.data.get(self.at..).is_some_and(|rest| rest.starts_with(&[0xFF, 0xFF])) {
            self.at += 1;
        }
        match self.data.get(self.at..) {
            Some([0xFF, 0xD0..=0xD7, ..]) => {
                *self = Self::new(self.data, self.at + 2);
                Ok(())
            }
            _ => Err("lacks a restart marker".to_owned()),
        }
    }

    /// Returns where the next marker may be looked for.
    pub(super) fn end(&self) -> usize {
        self.at
    }
}
