//! Programs of every kind: mostly well typed, now and then not.

use std::fmt::Write as _;

use super::choices::Choices;

/// Types that generated expressions have.
#[derive(Clone, Debug, PartialEq)]
enum Ty {
    Bool,
    Int,
    Float,
    Ratio,
    Points,
    Step,
    Str,
    Schedule,
    State,
    Accuracy,
    Judged,
    List(Box<Ty>),
    Record(Vec<(&'static str, Ty)>),
    Tuple(Box<Ty>, Box<Ty>),
}

impl Ty {
    fn written(&self) -> String {
        match self {
            Self::Bool => "Bool".to_owned(),
            Self::Int => "Int".to_owned(),
            Self::Float => "Float".to_owned(),
            Self::Ratio => "Ratio".to_owned(),
            Self::Points => "Points".to_owned(),
            Self::Step => "Step".to_owned(),
            Self::Str => "Str".to_owned(),
            Self::Schedule => "Schedule".to_owned(),
            Self::State => "State".to_owned(),
            Self::Accuracy => "Measured[Ratio]".to_owned(),
            Self::Judged => "Measured[Bool]".to_owned(),
            Self::List(element) => format!("List[{}]", element.written()),
            Self::Tuple(a, b) => format!("({}, {})", a.written(), b.written()),
            Self::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, ty)| format!("{name}: {}", ty.written())).collect();
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }
}

const FIELDS: [&str; 4] = ["a", "b", "rate", "name"];

struct Writer<'a> {
    choices: Choices<'a>,
    /// Names in scope with their types, innermost last.
    scope: Vec<(String, Ty)>,
    /// Functions of one parameter.
    functions: Vec<(String, Ty, Ty)>,
    names: usize,
}

/// What every program imports.
pub(crate) const IMPORTS: &str = "import std.data.{digits}\nimport std.math.{clamp}\nimport std.models.{tiny_resnet}\n\
    import std.prune.{global_magnitude, rewind_and_retrain}\n";

/// Writes a program.
pub(crate) fn program(bytes: &[u8]) -> String {
    let mut writer = Writer { choices: Choices::new(bytes), scope: Vec::new(), functions: Vec::new(), names: 0 };
    writer.program()
}

