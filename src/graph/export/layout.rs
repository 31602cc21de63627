//! Places the shapes of a picture in layers (Sugiyama's method): longest path, virtual points on long arrows,
//! barycentre sweeps, and compaction towards the neighbours.

use super::Picture;

/// Width of a shape.
pub(super) const WIDTH: f64 = 190.0;
/// Height of a shape.
pub(super) const HEIGHT: f64 = 44.0;
const GAP_X: f64 = 26.0;
const GAP_Y: f64 = 40.0;
const MARGIN: f64 = 24.0;
/// Width of the lane of a virtual point.
const LANE: f64 = 14.0;

/// Where everything is, in pixels.
pub(super) struct Layout {
    /// Centre of each shape.
    pub(super) shapes: Vec<(f64, f64)>,
    /// For each arrow the points it runs through, from below its source to above its target.
    pub(super) arrows: Vec<Vec<(f64, f64)>>,
    /// Size of the whole.
    pub(super) size: (f64, f64),
}

/// A shape or the place where a long arrow crosses a layer.
struct Point {
    layer: usize,
    width: f64,
    above: Vec<usize>,
    below: Vec<usize>,
    x: f64,
}

/// Computes places for a picture whose arrows all lead from smaller to larger indices.
pub(super) fn layout(picture: &Picture) -> Layout {
    let depth = depths(picture);
    let mut points: Vec<Point> = depth.iter().map(|layer| point(*layer, WIDTH)).collect();
    let routes: Vec<Vec<usize>> = picture.arrows.iter().map(|arrow| route(&mut points, arrow.from, arrow.to)).collect();
    let mut layers = vec![Vec::new(); points.iter().map(|point| point.layer + 1).max().unwrap_or(0)];
    for (at, point) in points.iter().enumerate() {
        layers[point.layer].push(at);
    }
    for sweep in 0..12 {
        order(&mut layers, &points, sweep % 2 == 0);
        for layer in &layers {
            pack(layer, &mut points);
        }
    }
    for sweep in 0..24 {
        pull(&layers, &mut points, sweep % 2 == 0);
    }
    place(picture, &points, &routes, layers.len())
}

fn depths(picture: &Picture) -> Vec<usize> {
    let mut depth = vec![0; picture.shapes.len()];
    let mut arrows: Vec<_> = picture.arrows.iter().collect();
    arrows.sort_by_key(|arrow| arrow.to);
    for arrow in arrows {
        depth[arrow.to] = depth[arrow.to].max(depth[arrow.from] + 1);
    }
    depth
}

fn point(layer: usize, width: f64) -> Point {
    Point { layer, width, above: Vec::new(), below: Vec::new(), x: 0.0 }
}

/// Inserts a virtual point in each layer that an arrow crosses and returns all points it runs through.
fn route(points: &mut Vec<Point>, from: usize, to: usize) -> Vec<usize> {
    let mut route = vec![from];
    for layer in points[from].layer + 1..points[to].layer {
        points.push(point(layer, LANE));
        route.push(points.len() - 1);
    }
    route.push(to);
    for pair in route.windows(2) {
        points[pair[0]].below.push(pair[1]);
        points[pair[1]].above.push(pair[0]);
    }
    route
}

fn mean(points: &[Point], of: &[usize]) -> Option<f64> {
    (!of.is_empty()).then(|| of.iter().map(|at| points[*at].x).sum::<f64>() / of.len() as f64)
}

fn order(layers: &mut [Vec<usize>], points: &[Point], down: bool) {
    for layer in layers {
        let weight = |at: &usize| {
            let point = &points[*at];
            mean(points, if down { &point.above } else { &point.below }).unwrap_or(point.x)
        };
        layer.sort_by(|a, b| weight(a).total_cmp(&weight(b)).then(a.cmp(b)));
    }
}

