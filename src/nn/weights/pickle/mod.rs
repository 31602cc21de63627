//! A reader of pickles that runs nothing.
//!
//! A pickle is a program for a stack machine that may call any function of Python. This machine knows the instructions
//! that build data and a short list of names, which it interprets itself; everything else stops it.

mod cursor;
mod object;

use std::collections::BTreeMap;

use super::FileError;
use super::numbers::View;
use cursor::Cursor;
pub(super) use object::{Global, Id, Object, Storage};

/// More objects than this are no state dict; a bound of memory, since an instruction may be one byte.
const MOST_OBJECTS: usize = 1 << 21;
/// More instructions than this are none either: the memory, the marks and the stack grow by one with each.
const MOST_INSTRUCTIONS: usize = 1 << 23;
/// Extents of a tensor; PyTorch has no more either.
const MOST_AXES: usize = 64;

/// A pickle, read.
#[derive(Debug)]
pub(super) struct Pickle {
    /// Everything in it.
    pub(super) objects: Vec<Object>,
    /// The value of the whole.
    pub(super) root: Id,
    /// Bytes it takes.
    pub(super) length: usize,
}

/// Reads the pickle at the beginning of some bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Pickle, FileError> {
    let mut machine = Machine {
        cursor: Cursor::new(bytes),
        objects: Vec::new(),
        copied: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
    };
    let mut instructions = 0;
    while machine.step()? {
        instructions += 1;
        if instructions > MOST_INSTRUCTIONS {
            return Err(too_many());
        }
    }
    let root = machine.pop()?;
    Ok(Pickle { objects: machine.objects, root, length: machine.cursor.at() })
}

struct Machine<'a> {
    cursor: Cursor<'a>,
    objects: Vec<Object>,
    /// Elements that were copied from one container to another.
    copied: usize,
    stack: Vec<Id>,
    /// Heights of the stack where a container was begun.
    marks: Vec<usize>,
    memo: BTreeMap<u64, Id>,
}

