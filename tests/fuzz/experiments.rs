//! Experiments that can be written in many ways: the same stages under other names, in another order, in another layout.

use std::fmt::Write as _;

use super::choices::Choices;

/// What an experiment says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Experiment {
    width: usize,
    /// Learning rate in hundredths.
    rate: usize,
    /// Momentum in tenths.
    momentum: usize,
    /// Weight decay in hundred-thousandths.
    decay: usize,
    batch: usize,
    epochs: usize,
    seeds: usize,
    /// Per cent.
    remove: usize,
    rounds: usize,
    /// Epoch of the drop.
    drop: usize,
    rewind: usize,
    keep: bool,
}

/// How it is written.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a decision by itself")]
pub(crate) struct Manner {
    prefix: usize,
    order: usize,
    comments: bool,
    inline: bool,
    functions: bool,
    spelled: bool,
    formatted: bool,
}

impl Experiment {
    pub(crate) fn draw(choices: &mut Choices<'_>) -> Self {
        let epochs = 2 + choices.below(6);
        Self {
            width: 2 + choices.below(4),
            rate: 1 + choices.below(30),
            momentum: choices.below(10),
            decay: choices.below(50),
            batch: 32 + choices.below(64),
            epochs,
            seeds: 1 + choices.below(3),
            remove: 5 + choices.below(60),
            rounds: 1 + choices.below(3),
            drop: 1 + choices.below(epochs - 1),
            rewind: choices.below(epochs),
            keep: choices.below(2) == 1,
        }
    }

    /// The same experiment with one literal changed.
    pub(crate) fn changed(&self, choices: &mut Choices<'_>) -> Self {
        let mut other = self.clone();
        match choices.below(11) {
            0 => other.width += 1,
            1 => other.rate += 1,
            2 => other.momentum = (self.momentum + 1) % 10,
            3 => other.decay += 1,
            4 => other.batch += 1,
            5 => other.epochs += 1,
            6 => other.seeds += 1,
            7 => other.remove += 1,
            8 => other.rounds += 1,
            9 => other.rewind = (self.rewind + 1) % self.epochs,
            _ => other.keep = !self.keep,
        }
        other
    }

    /// Writes the experiment.
    pub(crate) fn text(&self, manner: &Manner) -> String {
        let p = ["", "a_", "my_", "x"][manner.prefix % 4];
        let rate = format!("0.{:02}", self.rate);
        let (decay, remove) = (format!("{}e-5", self.decay), format!("{}%", self.remove));
        let mut items = Vec::new();
        items.push("import std.data.{digits}".to_owned());
        items.push("import std.models.{tiny_resnet}".to_owned());
        items.push("import std.prune.{global_magnitude, rewind_and_retrain}".to_owned());
        items.push(format!("let {p}task = digits()"));
        let schedule = if manner.functions {
            items.push(format!(
                "fn {p}falling(from: Float) -> Schedule {{ step => if step >= {}ep {{ from * 0.1 }} else {{ from }} }}",
                self.drop
            ));
            format!("{p}falling({rate})")
        } else {
            format!("drops({rate}, at: [{}ep], by: 0.1)", self.drop)
        };
        let optional = if manner.spelled { ", nesterov: false, label_smoothing: 0.0" } else { "" };
        let recipe = format!(
            "sgd(lr: {schedule}, momentum: 0.{}, weight_decay: {decay}, batch: {}{optional})",
            self.momentum, self.batch
        );
        let recipe_used = if manner.inline {
            recipe
        } else {
            items.push(format!("let {p}recipe = {recipe}"));
            format!("{p}recipe")
        };
        let keep = if self.keep { ", keep: [\"fc.weight\"]" } else { "" };
        let comment = if manner.comments { "  // a comment, which says nothing\n" } else { "" };
        items.push(format!(
            "let {p}runs = sweep {p}seed in seeds({}) {{\n{comment}  let {p}dense = tiny_resnet(classes: {p}task.classes, width: \
             {}) |> init({p}seed) |> train({p}task, {recipe_used}, until: {}ep)\n  let {p}states = iterate({p}dense, times: {}, \
             ({p}s, {p}r) => {p}s |> prune(global_magnitude({remove}{keep})) |> rewind_and_retrain({p}dense, k: {}ep))\n  \
             for {p}s in {p}states {{ {{ top1: evaluate({p}s, {p}task.test).top1 }} }}\n}}",
            self.seeds, self.width, self.epochs, self.rounds, self.rewind
        ));
        items.push(format!("table {p}shown = {p}runs"));
        if manner.order % 2 == 1 {
            items.reverse();
        }
        let mut text = String::new();
        for item in &items {
            if manner.comments {
                text += "// One thing after another.\n\n";
            }
            let _ = writeln!(text, "{item}");
        }
        if manner.formatted {
            let (file, found) = pdsl::syntax::parse(pdsl::source::FileId(0), &text);
            assert!(found.is_empty(), "{text}\n{found:#?}");
            text = pdsl::syntax::print(&file, &text);
        }
        text
    }
}

impl Manner {
    pub(crate) fn draw(choices: &mut Choices<'_>) -> Self {
        Self {
            prefix: choices.below(4),
            order: choices.below(2),
            comments: choices.below(2) == 1,
            inline: choices.below(2) == 1,
            functions: choices.below(2) == 1,
            spelled: choices.below(2) == 1,
            formatted: choices.below(2) == 1,
        }
    }
}
