// Tokenises programs as Visual Studio Code does, and checks the scopes.
//
//   node test/scopes.js [FILE.pd…]

const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const { Registry, parseRawGrammar, INITIAL } = require("vscode-textmate");

const folder = path.join(__dirname, "..");

async function grammar() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      if (scope !== "source.pdsl") return null;
      const file = path.join(folder, "syntaxes", "pdsl.tmLanguage.json");
      return parseRawGrammar(fs.readFileSync(file, "utf8"), file);
    },
  });
  return registry.loadGrammar("source.pdsl");
}

function tokens(rules, text) {
  const found = [];
  let stack = INITIAL;
  for (const line of text.split("\n")) {
    const result = rules.tokenizeLine(line, stack);
    for (const token of result.tokens) {
      const piece = line.slice(token.startIndex, token.endIndex);
      found.push([piece, token.scopes.slice(1).map((scope) => scope.replace(/\.pdsl$/, ""))]);
    }
    stack = result.ruleStack;
  }
  return found;
}

// A text, a piece of it, and the innermost scope that the piece must have.
const CASES = [
  ["param rate: Ratio = 20%", "param", "storage.type"],
  ["param rate: Ratio = 20%", "rate", "variable.other.definition"],
  ["param rate: Ratio = 20%", "Ratio", "support.type"],
  ["param rate: Ratio = 20%", "20", "constant.numeric"],
  ["param rate: Ratio = 20%", "%", "keyword.other.unit"],
  ["let until = 1_000.5e-3ep", "1_000.5e-3", "constant.numeric"],
  ["let until = 1_000.5e-3ep", "ep", "keyword.other.unit"],
  ["let size = 2GiB", "GiB", "keyword.other.unit"],
  ["let n = 3 // 20% of it", "// 20% of it", "comment.line.double-slash"],
  ["/// 20% of it", "/// 20% of it", "comment.line.documentation"],
  ["//! About it.", "//! About it.", "comment.line.documentation"],
  ['let a = "x \\n // y"', "\\n", "constant.character.escape"],
  ['let a = "x \\n // y"', " // y", "string.quoted.double"],
  ['let a = "x \\q"', "\\q", "invalid.illegal.escape"],
  ["pub fn twice(x: Float) -> Float { x }", "fn", "storage.type.function"],
  ["pub fn twice(x: Float) -> Float { x }", "pub", "storage.modifier"],
  ["pub fn twice(x: Float) -> Float { x }", "twice", "entity.name.function"],
  ["pub fn twice(x: Float) -> Float { x }", "x", "variable.parameter"],
  ["pub fn twice(x: Float) -> Float { x }", "->", "keyword.operator"],
  ["import std.prune.{imp}", "import", "keyword.control.import"],
  ["let a = train(s, until: 4ep)", "train", "entity.name.function.call"],
  ["let a = train(s, until: 4ep)", "until", "variable.parameter"],
  ["let a = x |> f(y)", "|>", "keyword.operator"],
  ["let a = sweep s in 0..=3 { s }", "sweep", "keyword.control"],
  ["let a = sweep s in 0..=3 { s }", "in", "keyword.control"],
  ["let a = sweep s in 0..=3 { s }", "0", "constant.numeric"],
  ["let a = sweep s in 0..=3 { s }", "..=", "keyword.operator"],
  ["let a = not true and b", "not", "keyword.operator.word"],
  ["let a = not true and b", "true", "constant.language"],
  ["table t = runs |> summary(by: [.round])", "round", "variable.other.property"],
  ["let a = s.sparsity", "sparsity", "variable.other.property"],
  ["let a = s.at(1ep)", "at", "entity.name.function.call"],
  ["let input = 4item", "4item", "source"],
  ["let format = f(for: 1)", "for", "variable.parameter"],
];

function check(rules) {
  let wrong = 0;
  for (const [text, piece, scope] of CASES) {
    const found = tokens(rules, text).filter(([token]) => token.trim() === piece.trim() || token === piece);
    const scopes = found.map(([, list]) => list[list.length - 1] ?? "source");
    const right = scope === "source" ? scopes.length === 0 || scopes.includes("source") : scopes.includes(scope);
    if (!right) {
      wrong += 1;
      console.error(`${text}\n  \`${piece}\` has ${JSON.stringify(scopes)}, not ${scope}`);
    }
  }
  return wrong;
}

// Whole programs: no token of a valid program is illegal, and every word of the language is recognised as one.
const WORDS = /^(import|as|param|where|pub|let|fn|table|plot|claim|expect|test|if|else|for|in|sweep|and|or|not|true|false)$/;

function survey(rules, file) {
  let wrong = 0;
  const seen = new Set();
  for (const [piece, scopes] of tokens(rules, fs.readFileSync(file, "utf8"))) {
    scopes.forEach((scope) => seen.add(scope));
    if (scopes.some((scope) => scope.startsWith("invalid"))) {
      wrong += 1;
      console.error(`${file}: \`${piece}\` is illegal`);
    }
    if (WORDS.test(piece.trim()) && scopes.length === 0) {
      wrong += 1;
      console.error(`${file}: \`${piece}\` has no scope`);
    }
  }
  console.log(`${file}: ${seen.size} scopes`);
  return wrong;
}

grammar().then((rules) => {
  let wrong = check(rules);
  for (const file of process.argv.slice(2)) {
    wrong += survey(rules, file);
  }
  console.log(wrong === 0 ? `${CASES.length} scopes are right` : `${wrong} scopes are wrong`);
  process.exit(wrong === 0 ? 0 : 1);
});