impl Machine<'_> {
    /// Carries out one instruction; `false` at the end.
    fn step(&mut self) -> Result<bool, FileError> {
        let instruction = self.cursor.number(1)? as u8;
        match instruction {
            b'.' => return Ok(false),
            0x80 => drop(self.cursor.take(1)?),
            0x95 => drop(self.cursor.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_marked()?),
            b'2' => self.stack.push(self.top()?),
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.remember_or_recall(instruction)?,
            b']' | b'l' | b')' | b't' | 0x85..=0x87 | b'}' | b'd' | 0x8f => self.begin(instruction)?,
            b'a' | b'e' | b's' | b'u' | 0x90 => self.extend(instruction)?,
            b'c' | b'i' | 0x93 => self.name(instruction)?,
            // Making an object is a call that sets no attributes.
            b'R' | 0x81 => self.call()?,
            b'b' => self.set_state()?,
            b'Q' => self.refer()?,
            _ => self.constant(instruction)?,
        }
        Ok(true)
    }

    /// Numbers, texts and bytes.
    fn constant(&mut self, instruction: u8) -> Result<(), FileError> {
        let cursor = &mut self.cursor;
        let text = |bytes: &[u8]| Object::Text(String::from_utf8_lossy(bytes).into_owned());
        let object = match instruction {
            b'N' => Object::Inert,
            0x88 => Object::Bool(true),
            0x89 => Object::Bool(false),
            b'J' => Object::Int(i64::from((cursor.number(4)? as u32).cast_signed())),
            b'K' => Object::Int(cursor.number(1)?.cast_signed()),
            b'M' => Object::Int(cursor.number(2)?.cast_signed()),
            0x8a => integer(cursor.counted(1)?),
            0x8b => integer(cursor.counted(4)?),
            b'I' | b'L' => written(&cursor.line()?),
            b'F' => inert(cursor.line()?),
            b'G' => inert(cursor.take(8)?),
            b'V' => Object::Text(cursor.line()?),
            b'X' | b'T' => text(cursor.counted(4)?),
            b'U' | 0x8c => text(cursor.counted(1)?),
            0x8d => text(cursor.counted(8)?),
            b'B' => inert(cursor.counted(4)?),
            b'C' => inert(cursor.counted(1)?),
            0x8e | 0x96 => inert(cursor.counted(8)?),
            other => return Err(FileError::Instruction(other)),
        };
        self.push(object)
    }

    fn remember_or_recall(&mut self, instruction: u8) -> Result<(), FileError> {
        let place = match instruction {
            b'p' | b'g' => self.cursor.line()?.trim().parse().map_err(|_| confused("a place is no number"))?,
            b'q' | b'h' => self.cursor.number(1)?,
            b'r' | b'j' => self.cursor.number(4)?,
            _ => self.memo.len() as u64,
        };
        if matches!(instruction, b'g' | b'h' | b'j') {
            let known = self.memo.get(&place).ok_or_else(|| confused("something is recalled that never was"))?;
            self.stack.push(*known);
        } else {
            let top = self.top()?;
            self.memo.insert(place, top);
        }
        Ok(())
    }

    /// A new container, of what is on the stack.
    fn begin(&mut self, instruction: u8) -> Result<(), FileError> {
        let object = match instruction {
            b']' => Object::List(Vec::new()),
            b'l' => Object::List(self.pop_marked()?),
            b')' => Object::Tuple(Vec::new()),
            b't' => Object::Tuple(self.pop_marked()?),
            b'}' => Object::Dict(Vec::new()),
            b'd' => Object::Dict(pairs(&self.pop_marked()?)?),
            0x8f => Object::Inert,
            several => Object::Tuple(self.pop_last(usize::from(several - 0x84))?),
        };
        self.push(object)
    }

    /// Puts what is on the stack into the container below it.
    fn extend(&mut self, instruction: u8) -> Result<(), FileError> {
        let items = match instruction {
            b'a' => self.pop_last(1)?,
            b's' => self.pop_last(2)?,
            _ => self.pop_marked()?,
        };
        let top = self.top()?;
        match (&mut self.objects[top], instruction) {
            (Object::List(list), b'a' | b'e') => list.extend(items),
            (Object::Dict(dict), b's' | b'u') => dict.extend(pairs(&items)?),
            (Object::Inert, _) => {}
            _ => return Err(confused("something is put into what is no container")),
        }
        Ok(())
    }

    fn name(&mut self, instruction: u8) -> Result<(), FileError> {
        let (module, name) = if instruction == 0x93 {
            let name = self.pop()?;
            let module = self.pop()?;
            (self.text(module)?.to_owned(), self.text(name)?.to_owned())
        } else {
            (self.cursor.line()?, self.cursor.line()?)
        };
        match object::global(&module, &name) {
            Some(known) if instruction != b'i' => self.push(Object::Global(known)),
            _ => Err(refusal(&module, &name)),
        }
    }

    /// What a call would return, for the few names that are known.
    fn call(&mut self) -> Result<(), FileError> {
        let (arguments, called) = (self.pop()?, self.pop()?);
        let (Object::Global(global), Object::Tuple(arguments)) = (&self.objects[called], &self.objects[arguments])
        else {
            return Err(confused("something is called that is no name"));
        };
        let first = arguments.first().copied();
        match (*global, first) {
            (Global::First, Some(first)) => {
                self.stack.push(first);
                Ok(())
            }
            (Global::Dictionary, first) => {
                let object = self.dictionary(first)?;
                self.push(object)
            }
            (Global::Tensor, Some(_)) => {
                let object = self.tensor(arguments)?;
                self.push(object)
            }
            (Global::Inert, _) => self.push(Object::Inert),
            _ => Err(confused("a call lacks its arguments")),
        }
    }

    fn dictionary(&mut self, of: Option<Id>) -> Result<Object, FileError> {
        let Some(of) = of else { return Ok(Object::Dict(Vec::new())) };
        let entries: Vec<(Id, Id)> = match &self.objects[of] {
            Object::Dict(entries) => entries.clone(),
            Object::List(items) => items.iter().map(|item| self.pair(*item)).collect::<Result<_, _>>()?,
            _ => return Err(confused("a dictionary is made of something else than pairs")),
        };
        self.copied += entries.len();
        if self.copied > MOST_OBJECTS {
            return Err(too_many());
        }
        Ok(Object::Dict(entries))
    }

    fn pair(&self, item: Id) -> Result<(Id, Id), FileError> {
        match &self.objects[item] {
            Object::List(two) | Object::Tuple(two) if two.len() == 2 => Ok((two[0], two[1])),
            _ => Err(confused("a dictionary is made of something else than pairs")),
        }
    }

    fn tensor(&self, arguments: &[Id]) -> Result<Object, FileError> {
        let &[storage, offset, shape, stride, ..] = arguments else {
            return Err(confused("a tensor lacks its shape"));
        };
        let (Object::Storage(storage), Object::Int(offset)) = (&self.objects[storage], &self.objects[offset]) else {
            return Err(confused("a tensor is made of something else than numbers"));
        };
        let view = View {
            offset: usize::try_from(*offset).map_err(|_| confused("a tensor begins before its numbers"))?,
            shape: self.extents(shape)?,
            stride: self.extents(stride)?,
        };
        if view.shape.len() != view.stride.len() {
            return Err(confused("a tensor has not as many strides as extents"));
        }
        Ok(Object::Tensor(*storage, Box::new(view)))
    }

    fn extents(&self, of: Id) -> Result<Vec<usize>, FileError> {
        let wrong = || confused("the shape of a tensor is not understood");
        let (Object::Tuple(items) | Object::List(items)) = &self.objects[of] else { return Err(wrong()) };
        if items.len() > MOST_AXES {
            return Err(wrong());
        }
        let extent = |item: &Id| match &self.objects[*item] {
            Object::Int(extent) => usize::try_from(*extent).map_err(|_| wrong()),
            _ => Err(wrong()),
        };
        items.iter().map(extent).collect()
    }

    /// Attributes of an object: `_metadata` of a state dict and the like, which nobody needs.
    fn set_state(&mut self) -> Result<(), FileError> {
        self.pop()?;
        match &self.objects[self.top()?] {
            Object::Dict(_) | Object::Inert | Object::Tensor(..) => Ok(()),
            _ => Err(confused("attributes are set of what has none")),
        }
    }

    /// A reference to numbers elsewhere in the file.
    fn refer(&mut self) -> Result<(), FileError> {
        let told = self.pop()?;
        let Object::Tuple(parts) = &self.objects[told] else { return Err(confused("a reference has no parts")) };
        let &[word, kind, key, _, _, ref more @ ..] = parts.as_slice() else {
            return Err(confused("a reference lacks parts"));
        };
        if self.text(word)? != "storage" {
            return Err(FileError::Unsupported("a whole model instead of its state dict".to_owned()));
        }
        if more.iter().any(|view| !matches!(self.objects[*view], Object::Inert)) {
            return Err(FileError::Unsupported("views of storages, as PyTorch 0.1 wrote them".to_owned()));
        }
        let Object::Global(Global::Numbers(kind)) = self.objects[kind] else {
            return Err(confused("numbers are of no kind"));
        };
        self.text(key)?;
        self.push(Object::Storage(Storage { kind, key }))
    }

    fn text(&self, id: Id) -> Result<&str, FileError> {
        match &self.objects[id] {
            Object::Text(text) => Ok(text),
            _ => Err(confused("a name is no text")),
        }
    }

    fn push(&mut self, object: Object) -> Result<(), FileError> {
        if self.objects.len() == MOST_OBJECTS {
            return Err(too_many());
        }
        self.stack.push(self.objects.len());
        self.objects.push(object);
        Ok(())
    }

    /// Elements of the stack that the innermost container does not own.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, FileError> {
        self.stack.get(self.floor()..).and_then(<[Id]>::last).copied().ok_or_else(underflow)
    }

    fn pop(&mut self) -> Result<Id, FileError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_last(&mut self, count: usize) -> Result<Vec<Id>, FileError> {
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= self.floor());
        Ok(self.stack.split_off(start.ok_or_else(underflow)?))
    }

    fn pop_marked(&mut self) -> Result<Vec<Id>, FileError> {
        let start = self.marks.pop().ok_or_else(underflow)?;
        if start > self.stack.len() {
            return Err(underflow());
        }
        Ok(self.stack.split_off(start))
    }
}

