//! How long the language takes on a program of ten thousand lines: reading, checking, evaluating, planning; and how long an
//! editor waits for messages after a key.
//!
//! `cargo bench --bench language` prints the median of several runs. `-- --write FILE` writes the program.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark talks to a terminal, and may stop at once")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::source::FileId;
use pdsl::world::Machine;
use pdsl::{plan, resolve, syntax, types};
use serde_json::{Value, json};

const LINES: usize = 10_000;
const RUNS: usize = 11;
/// One block in so many has stages.
const STAGES_EVERY: usize = 8;

/// A valid program: functions that call each other, schedules, lists, tests, and experiments with tables and claims.
fn program() -> String {
    let mut text = String::from(
        "//! A long program.\n\nimport std.data.{digits}\nimport std.math.{clamp}\nimport std.models.{tiny_resnet}\n\
         import std.prune.{global_magnitude, imp}\nimport std.stats.{not_worse}\n\n/// Repetitions.\n\
         param replicates: Int = 3 where replicates >= 2\n\nlet task = digits()\n\
         let recipe = sgd(lr: drops(0.1, at: [5ep], by: 0.1), momentum: 0.9, batch: 64)\n",
    );
    let mut at: usize = 0;
    while text.lines().count() < LINES {
        let before = if at == 0 { "x".to_owned() } else { format!("scaled_{}(x, by: 2.0)", at - 1) };
        let _ = write!(
            text,
            r#"
/// Scales by a factor, but never below `low`. Number {at}.
pub fn scaled_{at}(x: Float, by: Float = 1.0, low: Float = 0.0) -> Float {{
  let once = x * by + {at}.5
  let more = if once > low {{ once }} else {{ low }}
  clamp(more, low: 0.0, high: 100.0)
}}

fn both_{at}(x: Float) -> Float {{
  if x < 0.0 {{ {before} }} else {{ scaled_{at}(x) }}
}}

/// Rises to `to` along a straight line.
fn rising_{at}(to: Ratio, until: Step) -> Schedule {{
  step => to * clamp(step / until, 0.0, 1.0)
}}

let points_{at} = for i in 0..4 {{
  {{ round: i, share: ratio(scaled_{at}(float(i), by: 0.1) / 1000.0), label: "round" }}
}}
let total_{at} = points_{at} |> map(point => fraction(point.share)) |> sum
let kept_{at} = points_{at} |> keep(point => point.round > 1 and point.share < 90%) |> len

test "schedule {at} rises" {{
  let s = rising_{at}(90%, until: 10ep)
  expect s(0ep) == 0%
  expect s(10ep) == 90%
}}
"#
        );
        if at.is_multiple_of(STAGES_EVERY) {
            let until = 6 + at % 5;
            let _ = write!(
                text,
                r#"
let runs_{at} = sweep seed in seeds(replicates) {{
  let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: {until}ep)
  for s in imp(dense, rate: {rate}%, rounds: 3, rewind: 1ep) {{
    {{ round: s.round, sparsity: s.sparsity, top1: evaluate(s, task.test).top1 }}
  }}
}}

table levels_{at} = runs_{at} |> summary(by: [.round, .sparsity], over: .seed, show: [mean, ci95])

claim holds_{at} "Pruning number {at} costs at most two points"
  = not_worse(
    runs_{at}.at(round: 1).top1, than: runs_{at}.at(round: 0).top1, margin: 2pp, over: .seed,
  )
"#,
                rate = 20 + at % 7,
            );
        }
        at += 1;
    }
    text
}

/// No data on disk.
struct Nothing;

impl Fingerprints for Nothing {
    fn digest(&self, _: External<'_>) -> Option<String> {
        Some("0".repeat(64))
    }

