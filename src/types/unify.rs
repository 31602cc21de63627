//! Open types and their solutions.

use std::sync::Arc;

use super::ty::{ColumnTy, Fields, Row, Ty, Var};

/// Solutions of open types found so far.
#[derive(Debug, Default)]
pub(super) struct Solver {
    solutions: Vec<Option<Ty>>,
}

impl Solver {
    /// Makes an open type.
    pub(super) fn fresh(&mut self) -> Ty {
        self.solutions.push(None);
        Ty::Var(Var(self.solutions.len() as u32 - 1))
    }

    /// Follows solutions at the top of a type only.
    pub(super) fn shallow(&self, ty: &Ty) -> Ty {
        let mut ty = ty;
        while let Ty::Var(var) = ty {
            match &self.solutions[var.0 as usize] {
                Some(solution) => ty = solution,
                None => break,
            }
        }
        ty.clone()
    }

    /// Replaces every solved open type.
    pub(super) fn resolve(&self, ty: &Ty) -> Ty {
        self.map(ty, &mut |leaf| match leaf {
            Ty::Var(_) => match self.shallow(leaf) {
                Ty::Var(var) => Ty::Var(var),
                solution => self.resolve(&solution),
            },
            other => other.clone(),
        })
    }

    /// Replaces the type variables of a signature.
    pub(super) fn instantiate(&self, ty: &Ty, types: &[Ty]) -> Ty {
        self.map(ty, &mut |leaf| match leaf {
            Ty::Generic(index) => types.get(*index).cloned().unwrap_or(Ty::Error),
            other => other.clone(),
        })
    }

    fn map(&self, ty: &Ty, leaf: &mut impl FnMut(&Ty) -> Ty) -> Ty {
        match ty {
            Ty::List(element) => Ty::List(Arc::new(self.map(element, leaf))),
            Ty::Range(element) => Ty::Range(Arc::new(self.map(element, leaf))),
            Ty::Measured(inner) => match self.map(inner, leaf) {
                measured @ Ty::Measured(_) => measured,
                inner => Ty::measured(inner),
            },
            Ty::Tuple(parts) => Ty::Tuple(parts.iter().map(|part| self.map(part, leaf)).collect()),
            Ty::Record(fields) => Ty::Record(Arc::new(self.map_fields(fields, leaf))),
            Ty::Function(params, result) => {
                let params = params.iter().map(|param| self.map(param, leaf)).collect();
                Ty::Function(params, Arc::new(self.map(result, leaf)))
            }
            Ty::Rows(Some(row)) => Ty::Rows(Some(Arc::new(self.map_row(row, leaf)))),
            Ty::Column(Some(column)) => Ty::Column(Some(Arc::new(ColumnTy {
                cell: self.map(&column.cell, leaf),
                row: column.row.as_ref().map(|row| Arc::new(self.map_row(row, leaf))),
            }))),
            other => leaf(other),
        }
    }

    fn map_fields(&self, fields: &Fields, leaf: &mut impl FnMut(&Ty) -> Ty) -> Fields {
        Fields(fields.0.iter().map(|(name, ty)| (name.clone(), self.map(ty, leaf))).collect())
    }

    fn map_row(&self, row: &Row, leaf: &mut impl FnMut(&Ty) -> Ty) -> Row {
        Row { fields: Arc::new(self.map_fields(&row.fields, leaf)), axes: row.axes }
    }

    /// Returns whether a resolved type has parts that are not known.
    pub(super) fn is_open(&self, ty: &Ty) -> bool {
        let mut found = false;
        self.map(ty, &mut |leaf| {
            found |= matches!(leaf, Ty::Var(_));
            leaf.clone()
        });
        found
    }

    /// Lets the open parts of a resolved type agree with everything.
    pub(super) fn close(&self, ty: &Ty) -> Ty {
        self.map(ty, &mut |leaf| if matches!(leaf, Ty::Var(_)) { Ty::Error } else { leaf.clone() })
    }

