//! How many go: exact fractions of what is left or of all, rounded as published code does.

use crate::domain::pruning::{Amount, Counting};

use super::PruneError;

/// Units left and in all.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) kept: u64,
    pub(super) total: u64,
}

impl Counts {
    pub(super) fn plus(self, more: Self) -> Self {
        Self { kept: self.kept + more.kept, total: self.total + more.total }
    }
}

/// How many of the lowest go.
pub(super) enum Removal {
    /// This many; among equals the first in the order of parameters and elements.
    Exactly(u64),
    /// Everything at or below the score with this index, counted from 0.
    UpTo(u64),
}

/// An amount as an exact fraction.
pub(super) struct Share {
    numerator: u128,
    denominator: u128,
    of_total: bool,
}

impl Share {
    pub(super) fn of(amount: &Amount) -> Result<Self, PruneError> {
        let (text, of_total) = match amount {
            Amount::Rate(text) => (text, false),
            Amount::Sparsity(text) => (text, true),
            Amount::Pattern { keep, of } => return Err(PruneError::Amount(format!("{keep} of {of}"))),
        };
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let number = |digits: &str| digits.trim().parse::<u64>().ok().map(u128::from);
        match (number(numerator), number(denominator)) {
            (Some(numerator), Some(denominator)) if denominator > 0 && numerator <= denominator => {
                Ok(Self { numerator, denominator, of_total })
            }
            _ => Err(PruneError::Amount(text.clone())),
        }
    }

    pub(super) fn removal(
        &self,
        counting: Counting,
        counts: Counts,
        available: u64,
        layer: Option<&String>,
    ) -> Result<Removal, PruneError> {
        if self.of_total {
            let kept = self.denominator - self.numerator;
            let kept = round_half_even(kept * u128::from(counts.total), self.denominator);
            let gone = counts.kept.checked_sub(kept);
            let too_few = || PruneError::TooFew { kept, available: counts.kept, layer: layer.cloned() };
            return gone.map(Removal::Exactly).ok_or_else(too_few);
        }
        Ok(match counting {
            Counting::OpenLth => {
                Removal::UpTo((self.numerator * u128::from(counts.kept)).div_ceil(self.denominator) as u64)
            }
            Counting::Torch => {
                Removal::Exactly(round_half_even(self.numerator * u128::from(available), self.denominator))
            }
        })
    }
}

pub(super) fn round_half_even(numerator: u128, denominator: u128) -> u64 {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = rest * 2 > denominator || (rest * 2 == denominator && whole % 2 == 1);
    (whole + u128::from(up)) as u64
}
