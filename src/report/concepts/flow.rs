//! Changes of concepts as bands from the concepts before to those after, as wide as the number of their units.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::axis::text_width;
use super::super::svg::{self, escape, px, shorten, text, text_bold};
use super::changes::{Changes, Kind, Label, Move};
use super::{color, numbers};

const WIDTH: f64 = 660.0;
/// Room for labels on either side.
const SIDE: f64 = 170.0;
const BAR: f64 = 9.0;
const TOP: f64 = 62.0;
const GAP: f64 = 5.0;
/// A concept is at least so high, for its label to be read.
const LEAST: f64 = 14.0;
/// Height of one unit at most, and of all of them.
const UNIT: (f64, f64) = (9.0, 560.0);
/// Concepts on each side; those with fewer units are drawn as one.
const MOST: usize = 28;
const SMALL: f64 = 12.0;

/// What a band begins or ends at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Concept(Label),
    Others,
    Nothing,
}

impl End {
    fn name(&self, others: usize) -> String {
        match self {
            Self::Concept((_, label)) => label.clone(),
            Self::Others => format!("others ({others} concepts)"),
            Self::Nothing => "no concept".to_owned(),
        }
    }

    fn color(&self) -> &'static str {
        match self {
            Self::Concept((category, _)) => color(category),
            Self::Others | Self::Nothing => "#8A8A8A",
        }
    }
}

/// A place at one side.
struct Place {
    top: f64,
    height: f64,
    units: usize,
    /// Where the next band begins.
    next: f64,
}

/// One side: places in their order.
struct Side {
    order: Vec<End>,
    places: BTreeMap<End, Place>,
    others: usize,
}

impl Side {
    fn of(changes: &Changes, side: usize, unit: f64) -> Self {
        let concepts = changes.concepts(side);
        let mut sizes: Vec<usize> =
            concepts.iter().filter(|(label, _)| label.is_some()).map(|(_, count)| *count).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let least = sizes.get(MOST).map_or(0, |size| size + 1);
        let mut counts: Vec<(End, usize)> = Vec::new();
        let (mut others, mut rest) = (0, 0);
        for (label, count) in concepts {
            match label {
                None => counts.push((End::Nothing, count)),
                Some(_) if count < least => (others, rest) = (others + 1, rest + count),
                Some(label) => counts.push((End::Concept(label), count)),
            }
        }
        if others > 0 {
            let at = counts.iter().position(|(end, _)| *end == End::Nothing).unwrap_or(counts.len());
            counts.insert(at, (End::Others, rest));
        }
        let mut top = TOP;
        let mut places = BTreeMap::new();
        let order = counts.iter().map(|(end, _)| end.clone()).collect();
        for (end, units) in counts {
            let height = (units as f64 * unit).max(LEAST);
            let next = top + 0.5 * (height - units as f64 * unit);
            places.insert(end, Place { top, height, units, next });
            top += height + GAP;
        }
        Self { order, places, others }
    }

    fn end(&self, label: Option<&Label>) -> End {
        let Some(label) = label else { return End::Nothing };
        let own = End::Concept(label.clone());
        if self.places.contains_key(&own) { own } else { End::Others }
    }

    /// Takes room for a band and returns its top.
    fn take(&mut self, end: &End, height: f64) -> f64 {
        let Some(place) = self.places.get_mut(end) else { return TOP };
        let top = place.next;
        place.next += height;
        top
    }

    fn bottom(&self) -> f64 {
        self.places.values().map(|place| place.top + place.height).fold(TOP, f64::max)
    }
}

fn band_color(kind: Kind) -> &'static str {
    match kind {
        Kind::Changed => "#D55E00",
        Kind::Lost => "#0072B2",
        Kind::Gained => "#009E73",
        Kind::Kept => "#8A8A8A",
    }
}