    fn weights(&self, _: &str) -> io::Result<Weights> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Prints how long something takes and returns the median in milliseconds.
fn time<T>(what: &str, mut work: impl FnMut() -> T) -> f64 {
    let mut once = || {
        let began = Instant::now();
        let done = work();
        let took = began.elapsed();
        drop(done);
        took
    };
    let times: Vec<Duration> = (0..RUNS).map(|_| once()).collect();
    let least = times.iter().min().unwrap().as_secs_f64() * 1e3;
    let middle = median(times);
    println!("{what:32} {middle:8.1} ms   (least {least:.1})");
    middle
}

fn phases(path: &Path, text: &str) {
    let mut total = time("parse", || syntax::parse(FileId(0), text));
    let linking = time("load, with names and library", || resolve::link(&Machine, path));
    let checking = time("load and check", || types::check(resolve::link(&Machine, path)));
    let typed = types::check(resolve::link(&Machine, path));
    assert!(typed.is_sound(), "the program has mistakes");
    println!("{:32} {:8.1} ms", "  of that: types", checking - linking);
    let evaluating = time("evaluate", || eval::evaluate(&typed, &Overrides::default(), &Nothing).unwrap());
    let program = eval::evaluate(&typed, &Overrides::default(), &Nothing).unwrap();
    let demands = program.demands();
    let planning = time("plan", || plan::against(&program.graph, &demands, None));
    total = checking.max(total) + evaluating + planning;
    println!("{:32} {total:8.1} ms   ({} stages)", "in all", program.graph.len());
}

/// A conversation with `pdsl lsp`.
struct Server {
    input: std::process::ChildStdin,
    output: BufReader<std::process::ChildStdout>,
    child: std::process::Child,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pdsl"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { input, output, child }
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            match line.trim() {
                "" => break,
                header => length = header.strip_prefix("Content-Length: ").map_or(length, |n| n.parse().unwrap()),
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.read();
            if wanted(&message) {
                return message;
            }
        }
    }
}

/// Opens the program, types in it, and waits for messages after each key.
fn typing(path: &Path, text: &str) {
    let uri = format!("file://{}", path.display());
    let mut server = Server::start();
    server.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": {} } }));
    server.wait(|message| message["id"] == 1);
    server.send(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
    let document = json!({ "uri": uri, "languageId": "pdsl", "version": 0, "text": text });
    let began = Instant::now();
    let open = json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } });
    server.send(&open);
    server.wait(|message| message["params"]["version"] == 0);
    println!("{:32} {:8.1} ms", "open until messages", began.elapsed().as_secs_f64() * 1e3);

    let lines: Vec<&str> = text.lines().collect();
    let mut version = 0;
    // A function's body: typed letter by letter it is wrong, then right again. Its signature: what calls it is checked again.
    let sites = [
        ("a key", "let once = ", "", [" + x", " +", " + 1.0", " + \"a\""]),
        ("a signature", "pub fn scaled_", ") -> ", [", z: Int = 0", ", z: Int", ", z", ""]),
    ];
    for (place, from) in [("at the beginning", 30), ("in the middle", LINES / 2), ("at the end", LINES - 100)] {
        for (what, beginning, before, keys) in sites {
            let line = (from..lines.len()).find(|at| lines[*at].trim_start().starts_with(beginning)).unwrap();
            let column = if before.is_empty() { lines[line].len() } else { lines[line].find(before).unwrap() };
            let mut end = column;
            let mut times = Vec::new();
            let rounds = (0..RUNS).flat_map(|_| keys).chain([""]);
            for key in rounds {
                version += 1;
                let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
                let change = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
                    "textDocument": { "uri": uri, "version": version },
                    "contentChanges": [{ "range": range, "text": key }],
                } });
                end = column + key.len();
                let began = Instant::now();
                server.send(&change);
                let found = server.wait(|message| message["params"]["version"] == version);
                times.push(began.elapsed());
                assert!(found["params"]["diagnostics"].as_array().unwrap().len() < 20, "{found}");
            }
            let most = times.iter().max().unwrap().as_secs_f64() * 1e3;
            println!("{:32} {:8.1} ms   (most {most:.1})", format!("{what} {place}"), median(times));
        }
    }
    for (id, (method, column)) in [("textDocument/hover", 8), ("textDocument/completion", 8)].into_iter().enumerate() {
        let line = lines.iter().position(|line| line.starts_with("let total_9 ")).unwrap();
        let params = json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": column } });
        let began = Instant::now();
        server.send(&json!({ "jsonrpc": "2.0", "id": 100 + id, "method": method, "params": params }));
        server.wait(|message| message["id"] == 100 + id);
        println!("{method:32} {:8.1} ms", began.elapsed().as_secs_f64() * 1e3);
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
}

fn main() {
    let text = program();
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--write") {
        fs::write(PathBuf::from(&words[at + 1]), text).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("long.pd");
    fs::write(&path, &text).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{} lines, {} kB, {threads} threads", text.lines().count(), text.len() / 1000);
    phases(&path, &text);
    typing(&path, &text);
}
