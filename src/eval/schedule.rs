//! Sampling schedules: a function of the step becomes one number per iteration.

use std::collections::HashMap;
use std::sync::Arc;

use super::interpreter::{Interpreter, error};
use crate::diag::codes::evaluation as codes;
use crate::source::Span;
use crate::value::{Course, Evaluated, Function, Recipe, Step, Value, repr};

/// Steps that one sample may take.
const SAMPLE_BUDGET: u64 = 20_000;
/// Samples of one program.
const SAMPLES: u64 = 20_000_000;

/// Identifies a schedule: a function by its address, a constant by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Function(usize),
    Constant(u64),
}

/// Samples taken so far.
#[derive(Default)]
pub(super) struct Samples {
    /// Samples from iteration 0 of each schedule.
    known: HashMap<(Source, Course), Sampled>,
    /// Parts that trainings share.
    parts: HashMap<(Source, Course, u64, u64), Arc<[f64]>>,
    taken: u64,
}

/// A schedule with its values so far.
struct Sampled {
    /// Keeps the address from being used again.
    _alive: Value,
    rates: Vec<f64>,
    milestones: Vec<Arc<Step>>,
}

/// Steps that a schedule compares the step it is given with: where it changes.
pub(super) struct Milestones {
    given: Arc<Step>,
    found: Vec<Arc<Step>>,
}

impl Milestones {
    /// A schedule that makes up new steps for every sample has no milestones that are worth a list.
    const MOST: usize = 64;

    /// Takes note of a comparison of two steps.
    pub(super) fn note(&mut self, a: &Arc<Step>, b: &Arc<Step>) {
        let other = match (Arc::ptr_eq(a, &self.given), Arc::ptr_eq(b, &self.given)) {
            (true, false) => b,
            (false, true) => a,
            _ => return,
        };
        let known = self.found.iter().any(|found| Arc::ptr_eq(found, other) || found == other);
        if !known && self.found.len() < Self::MOST {
            self.found.push(other.clone());
        }
    }
}

impl Interpreter<'_> {
    /// Samples the learning rate from `start` to `until`.
    pub(super) fn sample_rates(
        &mut self,
        recipe: &Recipe,
        course: Course,
        start: u64,
        until: u64,
        span: Span,
    ) -> Evaluated<Arc<[f64]>> {
        let source = match &recipe.rate {
            Value::Function(function) => Source::Function(address(function)),
            other => Source::Constant(other.number().unwrap_or(0.0).to_bits()),
        };
        let part = (source, course, start, until);
        if let Some(rates) = self.samples.parts.get(&part) {
            return Ok(rates.clone());
        }
        let fresh = || Sampled { _alive: recipe.rate.clone(), rates: Vec::new(), milestones: Vec::new() };
        let mut known = self.samples.known.remove(&(source, course)).unwrap_or_else(fresh);
        let sampled = self.extend(&recipe.rate, course, &mut known, until, span);
        let rates = known.rates.get(start as usize..until as usize).map(Arc::<[f64]>::from);
        let ends = sampled.and_then(|()| check_milestones(&known.milestones, recipe, course, until, span));
        self.samples.known.insert((source, course), known);
        ends?;
        let rates = rates.unwrap_or_default();
        self.samples.parts.insert(part, rates.clone());
        Ok(rates)
    }

    fn extend(&mut self, rate: &Value, course: Course, known: &mut Sampled, until: u64, span: Span) -> Evaluated<()> {
        let missing = until.saturating_sub(known.rates.len() as u64);
        self.samples.taken += missing;
        if self.samples.taken > SAMPLES {
            let message = "the program has more than twenty million iterations of different schedules";
            return Err(error(&codes::TOO_MANY_STEPS, message, span, "one training too many")
                .help("bind the recipe once with `let`, so that its schedule is shared")
                .into());
        }
        if let Some(constant) = rate.number() {
            check(constant, 0, span)?;
            known.rates.resize(until as usize, constant);
            return Ok(());
        }
        while (known.rates.len() as u64) < until {
            let at = known.rates.len() as u64;
            let given = Arc::new(Step::iterations(at));
            let found = std::mem::take(&mut known.milestones);
            let outer = self.milestones.replace(Milestones { given: given.clone(), found });
            let value = self.sample(rate, course, Value::Step(given), span);
            let noted = std::mem::replace(&mut self.milestones, outer);
            known.milestones = noted.map(|noted| noted.found).unwrap_or_default();
            let value = value?;
            let Some(number) = value.number() else {
                let message =
                    format!("the learning rate at iteration {at} is {}, not a plain number", repr::kind(&value));
                return Err(error(&codes::BAD_RATE, message, span, "while sampling the rate of this training").into());
            };
            check(number, at, span)?;
            known.rates.push(number + 0.0);
        }
        Ok(())
    }

    /// Returns the value of a schedule at a step, where an epoch is what `course` says.
    pub(super) fn sample(&mut self, schedule: &Value, course: Course, step: Value, span: Span) -> Evaluated {
        let left = std::mem::replace(&mut self.steps, SAMPLE_BUDGET);
        let outer = self.course.replace(course);
        let value = self.apply(schedule, vec![step], span);
        (self.steps, self.course) = (left, outer);
        value
    }
}

/// Checks that a schedule changes for the last time before the training ends.
fn check_milestones(
    milestones: &[Arc<Step>],
    recipe: &Recipe,
    course: Course,
    until: u64,
    span: Span,
) -> Evaluated<()> {
    let late = |milestone: &&Arc<Step>| milestone.whole_iterations(&course).is_some_and(|at| at > until);
    let Some(milestone) = milestones.iter().find(late) else { return Ok(()) };
    let end = Step::written(until, course.per_epoch);
    let message = format!("the learning rate changes at {milestone}, but the training ends at {end}");
    Err(error(&codes::BEYOND_END, message, recipe.rate_span, format!("changes at {milestone}"))
        .label(span, "the training ends here")
        .help(format!("train longer, let the rate change before {end}, or take `.at({end})` of the longer training"))
        .into())
}

fn check(rate: f64, at: u64, span: Span) -> Evaluated<()> {
    if rate.is_finite() && rate >= 0.0 {
        return Ok(());
    }
    let message = format!("the learning rate at iteration {at} is {rate}");
    Err(error(&codes::BAD_RATE, message, span, "while sampling the rate of this training")
        .help("a rate is a finite number from 0")
        .into())
}

fn address(function: &Function) -> usize {
    match function {
        Function::Closure(closure) => Arc::as_ptr(closure) as usize,
        Function::Declared(function, _) => Arc::as_ptr(function) as usize,
        Function::Native(native) => Arc::as_ptr(native) as usize,
        Function::Accessor(name) => Arc::as_ptr(name).cast::<u8>() as usize,
    }
}