/// Draws the changes.
pub fn render(changes: &Changes, label: &str) -> String {
    let units: usize = changes.moves.iter().map(|change| change.units.len()).sum();
    let unit = (UNIT.1 / units.max(1) as f64).min(UNIT.0);
    let mut sides = [Side::of(changes, 0, unit), Side::of(changes, 1, unit)];
    let bottom = sides[0].bottom().max(sides[1].bottom());
    let mut out = svg::open(WIDTH, bottom + 12.0, label);
    text_bold(&mut out, 4.0, 18.0, &shorten(&changes.sentence(), WIDTH - 8.0, 13.0));
    legend(&mut out, changes);
    bands(&mut out, changes, &mut sides, unit);
    for (side, ends) in sides.iter().enumerate() {
        for end in &ends.order {
            draw_end(&mut out, ends, end, side);
        }
    }
    if changes.moves.is_empty() {
        text(&mut out, 0.5 * WIDTH, TOP, 13.0, "middle", "pd-soft", "#5b6270", "no unit is interpretable");
    }
    out.push_str("</svg>\n");
    out
}

fn legend(out: &mut String, changes: &Changes) {
    let mut x = 4.0;
    for kind in Kind::ALL {
        let name = format!("{} {}", changes.count(kind), kind.name());
        let _ = write!(
            out,
            "<rect x=\"{}\" y=\"32\" width=\"18\" height=\"10\" fill=\"{}\" fill-opacity=\"0.55\"/>",
            px(x),
            band_color(kind)
        );
        text(out, x + 24.0, 41.0, SMALL, "start", "pd-ink", "#1d2128", &name);
        x += 24.0 + text_width(&name, SMALL) + 18.0;
    }
}

/// Draws bands in the order of the places that they leave, so that few of them cross.
fn bands(out: &mut String, changes: &Changes, sides: &mut [Side; 2], unit: f64) {
    let place = |side: &Side, end: &End| side.order.iter().position(|other| other == end);
    let mut order: Vec<(&Move, End, End)> = changes
        .moves
        .iter()
        .map(|change| (change, sides[0].end(change.from.as_ref()), sides[1].end(change.to.as_ref())))
        .collect();
    order.sort_by_key(|(_, from, to)| (place(&sides[0], from), place(&sides[1], to)));
    let starts: Vec<f64> =
        order.iter().map(|(change, from, _)| sides[0].take(from, change.units.len() as f64 * unit)).collect();
    let mut arrivals: Vec<usize> = (0..order.len()).collect();
    arrivals.sort_by_key(|&at| (place(&sides[1], &order[at].2), place(&sides[0], &order[at].1)));
    let mut ends = vec![0.0; order.len()];
    for at in arrivals {
        ends[at] = sides[1].take(&order[at].2, order[at].0.units.len() as f64 * unit);
    }
    for (at, (change, from, to)) in order.iter().enumerate() {
        let names = (from.name(sides[0].others), to.name(sides[1].others));
        band(out, change, names, (starts[at], ends[at]), change.units.len() as f64 * unit);
    }
}

fn band(out: &mut String, change: &Move, (from, to): (String, String), (start, end): (f64, f64), height: f64) {
    let (left, right) = (SIDE + BAR, WIDTH - SIDE - BAR);
    let middle = 0.5 * (left + right);
    let about = format!("{from} → {to}: units {}", numbers(&change.units));
    let _ = writeln!(
        out,
        "<path d=\"M{l} {} C{m} {} {m} {} {r} {} V{} C{m} {} {m} {} {l} {}Z\" fill=\"{}\" fill-opacity=\"0.45\">\
         <title>{}</title></path>",
        px(start),
        px(start),
        px(end),
        px(end),
        px(end + height),
        px(end + height),
        px(start + height),
        px(start + height),
        band_color(change.kind),
        escape(&about),
        l = px(left),
        m = px(middle),
        r = px(right),
    );
}

fn draw_end(out: &mut String, side: &Side, end: &End, number: usize) {
    let Some(place) = side.places.get(end) else { return };
    let (x, label, anchor) =
        if number == 0 { (SIDE, SIDE - 7.0, "end") } else { (WIDTH - SIDE - BAR, WIDTH - SIDE + 7.0, "start") };
    let _ = write!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{BAR}\" height=\"{}\" fill=\"{}\"/>",
        px(x),
        px(place.top),
        px(place.height),
        end.color()
    );
    let count = place.units.to_string();
    let name = shorten(&end.name(side.others), SIDE - 16.0 - text_width(&count, SMALL), SMALL);
    let shown = if number == 0 { format!("{name}  {count}") } else { format!("{count}  {name}") };
    text(out, label, place.top + 0.5 * place.height + 4.0, SMALL, anchor, "pd-ink", "#1d2128", &shown);
}
