//! What a generated scene shows, drawn at random, and what is to be seen at a point of it.

use crate::domain::data::Shapes;
use crate::domain::seed::Seed;
use crate::nn::rng::{Rng, Stream};

use super::class;

/// Kinds of objects, in the order of the task's classes.
pub const OBJECTS: [&str; 6] = ["disc", "square", "triangle", "cross", "ring", "star"];
/// Parts of objects. The last one, the middle of an object, is labelled in a layer of its own.
pub const PARTS: [&str; 6] = ["rim", "corner", "arm", "hole", "tip", "core"];
/// Surfaces of objects.
pub const TEXTURES: [&str; 5] = ["solid", "striped", "dotted", "chequered", "zigzag"];
/// The basic colour terms, as in Broden.
pub const COLOURS: [&str; 11] =
    ["black", "blue", "brown", "grey", "green", "orange", "pink", "purple", "red", "white", "yellow"];
/// Kinds of backgrounds.
pub const SCENES: [&str; 6] = ["wall", "horizon", "dusk", "tiles", "rain", "confetti"];

/// Typical red, green and blue of each colour.
const PIGMENTS: [[f64; 3]; 11] = [
    [0.08, 0.08, 0.08],
    [0.15, 0.30, 0.85],
    [0.45, 0.27, 0.12],
    [0.50, 0.50, 0.50],
    [0.15, 0.60, 0.20],
    [0.95, 0.55, 0.10],
    [0.97, 0.65, 0.75],
    [0.50, 0.18, 0.60],
    [0.85, 0.12, 0.12],
    [0.95, 0.95, 0.95],
    [0.95, 0.88, 0.15],
];
/// Index of the first background in shades of one colour, apart from the wall, which has no second one.
const FIRST_PATTERN: usize = 3;
/// Largest turn of an object to either side, in radians.
const TILT: f64 = 0.25;
/// How far a pigment may stray in each channel.
const STRAY: f64 = 0.05;
/// Least distance (root of the sum of squares) of two pigments that meet.
const CONTRAST: f64 = 0.45;
/// Share of the radius below which a point belongs to an object's core.
const CORE: f64 = 0.35;
/// Golden-angle multipliers that scatter confetti.
const SCATTER: [f64; 2] = [0.754_877_666_246_692_8, 0.569_840_290_998_053_2];

/// x², in one multiplication on every platform.
fn square(x: f64) -> f64 {
    x * x
}

/// Whether two colours stand out from each other.
fn distinct(a: usize, b: usize) -> bool {
    let part = |i: usize| square(PIGMENTS[a][i] - PIGMENTS[b][i]);
    part(0) + part(1) + part(2) >= square(CONTRAST)
}

/// A colour by name and as it is mixed here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    /// Index into [`COLOURS`].
    pub(super) colour: usize,
    /// Red, green, blue in [0, 1].
    pub(super) rgb: [f64; 3],
}

impl Paint {
    /// Draws a paint that stands out from at most two `others`; there always is one.
    fn draw(rng: &mut Rng, others: &[Self]) -> Self {
        loop {
            let colour = rng.below(COLOURS.len() as u64) as usize;
            if others.iter().all(|other| distinct(colour, other.colour)) {
                let rgb = PIGMENTS[colour].map(|v| (v + STRAY * (2.0 * rng.uniform() - 1.0)).clamp(0.0, 1.0));
                return Self { colour, rgb };
            }
        }
    }
}

impl Paint {
    /// The same colour, nearer to white if it is dark and to black if it is light.
    fn shade(self, by: f64) -> Self {
        let light = self.rgb.iter().sum::<f64>() > 1.5;
        Self { rgb: self.rgb.map(|v| if light { v * (1.0 - by) } else { v + (1.0 - v) * by }), ..self }
    }
}

/// An object in its place.
#[derive(Clone, Debug)]
struct Thing {
    /// Index into [`OBJECTS`].
    kind: usize,
    /// Index into [`TEXTURES`].
    texture: usize,
    centre: [f64; 2],
    radius: f64,
    /// Cosine and sine of its turn.
    turn: [f64; 2],
    /// Periods of the texture per radius.
    pitch: f64,
    paints: [Paint; 2],
}

