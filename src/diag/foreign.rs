//! Words of other languages and libraries, and what pdsl writes for them.
//!
//! Tables only: the scanner, the names and the types each ask at their own place. A help that is the correction itself
//! has the form "write `X`". `{0}` and `{1}` stand for the arguments of a call, `{*}` for all of them.

/// What to say about a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// One sentence; empty for "There is no `word`".
    message: &'static str,
    /// What to do.
    help: &'static str,
}

impl Advice {
    /// Returns the sentence that makes sense alone.
    pub fn message(self, word: &str) -> String {
        if self.message.is_empty() { format!("There is no `{word}`") } else { self.message.to_owned() }
    }

    /// Returns the help without arguments.
    pub fn help(self) -> String {
        self.filled(&[])
    }

    /// Returns the help with the arguments of the call as written.
    pub fn filled(self, args: &[&str]) -> String {
        let all = if args.is_empty() { "…".to_owned() } else { args.join(", ") };
        let mut text = self.help.replace("{*}", &all);
        for (place, hole) in ["{0}", "{1}", "{2}"].iter().enumerate() {
            text = text.replace(hole, args.get(place).copied().unwrap_or("…"));
        }
        text
    }
}

type Table = [(&'static [&'static str], &'static str, &'static str)];

fn find(table: &Table, word: &str) -> Option<Advice> {
    let (_, message, help) = table.iter().find(|(words, ..)| words.contains(&word))?;
    Some(Advice { message, help })
}

/// Returns what to say about a word that begins a statement or a declaration elsewhere.
pub fn statement(word: &str) -> Option<Advice> {
    find(STATEMENTS, word)
}

/// Returns what to say about a name that is known elsewhere; `args` are those of its call.
pub fn name(word: &str, args: Option<usize>) -> Option<Advice> {
    match (word, args) {
        ("list" | "tuple" | "array" | "as_list", Some(1)) => {
            Some(Advice { message: "Lists and ranges need no conversion", help: "write `{0}`" })
        }
        ("range" | "seq" | "arange" | "xrange", Some(2)) => Some(Advice { message: RANGES, help: "write `{0}..{1}`" }),
        _ => find(NAMES, word),
    }
}

/// Returns what to say about a method that objects of other languages have.
pub fn method(word: &str) -> Option<Advice> {
    find(METHODS, word)
}

/// Returns the type that another language calls by this word.
pub fn ty(word: &str) -> Option<&'static str> {
    TYPES.iter().find(|(words, _)| words.contains(&word)).map(|(_, ty)| *ty)
}

/// Returns what a parameter or a field of this name may be called here, likelier names first.
pub fn synonyms(word: &str) -> &'static [&'static str] {
    let word = word.to_ascii_lowercase();
    SYNONYMS.iter().find(|(words, _)| words.contains(&word.as_str())).map_or(&[], |(_, known)| known)
}

/// Tells whether a suffix of a number says its type in another language.
pub fn is_type_suffix(suffix: &str) -> bool {
    matches!(
        suffix,
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "f32"
            | "f64" | "f" | "F" | "L" | "l" | "d" | "n" | "u" | "U" | "j"
    )
}

const RANGES: &str = "Ranges are written `a..b`";
const LISTS: &str = "A list is written in brackets";
const RECORDS: &str = "A record is written in braces";
const PRINTED: &str = "Nothing is printed from a program";
const TEXTS: &str = "Texts are not built from parts";
const BRANCHES: &str = "write `if x == a { … } else { … }`";

