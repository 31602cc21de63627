//! Scans: from bits to coefficients.

use super::bits::{Bits, Code, Problem};
use super::frame::{Component, Frame};
use super::transform::inverse;

/// Place of the k-th coefficient, in rows.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// What a scan holds of the coefficients.
pub(super) struct Scan<'a> {
    /// Components, as places in the frame, with their codes.
    pub members: Vec<Member<'a>>,
    /// First and last coefficient.
    pub band: (usize, usize),
    /// Bits that were sent before: of an earlier scan (0: none) and that are still to come.
    pub high: u32,
    /// Bits that are still to come.
    pub low: u32,
    /// Units between restart markers; 0 for none.
    pub interval: usize,
}

/// A component in a scan.
pub(super) struct Member<'a> {
    /// Place in the frame.
    pub component: usize,
    /// Code of the means.
    pub dc: Option<&'a Code>,
    /// Code of the other coefficients.
    pub ac: Option<&'a Code>,
}

fn needed(code: Option<&Code>) -> Result<&Code, Problem> {
    code.ok_or_else(|| "lacks a table of codes".to_owned())
}

impl Scan<'_> {
    /// Decodes the scan; returns where the next marker may be looked for.
    pub(super) fn decode(&self, frame: &mut Frame, data: &[u8], at: usize) -> Result<usize, Problem> {
        let mut state = State { bits: Bits::new(data, at), means: [0; 4], run: 0 };
        let alone = self.members.len() == 1;
        let (columns, rows) = match self.members.as_slice() {
            [one] => frame.components[one.component].own_blocks(),
            _ => (frame.columns, frame.rows),
        };
        let mut left = self.interval;
        for row in 0..rows {
            for column in 0..columns {
                if self.interval > 0 && left == 0 {
                    state.bits.restart()?;
                    (state.means, state.run, left) = ([0; 4], 0, self.interval);
                }
                left = left.wrapping_sub(1);
                for member in &self.members {
                    let component = &mut frame.components[member.component];
                    let (wide, high) = if alone { (1, 1) } else { (component.wide, component.high) };
                    for y in row * high..(row + 1) * high {
                        for x in column * wide..(column + 1) * wide {
                            self.block(&mut state, member, component, frame.progressive, (x, y))?;
                        }
                    }
                }
            }
            state.bits.check()?;
        }
        Ok(state.bits.end())
    }

    fn block(
        &self,
        state: &mut State<'_>,
        member: &Member<'_>,
        component: &mut Component,
        progressive: bool,
        (x, y): (usize, usize),
    ) -> Result<(), Problem> {
        if progressive {
            let block = component.coefficients(x, y);
            return match (self.band.0, self.high) {
                (0, 0) => state.first_mean(block, needed(member.dc)?, member.component, self.low),
                (0, _) => {
                    state.refine_mean(block, self.low);
                    Ok(())
                }
                (_, 0) => state.first_band(block, needed(member.ac)?, self.band, self.low),
                _ => state.refine_band(block, needed(member.ac)?, self.band, self.low),
            };
        }
        let mut block = [0; 64];
        state.first_mean(&mut block, needed(member.dc)?, member.component, 0)?;
        state.sequential(&mut block, needed(member.ac)?)?;
        if component.is_wanted(x, y) {
            let stride = component.stride;
            let quantisation = component.quantisation;
            inverse(&block, &quantisation, &mut component.plane[(y * stride + x) * 8..], stride);
        }
        Ok(())
    }
}

struct State<'a> {
    bits: Bits<'a>,
    /// Latest mean of each component.
    means: [i32; 4],
    /// Blocks whose band is known to be empty.
    run: u32,
}

impl State<'_> {
    fn first_mean(&mut self, block: &mut [i16; 64], code: &Code, component: usize, low: u32) -> Result<(), Problem> {
        self.bits.refill();
        let size = u32::from(self.bits.symbol(code)?);
        if size > 15 {
            return Err("holds a mean of more than 15 bits".to_owned());
        }
        let difference = self.bits.signed(size);
        self.means[component] = self.means[component].wrapping_add(difference);
        block[0] = (self.means[component] << low) as i16;
        Ok(())
    }

    fn refine_mean(&mut self, block: &mut [i16; 64], low: u32) {
        self.bits.refill();
        block[0] |= (self.bits.number(1) << low) as i16;
    }

    #[inline]
    fn sequential(&mut self, block: &mut [i16; 64], code: &Code) -> Result<(), Problem> {
        let mut at = 1;
        while at < 64 {
            self.bits.refill();
            if let Some((run, value)) = self.bits.coefficient(code) {
                at += run;
                let place = ZIGZAG.get(at).ok_or_else(beyond)?;
                block[usize::from(*place)] = value;
                at += 1;
                continue;
            }
            let symbol = self.bits.symbol(code)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    break;
                }
                at += 16;
                continue;
            }
            at += run;
            let place = ZIGZAG.get(at).ok_or_else(beyond)?;
            block[usize::from(*place)] = self.bits.signed(size) as i16;
            at += 1;
        }
        Ok(())
    }

    fn first_band(
        &mut self,
        block: &mut [i16; 64],
        code: &Code,
        (first, last): (usize, usize),
        low: u32,
    ) -> Result<(), Problem> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(());
        }
        let mut at = first;
        while at <= last {
            self.bits.refill();
            let symbol = self.bits.symbol(code)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    self.run = (1 << run) - 1 + self.bits.number(run);
                    break;
                }
                at += 16;
                continue;
            }
            at += run as usize;
            if at > last {
                return Err(beyond());
            }
            block[usize::from(ZIGZAG[at])] = (self.bits.signed(size) << low) as i16;
            at += 1;
        }
        Ok(())
    }

    fn refine_band(
        &mut self,
        block: &mut [i16; 64],
        code: &Code,
        (first, last): (usize, usize),
        low: u32,
    ) -> Result<(), Problem> {
        let mut at = first;
        if self.run == 0 {
            while at <= last {
                self.bits.refill();
                let symbol = self.bits.symbol(code)?;
                let (run, size) = (u32::from(symbol >> 4), symbol & 15);
                let mut fresh = 0;
                if size == 0 {
                    if run < 15 {
                        self.run = (1 << run) + self.bits.number(run);
                        break;
                    }
                } else {
                    fresh = if self.bits.number(1) == 1 { 1 << low } else { -(1 << low) };
                }
                at = self.refine(block, (at, last), run, low);
                if fresh != 0 && at <= last {
                    block[usize::from(ZIGZAG[at])] = fresh;
                }
                at += 1;
            }
        }
        if self.run > 0 {
            self.refine(block, (at, last), u32::MAX, low);
            self.run -= 1;
        }
        Ok(())
    }

    /// Adds a bit to the coefficients that are known already, up to the zero after `zeros` zeros; returns its place.
    fn refine(&mut self, block: &mut [i16; 64], (from, last): (usize, usize), mut zeros: u32, low: u32) -> usize {
        let bit = 1_i16 << low;
        let mut at = from;
        while at <= last {
            let value = &mut block[usize::from(ZIGZAG[at])];
            if *value == 0 {
                if zeros == 0 {
                    break;
                }
                zeros -= 1;
            } else {
                self.bits.refill();
                if self.bits.number(1) == 1 && *value & bit == 0 {
                    *value = value.wrapping_add(if *value > 0 { bit } else { -bit });
                }
            }
            at += 1;
        }
        at
    }
}

fn beyond() -> Problem {
    "holds more coefficients than a block has".to_owned()
}