/// A scene in the unit square.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// Index into [`SCENES`].
    pub(super) kind: usize,
    /// Main ground and what is on it.
    grounds: [Paint; 2],
    /// Where the pattern of the background starts, and how wide it is.
    pattern: [f64; 3],
    /// Nearest to the eye first.
    things: Vec<Thing>,
    /// Amplitude of the grain.
    pub(super) grain: f64,
    /// Factor on all colours.
    pub(super) light: f64,
    /// Draws the grain.
    pub(super) rng: Rng,
}

/// What is to be seen at a point; indices into the lists above.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// Its colour.
    pub(super) paint: Paint,
    /// The object there.
    pub(super) object: Option<usize>,
    /// Parts there, in two layers.
    pub(super) parts: [Option<usize>; 2],
    /// The object's texture.
    pub(super) texture: Option<usize>,
}

impl Scene {
    /// Draws scene `index` of a set.
    pub(super) fn new(set: &Shapes, index: u64) -> Self {
        let seed = Seed { root: set.seed, stream: vec!["shapes".to_owned()] };
        let mut rng = Stream::new(&seed, "scene").at(set.size as u32, index);
        let kind = rng.below(SCENES.len() as u64) as usize;
        let ground = Paint::draw(&mut rng, &[]);
        // A horizon divides two colours; the other patterns are shades of one.
        let second = if kind < FIRST_PATTERN { Paint::draw(&mut rng, &[ground]) } else { ground.shade(0.25) };
        let pattern = [rng.uniform(), rng.uniform(), rng.uniform()];
        let mut things = vec![Thing::main(&mut rng, class(index), &[ground, second])];
        for _ in 0..rng.below(2) {
            things.extend(Thing::beside(&mut rng, &things, &[ground, second]));
        }
        let (grain, light) = (0.1 * rng.uniform(), 0.85 + 0.25 * rng.uniform());
        Self { kind, grounds: [ground, second], pattern, things, grain, light, rng }
    }

    /// Looks at a point of the unit square: x to the right, y down.
    pub(super) fn spot(&self, x: f64, y: f64) -> Spot {
        let mut parts = [None; 2];
        for thing in &self.things {
            let [u, v] = thing.local(x, y);
            let (object, part) = regions(thing.kind, u, v);
            parts[0] = parts[0].or(part);
            if object {
                parts[1] = (thing.kind != RING && u * u + v * v <= square(CORE)).then_some(CORE_PART);
                let paint = thing.paints[usize::from(texture(thing.texture, u * thing.pitch, v * thing.pitch))];
                return Spot { paint, object: Some(thing.kind), parts, texture: Some(thing.texture) };
            }
        }
        Spot { paint: self.ground(x, y), object: None, parts, texture: None }
    }

    /// The background's paint at a point.
    fn ground(&self, x: f64, y: f64) -> Paint {
        let [a, b, c] = self.pattern;
        let second = match self.kind {
            0 => false,
            1 => y > 0.3 + 0.4 * a + 0.3 * (b - 0.5) * (x - 0.5),
            2 => return self.dusk(y),
            3 => {
                let step = 0.2 + 0.15 * c;
                let near = |t: f64| (t / step).fract() < 0.22;
                near(x + a) || near(y + b)
            }
            4 => {
                ((x + (0.2 + 0.4 * a) * y + b) / (0.12 + 0.06 * c)).fract() < 0.25
                    && ((y + x * 3.1 + a) * 4.0).fract() < 0.6
            }
            _ => (1..=24).any(|i| {
                let at = SCATTER.map(|s| s * f64::from(i));
                let (dx, dy) = ((at[0] + a).fract() - x, (at[1] + b).fract() - y);
                dx * dx + dy * dy < square(0.025 + 0.02 * c)
            }),
        };
        self.grounds[usize::from(second)]
    }