static STATEMENTS: &Table = &[
    (
        &["def", "func", "function", "fun", "sub", "proc", "defun", "defn"],
        "A function begins with `fn`",
        "write `fn name(x: Int) -> Int { … }`",
    ),
    (&["from"], "An import names the module first", "write `import module.{name}`"),
    (
        &["use", "using", "include", "require", "library", "source", "open"],
        "A module is brought in by `import`",
        "write `import module.{name}`",
    ),
    (
        &["const", "var", "val", "static", "set", "auto", "final", "my", "local", "define", "assign"],
        "A value is named with `let`",
        "write `let name = …`",
    ),
    (&["return"], "There is no `return`", "give the value a name: `let name = …`"),
    (
        &["class", "struct", "enum", "type", "interface", "trait", "typedef", "union", "protocol", "dataclass"],
        "There are no type declarations",
        "use records: `{ name: value }`",
    ),
    (
        &["impl"],
        "There are no methods",
        "write a function, `fn double(s: State) -> State { … }`, and call it as `s |> double()`",
    ),
    (&["for", "sweep", "if"], "A value at top level needs a name", "write `let name = …` before it"),
    (
        &["while", "loop", "until", "do", "repeat", "foreach"],
        "There are no loops that repeat a statement",
        "use `for x in xs { … }` or `iterate(…)` as a value",
    ),
    (
        &[
            "print", "println", "echo", "printf", "puts", "log", "cat", "console", "logger", "logging", "display",
            "message", "eprintln", "dbg", "pprint",
        ],
        PRINTED,
        "use `table name = …` or `plot name = …`",
    ),
    (
        &["assert", "assert_eq", "stopifnot", "ensure", "require_that"],
        "A condition is demanded by `expect`",
        "write `expect condition`",
    ),
    (
        &["try", "catch", "except", "finally", "raise", "throw", "with", "defer", "tryCatch"],
        "",
        "remove it: what fails is reported by pdsl, with its place",
    ),
    (&["async", "await", "spawn", "unsafe", "export", "extern", "default", "public", "private"], "", "remove it"),
    (
        &["mod", "module", "namespace", "package", "crate"],
        "Every file is a module of its own",
        "remove the line, and mark with `pub` what other files may import",
    ),
    (
        &["del", "delete", "pass", "break", "continue", "yield", "global", "nonlocal", "goto", "end", "begin", "done"],
        "",
        "remove it: nothing is ever changed, left or skipped, only computed",
    ),
    (&["match", "switch", "case", "when", "select", "cond"], "", BRANCHES),
    (&["elif", "elseif", "elsif", "else"], "`else` follows the `}` of an `if`", "write `if … { … } else { … }`"),
];

