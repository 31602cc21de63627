//! A plot in whatever form it is drawn: as a file, as data, on the page.

use maud::{Markup, PreEscaped, html};

use super::concepts::changes::{self, Changes};
use super::concepts::{self, Layer, bars, flow};
use super::figure::{Figure, figure};
use super::{gallery, svg, vega};
use crate::domain::portraits::Portraits;
use crate::value::output::{Cell, Object, PlotSpec};

/// A plot, laid out.
#[derive(Clone, Debug)]
pub enum Drawing {
    /// Lines over an axis.
    Lines(Figure),
    /// Units with their pictures.
    Gallery(Portraits),
    /// Concepts with their units.
    Bars(Layer),
    /// Units that changed their concepts.
    Changes(Changes),
    /// A stage that it shows has no result.
    Missing,
}

impl Drawing {
    /// Lays a plot out.
    pub fn of(spec: &PlotSpec<Cell>) -> Self {
        match spec {
            PlotSpec::Line { .. } | PlotSpec::Curve { .. } => figure(spec).map(Self::Lines),
            PlotSpec::Gallery { portraits } => read_portraits(portraits).map(Self::Gallery),
            PlotSpec::ConceptBars { summary } => read_layer(summary).map(Self::Bars),
            PlotSpec::ConceptChanges { from, to } => {
                read_layer(from).zip(read_layer(to)).map(|(from, to)| Self::Changes(Changes::between(&from, &to)))
            }
        }
        .unwrap_or(Self::Missing)
    }

    /// Draws it as SVG. `label` names it for screen readers.
    pub fn svg(&self, label: &str) -> String {
        match self {
            Self::Lines(figure) => svg::render(figure, label),
            Self::Gallery(portraits) => gallery::sheet(portraits, label),
            Self::Bars(layer) => bars::render(layer, label),
            Self::Changes(changes) => flow::render(changes, label),
            Self::Missing => svg::missing(label),
        }
    }

    /// Writes it as a Vega-Lite specification, if it is a diagram.
    pub fn vega(&self, label: &str) -> Option<String> {
        match self {
            Self::Lines(figure) => Some(vega::render(figure, label)),
            Self::Bars(layer) => Some(bars::vega(layer, label)),
            Self::Changes(changes) => Some(changes::vega(changes, label)),
            Self::Gallery(_) | Self::Missing => None,
        }
    }

    /// Whether it can be written as a Vega-Lite specification.
    pub fn has_data(&self) -> bool {
        !matches!(self, Self::Gallery(_) | Self::Missing)
    }

    /// Shows it on the page.
    pub fn markup(&self, label: &str) -> Markup {
        let picture = || PreEscaped(self.svg(label));
        match self {
            Self::Lines(_) | Self::Missing => html! { div.scroll { (picture()) } },
            Self::Gallery(portraits) => gallery::cards(portraits),
            Self::Bars(layer) => html! { div.scroll.wide { (picture()) } (bars::list(layer)) },
            Self::Changes(found) => html! { div.scroll.wide { (picture()) } (changes::table(found)) },
        }
    }
}

fn read_layer(object: &Object) -> Option<Layer> {
    concepts::read(object.bytes.as_ref()?)
}

fn read_portraits(object: &Object) -> Option<Portraits> {
    Portraits::decode(object.bytes.as_ref()?).ok()
}