fn inert<T>(_: T) -> Object {
    Object::Inert
}

/// An integer of any width, the lowest byte first, in two's complement.
fn integer(bytes: &[u8]) -> Object {
    if bytes.len() > 8 {
        return Object::Inert;
    }
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xFF } else { 0 };
    let mut whole = [fill; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    Object::Int(i64::from_le_bytes(whole))
}

/// An integer or a truth in decimal digits.
fn written(line: &str) -> Object {
    match line.trim_end_matches('L') {
        "01" => Object::Bool(true),
        "00" => Object::Bool(false),
        digits => digits.parse().map_or(Object::Inert, Object::Int),
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, FileError> {
    match items.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(confused("a key of a dictionary has no value")),
    }
}

/// Says what a name that is not on the list would be: tensors of another kind, or anything at all.
fn refusal(module: &str, name: &str) -> FileError {
    // What fits into a message.
    let shown: String = format!("{module}.{name}").chars().filter(|c| !c.is_control()).take(80).collect();
    if module == "torch._utils" || module == "torch" && name.ends_with("Storage") {
        FileError::Unsupported(format!("tensors of the kind `{shown}`"))
    } else {
        FileError::Refused(shown)
    }
}

fn confused(reason: &str) -> FileError {
    FileError::malformed(format!("in its pickle, {reason}"))
}

fn underflow() -> FileError {
    confused("something is taken that is not there")
}

fn too_many() -> FileError {
    FileError::Unsupported("more objects than any state dict has".to_owned())
}
