//! What a pickle of a state dict may be made of.

use crate::nn::weights::numbers::{Kind, View};

/// A place in [`super::Pickle::objects`]. Objects refer to each other by place: a chain of a million of them is freed as
/// easily as one.
pub(in crate::nn::weights) type Id = usize;

/// A value.
#[derive(Clone, Debug)]
pub(in crate::nn::weights) enum Object {
    /// Something that no state dict needs: a float, bytes, a random generator's state.
    Inert,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    Tensor(Storage, Box<View>),
}

/// Numbers that lie elsewhere in the file.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn::weights) struct Storage {
    /// What they are.
    pub(in crate::nn::weights) kind: Kind,
    /// A text: their name in the file.
    pub(in crate::nn::weights) key: Id,
}

/// Names that a pickle may mention. None of them is looked up or called: each says how to read its arguments.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn::weights) enum Global {
    /// A dictionary of the pairs given.
    Dictionary,
    /// A tensor of storage, offset, extents and strides.
    Tensor,
    /// Its first argument.
    First,
    /// Numbers of a kind, in the names of storages.
    Numbers(Kind),
    /// Something whose value nobody needs.
    Inert,
}

/// Finds a name on the list of those allowed.
pub(super) fn global(module: &str, name: &str) -> Option<Global> {
    Some(match (module, name) {
        ("collections", "OrderedDict") => Global::Dictionary,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::Tensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") | ("torch", "Size") => Global::First,
        ("torch", name) => match name.strip_suffix("Storage") {
            Some(kind) => Global::Numbers(numbers(kind)?),
            None if DTYPES.contains(&name) || name == "device" => Global::Inert,
            None => return None,
        },
        ("collections", "Counter")
        | ("builtins" | "__builtin__", "set" | "frozenset")
        | ("argparse", "Namespace")
        | ("pathlib" | "pathlib._local", "PosixPath" | "PurePosixPath" | "WindowsPath" | "PureWindowsPath")
        | ("numpy", "dtype")
        | ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar")
        | ("_codecs", "encode") => Global::Inert,
        _ => return None,
    })
}

/// Names of element types, which checkpoints keep among their settings.
const DTYPES: [&str; 10] =
    ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"];

fn numbers(name: &str) -> Option<Kind> {
    Some(match name {
        "Double" => Kind::F64,
        "Float" => Kind::F32,
        "Half" => Kind::F16,
        "BFloat16" => Kind::Bf16,
        "Long" => Kind::I64,
        "Int" => Kind::I32,
        "Short" => Kind::I16,
        "Char" => Kind::I8,
        "Byte" => Kind::U8,
        "Bool" => Kind::Bool,
        _ => return None,
    })
}
