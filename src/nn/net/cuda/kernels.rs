//! The kernels of `kernels.cu`, with operands checked for size.

use crate::nn::kernels::pool::Pool;
use crate::nn::kernels::update::{Adapt, Update};

use super::device::View;
use super::launch::{Call, Done, Kernels};

/// Partial sums that a reduction over rows is cut into, about.
const PARTIALS: usize = 1 << 17;

/// Where the pieces of a reduction over rows lie.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub rows: usize,
    pub channels: usize,
}

impl Rows {
    fn block(self) -> usize {
        (self.rows * self.channels).div_ceil(PARTIALS).clamp(16, 1024)
    }

    fn blocks(self) -> usize {
        self.rows.div_ceil(self.block())
    }

    fn values(self) -> usize {
        self.rows * self.channels
    }

    /// Bytes of one list of partial sums.
    pub(super) fn partial_bytes(self) -> usize {
        self.blocks() * self.channels * 4
    }
}

/// What a normalisation reads per channel.
#[derive(Clone, Copy)]
pub(super) struct Normal {
    pub mean: View,
    pub inverse: View,
    pub scale: View,
    pub shift: View,
}

impl Kernels {
    /// Writes images of floats, `[n][channel][place]`, as activations, `[n][place][channel]`.
    pub(super) fn images(&self, from: View, to: View, channels: usize, places: usize, n: usize) -> Done {
        let total = n * channels * places;
        self.typed("images").floats(from, total).view(self.fits(to, total)).numbers([channels, places]).each(total)
    }

    /// Turns activations `[n][row][column]` into `[n][column][row]`.
    pub(super) fn turn(&self, from: View, to: View, [rows, columns]: [usize; 2], add: bool, n: usize) -> Done {
        let total = n * rows * columns;
        self.typed("turn")
            .view(self.fits(from, total))
            .view(self.fits(to, total))
            .numbers([rows, columns])
            .flag(add)
            .each(total)
    }

    /// y ← y + bias + other, rectified if asked to.
    pub(super) fn finish(&self, y: View, bias: Option<View>, other: Option<View>, rectify: bool, rows: Rows) -> Done {
        let total = rows.values();
        self.typed("finish")
            .view(self.fits(y, total))
            .maybe(bias, 4 * rows.channels)
            .maybe(other, total * self.format().bytes())
            .number(rows.channels)
            .flag(rectify)
            .each(total)
    }

    /// y = x + other, rectified if asked to.
    pub(super) fn sum(&self, x: View, other: Option<View>, y: View, rectify: bool, total: usize) -> Done {
        self.typed("sum")
            .view(self.fits(x, total))
            .maybe(other, total * self.format().bytes())
            .view(self.fits(y, total))
            .flag(rectify)
            .each(total)
    }

    /// dx (+)= dy, where y > 0 if there is a y. dx may be dy.
    pub(super) fn pass(&self, y: Option<View>, dy: View, dx: View, add: bool, total: usize) -> Done {
        self.typed("pass")
            .maybe(y, total * self.format().bytes())
            .view(self.fits(dy, total))
            .view(self.fits(dx, total))
            .flag(add)
            .each(total)
    }

    /// y = the largest value of every window, or its mean.
    pub(super) fn pool(&self, name: &'static str, x: View, y: View, pool: &Pool, n: usize) -> Done {
        let [total, from] = [n * outputs(pool), n * inputs(pool)];
        self.typed(name).view(self.fits(x, from)).view(self.fits(y, total)).pool(pool).each(total)
    }

    /// dx (+)= the gradient of the maximum, which goes to the first largest value of each window.
    pub(super) fn maximum_gradient(&self, x: View, dy: View, dx: View, pool: &Pool, add: bool, n: usize) -> Done {
        let [total, of_y] = [n * inputs(pool), n * outputs(pool)];
        self.typed("maximum_gradient")
            .view(self.fits(x, total))
            .view(self.fits(dy, of_y))
            .view(self.fits(dx, total))
            .pool(pool)
            .flag(add)
            .each(total)
    }

    /// dx (+)= the gradient of the mean.
    pub(super) fn mean_gradient(&self, dy: View, dx: View, pool: &Pool, add: bool, n: usize) -> Done {
        let [total, of_y] = [n * inputs(pool), n * outputs(pool)];
        self.typed("mean_gradient")
            .view(self.fits(dy, of_y))
            .view(self.fits(dx, total))
            .pool(pool)
            .flag(add)
            .each(total)
    }