    /// A fall of light from the second ground at the top to the first at the bottom; named after the nearer one.
    fn dusk(&self, y: f64) -> Paint {
        let [bottom, top] = self.grounds;
        let share = (y * (0.8 + 0.4 * self.pattern[0])).clamp(0.0, 1.0);
        let rgb = std::array::from_fn(|i| share * bottom.rgb[i] + (1.0 - share) * top.rgb[i]);
        Paint { colour: if share >= 0.5 { bottom.colour } else { top.colour }, rgb }
    }
}

/// Index of the ring, the one object with a hole.
const RING: usize = 4;
/// Index of the part that has its own layer.
const CORE_PART: usize = 5;

impl Thing {
    /// Draws the main object of a scene.
    fn main(rng: &mut Rng, kind: usize, behind: &[Paint; 2]) -> Self {
        let radius = 0.3 + 0.12 * rng.uniform();
        let mut place = || radius + (1.0 - 2.0 * radius) * rng.uniform();
        let centre = [place(), place()];
        Self::dress(rng, kind, centre, radius, behind)
    }

    /// Draws a smaller object that overlaps none of `others`, if a few tries find room for it.
    fn beside(rng: &mut Rng, others: &[Self], behind: &[Paint; 2]) -> Option<Self> {
        for _ in 0..8 {
            let radius = 0.07 + 0.04 * rng.uniform();
            let centre = [rng.uniform(), rng.uniform()];
            let free = others.iter().all(|other| {
                let (dx, dy) = (centre[0] - other.centre[0], centre[1] - other.centre[1]);
                dx * dx + dy * dy > square(radius + other.radius)
            });
            if free {
                let kind = rng.below(OBJECTS.len() as u64) as usize;
                return Some(Self::dress(rng, kind, centre, radius, behind));
            }
        }
        None
    }

    /// Draws turn, texture and paints.
    fn dress(rng: &mut Rng, kind: usize, centre: [f64; 2], radius: f64, behind: &[Paint; 2]) -> Self {
        let angle = TILT * (2.0 * rng.uniform() - 1.0);
        let texture = rng.below(TEXTURES.len() as u64) as usize;
        let first = Paint::draw(rng, behind);
        Self {
            kind,
            texture,
            centre,
            radius,
            turn: [libm::cos(angle), libm::sin(angle)],
            pitch: 1.4 + 0.6 * rng.uniform(),
            paints: [first, first.shade(0.35)],
        }
    }

    /// A point in the object's own coordinates, where its radius is 1.
    fn local(&self, x: f64, y: f64) -> [f64; 2] {
        let (dx, dy) = ((x - self.centre[0]) / self.radius, (y - self.centre[1]) / self.radius);
        [self.turn[0] * dx + self.turn[1] * dy, self.turn[0] * dy - self.turn[1] * dx]
    }
}

/// Whether a local point lies in an object of a kind, and in which part. A hole is a part outside its object.
fn regions(kind: usize, u: f64, v: f64) -> (bool, Option<usize>) {
    let distance = u * u + v * v;
    let (a, b) = (u.abs(), v.abs());
    match kind {
        0 => (distance <= 1.0, (distance <= 1.0 && distance > 0.64).then_some(0)),
        1 => (a <= 0.8 && b <= 0.8, (a <= 0.8 && b <= 0.8 && a > 0.4 && b > 0.4).then_some(1)),
        2 => {
            // Corners at the top, (0, −1), and at (±√3/2, 1/2).
            let inside = v <= 0.5 && 1.732_050_807_568_877_2 * a - v <= 1.0;
            let corner = v < -0.4 || (v > 0.0 && 0.866_025_403_784_438_6 * a + 0.5 * v > 0.6);
            (inside, (inside && corner).then_some(1))
        }
        3 => {
            let inside = (a <= 0.3 && b <= 1.0) || (b <= 0.3 && a <= 1.0);
            (inside, (inside && (a > 0.3 || b > 0.3)).then_some(2))
        }
        RING => ((0.3..=1.0).contains(&distance), (distance < 0.3).then_some(3)),
        _ => {
            let inside = star(u, v);
            (inside, (inside && distance > 0.3).then_some(4))
        }
    }
}

