//! `PD02xx`: types and units.

use super::codes;

codes! {
    MISMATCH = "PD0201", "a value of another type than needed",
        "Every place in a program takes values of one type: an argument, an element of a list, the value of an \
         annotated `let`. The label says what stands there.",
        wrong: "let start: State = tiny_resnet(classes: 10)",
        right: "let start: State = tiny_resnet(classes: 10) |> init(seeds(1)[0])";
    UNIT = "PD0202", "a number in another unit than needed",
        "Numbers with units do not convert silently: `20%` is a ratio, `0.2` is a plain number, `5pp` is a difference \
         of ratios, `6ep` is a step. A whole number without a unit stands for a plain number, never for a quantity.",
        wrong: "let p = global_magnitude(0.2)",
        right: "let p = global_magnitude(20%)";
    OPERANDS = "PD0203", "an operator that does not apply",
        "Operators combine numbers whose units fit: a ratio minus a ratio is in percentage points, a ratio plus \
         points is a ratio, a step divided by a step is a number. Whole numbers and other numbers mix only where one \
         of them is a literal; `float(n)` converts.",
        wrong: "let left = 80% + 5%",
        right: "let left = 80% + 5pp";
    UNKNOWN_TYPE = "PD0204", "unknown type",
        "The type is not one of the language's.",
        wrong: "param rounds: Integer = 10",
        right: "param rounds: Int = 10";
    TYPE_ARGUMENTS = "PD0205", "a type with other brackets than it takes",
        "`List`, `Range` and `Measured` take one type in brackets, `Rows` a record, `Split` one of `train`, `val`, \
         `test`; most types take none.",
        wrong: "fn total(xs: List) -> Int { sum(xs) }",
        right: "fn total(xs: List[Int]) -> Int { sum(xs) }";
    MISSING_TYPE = "PD0206", "a parameter without a type",
        "The parameters of a function are part of its documentation: each has a type.",
        wrong: "fn double(x) -> Int { 2 * x }",
        right: "fn double(x: Int) -> Int { 2 * x }";
    MEASURED = "PD0207", "a value that exists only after the run",
        "A program is evaluated completely before anything is trained, so that its plan is exact. A measurement can be \
         compared, put into tables, plots, claims and `expect`, but the program cannot branch on it or filter by it.",
        wrong: "let good = runs |> keep(row => row.top1 > 70%)",
        right: "let sparse = runs |> keep(row => row.sparsity > 70%)";
    UNNAMED_NUMBER = "PD0208", "a number without a label",
        "Beyond the first argument, numbers and truth values are named, so that nobody has to look up which is which. \
         Mathematics (`min`, `clamp`, `mod`) and calls of lambdas are exempt.",
        wrong: "let layer = conv(64, 3, 2)",
        right: "let layer = conv(64, kernel: 3, stride: 2)";
    UNKNOWN_LABEL = "PD0209", "unknown argument",
        "The function has no parameter of this name.",
        wrong: "let layer = conv(64, size: 3)",
        right: "let layer = conv(64, kernel: 3)";
    MISSING_ARGUMENT = "PD0210", "missing argument",
        "Parameters without a default must be given.",
        wrong: "let layer = conv(64)",
        right: "let layer = conv(64, kernel: 3)";
    REPEATED_ARGUMENT = "PD0211", "the same argument twice",
        "Each parameter is given at most once, by position or by label.",
        wrong: "let layer = conv(64, kernel: 3, kernel: 5)",
        right: "let layer = conv(64, kernel: 3)";
    EXCESS_ARGUMENT = "PD0212", "too many arguments",
        "The function has fewer parameters.",
        wrong: "let activation = relu(0.1)",
        right: "let activation = relu()";
    NOT_CALLABLE = "PD0213", "not a function",
        "Only functions, lambdas and schedules can be called. A value is used without parentheses.",
        wrong: "import std.prune.{magnitude}\nlet by = magnitude()",
        right: "import std.prune.{magnitude}\nlet by = magnitude";
    UNKNOWN_FIELD = "PD0214", "unknown field",
        "The value has no such field.",
        wrong: "let r = { rate: 20% }\nlet x = r.rat",
        right: "let r = { rate: 20% }\nlet x = r.rate";
    UNKNOWN_COLUMN = "PD0215", "unknown column",
        "The columns of a sweep are its axes and the fields of its records. `.top1` names a column where one is wanted.",
        wrong: "table t = runs |> summary(by: [.sparsty], over: .seed, show: [mean])",
        right: "table t = runs |> summary(by: [.sparsity], over: .seed, show: [mean])";
    COLUMN_ROLE = "PD0216", "a column that cannot be used here",
        "Replicates vary along an axis of the sweep, so `over:` takes an axis. Rows are grouped, coloured and selected \
         by columns that are known before the run.",
        wrong: "table t = runs |> summary(by: [.seed], over: .top1, show: [mean])",
        right: "table t = runs |> summary(by: [.sparsity], over: .seed, show: [mean])";
    CANNOT_INFER = "PD0217", "a type that cannot be told",
        "Types of lambdas follow from where they are used. A lambda that is bound to a name first may need to be \
         written as a function with types.",
        wrong: "let score = s => s.sparsity",
        right: "fn score(s: State) -> Ratio { s.sparsity }";
    PATTERN = "PD0218", "a pattern that does not fit",
        "`(a, b)` takes apart tuples of two, `{ a, b }` takes the fields `a` and `b` of a record.",
        wrong: "let (rate, rounds) = 20%",
        right: "let (rate, rounds) = (20%, 10)";
    NOT_A_LIST = "PD0219", "not a list",
        "`for` and `sweep` go through lists, ranges of whole numbers, and rows.",
        wrong: "let states = for i in 3 { i }",
        right: "let states = for i in 0..3 { i }";
    SWEEP_BODY = "PD0220", "a sweep without records",
        "Each point of a sweep gives a record, or a list of records: its fields become columns beside the axes.",
        wrong: "let runs = sweep n in [1, 2] { n }",
        right: "let runs = sweep n in [1, 2] { { double: 2 * n } }";
    CELL = "PD0221", "a field that no table can hold",
        "Fields of a sweep's records are numbers, text, truth values, seeds, or measurements of these.",
        wrong: "let runs = sweep n in [1, 2] { { layer: relu() } }",
        right: "let runs = sweep n in [1, 2] { { name: \"relu\", twice: 2 * n } }";
    REPEATED_COLUMN = "PD0222", "the same column twice",
        "Axes of a sweep are columns already; a field of the record cannot have the same name.",
        wrong: "let runs = sweep n in [1, 2] { { n: n, double: 2 * n } }",
        right: "let runs = sweep n in [1, 2] { { double: 2 * n } }";
    RESULT_TYPE = "PD0223", "a recursive function without a result type",
        "The result of a function that calls itself cannot be told from its body alone.",
        wrong: "fn power(n: Int) { if n == 0 { 1 } else { 2 * power(n - 1) } }",
        right: "fn power(n: Int) -> Int { if n == 0 { 1 } else { 2 * power(n - 1) } }";
    NOT_IN_THIS_VERSION = "PD0224", "not in this version",
        "The language has a place for this, but this version of pdsl cannot do it.",
        wrong: "let seen = criterion(p => abs(p.weight) * p.activation)",
        right: "let magnitude = criterion(p => abs(p.weight))";
    LAMBDA_PARAMETERS = "PD0225", "a function of another number of parameters",
        "The function that is wanted here is called with a fixed number of arguments.",
        wrong: "let ys = map([1, 2], (a, b) => a + b)",
        right: "let ys = map([1, 2], a => a + 1)";
    GENERIC_FUNCTION = "PD0226", "a type variable in a function of one's own",
        "Only functions that are built into the interpreter have type variables. Write the types the function is used \
         with.",
        wrong: "fn twice[T](x: T) -> List[T] { [x, x] }",
        right: "fn twice(x: Int) -> List[Int] { [x, x] }";
    MARGIN = "PD0227", "a margin in another unit than the values",
        "For ratios the margin is in percentage points, which is absolute, or a ratio, which is relative to the \
         reference's mean. For counts and other numbers it is a number or a ratio.",
        wrong: "claim c \"same\" = equivalent(runs.top1, to: runs.top1, margin: 0.02, over: .seed)",
        right: "claim c \"same\" = equivalent(runs.top1, to: runs.top1, margin: 2pp, over: .seed)";
    METHOD = "PD0228", "a method where a function is meant",
        "Values have fields, but no methods apart from `at`. A function is called with its value in parentheses, or \
         behind a pipe: `x |> f(y)` is `f(x, y)`.",
        wrong: "let n = [1, 2, 3].len()",
        right: "let n = len([1, 2, 3])";
    ARGUMENT_ORDER = "PD0229", "arguments in another order than the function takes them",
        "Arguments without a label fill the parameters from left to right. The types show that they were meant for each \
         other's places.",
        wrong: "let start = init(seeds(1)[0], arch([linear(10)], channels: 1, size: 8))",
        right: "let start = init(arch([linear(10)], channels: 1, size: 8), seeds(1)[0])";
    RELATIVE_MARGIN = "PD0230", "a relative margin for ratios",
        "A warning. A margin of `2%` is two per cent of the reference's mean: 1.8 percentage points for an accuracy of \
         90%, and less for a lower one. Points, `2pp`, are the same for every accuracy, and usually what is meant.",
        wrong: "claim c \"same\" = equivalent(runs.top1, to: runs.top1, margin: 2%, over: .seed)",
        right: "claim c \"same\" = equivalent(runs.top1, to: runs.top1, margin: 2pp, over: .seed)";
    QUOTED = "PD0231", "a text where something else is meant",
        "Only texts stand in quotes. A column is written `.seed`, a statistic `mean`, a number `8ep`.",
        wrong: "let warm = warmup(0.1, over: \"5ep\")",
        right: "let warm = warmup(0.1, over: 5ep)";
}