    /// y = the mean over all places.
    pub(super) fn global_mean(&self, x: View, y: View, [places, channels]: [usize; 2], n: usize) -> Done {
        self.typed("global_mean")
            .view(self.fits(x, n * places * channels))
            .view(self.fits(y, n * channels))
            .numbers([places, channels])
            .each(n * channels)
    }

    /// dx (+)= the gradient of the mean over all places.
    pub(super) fn global_mean_gradient(
        &self,
        dy: View,
        dx: View,
        [places, channels]: [usize; 2],
        add: bool,
        n: usize,
    ) -> Done {
        let total = n * places * channels;
        self.typed("global_mean_gradient")
            .view(self.fits(dy, n * channels))
            .view(self.fits(dx, total))
            .numbers([places, channels])
            .flag(add)
            .each(total)
    }

    /// Sums every channel over all rows.
    pub(super) fn column_sums(&self, from: View, to: View, rows: Rows, scratch: View) -> Done {
        let (total, block) = (rows.blocks() * rows.channels, rows.block());
        self.typed("column_partials")
            .view(self.fits(from, rows.values()))
            .floats(scratch, total)
            .numbers([rows.rows, rows.channels, block])
            .each(total)?;
        self.totals(scratch, to, rows)
    }

    fn totals(&self, partials: View, to: View, rows: Rows) -> Done {
        self.call("column_totals")
            .floats(partials, rows.blocks() * rows.channels)
            .floats(to, rows.channels)
            .numbers([rows.blocks(), rows.channels])
            .blocks(rows.channels)
    }

    /// Takes the mean and the inverse deviation of every channel; running statistics move by `share` towards them.
    pub(super) fn moments(
        &self,
        x: View,
        rows: Rows,
        scratch: View,
        (epsilon, share): (f64, f32),
        [mean, inverse]: [View; 2],
        running: [View; 2],
    ) -> Done {
        let (total, block) = (rows.blocks() * rows.channels, rows.block());
        let [means, squares] = halves(scratch, rows);
        self.typed("moments")
            .view(self.fits(x, rows.values()))
            .floats(means, total)
            .floats(squares, total)
            .numbers([rows.rows, rows.channels, block])
            .each(total)?;
        self.call("join_moments")
            .floats(means, total)
            .floats(squares, total)
            .numbers([rows.blocks(), rows.channels, rows.rows, block])
            .double(epsilon)
            .float(share)
            .floats(mean, rows.channels)
            .floats(inverse, rows.channels)
            .floats(running[0], rows.channels)
            .floats(running[1], rows.channels)
            .blocks(rows.channels)
    }

    /// Writes 1 / √(variance + ε).
    pub(super) fn inverse_roots(&self, variance: View, epsilon: f64, inverse: View, channels: usize) -> Done {
        self.call("inverse_roots").floats(variance, channels).double(epsilon).floats(inverse, channels).each(channels)
    }

    /// y = the normalised x + other, rectified if asked to.
    pub(super) fn normalise(
        &self,
        x: View,
        other: Option<View>,
        y: View,
        normal: Normal,
        rectify: bool,
        rows: Rows,
    ) -> Done {
        let total = rows.values();
        self.typed("normalise")
            .view(self.fits(x, total))
            .maybe(other, total * self.format().bytes())
            .view(self.fits(y, total))
            .floats(normal.mean, rows.channels)
            .floats(normal.inverse, rows.channels)
            .floats(normal.scale, rows.channels)
            .floats(normal.shift, rows.channels)
            .number(rows.channels)
            .flag(rectify)
            .each(total)
    }

    /// Gradients of a normalisation: of scale and shift, and dx (+)= that of x. The statistics were the batch's own, or
    /// `fixed`.
    pub(super) fn normalise_gradient(
        &self,
        [x, dy, dx]: [View; 3],
        normal: Normal,
        [of_scale, of_shift]: [View; 2],
        (fixed, add): (bool, bool),
        rows: Rows,
        scratch: View,
    ) -> Done {
        let (total, block, channels) = (rows.blocks() * rows.channels, rows.block(), rows.channels);
        let [shifts, scales] = halves(scratch, rows);
        self.typed("normalise_partials")
            .view(self.fits(x, rows.values()))
            .view(self.fits(dy, rows.values()))
            .floats(normal.mean, channels)
            .floats(normal.inverse, channels)
            .floats(shifts, total)
            .floats(scales, total)
            .numbers([rows.rows, channels, block])
            .each(total)?;
        self.totals(shifts, of_shift, rows)?;
        self.totals(scales, of_scale, rows)?;
        self.typed("normalise_gradient")
            .view(self.fits(x, rows.values()))
            .view(self.fits(dy, rows.values()))
            .view(self.fits(dx, rows.values()))
            .floats(normal.mean, channels)
            .floats(normal.inverse, channels)
            .floats(normal.scale, channels)
            .floats(of_scale, channels)
            .floats(of_shift, channels)
            .numbers([rows.rows, channels])
            .flag(fixed)
            .flag(add)
            .each(rows.values())
    }