static NAMES: &Table = &[
    (&["range", "seq", "arange", "xrange", "seq_len"], RANGES, "write `0..{0}`"),
    (&["seq_along"], RANGES, "write `0..len({0})`"),
    (
        &["print", "println", "console", "printf", "cat", "echo", "logger"],
        PRINTED,
        "use `table name = …` or `plot name = …`",
    ),
    (&["list", "array", "c", "vec", "tuple", "Array", "List", "Vec", "as_list", "vector"], LISTS, "write `[{*}]`"),
    (&["set", "Set", "frozenset", "HashSet"], "There are no sets", "write a list: `[{*}]`"),
    (&["dict", "Dict", "Map", "HashMap", "hash", "namedtuple", "data_frame", "tibble"], RECORDS, "write `{ {*} }`"),
    (
        &["DataFrame", "dataframe", "Dataset"],
        "Rows are made by `sweep`",
        "write `let runs = sweep seed in seeds(3) { { top1: … } }`",
    ),
    (&["length", "nrow", "size", "ncol", "numel", "count_of"], "The number of elements is `len`", "write `len({0})`"),
    (&["sorted", "sort", "order", "arrange"], "Lists are sorted by `sort_by`", "write `sort_by({0}, x => x)`"),
    (&["filter", "Filter", "subset", "select", "where"], "Elements are kept by `keep`", "write `keep(xs, x => …)`"),
    (
        &["reduce", "Reduce", "foldl", "foldr", "accumulate"],
        "A list is folded by `fold`",
        "write `fold(xs, start, (total, x) => …)`",
    ),
    (
        &["lapply", "sapply", "vapply", "mapply", "map_dbl", "forEach", "apply", "pmap", "vmap"],
        "A function is applied to a list by `map`",
        "write `map({0}, {1})`",
    ),
    (
        &["paste", "paste0", "sprintf", "str", "String", "format", "repr", "glue", "concat", "toString", "Str"],
        TEXTS,
        "write one text in quotes, and give each value a field of its own",
    ),
    (
        &["int", "Int", "Integer", "parseInt", "as_integer", "trunc", "integer"],
        "A number becomes a whole number by `floor` or `round`",
        "write `floor({0})`",
    ),
    (
        &["Float", "double", "f64", "f32", "Number", "parseFloat", "as_numeric", "numeric"],
        "A whole number becomes another number by `float`",
        "write `float({0})`",
    ),
    (&["ifelse", "if_else", "IF", "iif", "cond", "where_"], "A choice is written with `if`", "write `if {0} { {1} } else { {2} }`"),
    (&["rep", "replicate", "repeat"], "A list is built with `for`", "write `for i in 0..{1} { {0} }`"),
    (&["zeros", "ones", "full", "empty"], "A list is built with `for`", "write `for i in 0..{0} { 0.0 }`"),
    (&["linspace"], "A list is built with `for`", "write `for i in 0..10 { float(i) / 10.0 }`"),
    (
        &["open", "read_csv", "readLines", "read", "input", "load_dataset", "getenv", "environ"],
        "A program reads no files and no variables",
        "take data from `std.data`, and what changes from a `param`, which `--set name=value` sets",
    ),
    (
        &["isinstance", "typeof", "type", "class", "hasattr", "is_null", "is_na"],
        "Types are known before anything runs",
        "remove the test",
    ),
    (&["exit", "quit", "sleep", "time", "date", "now"], "", "remove it: a program only says what is computed"),
    (&["pow", "power"], "Powers are written with `^`", "write `{0} ^ {1}`"),
    (&["ceil", "ceiling"], "", "write `-floor(-{0})`"),
    (&["log2", "log10", "log1p"], "The natural logarithm is `ln` of `std.math`", "write `ln({0})`"),
    (&["avg", "average"], "A mean over an axis is `mean`", "write `mean({0}, over: .seed)`"),
    (
        &["std", "stdev", "stddev", "sem", "se", "stderr", "var", "variance"],
        "Spread over an axis is shown by `sd` or `ci95`",
        "write `show: [mean, sd]`, or `band: ci95(over: .seed)`",
    ),
    (
        &["self", "this", "me", "super", "cls"],
        "",
        "give the function a parameter, or use the value's own name",
    ),
    (
        &["yes", "on", "T", "Yes", "YES", "ON", "On", "Y"],
        "Truth is written `true`",
        "write `true`",
    ),
    (&["no", "off", "F", "No", "NO", "OFF", "Off", "N"], "Falsehood is written `false`", "write `false`"),
    (&["NA", "NaN", "nan", "inf", "Inf", "Infinity", "infinity"], "", "leave the value out, or give a finite number"),
    (&["nothing", "Nothing", "void", "unit", "missing"], "", "leave the argument out"),
    (&["Some", "Ok", "Option", "Just", "Box", "Rc", "Arc", "Result"], "A value is simply there", "write `{0}`"),
    (&["Err", "Error", "Exception", "panic", "stop"], "", "remove it: what fails is reported by pdsl, with its place"),
    (
        &["device", "cuda", "cpu", "gpu"],
        "The device is no part of a program",
        "remove it, and give `--device cuda` on the command line",
    ),
    (
        &["manual_seed", "set_seed", "seed_everything", "random", "randint", "rand", "randn", "rng"],
        "Randomness comes from the seeds of a sweep",
        "write `sweep seed in seeds(3) { … }`",
    ),
    (&["epochs", "epoch", "Epoch", "Epochs"], "Epochs are a unit", "write `5ep`"),
    (&["iterations", "iteration", "steps", "Step", "Steps", "iters"], "Iterations are a unit", "write `500it`"),
    (&["percent", "pct", "Ratio", "Percent"], "Ratios are written with `%`", "write `20%`"),
    (&["SGD", "Sgd", "Momentum", "momentum"], "The optimiser is `sgd`", "write `sgd(lr: 0.1, momentum: 0.9, batch: 64)`"),
    (&["Adam", "adam", "AdamW", "RMSprop", "rmsprop"], "The optimiser is `adamw`", "write `adamw(lr: 0.001, batch: 64)`"),
    (
        &["Optimizer", "optimizer", "optim", "optimiser", "Recipe"],
        "An optimiser with its settings is a recipe",
        "write `sgd(lr: 0.1, momentum: 0.9, batch: 64)`",
    ),
    (
        &["MultiStepLR", "StepLR", "multistep", "step_lr", "piecewise", "lr_scheduler"],
        "A rate that drops at steps is `drops`",
        "write `drops(0.1, at: [30ep, 60ep], by: 0.1)`",
    ),
    (
        &["CosineAnnealingLR", "cosine_annealing", "CosineLR", "cosine_schedule"],
        "The schedule is `cosine` of `std.schedule`",
        "add `import std.schedule.{cosine}` and write `cosine(0.1, until: 160ep)`",
    ),
    (&["Conv2d", "conv2d", "Conv2D"], "A convolution is `conv`", "write `conv(64, kernel: 3)`"),
    (&["BatchNorm2d", "BatchNorm", "batchnorm", "bn"], "Batch normalisation is `batch_norm`", "write `batch_norm()`"),
    (&["MaxPool2d", "maxpool", "MaxPool"], "Pooling is `max_pool`", "write `max_pool(2, stride: 2)`"),
    (&["dense_layer", "fc", "Dense"], "A fully connected layer is `linear`", "write `linear(10)`"),
    (
        &["Sequential", "sequential", "Module", "Model"],
        "A network is made by `arch`",
        "write `arch([conv(8, kernel: 3), linear(10)], channels: 1, size: 8)`",
    ),
    (
        &["l1_unstructured", "L1Unstructured", "global_unstructured", "prune_global", "magnitude_prune"],
        "Pruning by magnitude is `global_magnitude` of `std.prune`",
        "add `import std.prune.{global_magnitude}` and write `prune(s, global_magnitude(20%))`",
    ),
    (
        &["ttest", "t_test", "ttest_rel", "ttest_ind", "wilcoxon", "anova", "wilcox_test"],
        "Comparisons are in `std.stats`",
        "write `claim name \"…\" = differs(a, from: b, over: .seed)`",
    ),
    (
        &["ggplot", "scatter", "figure", "subplots", "lineplot", "barplot", "errorbar"],
        "A diagram is a `plot`",
        "write `plot curves = line(runs, x: .sparsity, y: .top1)`",
    ),
    (
        &["accuracy", "acc", "top1", "loss", "evaluate_accuracy", "test_accuracy", "val_accuracy"],
        "An accuracy is a field of what `evaluate` gives",
        "write `evaluate(s, task.test).top1`",
    ),
    (
        &[
            "np", "numpy", "torch", "tf", "tensorflow", "Math", "pd", "pandas", "plt", "matplotlib", "nn", "jax",
            "sklearn", "scipy", "sns", "os", "sys", "keras", "JSON", "Object", "math", "torchvision", "functools",
            "itertools", "dplyr", "stats", "tidyverse",
        ],
        "",
        "functions of pdsl have no module in front: `abs(x)`; more are in `std.math`, `std.stats`, `std.prune`",
    ),
];

