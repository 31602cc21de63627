//! `PD07xx`: profiles, arguments and files.

use super::codes;

codes! {
    UNREADABLE = "PD0701", "a file cannot be read",
        "The file named on the command line does not exist, is a directory, or may not be read by this user. Paths are \
         relative to the current directory. A program is one text file whose name usually ends in `.pd`.",
        wrong: "pdsl run experiments", right: "pdsl run experiments/quickstart.pd";
    NOT_TEXT = "PD0702", "a file is not UTF-8 text",
        "Programs and profiles are text in UTF-8. Other encodings are refused rather than guessed, because a guessed \
         name would be another name. Convert the file, for example with `iconv -f latin1 -t utf-8`.",
        wrong: "pdsl check weights.safetensors", right: "pdsl check experiment.pd";
    BAD_SETTING = "PD0703", "a setting is not `name=expression`",
        "`--set` takes the name of a `param` of the program, an equals sign, and an expression of the language, so that \
         units are written as they are in the program: `20%`, `6ep`, `1000it`. Quote the argument if the shell would \
         take its characters for its own.",
        wrong: "pdsl plan experiment.pd --set rounds:3", right: "pdsl plan experiment.pd --set rounds=3";
    PROFILE_SYNTAX = "PD0704", "a profile is not valid YAML",
        "A profile is a YAML file that says where data and the store are on this machine and which parameters to set. \
         Indent with spaces; a value that begins with a special character is written in quotes.",
        wrong: "jobs: 2\n store: /scratch/pdsl", right: "jobs: 2\nstore: /scratch/pdsl";
    PROFILE_KEY = "PD0705", "a profile has an entry that means nothing",
        "A profile has the entries `store`, `data`, `jobs`, `params` and `resume_every`, each at most once. An unknown \
         entry is refused, because a misspelt one would silently do nothing.",
        wrong: "job: 2", right: "jobs: 2";
    PROFILE_VALUE = "PD0706", "an entry of a profile has the wrong kind of value",
        "`store` is a path, `data` maps names of data sets to paths, `jobs` is a whole number from 1, `resume_every` is a \
         number of iterations such as `500it` or a time such as `30s`, `params` maps names of parameters to expressions of the language.",
        wrong: "jobs: many", right: "jobs: 2";
    PROFILE_SIZE = "PD0707", "a profile is too large or too deep",
        "A profile is read only up to 64 KiB, up to eight levels of nesting, and only with few repetitions through \
         aliases, so that a hostile or broken file cannot exhaust the memory.",
        wrong: "", right: "";
    UNWRITABLE = "PD0708", "a result cannot be written",
        "The directory for results does not exist and cannot be made, is not a directory, may not be written by this \
         user, or its disk is full. What was computed is in the store: the next run only writes the results.",
        wrong: "pdsl run experiment.pd --out /proc/results", right: "pdsl run experiment.pd --out results/today";
    UNKNOWN_CODE = "PD0709", "no diagnostic has this code",
        "`pdsl explain` without a code lists all of them.",
        wrong: "pdsl explain PD9999", right: "pdsl explain PD0709";
    NO_STAGE = "PD0710", "no stage answers to this name or key",
        "A stage is named by its key or the first characters of it, as `pdsl plan --json` and `pdsl store ls` print \
         them. The beginning must be long enough to mean one stage only, and the stage must have been run.",
        wrong: "pdsl show 0", right: "pdsl show 3fa94c";
    NO_OBJECT = "PD0711", "the stage has left nothing of this kind",
        "Only stages that produce a network (`init`, `load`, `train`, `prune`, `rewind`, `reinit`) have weights to \
         export. `pdsl show` prints what a stage has left.",
        wrong: "", right: "";
    NO_STORE = "PD0712", "there is no store",
        "A store is made by the first `pdsl run`, in `.pdsl` beside the program unless `--store`, the variable \
         `PDSL_STORE` or the profile says otherwise. Commands that only look at a store look in the current directory \
         unless they are told where.",
        wrong: "pdsl store ls", right: "pdsl store ls --for experiments/quickstart.pd";
    TEST_FAILED = "PD0713", "a `test` of the program does not hold",
        "A `test` block states what the program's own functions must do, without running any stage. `pdsl check` and \
         `pdsl run` evaluate all of them first: a schedule that is not what its author thinks would waste the run.",
        wrong: "test \"halves\" {\n  expect 0.5 * 1.0 == 0.4\n}", right: "test \"halves\" {\n  expect 0.5 * 1.0 == 0.5\n}";
    EXPECTATION_FAILED = "PD0714", "an `expect` of the program does not hold",
        "An `expect` at the top of a program is a condition on measured results without which its claims mean nothing. The \
         results are written all the same, the claims are void, and the exit code is 1.",
        wrong: "", right: "";
    NO_DEVICE = "PD0715", "the device cannot be used",
        "`--device cuda` needs a pdsl that was built with CUDA, NVIDIA's driver, cuDNN 9 and a GPU of compute capability 8.0 \
         (Ampere) or newer; several GPUs also need NCCL. `--device auto`, the default, takes the processor where any of \
         them is missing. `--precision` is for GPUs: the processor computes in float32.",
        wrong: "pdsl run experiment.pd --device gpu", right: "pdsl run experiment.pd --device cuda:0";
    NOTHING_TO_COMPARE = "PD0716", "there is nothing to compare a program with",
        "`pdsl diff` compares the stages of two programs, or of one program under two settings. Settings of the first come \
         from `--set` and `--set-a`, those of the second from `--set` and `--set-b`.",
        wrong: "pdsl diff experiment.pd", right: "pdsl diff experiment.pd --set-b rounds=4";
    TOO_LONG = "PD0717", "a run would take longer than it may",
        "With `--max 40h`, `pdsl plan` and `pdsl run` predict how long the stages that have to run will take, from the times \
         of like stages in the store, and refuse to start if that is more. The stages that take the most are named. Raise the \
         limit, make the experiment smaller, or leave `--max` out.",
        wrong: "pdsl run experiment.pd --max 1min", right: "pdsl run experiment.pd --max 40h";
    UNPREDICTED = "PD0718", "it cannot be predicted how long a run will take",
        "The store holds no stage like those that would take the most of the time, so `--max` cannot be kept. Run a small part \
         first, for example one seed: `--set replicates=1`. Or start without a prediction with `--max-unknown`.",
        wrong: "pdsl run experiment.pd --max 40h", right: "pdsl run experiment.pd --max 40h --max-unknown";
    EXPORT_FORMAT = "PD0720", "a network cannot be written in this format",
        "`pdsl export` writes safetensors, npz and ONNX. The format is the ending of the file's name unless `--format` says \
         otherwise. Folding batch normalisations changes what layers there are, which only a graph can express.",
        wrong: "pdsl export 3fa94c -o network.pth", right: "pdsl export 3fa94c -o network.onnx";
    NO_ENTRY = "PD0740", "the reference has no such name",
        "`pdsl doc` shows the modules of the standard library and their public names: `pdsl doc prune`, \
         `pdsl doc std.prune.imp`, `pdsl doc train`. For a module of one's own, name its file: `pdsl doc recipes.pd`.",
        wrong: "pdsl doc trian", right: "pdsl doc train";
    EXAMPLE_FAILED = "PD0741", "an example in the documentation does not hold",
        "A block marked as `pd` in a comment that begins with `///` or `//!` is a program of its own that sees the module \
         it is about. `pdsl test` checks and evaluates it; what it expects without a run must hold.",
        wrong: "", right: "";
    NOTHING_TO_TEST = "PD0742", "there is nothing to test",
        "`pdsl test` looks for files that end in `.pd` in the current directory and below, apart from those in `results` \
         and in stores, or takes the files that are named. `--filter` keeps tests whose name contains a text.",
        wrong: "pdsl test --filter halfs", right: "pdsl test --filter halves";
    REPL_COMMAND = "PD0743", "a command of `pdsl repl` that does not exist",
        "Commands begin with a colon: `:type`, `:stages`, `:doc`, `:load`, `:names`, `:reset`, `:help`, `:quit`. \
         Everything else is an expression or a definition.",
        wrong: "", right: "";
}
