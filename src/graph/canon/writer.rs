//! Any serialisable value in canonical form.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{self, Error as _, Serialize};

use super::{Canon, shared};

/// Writes canonical values: in the forms that JSON gives to structures, enumerations and options.
pub(super) struct Writer;

/// Why a value has no canonical form.
#[derive(Debug)]
pub(super) struct NoForm(String);

impl fmt::Display for NoForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoForm {}

impl ser::Error for NoForm {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Written<T = Canon> = Result<T, NoForm>;

/// A sequence that is being written, inside the map of its variant if it has one.
pub(super) struct Items(Vec<Canon>, Option<&'static str>);

/// A record that is being written.
pub(super) struct Fields(BTreeMap<String, Canon>, Option<&'static str>, String);

fn inside(variant: Option<&'static str>, value: Canon) -> Canon {
    match variant {
        Some(variant) => Canon::Map(BTreeMap::from([(variant.to_owned(), value)])),
        None => value,
    }
}

macro_rules! integers {
    ($($method:ident: $ty:ty),*) => {
        $(
            fn $method(self, value: $ty) -> Written {
                Ok(Canon::Int(i64::from(value)))
            }
        )*
    };
}

impl ser::Serializer for Writer {
    type Ok = Canon;
    type Error = NoForm;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    integers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32
    );

    fn serialize_i64(self, value: i64) -> Written {
        Ok(Canon::Int(value))
    }

    fn serialize_u64(self, value: u64) -> Written {
        // What 64 bits with a sign cannot hold is kept as JSON numbers are read: as a float.
        Ok(i64::try_from(value).map_or(Canon::Float(value as f64), Canon::Int))
    }

    fn serialize_bool(self, value: bool) -> Written {
        Ok(Canon::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Written {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Written {
        if value.is_finite() { Ok(Canon::Float(value + 0.0)) } else { Err(NoForm::custom("not a finite number")) }
    }

    fn serialize_char(self, value: char) -> Written {
        Ok(Canon::Str(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Written {
        Ok(Canon::Str(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        Ok(Canon::List(value.iter().map(|byte| Canon::Int(i64::from(*byte))).collect()))
    }

    fn serialize_none(self) -> Written {
        Ok(Canon::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        Ok(Canon::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        Ok(Canon::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        Ok(Canon::Str(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Written {
        match if name == shared::MARK { shared::handed() } else { None } {
            Some(encoded) => Ok(Canon::Shared(encoded)),
            None => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        Ok(inside(Some(variant), value.serialize(Self)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Written<Items> {
        Ok(Items(Vec::with_capacity(length.unwrap_or(0)), None))
    }

    fn serialize_tuple(self, length: usize) -> Written<Items> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Written<Items> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, length: usize) -> Written<Items> {
        Ok(Items(Vec::with_capacity(length), Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Written<Fields> {
        Ok(Fields(BTreeMap::new(), None, String::new()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Written<Fields> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Written<Fields> {
        Ok(Fields(BTreeMap::new(), Some(variant), String::new()))
    }
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Written<()> {
        self.0.push(value.serialize(Writer)?);
        Ok(())
    }

    fn finish(self) -> Canon {
        inside(self.1, Canon::List(self.0))
    }
}

macro_rules! sequences {
    ($($form:ident.$method:ident),*) => {
        $(
            impl ser::$form for Items {
                type Ok = Canon;
                type Error = NoForm;

                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written<()> {
                    self.push(value)
                }

                fn end(self) -> Written {
                    Ok(self.finish())
                }
            }
        )*
    };
}

sequences!(
    SerializeSeq.serialize_element,
    SerializeTuple.serialize_element,
    SerializeTupleStruct.serialize_field,
    SerializeTupleVariant.serialize_field
);

impl Fields {
    fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Written<()> {
        self.0.insert(name.to_owned(), value.serialize(Writer)?);
        Ok(())
    }
}

macro_rules! records {
    ($($form:ident),*) => {
        $(
            impl ser::$form for Fields {
                type Ok = Canon;
                type Error = NoForm;

                fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written<()> {
                    self.set(name, value)
                }

                fn end(self) -> Written {
                    Ok(inside(self.1, Canon::Map(self.0)))
                }
            }
        )*
    };
}

records!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Fields {
    type Ok = Canon;
    type Error = NoForm;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written<()> {
        self.2 = match key.serialize(Writer)? {
            Canon::Str(name) => name,
            Canon::Int(number) => number.to_string(),
            Canon::Bool(value) => value.to_string(),
            _ => return Err(NoForm::custom("a key that is no text")),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written<()> {
        let name = std::mem::take(&mut self.2);
        self.set(&name, value)
    }

    fn end(self) -> Written {
        Ok(Canon::Map(self.0))
    }
}
