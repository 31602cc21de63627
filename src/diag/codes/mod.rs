//! The catalogue of diagnostics, one file per range.
//!
//! `PD00xx` syntax · `PD01xx` names and modules · `PD02xx` types and units · `PD03xx` evaluation and facts ·
//! `PD04xx` store · `PD05xx` execution · `PD06xx` data, weights and numerics · `PD07xx` profiles, arguments, files.

pub mod data;
pub mod evaluation;
pub mod execution;
pub mod invocation;
pub mod names;
pub mod store;
pub mod syntax;
pub mod types;

use super::Code;

/// Returns every code, in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [syntax::ALL, names::ALL, types::ALL, evaluation::ALL, store::ALL, execution::ALL, data::ALL, invocation::ALL]
        .into_iter()
        .flatten()
        .copied()
}

/// Finds a code by its id, ignoring case.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Declares codes and the list `ALL` of them.
macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $text:literal, wrong: $wrong:literal, right: $right:literal;)*) => {
        $(
            #[doc = $title]
            pub static $name: $crate::diag::Code =
                $crate::diag::Code { id: $id, title: $title, text: $text, wrong: $wrong, right: $right };
        )*
        /// Every code of this range.
        pub static ALL: &[&$crate::diag::Code] = &[$(&$name),*];
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn ids_are_unique_and_sorted() {
        let ids: Vec<_> = all().map(|code| code.id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