    /// Makes two types equal, or says that they cannot be.
    pub(super) fn unify(&mut self, left: &Ty, right: &Ty) -> bool {
        let (left, right) = (self.shallow(left), self.shallow(right));
        match (&left, &right) {
            (Ty::Error, _) | (_, Ty::Error) => true,
            (Ty::Var(a), Ty::Var(b)) if a == b => true,
            (Ty::Var(var), other) | (other, Ty::Var(var)) => self.solve(*var, other),
            (Ty::Plain(a), Ty::Plain(b)) => a == b,
            (Ty::Generic(a), Ty::Generic(b)) => a == b,
            (Ty::List(a), Ty::List(b)) | (Ty::Range(a), Ty::Range(b)) | (Ty::Measured(a), Ty::Measured(b)) => {
                self.unify(a, b)
            }
            (Ty::Tuple(a), Ty::Tuple(b)) => self.unify_all(a, b),
            (Ty::Function(a, x), Ty::Function(b, y)) => self.unify_all(a, b) && self.unify(x, y),
            (Ty::Record(a), Ty::Record(b)) => self.unify_fields(a, b),
            (Ty::Split(a), Ty::Split(b)) => a.is_none() || b.is_none() || a == b,
            (Ty::Rows(Some(a)), Ty::Rows(Some(b))) => self.unify_fields(&a.fields, &b.fields),
            (Ty::Column(Some(a)), Ty::Column(Some(b))) => self.unify(&a.cell, &b.cell),
            (Ty::Rows(_), Ty::Rows(_)) | (Ty::Column(_), Ty::Column(_)) => true,
            _ => false,
        }
    }

    /// Lets the open parts of a type agree with everything: what would have solved them is mistaken.
    pub(super) fn give_up(&mut self, ty: &Ty) {
        let mut open = Vec::new();
        self.map(&self.resolve(ty), &mut |leaf| {
            open.extend(if let Ty::Var(var) = leaf { Some(*var) } else { None });
            leaf.clone()
        });
        for var in open {
            self.solutions[var.0 as usize] = Some(Ty::Error);
        }
    }

    fn unify_all(&mut self, left: &[Ty], right: &[Ty]) -> bool {
        left.len() == right.len() && left.iter().zip(right).all(|(a, b)| self.unify(a, b))
    }

    /// Records agree if they have the same names, in whatever order.
    fn unify_fields(&mut self, left: &Fields, right: &Fields) -> bool {
        left.0.len() == right.0.len()
            && left.0.iter().all(|(name, ty)| right.get(name).is_some_and(|other| self.unify(ty, other)))
    }

    fn solve(&mut self, var: Var, ty: &Ty) -> bool {
        if self.occurs(var, ty) {
            return false;
        }
        self.solutions[var.0 as usize] = Some(ty.clone());
        true
    }

    fn occurs(&self, var: Var, ty: &Ty) -> bool {
        let mut found = false;
        self.map(&self.resolve(ty), &mut |leaf| {
            found |= *leaf == Ty::Var(var);
            leaf.clone()
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::ty::{Plain, Ty};
    use super::Solver;

    #[test]
    fn open_types_take_the_other_side() {
        let mut solver = Solver::default();
        let open = solver.fresh();
        assert!(solver.unify(&Ty::list(open.clone()), &Ty::list(Plain::Int)));
        assert_eq!(solver.resolve(&open), Ty::from(Plain::Int));
        assert!(!solver.unify(&open, &Plain::Float.into()));
    }

    #[test]
    fn a_type_never_contains_itself() {
        let mut solver = Solver::default();
        let open = solver.fresh();
        assert!(!solver.unify(&open, &Ty::list(open.clone())));
    }

    #[test]
    fn records_agree_in_any_order_of_fields() {
        let mut solver = Solver::default();
        let a = Ty::record([("x", Plain::Int), ("y", Plain::Str)]);
        let b = Ty::record([("y", Plain::Str), ("x", Plain::Int)]);
        assert!(solver.unify(&a, &b));
        assert!(!solver.unify(&a, &Ty::record([("x", Plain::Int)])));
    }

    #[test]
    fn mistakes_agree_with_everything() {
        let mut solver = Solver::default();
        assert!(solver.unify(&Ty::Error, &Plain::State.into()));
    }
}