/// Sets the points of a layer side by side.
fn pack(layer: &[usize], points: &mut [Point]) {
    let total: f64 = layer.iter().map(|at| points[*at].width + GAP_X).sum();
    let mut x = -total / 2.0;
    for at in layer {
        points[*at].x = x + points[*at].width / 2.0;
        x += points[*at].width + GAP_X;
    }
}

/// Moves each point towards its neighbours as far as the order within its layer allows.
fn pull(layers: &[Vec<usize>], points: &mut [Point], down: bool) {
    let count = layers.len();
    for step in 0..count {
        let layer = &layers[if down { step } else { count - 1 - step }];
        let wish: Vec<f64> = layer
            .iter()
            .map(|at| {
                let point = &points[*at];
                mean(points, if down { &point.above } else { &point.below }).unwrap_or(point.x)
            })
            .collect();
        separate(layer, &wish, points);
    }
}

/// Gives each point the place it wishes, pushed apart where two would overlap: the mean of a pass from the left and
/// one from the right, both of which keep the distances.
fn separate(layer: &[usize], wish: &[f64], points: &mut [Point]) {
    let distance = |a: usize, b: usize, points: &[Point]| f64::midpoint(points[a].width, points[b].width) + GAP_X;
    let mut left = wish.to_vec();
    for at in 1..layer.len() {
        left[at] = left[at].max(left[at - 1] + distance(layer[at - 1], layer[at], points));
    }
    let mut right = wish.to_vec();
    for at in (1..layer.len()).rev() {
        right[at - 1] = right[at - 1].min(right[at] - distance(layer[at - 1], layer[at], points));
    }
    for (at, id) in layer.iter().enumerate() {
        points[*id].x = f64::midpoint(left[at], right[at]);
    }
}

fn place(picture: &Picture, points: &[Point], routes: &[Vec<usize>], layers: usize) -> Layout {
    let edge = |sign: f64| points.iter().map(move |p| sign * p.x + p.width / 2.0).fold(0.0, f64::max);
    let (left, right) = (edge(-1.0), edge(1.0));
    let y = |layer: usize| MARGIN + HEIGHT / 2.0 + layer as f64 * (HEIGHT + GAP_Y);
    let spot = |at: usize| (points[at].x + left + MARGIN, y(points[at].layer));
    let arrows = routes
        .iter()
        .map(|route| {
            let last = route.len() - 1;
            let shift = |index: usize| if index == 0 { HEIGHT / 2.0 } else { -HEIGHT / 2.0 };
            route
                .iter()
                .enumerate()
                .flat_map(|(index, at)| {
                    let (x, y) = spot(*at);
                    let ends = index == 0 || index == last;
                    if ends { vec![(x, y + shift(index))] } else { vec![(x, y - HEIGHT / 2.0), (x, y + HEIGHT / 2.0)] }
                })
                .collect()
        })
        .collect();
    let height = if layers == 0 { 0.0 } else { y(layers - 1) + HEIGHT / 2.0 };
    Layout {
        shapes: (0..picture.shapes.len()).map(spot).collect(),
        arrows,
        size: (left + right + 2.0 * MARGIN, height + MARGIN),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arrow, Shape};
    use super::*;

    #[test]
    fn shapes_of_a_layer_do_not_overlap() {
        let shape = Shape { op: "train".into(), title: "t".into(), detail: String::new(), count: 1 };
        let arrow = |from, to| Arrow { from, to, role: "state".into() };
        let arrows =
            (1..9).map(|to| arrow(0, to)).chain((1..9).map(|from| arrow(from, 9))).chain([arrow(0, 9)]).collect();
        let layout = layout(&Picture { shapes: vec![shape; 10], arrows });
        let mut row: Vec<f64> = layout.shapes[1..9].iter().map(|(x, _)| *x).collect();
        row.sort_by(f64::total_cmp);
        assert!(row.windows(2).all(|pair| pair[1] - pair[0] >= WIDTH), "{row:?}");
        assert!(layout.shapes.iter().all(|(x, y)| *x > 0.0 && *y > 0.0 && *x < layout.size.0 && *y < layout.size.1));
    }
}