    /// Weights (of `each` values per channel) and constants of a convolution that has taken up the normalisation behind
    /// it; `entries` are its scale, shift, running mean and running variance.
    pub(super) fn fold(
        &self,
        [weights, folded, constants]: [View; 3],
        bias: Option<View>,
        entries: [View; 4],
        epsilon: f64,
        [channels, each]: [usize; 2],
    ) -> Done {
        let total = channels * each;
        let call = self.typed("fold").floats(weights, total).maybe(bias, 4 * channels);
        entries
            .into_iter()
            .fold(call, |call, entry| call.floats(entry, channels))
            .double(epsilon)
            .number(each)
            .view(self.fits(folded, total))
            .floats(constants, channels)
            .each(total)
    }

    /// Writes the loss (f64) and the hits (i32: 1 if the class is first, plus 2 if it is among five) of `n` images; into
    /// `gradient`, that of the mean loss over `images` images.
    pub(super) fn cross_entropy(
        &self,
        logits: View,
        [labels, losses, hits]: [View; 3],
        gradient: Option<View>,
        (smoothing, images): (f64, usize),
        [n, classes]: [usize; 2],
    ) -> Done {
        assert!(labels.bytes >= 4 * n && losses.bytes >= 8 * n && hits.bytes >= 4 * n, "one entry per image");
        self.typed("cross_entropy")
            .view(self.fits(logits, n * classes))
            .view(labels)
            .number(classes)
            .double(smoothing)
            .double(images as f64)
            .view(losses)
            .view(hits)
            .maybe(gradient, n * classes * self.format().bytes())
            .blocks(n)
    }

    /// Rounds floats to bf16.
    pub(super) fn narrow(&self, from: View, to: View, total: usize) -> Done {
        assert!(to.bytes >= 2 * total, "what is rounded fits");
        self.call("narrow").floats(from, total).view(to).each(total)
    }

    /// Writes bf16 as floats.
    pub(super) fn widen(&self, from: View, to: View, total: usize) -> Done {
        assert!(from.bytes >= 2 * total, "what is widened is there");
        self.call("widen").view(from).floats(to, total).each(total)
    }

    /// One step of stochastic gradient descent. `copy` takes the weights as bf16.
    pub(super) fn descend(
        &self,
        update: Update,
        [values, gradient, velocity]: [View; 3],
        kept: Option<View>,
        copy: Option<View>,
        total: usize,
    ) -> Done {
        self.call("descend")
            .floats(values, total)
            .floats(gradient, total)
            .floats(velocity, total)
            .maybe(kept, total)
            .maybe(copy, 2 * total)
            .float(update.rate)
            .float(update.momentum)
            .flag(update.nesterov)
            .float(update.decay)
            .each(total)
    }

    /// One step of AdamW. `copy` takes the weights as bf16.
    pub(super) fn adapt(
        &self,
        update: Adapt,
        [values, gradient, first, second]: [View; 4],
        kept: Option<View>,
        copy: Option<View>,
        total: usize,
    ) -> Done {
        let Adapt { keep, beta1, beta2, epsilon, rate, spread } = update;
        let call = [values, gradient, first, second]
            .into_iter()
            .fold(self.call("adapt"), |call, view| call.floats(view, total))
            .maybe(kept, total)
            .maybe(copy, 2 * total);
        [keep, beta1, beta2, epsilon, rate, spread].into_iter().fold(call, Call::float).each(total)
    }
}

fn inputs(pool: &Pool) -> usize {
    pool.channels * pool.size[0] * pool.size[1]
}

fn outputs(pool: &Pool) -> usize {
    let [rows, columns] = pool.output();
    pool.channels * rows * columns
}

fn halves(scratch: View, rows: Rows) -> [View; 2] {
    let bytes = rows.partial_bytes();
    [scratch.part(0, bytes), scratch.part(bytes, bytes)]
}