static METHODS: &Table = &[
    (&["length", "size", "count", "nrow"], "", "write `len({0})`"),
    (&["filter", "where", "select", "query", "subset", "retain"], "", "write `keep({0}, x => …)`"),
    (&["push", "append", "add", "extend", "concat", "cat", "insert"], "", "write `{0} ++ [x]`"),
    (&["sort", "sorted", "sort_values", "order_by"], "", "write `sort_by({0}, x => …)`"),
    (&["reduce", "inject"], "", "write `fold({0}, start, (total, x) => …)`"),
    (&["forEach", "apply", "each", "for_each", "flat_map"], "", "write `map({0}, x => …)`"),
    (
        &[
            "clone", "copy", "iter", "into_iter", "collect", "unwrap", "to_vec", "as_ref", "to_owned", "item", "numpy",
            "cpu", "cuda", "to", "detach", "tolist", "expect", "cloned", "iter_mut", "values", "eval", "deepcopy",
            "into", "as_str", "state_dict", "parameters",
        ],
        "",
        "write `{0}`",
    ),
    (
        &["format", "to_string", "toString", "toFixed", "upper", "lower", "join", "split", "replace", "strip"],
        TEXTS,
        "write one text in quotes, and give each value a field of its own",
    ),
    (&["head"], "", "write `first({0})`"),
    (&["tail", "pop"], "", "write `last({0})`"),
    (&["get", "nth", "iloc", "loc", "index"], "", "write `{0}[0]`"),
    (&["groupby", "group_by", "agg", "aggregate", "summarise", "summarize", "pivot"], "", "write `{0} |> summary(by: [.round], over: .seed, show: [mean])`"),
    (&["fit"], "", "write `{0} |> train(task, recipe, until: 8ep)`"),
    (&["predict", "score", "forward", "test", "validate"], "", "write `evaluate({0}, task.test)`"),
    (&["std", "var", "sem"], "", "write `show: [mean, sd]` in a summary, or `band: sd(over: .seed)` in a plot"),
    (&["contains", "includes", "has"], "", "write `any({0}, x => x == …)`"),
    (&["plot", "hist", "scatter"], "", "write `plot name = line({0}, x: …, y: …)`"),
];

