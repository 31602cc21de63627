//! Pictures: decoding, scaling and cutting, in bytes, with the arithmetic of Pillow.

mod colour;
mod jpeg;
mod scale;

pub(super) use self::colour::Jitter;

/// A picture in bytes, row by row, the channels of a pixel together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raster {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// `width · height · channels` values.
    pub bytes: Vec<u8>,
}

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// Columns before it.
    pub left: usize,
    /// Rows before it.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Window {
    /// The whole of a picture.
    pub(super) fn whole(width: usize, height: usize) -> Self {
        Self { left: 0, top: 0, width, height }
    }

    /// The part of this window that lies inside a picture, and at least one pixel.
    fn within(self, width: usize, height: usize) -> Self {
        let (left, top) = (self.left.min(width - 1), self.top.min(height - 1));
        let (columns, rows) = (self.width.clamp(1, width - left), self.height.clamp(1, height - top));
        Self { left, top, width: columns, height: rows }
    }
}

impl Raster {
    /// Decodes a JPEG or PNG picture, whatever its name says, to red, green and blue. Only the part that `window` chooses,
    /// when it hears width and height, is made. Grey becomes three equal channels, inks become light, transparency is
    /// ignored, and a note that the camera was turned too: all as in torchvision's loader.
    ///
    /// # Errors
    /// What is wrong with the file, as the end of a sentence that begins with its name.
    pub(super) fn decode(bytes: &[u8], window: &mut dyn FnMut(usize, usize) -> Window) -> Result<Self, String> {
        if bytes.starts_with(&jpeg::SIGNATURE) {
            return jpeg::decode(bytes, window);
        }
        if !bytes.starts_with(b"\x89PNG") {
            let what = if bytes.is_empty() { "is empty" } else { "is neither a JPEG nor a PNG picture" };
            return Err(what.to_owned());
        }
        let picture = image::load_from_memory_with_format(bytes, image::ImageFormat::Png)
            .map_err(|error| format!("is not a readable PNG picture: {error}"))?
            .into_rgb8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let whole = Self { width, height, channels: 3, bytes: picture.into_raw() };
        let wanted = window(width, height).within(width, height);
        Ok(if wanted == Window::whole(width, height) { whole } else { whole.cut(wanted) })
    }

    /// Decodes a whole picture.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub(super) fn decode_whole(bytes: &[u8]) -> Result<Self, String> {
        Self::decode(bytes, &mut Window::whole)
    }

    /// Copies a part.
    pub(super) fn cut(&self, window: Window) -> Self {
        let Window { left, top, width, height } = window.within(self.width, self.height);
        let mut bytes = Vec::with_capacity(width * height * self.channels);
        for row in self.bytes.chunks_exact(self.width * self.channels).skip(top).take(height) {
            bytes.extend_from_slice(&row[left * self.channels..(left + width) * self.channels]);
        }
        Self { width, height, channels: self.channels, bytes }
    }

    /// Mirrors left and right.
    pub(super) fn mirror(&mut self) {
        let channels = self.channels;
        for row in self.bytes.chunks_exact_mut(self.width * channels) {
            let (mut left, mut right) = (0, self.width.saturating_sub(1));
            while left < right {
                for channel in 0..channels {
                    row.swap(left * channels + channel, right * channels + channel);
                }
                left += 1;
                right -= 1;
            }
        }
    }

    /// Cuts a window of `width` × `height` whose corner is `left` and `top` pixels away, over black ground.
    pub(super) fn cut_over_black(&self, left: isize, top: isize, width: usize, height: usize) -> Self {
        let mut bytes = vec![0; width * height * self.channels];
        let channels = self.channels;
        let first = left.max(0) as usize;
        let last = (left + width as isize).clamp(0, self.width as isize) as usize;
        for (line, target) in bytes.chunks_exact_mut(width * channels).enumerate() {
            let row = usize::try_from(line as isize + top).ok().filter(|row| *row < self.height);
            if let Some(row) = row.filter(|_| first < last) {
                let source = &self.bytes[(row * self.width + first) * channels..(row * self.width + last) * channels];
                let start = (first as isize - left) as usize * channels;
                target[start..start + source.len()].copy_from_slice(source);
            }
        }
        Self { width, height, channels, bytes }
    }

    /// Scales so that the shorter side has `side` pixels; the longer one is rounded down.
    pub(super) fn scale_shorter(&self, side: usize) -> Self {
        let (short, long) = (self.width.min(self.height), self.width.max(self.height));
        let longer = (side * long / short).max(1);
        let (width, height) = if self.width <= self.height { (side, longer) } else { (longer, side) };
        self.scale(width, height)
    }

    /// Cuts out the middle; what is not there is black.
    pub(super) fn cut_centre(&self, width: usize, height: usize) -> Self {
        let corner = |whole: usize, part: usize| ((whole as f64 - part as f64) / 2.0).round_ties_even() as isize;
        // A picture that is too small is first bordered: half of what is missing before it, rounded down.
        let bordered = |whole: usize, part: usize| {
            if whole < part { -(((part - whole) / 2) as isize) } else { corner(whole, part) }
        };
        self.cut_over_black(bordered(self.width, width), bordered(self.height, height), width, height)
    }

    /// Changes the number of channels: three to one by the weights of ITU-R 601, one to three by repetition.
    pub(super) fn with_channels(self, channels: usize) -> Self {
        if self.channels == channels {
            return self;
        }
        let bytes = if channels == 1 {
            self.bytes.chunks_exact(3).map(colour::luma).collect()
        } else {
            self.bytes.iter().flat_map(|value| [*value; 3]).collect()
        };
        Self { channels, bytes, ..self }
    }
}

#[cfg(test)]
mod tests;
