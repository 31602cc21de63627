//! Where two types differ inside: fields of records, elements of lists, results of functions.

use super::super::ty::{Fields, Ty};
use super::Checker;
use crate::diag::{Diagnostic, codes::types as codes, suggest};
use crate::syntax::tree::{Entry, Expr, ExprKind};

/// How the fields of a record differ from those that are wanted.
struct Fieldwise {
    absent: Vec<String>,
    extra: Vec<String>,
    /// Fields of another type: name, found, wanted.
    unfit: Vec<(String, Ty, Ty)>,
}

impl Checker<'_> {
    fn fieldwise(&mut self, found: &Fields, want: &Fields) -> Fieldwise {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let absent = owned(want.names().filter(|name| found.get(name).is_none()).collect());
        let extra = owned(found.names().filter(|name| want.get(name).is_none()).collect());
        let mut unfit = Vec::new();
        for (name, ty) in &found.0 {
            if let Some(wanted) = want.get(name)
                && !self.adapts(ty, wanted)
                && !self.solver.unify(ty, wanted)
            {
                unfit.push((name.to_string(), self.settled(ty), self.settled(wanted)));
            }
        }
        Fieldwise { absent, extra, unfit }
    }

    /// Reports the parts of a value that are mistaken, at their places; says whether there were any.
    pub(super) fn parts_mismatch(&mut self, expr: &Expr, found: &Ty, want: &Ty, what: &str) -> bool {
        match (&*expr.kind, found, want) {
            (ExprKind::Paren(inner), ..) => self.parts_mismatch(inner, found, want, what),
            (ExprKind::Block(block), ..) => self.parts_mismatch(&block.value, found, want, what),
            (ExprKind::Record(entries), Ty::Record(has), Ty::Record(wants)) => {
                let difference = self.fieldwise(has, wants);
                self.fields_mismatch(expr, entries, difference, what);
                true
            }
            (ExprKind::Tuple(parts), Ty::Tuple(has), Ty::Tuple(wants)) if has.len() == wants.len() => {
                for ((part, has), wants) in parts.iter().zip(&**has).zip(&**wants) {
                    if !self.adapts(has, wants) && !self.solver.unify(has, wants) {
                        self.mismatch(part, has, wants, &format!("a part of {what}"));
                    }
                }
                true
            }
            (_, Ty::Record(has), Ty::Record(wants)) => {
                let difference = self.fieldwise(has, wants);
                self.record_mismatch(expr, difference, what);
                true
            }
            (_, Ty::List(has), Ty::List(wants)) => {
                let (has, wants) = (self.settled(has), self.settled(wants));
                let (Ty::Record(has), Ty::Record(wants)) = (&has, &wants) else { return false };
                let difference = self.fieldwise(has, wants);
                self.record_mismatch(expr, difference, &format!("the elements of {what}"));
                true
            }
            _ => false,
        }
    }

    /// Reports how a record as written differs, each field at its place.
    fn fields_mismatch(&mut self, expr: &Expr, entries: &[Entry], difference: Fieldwise, what: &str) {
        let written = |wanted: &str| {
            entries.iter().find_map(|entry| match entry {
                Entry::Field(name, value) if &*name.text == wanted => Some((name.clone(), value.clone())),
                _ => None,
            })
        };
        let Fieldwise { absent, extra, unfit } = &difference;
        let mut misnamed = extra.iter().filter_map(|name| Some((name, written(name)?)));
        if let Some((name, (place, _))) = misnamed.next() {
            let near = suggest::question(name, absent.iter().map(String::as_str));
            let help = match (near, absent.as_slice(), extra.as_slice()) {
                (Some(question), ..) => question,
                (None, [only], [_]) => format!("write `{only}`"),
                (None, [], _) => format!("leave out {}", listed(extra)),
                (None, ..) => format!("leave out {}, and add {}", listed(extra), listed(absent)),
            };
            let diagnostic = Diagnostic::error(&codes::MISMATCH, format!("{what} has no field `{name}`"))
                .label(place.span, "a field that is not wanted here")
                .help(help);
            self.report(if absent.is_empty() { diagnostic } else { diagnostic.in_place_of(place.span) });
            return;
        }
        if !absent.is_empty() || !extra.is_empty() {
            self.record_mismatch(expr, difference, what);
            return;
        }
        for (name, has, wants) in unfit {
            let place = written(name).map_or_else(|| expr.clone(), |(_, value)| value);
            self.mismatch(&place, has, wants, &format!("`{name}` of {what}"));
        }
    }

    /// Reports how a record that is written elsewhere differs.
    fn record_mismatch(&mut self, expr: &Expr, difference: Fieldwise, what: &str) {
        let Fieldwise { absent, extra, unfit } = difference;
        let (message, label, help) = match (absent.as_slice(), extra.as_slice(), unfit.as_slice()) {
            ([], [], []) => return,
            ([], [], [(name, has, wants), ..]) => (
                format!("`{name}` of {what} must be {}, but this has {}", wants.described(), has.described()),
                format!("its `{name}` is {}", has.described()),
                match super::advice::typical(wants).filter(|_| !matches!(wants, Ty::Record(_) | Ty::List(_))) {
                    Some(typical) => format!("change `{name}` where the record is made: {typical}"),
                    None => format!("change `{name}` where the record is made"),
                },
            ),
            ([], extra, _) => {
                let list = listed(extra);
                (format!("{what} has no {list}"), format!("has {list} too many"), format!("leave out {list}"))
            }
            (absent, extra, _) => {
                let list = listed(absent);
                let near = match (absent, extra) {
                    ([only], [other]) => Some(format!("write `{only}` instead of `{other}` where the record is made")),
                    _ => None,
                };
                let help = near.unwrap_or(format!("add {list}"));
                (format!("{what} needs {list}"), format!("without {list}"), help)
            }
        };
        self.report(Diagnostic::error(&codes::MISMATCH, message).label(expr.span, label).help(help));
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