impl Writer<'_> {
    fn name(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}_{}", self.names)
    }

    fn program(&mut self) -> String {
        let mut text = String::from(IMPORTS);
        text.push_str(
            "let task = digits()\n\
             let recipe = sgd(lr: 0.1, batch: 64)\nlet seed = first(seeds(1))\n\
             let dense = tiny_resnet(classes: 10) |> init(seed) |> train(task, recipe, until: 4ep)\n",
        );
        self.scope.push(("dense".to_owned(), Ty::State));
        for _ in 0..=self.choices.below(6) {
            match self.choices.below(8) {
                0 | 1 => {
                    let ty = self.ty(2);
                    let value = self.expr(&ty, 4);
                    let name = self.name("v");
                    let annotation =
                        if self.choices.percent(30) { format!(": {}", ty.written()) } else { String::new() };
                    let _ = writeln!(text, "let {name}{annotation} = {value}");
                    self.scope.push((name, ty));
                }
                2 => {
                    let (from, to) = (self.ty(1), self.ty(1));
                    let outer = self.scope.len();
                    self.scope.push(("x".to_owned(), from.clone()));
                    let body = self.expr(&to, 4);
                    self.scope.truncate(outer);
                    let name = self.name("f");
                    let result = if self.choices.percent(70) { format!(" -> {}", to.written()) } else { String::new() };
                    let _ = writeln!(text, "fn {name}(x: {}){result} {{ {body} }}", from.written());
                    self.functions.push((name, from, to));
                }
                3 => {
                    let ty = [Ty::Int, Ty::Ratio, Ty::Step, Ty::Float][self.choices.below(4)].clone();
                    let value = self.literal(&ty);
                    let name = self.name("p");
                    let _ = writeln!(text, "param {name}: {} = {value}", ty.written());
                    self.scope.push((name, ty));
                }
                4 => {
                    let ty = self.ty(1);
                    let condition = self.comparison(&ty, 3);
                    let _ =
                        writeln!(text, "test \"t\" {{\n  let x = {}\n  expect {condition}\n}}", self.expr(&Ty::Int, 2));
                }
                5 | 6 => text += &self.sweep(),
                _ => {
                    let value = self.expr(&Ty::Accuracy, 3);
                    let _ = writeln!(text, "expect {value} >= {}", self.literal(&Ty::Ratio));
                }
            }
        }
        text
    }

    fn sweep(&mut self) -> String {
        let outer = self.scope.len();
        let axis = [Ty::Int, Ty::Ratio, Ty::Str][self.choices.below(3)].clone();
        let values = self.expr(&Ty::List(Box::new(axis.clone())), 2);
        self.scope.push(("k".to_owned(), axis));
        let condition =
            if self.choices.percent(20) { format!(" if {}", self.expr(&Ty::Bool, 2)) } else { String::new() };
        let (known, measured) = (self.expr(&Ty::Ratio, 2), self.expr(&Ty::Accuracy, 3));
        let body = match self.choices.below(3) {
            0 => format!("{{ known: {known}, top1: {measured} }}"),
            1 => format!("for i in 0..2 {{ {{ i: i, known: {known}, top1: {measured} }} }}"),
            _ => format!(
                "for s in {} {{ {{ round: s.round, known: {known}, top1: evaluate(s, task.val).top1 }} }}",
                self.expr(&Ty::List(Box::new(Ty::State)), 2)
            ),
        };
        self.scope.truncate(outer);
        let name = self.name("runs");
        let mut text = format!("let {name} = sweep seed in seeds(2), k in {values}{condition} {{ {body} }}\n");
        let by = ["k", "known", "seed", "round"][self.choices.below(4)];
        let table = self.name("t");
        let _ = match self.choices.below(5) {
            0 => writeln!(text, "table {table} = {name}"),
            1 => writeln!(text, "table {table} = {name} |> summary(by: [.{by}], over: .seed, show: [mean, ci95])"),
            2 => writeln!(
                text,
                "plot {table} = line({name}, x: .known, y: .top1, color: .{by}, band: ci95(over: .seed))"
            ),
            3 => writeln!(text, "table {table} = ({name} ++ {name}) |> keep(row => row.known > 10%)"),
            _ => writeln!(text, "expect mean({name}.at({by}: {}).top1, over: .seed) > 50%", self.literal(&Ty::Int)),
        };
        text
    }

    fn ty(&mut self, depth: usize) -> Ty {
        let plain = [
            Ty::Int,
            Ty::Float,
            Ty::Ratio,
            Ty::Bool,
            Ty::Points,
            Ty::Step,
            Ty::Str,
            Ty::Schedule,
            Ty::State,
            Ty::Accuracy,
            Ty::Judged,
        ];
        let at = self.choices.below(if depth == 0 { plain.len() } else { plain.len() + 4 });
        match at.checked_sub(plain.len()) {
            None => plain[at].clone(),
            Some(0 | 1) => Ty::List(Box::new(self.ty(depth - 1))),
            Some(2) => Ty::Tuple(Box::new(self.ty(depth - 1)), Box::new(self.ty(depth - 1))),
            Some(_) => {
                let count = 1 + self.choices.below(FIELDS.len());
                Ty::Record(FIELDS[..count].iter().map(|name| (*name, self.ty(depth - 1))).collect())
            }
        }
    }

    fn literal(&mut self, ty: &Ty) -> String {
        let number = self.choices.below(20);
        match ty {
            Ty::Bool => ["true", "false"][number % 2].to_owned(),
            Ty::Int => number.to_string(),
            Ty::Float => format!("{}.{}", number / 4, number % 4),
            Ty::Ratio => format!("{}%", number * 5),
            Ty::Points => format!("{number}pp"),
            Ty::Step => format!("{}{}", number, ["ep", "it", "img"][number % 3]),
            Ty::Str => format!("\"s{number}\""),
            Ty::Schedule => format!("step => {}", self.expr(&Ty::Float, 1)),
            Ty::State => "dense".to_owned(),
            Ty::Accuracy => "evaluate(dense, task.val).top1".to_owned(),
            Ty::Judged => "evaluate(dense, task.val).top1 > 50%".to_owned(),
            Ty::List(element) => {
                let count = 1 + number % 3;
                let items: Vec<_> = (0..count).map(|_| self.literal(element)).collect();
                format!("[{}]", items.join(", "))
            }
            Ty::Tuple(a, b) => format!("({}, {})", self.literal(a), self.literal(b)),
            Ty::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, ty)| format!("{name}: {}", self.literal(ty))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }

    fn comparison(&mut self, ty: &Ty, depth: usize) -> String {
        let operator = self.choices.one(&["==", "!=", "<", "<=", ">", ">="]);
        format!("({}) {operator} ({})", self.expr(ty, depth), self.expr(ty, depth))
    }

    /// A name in scope that has the type, if there is one.
    fn variable(&mut self, ty: &Ty) -> Option<String> {
        let fitting: Vec<&String> = self.scope.iter().filter(|(_, found)| found == ty).map(|(name, _)| name).collect();
        if fitting.is_empty() { None } else { Some(fitting[self.choices.below(fitting.len())].clone()) }
    }

    fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if depth == 0 || self.choices.is_over() {
            return self.variable(ty).unwrap_or_else(|| self.literal(ty));
        }
        // Now and then something of another type.
        let other = self.choices.percent(2).then(|| self.ty(1));
        let ty = other.as_ref().unwrap_or(ty);
        match self.choices.below(14) {
            0 => self.literal(ty),
            1 | 2 => self.variable(ty).unwrap_or_else(|| self.literal(ty)),
            3 => {
                let (then, otherwise) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("if {} {{ {then} }} else {{ {otherwise} }}", self.expr(&Ty::Bool, depth - 1))
            }
            4 => {
                let bound = self.ty(1);
                let value = self.expr(&bound, depth - 1);
                let name = self.name("l");
                self.scope.push((name.clone(), bound));
                let body = self.expr(ty, depth - 1);
                self.scope.pop();
                format!("{{ let {name} = {value} {body} }}")
            }
            5 => {
                let list = self.expr(&Ty::List(Box::new(ty.clone())), depth - 1);
                match self.choices.below(3) {
                    0 => format!("first({list})"),
                    1 => format!("last({list})"),
                    _ => format!("({list})[0]"),
                }
            }
            6 => {
                let field = FIELDS[self.choices.below(2)];
                let mut fields: Vec<(&'static str, Ty)> = vec![("a", self.ty(0)), ("b", self.ty(0))];
                fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, found)| *found = ty.clone());
                let record = self.expr(&Ty::Record(fields), depth - 1);
                format!("({record}).{field}")
            }
            7 => {
                let calls: Vec<_> = self.functions.iter().filter(|(.., to)| to == ty).cloned().collect();
                if calls.is_empty() {
                    return self.typed(ty, depth);
                }
                let (name, from, _) = calls[self.choices.below(calls.len())].clone();
                let argument = self.expr(&from, depth - 1);
                if self.choices.percent(50) { format!("({argument}) |> {name}") } else { format!("{name}({argument})") }
            }
            8 => {
                let from = self.ty(0);
                let list = self.expr(&Ty::List(Box::new(from.clone())), depth - 1);
                let start = self.expr(ty, depth - 1);
                let name = self.name("e");
                self.scope.push(("acc".to_owned(), ty.clone()));
                self.scope.push((name.clone(), from));
                let body = self.expr(ty, depth - 1);
                self.scope.truncate(self.scope.len() - 2);
                format!("fold({list}, start: {start}, (acc, {name}) => {body})")
            }
            9 => {
                let (a, b) = (self.ty(0), ty.clone());
                let pair = self.expr(&Ty::Tuple(Box::new(a), Box::new(b)), depth - 1);
                format!("{{ let (left, right) = {pair} right }}")
            }
            _ => self.typed(ty, depth),
        }
    }

    /// An expression that only this type has.
    fn typed(&mut self, ty: &Ty, depth: usize) -> String {
        let depth = depth - 1;
        let choice = self.choices.below(8);
        macro_rules! e {
            ($ty:expr) => {
                self.expr(&$ty, depth)
            };
        }
        match ty {
            Ty::Bool => match choice {
                0 => format!("not ({})", e!(Ty::Bool)),
                1 => format!("({}) and ({})", e!(Ty::Bool), e!(Ty::Bool)),
                2 => format!("({}) or ({})", e!(Ty::Bool), e!(Ty::Bool)),
                3 => format!("any({}, x => x > 1)", e!(Ty::List(Box::new(Ty::Int)))),
                _ => {
                    let ty = self.ty(0);
                    self.comparison(&ty, depth)
                }
            },
            Ty::Int => match choice {
                0 => format!("len({})", e!(Ty::List(Box::new(Ty::Bool)))),
                1 => format!("floor({})", e!(Ty::Float)),
                2 => format!("mod({}, {})", e!(Ty::Int), e!(Ty::Int)),
                3 => format!("({}).round", e!(Ty::State)),
                4 => format!("abs(-({}))", e!(Ty::Int)),
                5 => format!("sum({})", e!(Ty::List(Box::new(Ty::Int)))),
                _ => format!("({}) {} ({})", e!(Ty::Int), self.choices.one(&["+", "-", "*"]), e!(Ty::Int)),
            },
            Ty::Float => match choice {
                0 => format!("float({})", e!(Ty::Int)),
                1 => format!("fraction({})", e!(Ty::Ratio)),
                2 => format!("({}) / ({})", e!(Ty::Step), e!(Ty::Step)),
                3 => format!("clamp({}, 0.0, 1.0)", e!(Ty::Float)),
                4 => format!("sqrt({})", e!(Ty::Float)),
                5 => format!("({})(3ep)", e!(Ty::Schedule)),
                6 => format!("({}) ^ {}", e!(Ty::Float), self.choices.below(3)),
                _ => format!("({}) {} ({})", e!(Ty::Float), self.choices.one(&["+", "-", "*", "/"]), e!(Ty::Float)),
            },
            Ty::Ratio => match choice {
                0 => format!("ratio({})", e!(Ty::Float)),
                1 => format!("({}) + ({})", e!(Ty::Ratio), e!(Ty::Points)),
                2 => format!("({}) * ({})", e!(Ty::Float), e!(Ty::Ratio)),
                3 => format!("({}).sparsity", e!(Ty::State)),
                _ => format!("min({}, {})", e!(Ty::Ratio), e!(Ty::Ratio)),
            },
            Ty::Points => format!("({}) - ({})", e!(Ty::Ratio), e!(Ty::Ratio)),
            Ty::Step => match choice {
                0 => format!("{} * 1ep", self.choices.below(9)),
                1 => format!("({}).steps", e!(Ty::State)),
                2 => format!("max({}, {})", e!(Ty::Step), e!(Ty::Step)),
                _ => format!("({}) {} ({})", e!(Ty::Step), self.choices.one(&["+", "-"]), e!(Ty::Step)),
            },
            Ty::Str => self.literal(ty),
            Ty::Schedule => {
                self.scope.push(("step".to_owned(), Ty::Step));
                let body = self.expr(&Ty::Float, depth);
                self.scope.pop();
                match choice {
                    0 => format!("({}) |> warmup({})", e!(Ty::Schedule), e!(Ty::Step)),
                    1 => format!("drops({}, at: {}, by: 0.5)", e!(Ty::Float), e!(Ty::List(Box::new(Ty::Step)))),
                    _ => format!("step => {body}"),
                }
            }
            Ty::State => match choice {
                0 => format!("({}) |> prune(global_magnitude({}))", e!(Ty::State), e!(Ty::Ratio)),
                1 => format!("(dense).at({})", e!(Ty::Step)),
                2 => format!("select({}, then: {}, else: {})", e!(Ty::Judged), e!(Ty::State), e!(Ty::State)),
                3 => format!("({}) |> rewind(to: {})", e!(Ty::State), e!(Ty::State)),
                4 => format!("({}) |> rewind_and_retrain(dense, k: {})", e!(Ty::State), e!(Ty::Step)),
                _ => "dense".to_owned(),
            },
            Ty::Accuracy => match choice {
                0 => format!("max({}, {})", e!(Ty::Accuracy), e!(Ty::Accuracy)),
                1 => format!("({}) + ({})", e!(Ty::Accuracy), e!(Ty::Points)),
                2 => format!("select({}, then: {}, else: {})", e!(Ty::Judged), e!(Ty::Accuracy), e!(Ty::Ratio)),
                3 => format!("({}) * 0.5", e!(Ty::Accuracy)),
                _ => format!("evaluate({}, task.{}).top1", e!(Ty::State), self.choices.one(&["val", "train"])),
            },
            Ty::Judged => match choice {
                0 => format!("not ({})", e!(Ty::Judged)),
                1 => format!("({}) and ({})", e!(Ty::Judged), e!(Ty::Bool)),
                2 => format!("({}) or ({})", e!(Ty::Judged), e!(Ty::Judged)),
                _ => format!("({}) < ({})", e!(Ty::Accuracy), e!(Ty::Accuracy)),
            },
            Ty::List(element) => match choice {
                0 => {
                    let from = self.ty(0);
                    let list = e!(Ty::List(Box::new(from.clone())));
                    self.scope.push(("y".to_owned(), from));
                    let body = self.expr(element, depth);
                    self.scope.pop();
                    format!("for y in {list} {{ {body} }}")
                }
                1 => {
                    let from = self.ty(0);
                    let list = e!(Ty::List(Box::new(from.clone())));
                    self.scope.push(("z".to_owned(), from));
                    let body = self.expr(element, depth);
                    self.scope.pop();
                    format!("{list} |> map(z => {body})")
                }
                2 => format!("({}) ++ ({})", e!(ty.clone()), e!(ty.clone())),
                3 => format!("reverse({})", e!(ty.clone())),
                4 => {
                    let start = self.expr(element, depth);
                    self.scope.push(("s".to_owned(), (**element).clone()));
                    self.scope.push(("r".to_owned(), Ty::Int));
                    let body = self.expr(element, depth);
                    let until = if self.choices.percent(40) {
                        format!("until: s => {}, ", self.expr(&Ty::Judged, depth))
                    } else {
                        String::new()
                    };
                    self.scope.truncate(self.scope.len() - 2);
                    format!("iterate({start}, times: 2, {until}(s, r) => {body})")
                }
                5 if **element == Ty::Int => format!("0..{}", self.choices.below(5)),
                _ => {
                    let items: Vec<_> = (0..=self.choices.below(2)).map(|_| self.expr(element, depth)).collect();
                    format!("[{}]", items.join(", "))
                }
            },
            Ty::Tuple(a, b) => format!("({}, {})", self.expr(a, depth), self.expr(b, depth)),
            Ty::Record(fields) => {
                let written: Vec<_> =
                    fields.iter().map(|(name, ty)| format!("{name}: {}", self.expr(ty, depth))).collect();
                let record = format!("{{ {} }}", written.join(", "));
                match (choice, fields.first()) {
                    (0, Some((name, first))) => format!("{{ ..{record}, {name}: {} }}", self.expr(first, depth)),
                    _ => record,
                }
            }
        }
    }
}