static TYPES: &[(&[&str], &str)] = &[
    (
        &[
            "int", "integer", "Integer", "i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8", "usize", "isize",
            "long", "uint", "size_t", "Number", "number",
        ],
        "Int",
    ),
    (&["float", "double", "Double", "f64", "f32", "numeric", "real", "Real", "decimal"], "Float"),
    (&["str", "string", "String", "Text", "character", "char", "text"], "Str"),
    (&["bool", "boolean", "Boolean", "logical"], "Bool"),
    (&["Percent", "Percentage", "percent", "Fraction", "ratio"], "Ratio"),
    (&["Epoch", "Epochs", "Steps", "Iterations", "Iteration", "step", "epochs"], "Step"),
    (&["Network", "Model", "Net", "Module", "model"], "State` or `Arch"),
    (&["Architecture"], "Arch"),
    (&["Dataset", "DataSet", "Data"], "Task"),
    (&["Optimizer", "Optimiser", "recipe"], "Recipe"),
    (&["Vec", "Array", "list", "Sequence", "Iterable", "vector", "array"], "List[…]"),
    (&["LrSchedule", "Scheduler", "LearningRate"], "Schedule"),
    (&["DataFrame", "dataframe", "Table"], "Rows"),
];

static SYNONYMS: &[(&[&str], &[&str])] = &[
    (
        &[
            "epochs", "epoch", "num_epochs", "n_epochs", "max_epochs", "nepochs", "steps", "num_steps", "max_steps",
            "iterations", "duration", "end", "to", "for",
        ],
        &["until", "rounds", "times", "steps"],
    ),
    (&["learning_rate", "learningrate", "eta", "alpha", "step_size", "rate", "base_lr", "max_lr"], &["lr", "rate", "level"]),
    (&["batch_size", "batchsize", "bs", "minibatch"], &["batch"]),
    (&["wd", "l2", "decay", "weightdecay", "l2_reg"], &["weight_decay"]),
    (&["amount", "pruning_rate", "prune_rate", "percentage", "fraction", "ratio", "p", "share", "drop"], &["rate", "remove", "to"]),
    (&["sparsity", "target", "target_sparsity", "final_sparsity", "goal"], &["to", "sparsity", "rate"]),
    (&["n", "num_rounds", "n_rounds", "iters", "levels", "cycles", "n_iter", "num_iterations"], &["rounds", "times", "n"]),
    (&["rewind_to", "rewind_epoch", "rewind_step", "rewind_at", "reset_to"], &["rewind", "to"]),
    (&["kernel_size", "ksize", "k", "filter_size"], &["kernel", "k"]),
    (&["padding"], &["pad"]),
    (&["strides"], &["stride"]),
    (&["out_channels", "filters", "features", "out_features", "units", "channels_out", "width"], &["out", "width"]),
    (&["in_channels", "input_channels"], &["channels"]),
    (&["num_classes", "n_classes", "nclasses", "outputs", "labels", "n_outputs"], &["classes"]),
    (&["image_size", "img_size", "input_size", "resolution"], &["size"]),
    (&["confidence", "conf", "conf_level", "confidence_level", "significance", "alpha_level"], &["level"]),
    (&["axis", "dim", "replicates", "across", "seeds", "replicate"], &["over"]),
    (&["group_by", "groupby", "groups", "group", "per", "key"], &["by"]),
    (&["colour", "hue", "col", "c"], &["color"]),
    (&["tolerance", "tol", "delta", "eps", "epsilon", "threshold"], &["margin", "iou"]),
    (&["ref", "reference", "baseline", "versus", "vs", "other", "against", "control"], &["than", "to", "from", "like"]),
    (&["stats", "statistics", "agg", "metrics", "columns"], &["show"]),
    (&["ci", "error", "errorbar", "shade", "interval"], &["band"]),
    (&["milestones", "steps_at", "boundaries"], &["at"]),
    (&["gamma", "factor"], &["by"]),
    (&["warmup", "warmup_epochs"], &["over"]),
    (&["seed", "random_state"], &["seed", "order"]),
    (&["network", "model", "net", "state"], &["s", "arch", "dense"]),
    (&["data", "dataset", "loader"], &["task", "on", "data"]),
    (&["optimizer", "optim", "config"], &["recipe"]),
    (&["criterion", "method", "score", "strategy", "importance"], &["by"]),
    (&["accuracy", "acc", "top_1", "test_accuracy", "test_acc", "val_acc", "val_accuracy"], &["top1"]),
    (&["error_rate"], &["top1"]),
    (&["num_params", "params", "n_params", "parameters"], &["parameters", "weights"]),
    (&["nclass", "num_class"], &["classes"]),
    (&["train_set", "training", "train_data", "train_loader"], &["train"]),
    (&["valid", "validation", "dev", "val_set", "val_loader"], &["val"]),
    (&["test_set", "testing", "test_data", "test_loader", "eval"], &["test"]),
    (&["step", "iteration"], &["steps"]),
    (&["level", "prune_round", "round_number"], &["round"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{METHODS, NAMES, STATEMENTS, SYNONYMS, Table, method, name, statement, synonyms, ty};

    #[test]
    fn every_word_stands_once_in_its_table() {
        let words = |table: &'static Table| table.iter().flat_map(|(words, ..)| words.iter().copied()).collect::<Vec<_>>();
        let synonyms: Vec<&str> = SYNONYMS.iter().flat_map(|(words, _)| words.iter().copied()).collect();
        for words in [words(STATEMENTS), words(NAMES), words(METHODS), synonyms] {
            let mut seen = BTreeSet::new();
            let twice: Vec<_> = words.into_iter().filter(|word| !seen.insert(*word)).collect();
            assert!(twice.is_empty(), "{twice:?}");
        }
    }

    #[test]
    fn helps_take_the_arguments() {
        let range = name("range", Some(1)).unwrap();
        assert_eq!(range.filled(&["10"]), "write `0..10`");
        assert_eq!(name("range", Some(2)).unwrap().filled(&["1", "n + 1"]), "write `1..n + 1`");
        assert_eq!(name("c", Some(3)).unwrap().filled(&["1", "2", "3"]), "write `[1, 2, 3]`");
        assert_eq!(method("length").unwrap().filled(&["xs"]), "write `len(xs)`");
        assert_eq!(name("self", None).unwrap().message("self"), "There is no `self`");
        assert!(statement("def").is_some() && statement("let").is_none());
        assert_eq!(ty("usize"), Some("Int"));
        assert_eq!(synonyms("Batch_Size"), ["batch"]);
    }
}
