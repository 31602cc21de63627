//! `PD01xx`: names and modules.

use super::codes;

codes! {
    UNREADABLE_FILE = "PD0101", "a file cannot be read",
        "The file that is to be run, or a file it imports, is missing or is not UTF-8 text. Paths in `import` are \
         relative to the file that imports.",
        wrong: "import \"lib/recipe.pd\".{baseline}",
        right: "import \"lib/recipes.pd\".{baseline}";
    UNKNOWN_MODULE = "PD0102", "no such module",
        "Modules of the standard library are written `std.prune`; modules of one's own are files, written as a path \
         in quotes.",
        wrong: "import std.pruning.{imp}",
        right: "import std.prune.{imp}";
    IMPORT_CYCLE = "PD0103", "modules import each other in a circle",
        "A module is complete only when everything it imports is complete, so no module may import itself, not even \
         by way of others. Move what both sides need into a third file.",
        wrong: "// a.pd\nimport \"b.pd\".{y}\n// b.pd\nimport \"a.pd\".{x}",
        right: "// a.pd\nimport \"common.pd\".{x}\n// b.pd\nimport \"common.pd\".{x}";
    UNKNOWN_NAME = "PD0104", "unknown name",
        "A name must be bound by a `let`, `fn` or `param` of the file, by an import, or by an enclosing block, loop or \
         function; or it belongs to the prelude. Names of the standard library outside the prelude are imported.",
        wrong: "let rate = 20%\nlet left = 100% - rat",
        right: "let rate = 20%\nlet left = 100% - rate";
    UNKNOWN_MEMBER = "PD0105", "the module has no such name",
        "The module was found, but it defines no such name.",
        wrong: "import std.prune.{ipm}",
        right: "import std.prune.{imp}";
    PRIVATE_NAME = "PD0106", "the name is private",
        "Only definitions marked `pub` are visible outside their file.",
        wrong: "// recipes.pd\nlet baseline = frankle_2019()",
        right: "// recipes.pd\npub let baseline = frankle_2019()";
    DUPLICATE_NAME = "PD0107", "the same name twice",
        "Within one file, block, parameter list, pattern or record every name is given once: nothing is ever \
         overwritten. An inner block may reuse a name of an outer one.",
        wrong: "let rate = 20%\nlet rate = 30%",
        right: "let rate = 20%\nlet fast_rate = 30%";
    CYCLIC_DEFINITION = "PD0108", "a value that needs itself",
        "The order of definitions in a file does not matter, but a value cannot be computed from itself. Functions \
         may call themselves and each other.",
        wrong: "let a = b + 1\nlet b = a + 1",
        right: "let a = 1\nlet b = a + 1";
    MODULE_AS_VALUE = "PD0109", "a module is not a value",
        "A module's name only stands before a dot: `nets.resnet20(classes: 10)`.",
        wrong: "import std.models as nets\nlet network = nets",
        right: "import std.models as nets\nlet network = nets.resnet20(classes: 10)";
    NAMELESS_IMPORT = "PD0110", "an import without a name",
        "A file whose name is not an identifier cannot give its name to the module.",
        wrong: "import \"lib/my-recipes.pd\"",
        right: "import \"lib/my-recipes.pd\" as recipes";
    MISSING_BODY = "PD0111", "a definition without a value",
        "Only the standard library declares functions and values that are built into the interpreter. Anywhere else \
         a function has a body and a `let` has a value.",
        wrong: "fn double(x: Int) -> Int",
        right: "fn double(x: Int) -> Int { 2 * x }";
    FORGOTTEN_VALUE = "PD0112", "a loop that forgets",
        "A `let` in a loop is a new name in each turn: it does not change the value of the same name outside, which the \
         next turn reads again.",
        wrong: "let x = 1\nlet powers = for i in 0..4 {\n  let x = x * 2\n  x\n}",
        right: "let x = 1\nlet powers = iterate(x, times: 4, (x, i) => x * 2)";
    UNUSED_NAME = "PD0113", "a name that nothing reads",
        "An axis of a sweep that its body does not read makes rows that are all the same, and a `seed` among them \
         repetitions that are none. A parameter, or a `let` inside of braces, that nothing reads is most likely a slip. \
         A name that begins with `_` is left unread on purpose.",
        wrong: "import std.data.{digits}\nimport std.models.{tiny_resnet}\nlet states = sweep seed in seeds(3) {\n  \
                let net = tiny_resnet(classes: 10) |> init(seeds(1)[0])\n  { sparsity: net.sparsity }\n}",
        right: "import std.data.{digits}\nimport std.models.{tiny_resnet}\nlet states = sweep seed in seeds(3) {\n  \
                let net = tiny_resnet(classes: 10) |> init(seed)\n  { sparsity: net.sparsity }\n}";
    NAME_IN_TEXT = "PD0114", "a name in a text",
        "A text is taken as it is written; braces in it mean nothing. A value that belongs to a row gets a field of its \
         own, and texts that differ by row come from an axis.",
        wrong: "let rows = for i in 1..=3 { { level: \"level {i}\", i: i } }",
        right: "let rows = for i in 1..=3 { { level: i } }";
}
