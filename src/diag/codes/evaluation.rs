//! `PD03xx`: evaluation and facts.

use super::codes;

codes! {
    TOO_MANY_STEPS = "PD0301", "the program takes too long to evaluate",
        "Evaluating a program builds its plan and runs nothing. It has a budget of ten million steps, so that a \
         mistake ends with a message. A list that grows without end, or a loop over many numbers, uses it up.",
        wrong: "let total = (0..100000000) |> sum", right: "let total = (0..1000) |> sum";
    TOO_DEEP = "PD0302", "functions call each other too deeply",
        "A function that calls itself must stop at some argument. At most a thousand calls may be open at a time.",
        wrong: "fn climb(n: Int) -> Int { climb(n + 1) }\nlet top = climb(0)",
        right: "fn climb(n: Int) -> Int { if n > 9 { n } else { climb(n + 1) } }\nlet top = climb(0)";
    OUT_OF_RANGE = "PD0303", "a number beyond the range of numbers",
        "Integers have 64 bits, and quantities are exact. A result that does not fit is an error rather than a wrong \
         number.",
        wrong: "let n = 10 ^ 30", right: "let n = 10.0 ^ 30";
    DIVISION_BY_ZERO = "PD0304", "a division by zero",
        "Quantities and steps cannot be divided by zero.",
        wrong: "let t = 5ep / 0ep", right: "let t = 5ep / 1ep";
    NO_ELEMENT = "PD0305", "an element that is not there",
        "Lists count from 0, and an empty list has no first, last or smallest element.",
        wrong: "let x = [1, 2][2]", right: "let x = [1, 2][1]";
    CONDITION = "PD0306", "a parameter outside its condition",
        "The `where` of a parameter is checked before anything else.",
        wrong: "param rounds: Int = 0 where rounds >= 1", right: "param rounds: Int = 1 where rounds >= 1";
    UNKNOWN_PARAM = "PD0307", "a parameter that the program does not have",
        "`--set` and the `params` of a profile give values to the `param` declarations of the program.",
        wrong: "pdsl run quickstart.pd --set round=3", right: "pdsl run quickstart.pd --set rounds=3";
    PARAM_TYPE = "PD0308", "a parameter of another type",
        "A value from outside must have the type that the parameter declares, unit included.",
        wrong: "", right: "pdsl run quickstart.pd --set rounds=3";
    NO_VALUE = "PD0309", "a parameter without a value",
        "A `param` without a default must be given with `--set` or in a profile.",
        wrong: "param rounds: Int", right: "param rounds: Int = 3";
    WAITS_FOR_RUN = "PD0310", "a value that exists only after the run is needed before it",
        "The plan is made before anything runs, so that its cost is known. A measured number can be computed with, \
         compared and shown, but not decide what the plan is.",
        wrong: "fn best(rows: Rows) -> Rows { rows.at(top1: 90%) }\nlet found = best(runs)",
        right: "fn best(rows: Rows) -> Rows { rows.at(round: 1) }\nlet found = best(runs)";
    NO_COMMON_UNIT = "PD0311", "steps without a common unit",
        "How many iterations an epoch has depends on the task and the batch. Inside a schedule that `train` samples it \
         is known; elsewhere steps in different units cannot be compared or divided.",
        wrong: "let longer = 10ep > 500it", right: "let longer = 10ep > 5ep";
    BAD_ARGUMENT = "PD0312", "an argument that cannot be used",
        "The value has the right type, but makes no sense here.",
        wrong: "let p = pruner(magnitude, remove: 120%)", right: "let p = pruner(magnitude, remove: 20%)";
    LAYER_FIT = "PD0313", "layers that do not fit",
        "Shapes follow from the image size and each layer in turn.",
        wrong: "let net = arch([conv(8, kernel: 9), linear(10)], channels: 1, size: 8)",
        right: "let net = arch([conv(8, kernel: 3), linear(10)], channels: 1, size: 8)";
    CLASS_MISMATCH = "PD0314", "a network with another number of classes than its task",
        "The last layer has one output per class.",
        wrong: "tiny_resnet(classes: 5) |> init(seed) |> train(digits(), recipe, until: 8ep)",
        right: "tiny_resnet(classes: 10) |> init(seed) |> train(digits(), recipe, until: 8ep)";
    IMAGE_MISMATCH = "PD0315", "a network for other images than its data",
        "The number of channels and the size of the images are part of an architecture.",
        wrong: "resnet20(classes: 10) |> init(seed) |> train(digits(), recipe, until: 8ep)",
        right: "resnet20(classes: 10, channels: 1, size: 8) |> init(seed) |> train(digits(), recipe, until: 8ep)";
    BEYOND_END = "PD0316", "a step that a training does not reach",
        "`.at(…)` names a point of a training, from its start to its end.",
        wrong: "let early = (net |> init(seed) |> train(task, recipe, until: 8ep)).at(9ep)",
        right: "let early = (net |> init(seed) |> train(task, recipe, until: 8ep)).at(1ep)";
    NOT_TRAINED = "PD0317", "a state that does not come from a training",
        "Only the result of `train` or `retrain` has earlier steps and a training that can be repeated.",
        wrong: "let early = (net |> init(seed)).at(1ep)",
        right: "let early = (net |> init(seed) |> train(task, recipe, until: 8ep)).at(1ep)";
    NOTHING_TO_TRAIN = "PD0318", "a training that ends before it starts",
        "Training starts at the step where the state is, which rewinding sets back.",
        wrong: "dense |> train(task, recipe, until: 1ep)", right: "dense.at(0ep) |> train(task, recipe, until: 1ep)";
    UNKNOWN_LAYER = "PD0319", "a layer that the network does not have",
        "Layers are named by the path of record fields that leads to them.",
        wrong: "netdissect(s, layer: \"layer5\", data: probe)", right: "netdissect(s, layer: \"layer3\", data: probe)";
    UNKNOWN_PARAMETER = "PD0320", "a parameter that the network does not have",
        "`keep` names weights of convolutions and fully connected layers as torchvision does.",
        wrong: "dense |> prune(global_magnitude(20%, keep: [\"fc\"]))",
        right: "dense |> prune(global_magnitude(20%, keep: [\"fc.weight\"]))";
    CANNOT_PRUNE = "PD0321", "a pruning that is not possible",
        "A pruning removes weights that are left, and never brings any back.",
        wrong: "pruned |> prune(one_shot(10%))", right: "pruned |> prune(one_shot(90%))";
    OTHER_NETWORK = "PD0322", "states of different networks",
        "A mask belongs to the network it was made for.",
        wrong: "a |> rewind(to: b)", right: "a |> rewind(to: a.at(1ep))";
    UNKNOWN_COUNT = "PD0323", "a sparsity that only the run will tell",
        "Pruning each layer by itself after pruning all of them together removes a number of weights that depends on \
         their values.",
        wrong: "let left = (dense |> prune(global_magnitude(20%)) |> prune(layer_magnitude(20%))).density",
        right: "let left = (dense |> prune(layer_magnitude(20%)) |> prune(layer_magnitude(20%))).density";
    UNKNOWN_COLUMN = "PD0324", "a column or field that is not there",
        "Rows have a column per axis of their sweep and per field of its records.",
        wrong: "fn accuracy(rows: Rows) -> Column { rows.top_1 }\nlet found = accuracy(runs)",
        right: "fn accuracy(rows: Rows) -> Column { rows.top1 }\nlet found = accuracy(runs)";
    UNEVEN_ROWS = "PD0325", "rows with different columns",
        "Every point of a sweep gives the same fields.",
        wrong: "fn both(x: Rows, y: Rows) -> Rows { x ++ y }\nlet all = both(sweep n in [1] { { left: n } }, sweep n in [2] { { right: n } })",
        right: "fn both(x: Rows, y: Rows) -> Rows { x ++ y }\nlet all = both(sweep n in [1] { { left: n } }, sweep n in [2] { { left: n } })";
    MIXED_GROUPS = "PD0326", "rows of different kinds in one mean",
        "A mean over an axis takes one row per value of that axis. Several rows would mix levels that belong apart.",
        wrong: "mean(runs.top1, over: .seed)", right: "mean(runs.at(round: 0).top1, over: .seed)";
    NO_ROWS = "PD0327", "no rows",
        "Nothing is left to show or to compare.",
        wrong: "runs.at(round: 99).top1", right: "runs.at(round: 0).top1";
    BAD_RATE = "PD0328", "a learning rate that is not a number from 0",
        "A learning rate schedule gives a finite number from 0 at every iteration.",
        wrong: "net |> init(seed) |> train(task, sgd(lr: step => 1.0 - step / 5ep, batch: 64), until: 8ep)",
        right: "net |> init(seed) |> train(task, sgd(lr: step => max(1.0 - step / 5ep, 0.0), batch: 64), until: 8ep)";
    UNREADABLE_WEIGHTS = "PD0329", "a file of weights that cannot be read",
        "Paths are relative to the program.",
        wrong: "load(\"weights.pth\", net)", right: "load(\"weights.safetensors\", net)";
    MISMATCH = "PD0330", "a value of the wrong kind",
        "The value cannot be used in this way. Nearly always the types show it before (`pdsl explain PD0201`); here the \
         type was known only to evaluation, as that of a column of rows that a function was given.",
        wrong: "", right: "";
    NOT_PLAIN = "PD0331", "a test that would have to train",
        "Tests check functions and schedules, without running anything. What is measured is expected outside of them.",
        wrong: "", right: "test \"it drops\" { expect drops(0.1, at: [1ep], by: 0.1)(0ep) == 0.1 }";
    UNKNOWN_ARGUMENT = "PD0332", "an argument that the function does not take",
        "Arguments fill the parameters of the function, by position or by name. Nearly always the types show it before \
         (`pdsl explain PD0209`).",
        wrong: "", right: "seeds(n: 3)";
    TEST_SELECTION = "PD0333", "a choice by test images",
        "Whatever chooses a network, ends a loop or decides between two states must not have seen the test images: numbers \
         reported on them afterwards would be too good. Choose by the validation images, `task.val`.",
        wrong: "let trained = net |> init(seed) |> train(task, recipe, until: 8ep)\n\
                let s = select(evaluate(trained, task.test).top1 > 90%, then: trained, else: trained.at(1ep))",
        right: "let trained = net |> init(seed) |> train(task, recipe, until: 8ep)\n\
                let s = select(evaluate(trained, task.val).top1 > 90%, then: trained, else: trained.at(1ep))";
    POOLED = "PD0334", "rows taken together that differ",
        "A summary, or a line with a band, speaks of all rows that agree in the columns that it tells apart. If they differ \
         in something else than the axis that it goes over, its numbers mix what was measured on different things.",
        wrong: "let all = sweep seed in seeds(3), sparsity in [50%, 80%] {\n  \
                { top1: evaluate(net |> init(seed) |> prune(one_shot(sparsity)), task.test).top1 }\n}\n\
                table shown = all |> summary(by: [], over: .seed, show: [mean])",
        right: "let all = sweep seed in seeds(3), sparsity in [50%, 80%] {\n  \
                { top1: evaluate(net |> init(seed) |> prune(one_shot(sparsity)), task.test).top1 }\n}\n\
                table shown = all |> summary(by: [.sparsity], over: .seed, show: [mean])";
}
