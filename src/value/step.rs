//! Steps of training: exact linear forms of epochs, iterations and images.

use std::cmp::Ordering;
use std::fmt;

use num_traits::{Signed, Zero};

use super::number;
use super::state::Course;
use crate::syntax::tree::Exact;

/// `epochs`·ep + `iterations`·it + `images`·img.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Passes over the training images.
    pub epochs: Exact,
    /// Batches.
    pub iterations: Exact,
    /// Images.
    pub images: Exact,
}

impl Step {
    /// Makes a number of iterations.
    pub fn iterations(count: u64) -> Self {
        Self { iterations: Exact::from_integer(i128::from(count)), ..Self::zero() }
    }

    /// Writes an iteration as whole epochs where it is some.
    pub fn written(iteration: u64, per_epoch: u64) -> String {
        if per_epoch > 0 && iteration.is_multiple_of(per_epoch) {
            format!("{}ep", iteration / per_epoch)
        } else {
            format!("{iteration}it")
        }
    }

    /// Makes the zero step.
    pub fn zero() -> Self {
        let zero = Exact::from_integer(0);
        Self { epochs: zero, iterations: zero, images: zero }
    }

    fn parts(&self) -> [Exact; 3] {
        [self.epochs, self.iterations, self.images]
    }

    fn from_parts([epochs, iterations, images]: [Exact; 3]) -> Self {
        Self { epochs, iterations, images }
    }

    fn zip(&self, other: &Self, f: impl Fn(Exact, Exact) -> Option<Exact>) -> Option<Self> {
        let (a, b) = (self.parts(), other.parts());
        Some(Self::from_parts([f(a[0], b[0])?, f(a[1], b[1])?, f(a[2], b[2])?]))
    }

    /// Adds; `None` beyond the range of numbers.
    pub fn add(&self, other: &Self) -> Option<Self> {
        self.zip(other, number::add)
    }

    /// Subtracts; `None` beyond the range of numbers.
    pub fn subtract(&self, other: &Self) -> Option<Self> {
        self.zip(other, number::subtract)
    }

    /// Multiplies by a number; `None` beyond the range of numbers.
    pub fn scale(&self, factor: Exact) -> Option<Self> {
        self.zip(self, |part, _| number::multiply(part, factor))
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.parts().iter().all(Zero::is_zero)
    }

    /// Returns exact iterations; `None` if images are involved and the batch is not known.
    pub fn resolve(&self, course: &Course) -> Option<Exact> {
        let epochs = number::multiply(self.epochs, Exact::from_integer(i128::from(course.per_epoch)))?;
        let images = match course.batch {
            _ if self.images.is_zero() => Exact::from_integer(0),
            Some(batch) => number::divide(self.images, Exact::from_integer(i128::from(batch)))?,
            None => return None,
        };
        number::add(number::add(epochs, self.iterations)?, images)
    }

    /// Returns whole iterations, the nearest; `None` if it is negative, too large, or has no meaning in `course`.
    pub fn whole_iterations(&self, course: &Course) -> Option<u64> {
        u64::try_from(self.resolve(course)?.round().to_integer()).ok()
    }

    /// Compares two steps; `None` if they have no common unit and no course gives them one.
    pub fn compare(&self, other: &Self, course: Option<&Course>) -> Option<Ordering> {
        let difference = self.subtract(other)?;
        let parts = difference.parts();
        let signs = |wanted: fn(&Exact) -> bool| parts.iter().all(|part| part.is_zero() || wanted(part));
        if difference.is_zero() {
            Some(Ordering::Equal)
        } else if signs(Exact::is_positive) {
            Some(Ordering::Greater)
        } else if signs(Exact::is_negative) {
            Some(Ordering::Less)
        } else {
            Some(difference.resolve(course?)?.cmp(&Exact::from_integer(0)))
        }
    }

    /// Divides two steps; `None` if they have no common unit and no course gives them one, or by zero.
    pub fn divide(&self, other: &Self, course: Option<&Course>) -> Option<f64> {
        let (a, b) = (self.parts(), other.parts());
        let single = (0..3).find(|&at| (0..3).all(|i| i == at || (a[i].is_zero() && b[i].is_zero())));
        let (a, b) = match single {
            Some(at) => (a[at], b[at]),
            None => (self.resolve(course?)?, other.resolve(course?)?),
        };
        if b.is_zero() { None } else { Some(number::divide(a, b).map_or(f64::NAN, number::to_f64)) }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(self.epochs, "ep"), (self.iterations, "it"), (self.images, "img")];
        let mut first = true;
        for (part, unit) in units.iter().filter(|(part, _)| !part.is_zero()) {
            match (first, part.is_negative()) {
                (true, _) => write!(f, "{}{unit}", number::shown(*part))?,
                (false, false) => write!(f, " + {}{unit}", number::shown(*part))?,
                (false, true) => write!(f, " - {}{unit}", number::shown(-*part))?,
            }
            first = false;
        }
        if first { f.write_str("0it") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(epochs: i64, iterations: i64) -> Step {
        Step { epochs: number::whole(epochs), iterations: number::whole(iterations), ..Step::zero() }
    }

    #[test]
    fn steps_compare_where_their_units_allow() {
        let course = Course { per_epoch: 100, batch: None };
        assert_eq!(step(10, 0).compare(&step(8, 0), None), Some(Ordering::Greater));
        assert_eq!(step(10, 5).compare(&step(8, 0), None), Some(Ordering::Greater));
        assert_eq!(step(10, 0).compare(&step(0, 500), None), None);
        assert_eq!(step(10, 0).compare(&step(0, 500), Some(&course)), Some(Ordering::Greater));
        assert_eq!(step(5, 0).compare(&step(0, 500), Some(&course)), Some(Ordering::Equal));
    }

    #[test]
    fn steps_divide_where_their_units_allow() {
        let course = Course { per_epoch: 100, batch: None };
        assert_eq!(step(1, 0).divide(&step(4, 0), None), Some(0.25));
        assert_eq!(step(0, 50).divide(&step(2, 0), None), None);
        assert_eq!(step(0, 50).divide(&step(2, 0), Some(&course)), Some(0.25));
        assert_eq!(step(1, 0).divide(&Step::zero(), None), None);
    }

    #[test]
    fn iterations_are_written_as_whole_epochs_where_they_are_some() {
        assert_eq!([Step::written(40, 20), Step::written(41, 20), Step::written(7, 0)], ["2ep", "41it", "7it"]);
    }

    #[test]
    fn steps_print_their_parts() {
        assert_eq!(step(6, 0).to_string(), "6ep");
        assert_eq!(step(6, -3).to_string(), "6ep - 3it");
        assert_eq!(Step::zero().to_string(), "0it");
    }
}