/// Whether a point lies in the five-pointed star with outer radius 1 and inner radius 0.45.
fn star(u: f64, v: f64) -> bool {
    // Cosine and sine of the five directions of the tips, the first one up.
    const TIPS: [[f64; 2]; 5] = [
        [0.0, -1.0],
        [0.951_056_516_295_153_5, -0.309_016_994_374_947_4],
        [0.587_785_252_292_473_1, 0.809_016_994_374_947_4],
        [-0.587_785_252_292_473_1, 0.809_016_994_374_947_4],
        [-0.951_056_516_295_153_5, -0.309_016_994_374_947_4],
    ];
    // In the nearest tip's frame the edge runs from (1, 0) to 0.45 (cos 36°, sin 36°).
    let (x, y) = TIPS.iter().fold((f64::MIN, 0.0), |(x, y), [c, s]| {
        let along = u * c + v * s;
        if along > x { (along, (v * c - u * s).abs()) } else { (x, y) }
    });
    let (ex, ey) = (0.45 * 0.809_016_994_374_947_4, 0.45 * 0.587_785_252_292_473_1);
    (x - 1.0) * ey - y * (ex - 1.0) <= 0.0
}

/// Whether a texture shows its second paint; its period is 1.
fn texture(kind: usize, u: f64, v: f64) -> bool {
    let odd = |t: f64| (t - t.floor()) >= 0.5;
    match kind {
        1 => odd(u),
        2 => {
            let (a, b) = (u - u.floor() - 0.5, v - v.floor() - 0.5);
            a * a + b * b < 0.1
        }
        3 => odd(u) != odd(v),
        4 => odd(v + (u - u.floor() - 0.5).abs() * 0.9),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_the_objects_are_as_drawn() {
        let area = |kind: usize| {
            let n = 400;
            let inside = (0..n * n).filter(|i| {
                let at = |j: i32| f64::from(2 * j + 1) / f64::from(n) - 1.0;
                regions(kind, at(i % n), at(i / n)).0
            });
            inside.count() as f64 * 4.0 / f64::from(n * n)
        };
        let pi = std::f64::consts::PI;
        // The star: ten triangles with sides 1 and 0.45 at 36°.
        let expected = [pi, 2.56, 1.299_038, 4.0 * 0.6 - 0.36, 0.7 * pi, 5.0 * 0.45 * 0.587_785];
        for (kind, expected) in expected.into_iter().enumerate() {
            assert!((area(kind) - expected).abs() < 0.02, "{}: {} for {expected}", OBJECTS[kind], area(kind));
        }
    }

    #[test]
    fn every_object_has_its_parts() {
        let expected = [0, 1, 1, 2, 3, 4];
        for (kind, expected) in expected.into_iter().enumerate() {
            let seen: std::collections::BTreeSet<_> = (0..10_000)
                .filter_map(|i| regions(kind, f64::from(i % 100) / 50.0 - 1.0, f64::from(i / 100) / 50.0 - 1.0).1)
                .collect();
            assert_eq!(seen.into_iter().collect::<Vec<_>>(), [expected], "{}", OBJECTS[kind]);
        }
    }

    #[test]
    fn two_colours_always_leave_a_third() {
        let all = 0..COLOURS.len();
        for (a, b) in all.clone().flat_map(|a| all.clone().map(move |b| (a, b))) {
            assert!(all.clone().any(|c| distinct(a, c) && distinct(b, c)), "{} {}", COLOURS[a], COLOURS[b]);
        }
    }

    #[test]
    fn the_main_object_is_the_class() {
        for index in 0..12 {
            let scene = Scene::new(&Shapes { size: 32, images: 12, seed: 1 }, index);
            assert_eq!(scene.things[0].kind as u64, index % 6);
        }
    }
}
