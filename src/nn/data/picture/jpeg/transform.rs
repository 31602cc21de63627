//! The inverse cosine transform in integers (Loeffler, Ligtenberg and Moschytz 1989), in the fixed-point arithmetic that
//! the reference decoder of the Independent JPEG Group calls "slow": 13 bits after the point, 2 kept between the passes.

#![expect(
    clippy::inline_always,
    reason = "code is compiled anew for every set of instructions that it is inlined into"
)]

type Row = [i32; 8];

/// Bits after the point of the constants.
const POINT: u32 = 13;
/// Bits that the first pass leaves after the point.
const BETWEEN: u32 = 2;

#[inline(always)]
fn add(a: Row, b: Row) -> Row {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

#[inline(always)]
fn sub(a: Row, b: Row) -> Row {
    std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
}

#[inline(always)]
fn mul(a: Row, by: i32) -> Row {
    std::array::from_fn(|i| a[i].wrapping_mul(by))
}

#[inline(always)]
fn round(a: Row, bits: u32) -> Row {
    std::array::from_fn(|i| a[i].wrapping_add(1 << (bits - 1)) >> bits)
}

/// Transforms eight columns at once; `bits` are taken off the results.
#[inline(always)]
fn pass(rows: &mut [Row; 8], bits: u32) {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = *rows;
    let shared = mul(add(a2, a6), 4433);
    let low = add(shared, mul(a6, -15137));
    let high = add(shared, mul(a2, 6270));
    let (sum, difference) = (mul(add(a0, a4), 1 << POINT), mul(sub(a0, a4), 1 << POINT));
    let even = [add(sum, high), add(difference, low), sub(difference, low), sub(sum, high)];

    let shared = mul(add(add(a7, a3), add(a5, a1)), 9633);
    let (b71, b53) = (mul(add(a7, a1), -7373), mul(add(a5, a3), -20995));
    let b73 = add(mul(add(a7, a3), -16069), shared);
    let b51 = add(mul(add(a5, a1), -3196), shared);
    let odd = [
        add(mul(a1, 12299), add(b71, b51)),
        add(mul(a3, 25172), add(b53, b73)),
        add(mul(a5, 16819), add(b53, b51)),
        add(mul(a7, 2446), add(b71, b73)),
    ];
    for i in 0..4 {
        rows[i] = round(add(even[i], odd[i]), bits);
        rows[7 - i] = round(sub(even[i], odd[i]), bits);
    }
}

#[inline(always)]
fn transposed(rows: &[Row; 8]) -> [Row; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
}

#[inline(always)]
fn transform(coefficients: &[i16; 64], quantisation: &[u16; 64], plane: &mut [u8], stride: usize) {
    let mut rows: [Row; 8] = std::array::from_fn(|i| {
        std::array::from_fn(|j| i32::from(coefficients[8 * i + j]).wrapping_mul(i32::from(quantisation[8 * i + j])))
    });
    pass(&mut rows, POINT - BETWEEN);
    rows = transposed(&rows);
    pass(&mut rows, POINT + BETWEEN + 3);
    rows = transposed(&rows);
    for (row, values) in plane.chunks_mut(stride).zip(&rows) {
        for (sample, value) in row.iter_mut().zip(values) {
            *sample = (value + 128).clamp(0, 255) as u8;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn transform_avx2(coefficients: &[i16; 64], quantisation: &[u16; 64], plane: &mut [u8], stride: usize) {
    transform(coefficients, quantisation, plane, stride);
}

/// Writes the samples of a block, whose coefficients come in natural order, to the beginning of `plane`.
pub(super) fn inverse(coefficients: &[i16; 64], quantisation: &[u16; 64], plane: &mut [u8], stride: usize) {
    if coefficients[1..].iter().all(|value| *value == 0) {
        let mean = i32::from(coefficients[0]) * i32::from(quantisation[0]);
        let sample = (((mean + 4) >> 3) + 128).clamp(0, 255) as u8;
        plane.chunks_mut(stride).take(8).for_each(|row| row.iter_mut().take(8).for_each(|value| *value = sample));
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions.
        return unsafe { transform_avx2(coefficients, quantisation, plane, stride) };
    }
    transform(coefficients, quantisation, plane, stride);
}
