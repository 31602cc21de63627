//! `PD00xx`: syntax.

use super::codes;

codes! {
    UNEXPECTED = "PD0001",
        "Something else was expected here",
        "The text cannot be read at the marked place. The label says what could stand there; often a comma, an operator or a closing bracket is missing just before it.",
        wrong: "param rounds Int = 10",
        right: "param rounds: Int = 10";
    UNCLOSED = "PD0002",
        "A bracket is never closed",
        "Every `(`, `[` and `{` needs its partner before the next declaration begins. The first label marks the bracket, the second the place where it is missed at the latest.",
        wrong: "let xs = [1, 2, 3",
        right: "let xs = [1, 2, 3]";
    MISMATCHED = "PD0003",
        "A bracket closes nothing, or the wrong partner",
        "A closing bracket must match the bracket that was opened last. Usually one was typed for another, or one too many remained after an edit.",
        wrong: "let x = max(1, 2]",
        right: "let x = max(1, 2)";
    UNTERMINATED_STRING = "PD0004",
        "A string does not end on its line",
        "A string begins and ends with `\"` on one line. Write `\\n` for a line break and `\\\"` for a quotation mark inside it.",
        wrong: "test \"sparsity rises { expect true }",
        right: "test \"sparsity rises\" { expect true }";
    TOO_DEEP = "PD0005",
        "The text is nested too deeply",
        "Brackets may be nested 256 deep, and an expression may have 256 operators in a chain; beyond that no one could read it. Give inner parts a name with `let`.",
        wrong: "", right: "";
    STRAY = "PD0006",
        "This text belongs to no declaration",
        "At top level a file holds declarations only: `import`, `param`, `let`, `fn`, `table`, `plot`, `claim`, `expect` and `test`. A value needs a name: `let x = …`.",
        wrong: "rounds = 10",
        right: "let rounds = 10";
    UNKNOWN_UNIT = "PD0007",
        "There is no such unit",
        "A number may carry one of the units `%`, `pp`, `ep`, `it`, `img`, `B`-multiples `MB`, `MiB`, `GB`, `GiB`, and `s`, `min`, `h`, written without a blank.",
        wrong: "let until = 160epochs",
        right: "let until = 160ep";
    FOREIGN_OPERATOR = "PD0008",
        "An operator of another language",
        "pdsl writes `and`, `or`, `not` in words, `==` for equality, `=` after `let`, `:` after a label, `^` for powers, `|>` for pipes, `..` for ranges, `.` for names of modules and `=>` in functions. Nothing is changed in place, so there is no `+=`, and there are no references. The remainder of a division is `mod(a, b)`, because `%` is a unit.",
        wrong: "let both = 1 < 2 && 2 < 3",
        right: "let both = 1 < 2 and 2 < 3";
    FOREIGN_WORD = "PD0009",
        "A habit of another language",
        "Spellings of Python, Rust, JavaScript, R and YAML are recognised, so that the message can name the spelling of pdsl: `fn` for `def`, `x => 2 * x` for `lambda x: 2 * x`, `|x| 2 * x` and `function(x) 2 * x`, `else if` for `elif`, `//` for `#`, `\"text\"` for `'text'`, `true` for `True`, `[1, 2]` for `c(1, 2)` and `vec![1, 2]`; a function's value is its last expression, without `return`.",
        wrong: "fn double(x: Int) -> Int { return 2 * x }",
        right: "fn double(x: Int) -> Int { 2 * x }";
    CHAINED_COMPARISON = "PD0010",
        "A comparison of a comparison",
        "`a < b < c` would compare a truth value with `c`. Say both comparisons and join them with `and`.",
        wrong: "let inside = 0 < 1 < 2",
        right: "let inside = 0 < 1 and 1 < 2";
    NUMBER_RANGE = "PD0011",
        "The number cannot be held",
        "An integer lies between -2^63 and 2^63 - 1; a number with a point or a unit is kept exactly and may have about 36 digits between its first and its last.",
        wrong: "let n = 99999999999999999999",
        right: "let n = 9e19";
    FOREIGN_CHARACTER = "PD0012",
        "A character that the language does not use",
        "Names are made of the letters `a` to `z`, `A` to `Z`, digits and `_`, and operators are ASCII. Other characters may stand in strings and comments, where all of Unicode is welcome.",
        wrong: "let small = 1 ≤ 2",
        right: "let small = 1 <= 2";
    INCOMPLETE = "PD0013",
        "Something is missing",
        "The construct ends too early: an `if` is a value and needs its `else`, a block ends with its value, a `let` needs a value.",
        wrong: "let a = if true { 1 }",
        right: "let a = if true { 1 } else { 0 }";
    FOREIGN_LAYOUT = "PD0014",
        "A layout of another language",
        "Line breaks and indentation mean nothing. A list is written `[a, b]`, a record `{ name: value }`, the arguments of a call `f(name: value)`, and a program has neither document markers nor dashes in front of elements.",
        wrong: "let settings =\n  lr: 0.1\n  batch: 64",
        right: "let settings = { lr: 0.1, batch: 64 }";
    COMMENT_DIVISION = "PD0015",
        "A comment that looks like a division",
        "`//` begins a comment, so the rest of the line is skipped. Where other languages divide whole numbers by `//`, pdsl has `floor`. A comment that consists of a number, or of a name of the program, stands on a line of its own.",
        wrong: "let half = max(7 // 2, 1)",
        right: "let half = max(floor(7 / 2), 1)";
}
